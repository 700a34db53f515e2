/**
 * Encodes one column of a row group into pages: V1 data pages that start at given rows, PLAIN or RLE_DICTIONARY, with zstd
 * where it pays.
 *
 *   data page := [u32 length, repetition levels] [u32 length, definition levels] values     compressed as a whole
 */
import { assert } from '../base/assert.ts'
import { crc32 } from '../base/crc32.ts'
import { compress } from '../base/zstd.ts'
import { type Bounds, columnBounds, mergeBounds } from './bounds.ts'
import { buildDictionary, type Dictionary } from './dictionary-builder.ts'
import { bitWidth, encodeHybrid, hybridSizeMax } from './encoding/hybrid.ts'
import { encodePlain, plainSize } from './encoding/plain.ts'
import { Codec, type ColumnStatistics, Encoding } from './metadata.ts'
import { encodePageHeader, PageType } from './page-header.ts'
import { PhysicalType, type SchemaLeaf } from './schema.ts'
import { BytesValues, type ColumnData, type Levels, type Values } from './values.ts'

export interface EncodedPage {
  readonly header: Uint8Array
  readonly body: Uint8Array
  readonly uncompressedSizeBytes: number
}

export interface EncodedDataPage extends EncodedPage {
  readonly firstRow: number
  readonly nullCount: number
  readonly slotCount: number
  readonly bounds: Bounds | undefined
}

export interface EncodedColumnChunk {
  readonly dictionary: EncodedPage | undefined
  readonly pages: readonly EncodedDataPage[]
  readonly statistics: ColumnStatistics
  readonly slotCount: number
  readonly encodings: readonly number[]
  readonly codec: number
}

/** Pages up to this size are left alone: with a frame around them they would hardly shrink. */
const TINY_PAGE_BYTES = 96
/** A chunk whose first page does not shrink by this share is not compressed: every reader would pay for little. */
const COMPRESSION_GAIN_SHARE_MIN = 1 / 8

/** `pageFirstRows` ascends from 0; a page ends where the next begins, the last at `rowCount`. */
export function encodeColumnChunk(
  leaf: SchemaLeaf,
  data: ColumnData,
  rowCount: number,
  pageFirstRows: readonly number[],
  compressionLevel: number,
): EncodedColumnChunk {
  const { values } = data
  const slotCount = data.definitionLevels?.count ?? values.count
  assert(
    leaf.repetitionLevelMax > 0 || slotCount === rowCount,
    () => `column ${leaf.path.join('.')}: ${slotCount} slots for ${rowCount} rows`,
  )
  const dictionary = leaf.physicalType === PhysicalType.boolean ? undefined : buildDictionary(values)
  const pageRanges = planPageRanges(leaf, data, rowCount, pageFirstRows, slotCount)
  const column = { leaf, data, dictionary, pageRanges }
  const compressor = chooseCompressor(column, compressionLevel)
  const pages = pageRanges.map((range) => encodeDataPage(column, range, compressor))
  return {
    dictionary: dictionary && encodeDictionaryPage(leaf, values, dictionary, compressor),
    pages,
    statistics: chunkStatistics(leaf, pages),
    slotCount,
    encodings: dictionary ? [Encoding.plain, Encoding.rle, Encoding.rleDictionary] : [Encoding.plain, Encoding.rle],
    codec: compressor.codec,
  }
}

interface Compressor {
  readonly codec: number
  /** The result is the caller's own. */
  compress(bytes: Uint8Array): Uint8Array
}

const uncompressed: Compressor = { codec: Codec.uncompressed, compress: (bytes) => bytes.slice() }

interface PageRange {
  readonly firstRow: number
  readonly slot: number
  readonly slotEnd: number
  readonly value: number
  readonly valueEnd: number
}

interface Column {
  readonly leaf: SchemaLeaf
  readonly data: ColumnData
  readonly dictionary: Dictionary | undefined
  readonly pageRanges: readonly PageRange[]
}

