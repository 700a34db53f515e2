/**
 * Decodes the pages of one column chunk: V1 and V2 data pages, every encoding that common writers use. Bytes are not
 * trusted: sizes, counts, levels and dictionary indexes are checked, and a mismatch is a CorruptionError.
 */
import { CorruptionError, StorageError } from '../base/errors.ts'
import { decompressPage } from './compression.ts'
import { crc32 } from '../base/crc32.ts'
import { decodeDeltaByteArrays, decodeDeltaIntegers, decodeDeltaLengthByteArrays } from './encoding/delta.ts'
import { bitWidth, decodeHybrid } from './encoding/hybrid.ts'
import { decodePlain } from './encoding/plain.ts'
import { Encoding } from './metadata.ts'
import { type PageHeader, PageType, decodePageHeader } from './page-header.ts'
import { PhysicalType, type SchemaLeaf, valueWidth } from './schema.ts'
import { ThriftReader } from './thrift.ts'
import { BytesValues, type ColumnData, FixedValues, Levels, type Values } from './values.ts'

/** Slots of one page. Run lengths let a few bytes claim any number; no sane writer comes near this. */
const PAGE_SLOTS_MAX = 1 << 24

export class ColumnPageReader implements ColumnData {
  readonly leaf: SchemaLeaf
  readonly values: Values
  readonly definitionLevels?: Levels
  readonly repetitionLevels?: Levels
  readonly #codec: number
  #dictionary: Values | undefined
  #slots = 0

  constructor(leaf: SchemaLeaf, codec: number) {
    this.leaf = leaf
    this.#codec = codec
    this.values = newValues(leaf)
    if (leaf.definitionLevelMax > 0) this.definitionLevels = new Levels()
    if (leaf.repetitionLevelMax > 0) this.repetitionLevels = new Levels()
  }

  get slotCount(): number {
    return this.#slots
  }

  /**
   * Decodes the page at `start`, which must end by `end`; returns the offset after it. More slots than `slotsMax` are
   * corruption; of a column without lists no more than the first `slotsWanted` are decoded.
   */
  readPage(
    bytes: Uint8Array,
    start: number,
    end: number,
    { slotsMax = PAGE_SLOTS_MAX, slotsWanted = PAGE_SLOTS_MAX }: { slotsMax?: number; slotsWanted?: number } = {},
  ): number {
    const reader = new ThriftReader(bytes, start, end)
    const header = decodePageHeader(reader)
    const bodyEnd = reader.offset + header.compressedSizeBytes
    if (bodyEnd > end) throw new CorruptionError('parquet page longer than its range', { bodyEnd, end })
    const body = bytes.subarray(reader.offset, bodyEnd)
    if (header.crc !== undefined && header.crc !== crc32(body)) {
      throw new CorruptionError('parquet page checksum mismatch', { column: this.leaf.path.join('.') })
    }
    if (header.type === PageType.dictionary) this.#readDictionary(header, body)
    else if (header.type === PageType.data || header.type === PageType.dataV2) {
      if (header.valueCount > Math.min(slotsMax, PAGE_SLOTS_MAX)) {
        throw new CorruptionError('parquet page with too many values', { valueCount: header.valueCount, slotsMax })
      }
      if (header.v2) {
        this.#slots += header.valueCount
        this.#readDataV2(header, header.v2, body)
      } else {
        const isCut = this.leaf.repetitionLevelMax === 0 && canStopEarly(header.encoding)
        const count = isCut ? Math.min(header.valueCount, slotsWanted) : header.valueCount
        this.#slots += count
        this.#readData(header, body, count)
      }
    } else if (header.type !== PageType.index)
      throw new CorruptionError('unknown parquet page type', { type: header.type })
    return bodyEnd
  }

  #readDictionary(header: PageHeader, body: Uint8Array): void {
    if (header.encoding !== Encoding.plain && header.encoding !== Encoding.plainDictionary) {
      throw new CorruptionError('parquet dictionary encoding', { encoding: header.encoding })
    }
    const bytes = decompressPage(this.#codec, body, header.uncompressedSizeBytes)
    const dictionary = newValues(this.leaf)
    decodePlain(this.leaf.physicalType, bytes, 0, bytes.length, header.valueCount, dictionary)
    this.#dictionary = dictionary
  }

  #readData(header: PageHeader, body: Uint8Array, count: number): void {
    const bytes = decompressPage(this.#codec, body, header.uncompressedSizeBytes)
    let at = 0
    const { repetitionLevels, definitionLevels, leaf } = this
    if (repetitionLevels) {
      at = this.#readLevels(bytes, at, header.repetitionLevelEncoding, leaf.repetitionLevelMax, repetitionLevels, count)
    }
    if (definitionLevels) {
      at = this.#readLevels(bytes, at, header.definitionLevelEncoding, leaf.definitionLevelMax, definitionLevels, count)
    }
    this.#readValues(header.encoding, bytes, at, this.#presentOf(count))
  }

  #readDataV2(header: PageHeader, v2: NonNullable<PageHeader['v2']>, body: Uint8Array): void {
    const levelsSize = v2.repetitionLevelsSizeBytes + v2.definitionLevelsSizeBytes
    if (levelsSize > body.length || levelsSize > header.uncompressedSizeBytes) {
      throw new CorruptionError('parquet levels longer than their page', { levelsSize })
    }
    const { repetitionLevels, definitionLevels, leaf } = this
    const count = header.valueCount
    if (repetitionLevels) {
      decodeLevels(body, 0, v2.repetitionLevelsSizeBytes, leaf.repetitionLevelMax, repetitionLevels, count)
    }
    if (definitionLevels) {
      decodeLevels(body, v2.repetitionLevelsSizeBytes, levelsSize, leaf.definitionLevelMax, definitionLevels, count)
    }
    const rest = body.subarray(levelsSize)
    const size = header.uncompressedSizeBytes - levelsSize
    // A page of nulls has no values, and some writers then leave the compressed part out.
    const bytes = v2.isCompressed && size > 0 ? decompressPage(this.#codec, rest, size) : rest
    this.#readValues(header.encoding, bytes, 0, this.#presentOf(count))
  }

  #readLevels(
    bytes: Uint8Array,
    at: number,
    encoding: number | undefined,
    max: number,
    levels: Levels,
    count: number,
  ): number {
    if (encoding !== Encoding.rle) throw new StorageError('unsupported', 'parquet level encoding', { encoding })
    if (at + 4 > bytes.length) throw new CorruptionError('parquet levels end too early', { at })
    const length = (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
    if (length > bytes.length - at - 4) throw new CorruptionError('parquet levels longer than their page', { length })
    decodeLevels(bytes, at + 4, at + 4 + length, max, levels, count)
    return at + 4 + length
  }

  /** How many of the last `slots` slots hold a value. */
  #presentOf(slots: number): number {
    const { definitionLevels } = this
    if (!definitionLevels) return slots
    const max = this.leaf.definitionLevelMax
    const { levels, count } = definitionLevels
    let present = 0
    for (let i = count - slots; i < count; i++) if (levels[i] === max) present++
    return present
  }

  #readValues(encoding: number, bytes: Uint8Array, at: number, count: number): void {
    const { values, leaf } = this
    switch (encoding) {
      case Encoding.plain:
        decodePlain(leaf.physicalType, bytes, at, bytes.length, count, values)
        return
      case Encoding.plainDictionary:
      case Encoding.rleDictionary:
        this.#readIndexes(bytes, at, count)
        return
      case Encoding.rle:
        this.#readBooleanRuns(bytes, at, count)
        return
      case Encoding.deltaBinaryPacked:
        if (values instanceof BytesValues || leaf.physicalType === PhysicalType.boolean) break
        decodeDeltaIntegers(bytes, at, bytes.length, count, values)
        return
      case Encoding.deltaLengthByteArray:
        if (!(values instanceof BytesValues)) break
        decodeDeltaLengthByteArrays(bytes, at, bytes.length, count, values, new FixedValues(4))
        return
      case Encoding.deltaByteArray:
        if (!(values instanceof BytesValues)) break
        decodeDeltaByteArrays(bytes, at, bytes.length, count, values, new FixedValues(4), new FixedValues(4))
        return
      case Encoding.byteStreamSplit:
        if (values instanceof BytesValues) break
        decodeByteStreamSplit(bytes, at, count, values)
        return
      default:
        break
    }
    throw new StorageError('unsupported', 'parquet encoding', { encoding, physicalType: leaf.physicalType })
  }

  #readIndexes(bytes: Uint8Array, at: number, count: number): void {
    const dictionary = this.#dictionary
    if (!dictionary)
      throw new CorruptionError('parquet dictionary page is missing', { column: this.leaf.path.join('.') })
    if (count === 0) return
    const width = bytes[at]
    if (width === undefined) throw new CorruptionError('parquet indexes end too early', { at })
    if (indexScratch.length < count) indexScratch = new Int32Array(count * 2)
    const indexes = indexScratch.subarray(0, count)
    decodeHybrid(bytes, at + 1, bytes.length, width, indexes, 0, count)
    const entries = dictionary.count
    for (let i = 0; i < count; i++) {
      // A negative one is large as an unsigned number.
      if (indexes[i]! >>> 0 >= entries) {
        throw new CorruptionError('parquet index outside its dictionary', { index: indexes[i]!, entries })
      }
    }
    appendEntries(this.values, dictionary, indexes)
  }

  #readBooleanRuns(bytes: Uint8Array, at: number, count: number): void {
    if (this.leaf.physicalType !== PhysicalType.boolean || this.values instanceof BytesValues) {
      throw new CorruptionError('parquet run lengths of a type that is not boolean')
    }
    const start = this.values.growBy(count)
    decodeHybrid(bytes, at + 4, bytes.length, 1, this.values.bytes, start, count)
  }
}