function planPageRanges(
  leaf: SchemaLeaf,
  data: ColumnData,
  rowCount: number,
  pageFirstRows: readonly number[],
  slotCount: number,
): PageRange[] {
  let slot = 0
  let value = 0
  const ranges = pageFirstRows.map((firstRow, page): PageRange => {
    const slotEnd = slotOfRow(data, leaf, slot, firstRow, pageFirstRows[page + 1] ?? rowCount)
    const valueEnd = value + valuesIn(data.definitionLevels, leaf.definitionLevelMax, slot, slotEnd)
    const range = { firstRow, slot, slotEnd, value, valueEnd }
    slot = slotEnd
    value = valueEnd
    return range
  })
  assert(slot === slotCount, () => `column ${leaf.path.join('.')}: pages end at slot ${slot} of ${slotCount}`)
  return ranges
}

/** One codec for the whole chunk (Parquet has no other), judged by the page with the most values. */
function chooseCompressor(column: Column, level: number): Compressor {
  const zstd: Compressor = { codec: Codec.zstd, compress: (bytes) => compress(bytes, level) }
  let sample = column.pageRanges[0]!
  for (const range of column.pageRanges) {
    if (range.valueEnd - range.value > sample.valueEnd - sample.value) sample = range
  }
  const size = encodePageBody(column, sample)
  if (size <= TINY_PAGE_BYTES) {
    // Rarely is another page large when this one is not: then it counts.
    const isAllTiny = column.pageRanges.every((range) => encodePageBody(column, range) <= TINY_PAGE_BYTES)
    return isAllTiny ? uncompressed : zstd
  }
  const part = scratch.subarray(0, Math.min(size, SAMPLE_BYTES_MAX))
  return compress(part, level).length > part.length * (1 - COMPRESSION_GAIN_SHARE_MIN) ? uncompressed : zstd
}

/** Of a page, for the choice of a codec. */
const SAMPLE_BYTES_MAX = 8 * 1024

function encodeDataPage(column: Column, range: PageRange, compressor: Compressor): EncodedDataPage {
  const { leaf, data, dictionary } = column
  const { slot, slotEnd, value, valueEnd, firstRow } = range
  const size = encodePageBody(column, range)
  const body = compressor.compress(scratch.subarray(0, size))
  return {
    header: encodePageHeader({
      type: PageType.data,
      uncompressedSizeBytes: size,
      compressedSizeBytes: body.length,
      crc: crc32(body),
      valueCount: slotEnd - slot,
      encoding: dictionary ? Encoding.rleDictionary : Encoding.plain,
      definitionLevelEncoding: Encoding.rle,
      repetitionLevelEncoding: Encoding.rle,
    }),
    body,
    uncompressedSizeBytes: size,
    firstRow,
    slotCount: slotEnd - slot,
    nullCount: slotEnd - slot - (valueEnd - value),
    bounds: columnBounds(leaf.node, data.values, value, valueEnd),
  }
}

/** Reused by every page of this thread; grows to the largest page met. */
let scratch = new Uint8Array(1 << 20)

/** Encodes a page into `scratch` and returns its size. */
function encodePageBody({ leaf, data, dictionary }: Column, { slot, slotEnd, value, valueEnd }: PageRange): number {
  const levelsMax = 2 * (4 + hybridSizeMax(slotEnd - slot, 8))
  // Width 0 is legal for a single entry, but not every reader knows it.
  const indexWidth = dictionary ? Math.max(1, bitWidth(dictionary.entryCount - 1)) : 0
  const valuesMax = dictionary
    ? 1 + hybridSizeMax(valueEnd - value, indexWidth)
    : plainSize(leaf.physicalType, data.values, value, valueEnd)
  if (scratch.length < levelsMax + valuesMax) scratch = new Uint8Array((levelsMax + valuesMax) * 2)
  let at = 0
  if (leaf.repetitionLevelMax > 0) at = encodeLevels(data.repetitionLevels!, slot, slotEnd, leaf.repetitionLevelMax, at)
  if (leaf.definitionLevelMax > 0) at = encodeLevels(data.definitionLevels!, slot, slotEnd, leaf.definitionLevelMax, at)
  if (!dictionary) return encodePlain(leaf.physicalType, data.values, value, valueEnd, scratch, at)
  scratch[at++] = indexWidth
  // Where every row has one value, values are counted as rows are.
  const position = data.values.count === (data.definitionLevels?.count ?? data.values.count) ? value : 0
  return encodeHybrid(dictionary.indexes, value, valueEnd, indexWidth, scratch, at, position)
}