/** The first values of such a page can be had without the rest. */
function canStopEarly(encoding: number): boolean {
  return encoding === Encoding.plain || encoding === Encoding.plainDictionary || encoding === Encoding.rleDictionary
}

/** Reused by every page of this thread; grows to the largest page met. */
let indexScratch = new Int32Array(1 << 14)

function newValues(leaf: SchemaLeaf): Values {
  const width = valueWidth(leaf.node)
  return width === undefined ? new BytesValues() : new FixedValues(width)
}

function decodeLevels(bytes: Uint8Array, start: number, end: number, max: number, levels: Levels, count: number): void {
  const at = levels.growBy(count)
  decodeHybrid(bytes, start, end, bitWidth(max), levels.levels, at, count)
  for (let i = at; i < at + count; i++) {
    if (levels.levels[i]! > max) throw new CorruptionError('parquet level too large', { level: levels.levels[i]!, max })
  }
}

function appendEntries(values: Values, dictionary: Values, indexes: Int32Array): void {
  if (values instanceof BytesValues && dictionary instanceof BytesValues) {
    appendByteEntries(values, dictionary, indexes)
    return
  }
  if (values instanceof BytesValues || dictionary instanceof BytesValues) return
  const { width } = values
  const first = values.count
  values.growBy(indexes.length)
  if (width === 4 || width === 8) {
    const source = dictionary.words
    const target = values.words
    if (width === 4) for (let i = 0; i < indexes.length; i++) target[first + i] = source[indexes[i]!]!
    else {
      for (let i = 0; i < indexes.length; i++) {
        const from = indexes[i]! * 2
        target[(first + i) * 2] = source[from]!
        target[(first + i) * 2 + 1] = source[from + 1]!
      }
    }
    return
  }
  const from = dictionary.bytes
  const to = values.bytes
  for (let i = 0; i < indexes.length; i++) {
    const start = indexes[i]! * width
    for (let k = 0; k < width; k++) to[(first + i) * width + k] = from[start + k]!
  }
}

function appendByteEntries(values: BytesValues, dictionary: BytesValues, indexes: Int32Array): void {
  const from = dictionary.offsets
  let sizeBytes = 0
  for (let i = 0; i < indexes.length; i++) sizeBytes += from[indexes[i]! + 1]! - from[indexes[i]!]!
  values.reserveMany(indexes.length, sizeBytes)
  const source = dictionary.data
  const { data, offsets } = values
  let at = offsets[values.count]!
  for (let i = 0; i < indexes.length; i++) {
    const end = from[indexes[i]! + 1]!
    for (let k = from[indexes[i]!]!; k < end; k++) data[at++] = source[k]!
    offsets[values.count + i + 1] = at
  }
  values.count += indexes.length
}

function decodeByteStreamSplit(bytes: Uint8Array, start: number, count: number, values: FixedValues): void {
  const { width } = values
  if (count * width > bytes.length - start) throw new CorruptionError('parquet split values end too early', { count })
  const at = values.growBy(count)
  for (let i = 0; i < count; i++) {
    for (let k = 0; k < width; k++) values.bytes[at + i * width + k] = bytes[start + k * count + i]!
  }
}