function encodeLevels(levels: Levels, slot: number, slotEnd: number, levelMax: number, at: number): number {
  const end = encodeHybrid(levels.levels, slot, slotEnd, bitWidth(levelMax), scratch, at + 4, slot)
  const length = end - at - 4
  scratch[at] = length
  scratch[at + 1] = length >> 8
  scratch[at + 2] = length >> 16
  scratch[at + 3] = length >> 24
  return end
}

function encodeDictionaryPage(
  leaf: SchemaLeaf,
  values: Values,
  dictionary: Dictionary,
  compressor: Compressor,
): EncodedPage {
  const size = dictionarySize(values, dictionary)
  const bytes = new Uint8Array(size)
  let at = 0
  for (let entry = 0; entry < dictionary.entryCount; entry++) {
    const index = dictionary.entries[entry]!
    at = encodePlain(leaf.physicalType, values, index, index + 1, bytes, at)
  }
  const body = compressor.compress(bytes)
  const header = encodePageHeader({
    type: PageType.dictionary,
    uncompressedSizeBytes: size,
    compressedSizeBytes: body.length,
    crc: crc32(body),
    valueCount: dictionary.entryCount,
    encoding: Encoding.plain,
  })
  return { header, body, uncompressedSizeBytes: size }
}

function dictionarySize(values: Values, dictionary: Dictionary): number {
  if (!(values instanceof BytesValues)) return dictionary.entryCount * values.width
  let size = 0
  for (let entry = 0; entry < dictionary.entryCount; entry++) {
    const index = dictionary.entries[entry]!
    size += 4 + values.offsets[index + 1]! - values.offsets[index]!
  }
  return size
}

function chunkStatistics(leaf: SchemaLeaf, pages: readonly EncodedDataPage[]): ColumnStatistics {
  const nullCount = pages.reduce((sum, page) => sum + page.nullCount, 0)
  const filled = pages.filter((page) => page.nullCount < page.slotCount)
  const parts = filled.flatMap((page) => (page.bounds ? [page.bounds] : []))
  const bounds = parts.length === filled.length ? mergeBounds(leaf.node, parts) : undefined
  return { nullCount, ...(bounds ?? {}) }
}

/** Slot at which row `rowEnd` begins, given that row `row` begins at `slot`. */
function slotOfRow(data: ColumnData, leaf: SchemaLeaf, slot: number, row: number, rowEnd: number): number {
  if (leaf.repetitionLevelMax === 0) return slot + (rowEnd - row)
  const { levels, count } = data.repetitionLevels!
  let at = slot
  for (let rest = rowEnd - row; rest > 0; rest--) {
    assert(at < count && levels[at] === 0, () => `column ${leaf.path.join('.')}: row does not begin at slot ${at}`)
    at++
    while (at < count && levels[at] !== 0) at++
  }
  return at
}

function valuesIn(definitionLevels: Levels | undefined, levelMax: number, slot: number, slotEnd: number): number {
  if (!definitionLevels) return slotEnd - slot
  const { levels } = definitionLevels
  let count = 0
  for (let i = slot; i < slotEnd; i++) if (levels[i] === levelMax) count++
  return count
}
