/** Columns -> heap page: the inverse of tuple-decoder.ts, row after row from wherever its cursor stands. */
import { CorruptionError } from '../base/errors.ts'
import type { BytesValues, ColumnData, FixedValues } from '../parquet/values.ts'
import { PAGE_SIZE } from '../postgres/constants.ts'
import { ItemIdFlag, itemIdByte, makeItemId } from '../postgres/item-id.ts'
import { PAGE_HEADER_SIZE, readPageChecksum } from '../postgres/page-header.ts'
import { writePageChecksum } from '../postgres/page-checksum.ts'
import { alignUp, writeI32, writeU16 } from './little-endian.ts'
import { type PageEntry, applyPatch } from './page-directory.ts'
import type { AttributeLayout, HiddenColumn, TableLayout } from './table-layout.ts'
import { HIDDEN_COLUMNS } from './table-layout.ts'
import { HEAP_HAS_NULL, NATTS_MASK, TUPLE_HEADER_SIZE } from './tuple-decoder.ts'
import type { ScalarCodec } from './types/type-codec.ts'
import { ExceptionKind, type ValueException, decodeExceptions } from './value-exceptions.ts'
import { SHORT_PAYLOAD_MAX } from './varlena.ts'

/** An attribute's source of payloads with the cursor into its dense values. */
interface PayloadSource {
  readonly leaf: number
  readonly attribute: AttributeLayout['attribute']
  readonly column: ColumnData
  /** Undefined: the values are the payloads. */
  readonly codec: ScalarCodec | undefined
  next: number
}

export class PageRebuilder {
  readonly #sources: readonly PayloadSource[]
  readonly #hidden: Readonly<Record<HiddenColumn, FixedValues>>
  readonly #raw: ColumnData
  readonly #rawLeaf: number
  #rawNext = 0
  #row = 0
  /** Room for one tuple and for what a damaged column may make of one. */
  readonly #tuple = new Uint8Array(PAGE_SIZE * 2)

  /** `columns` by leaf; only the layout's `rebuildLeaves` are looked at. They may grow later. */
  constructor(layout: TableLayout, columns: readonly (ColumnData | undefined)[]) {
    const columnAt = (leaf: number): ColumnData => {
      const column = columns[leaf]
      if (!column) throw new CorruptionError('columnar layer without a column', { leaf })
      return column
    }
    this.#sources = layout.attributes.map(({ attribute, codec, valueLeaf, payloadLeaf }) => ({
      leaf: payloadLeaf ?? valueLeaf!,
      attribute,
      column: columnAt(payloadLeaf ?? valueLeaf!),
      codec: payloadLeaf === undefined && codec?.kind === 'scalar' ? codec : undefined,
      next: 0,
    }))
    this.#hidden = Object.fromEntries(
      HIDDEN_COLUMNS.map((name) => [name, columnAt(layout.hiddenLeaf[name]).values]),
    ) as Record<HiddenColumn, FixedValues>
    this.#raw = columnAt(layout.rawLeaf)
    this.#rawLeaf = layout.rawLeaf
  }

  /** Goes to a row, given how many values each leaf has before it. */
  seek(row: number, valuesBefore: (leaf: number) => number): void {
    for (const source of this.#sources) source.next = valuesBefore(source.leaf)
    this.#rawNext = valuesBefore(this.#rawLeaf)
    this.#row = row
  }

  skipRows(count: number): void {
    for (let stop = this.#row + count; this.#row < stop; this.#row++) {
      for (const source of this.#sources) if (source.column.definitionLevels!.levels[this.#row] === 1) source.next++
      if (this.#raw.definitionLevels!.levels[this.#row] === 1) this.#rawNext++
    }
  }

  /** Fills `out` (8192 bytes) with the page of the next rows, patched, in canonical form. */
  rebuildPage(entry: PageEntry & { kind: 'columns' }, blockNumber: number, out: Uint8Array): void {
    this.rebuildUnpatched(entry, blockNumber, out)
    applyPatch(entry.patch, out)
    if (readPageChecksum(out) !== 0) writePageChecksum(out, blockNumber)
  }

  rebuildUnpatched(entry: Omit<PageEntry & { kind: 'columns' }, 'patch'>, blockNumber: number, out: Uint8Array): void {
    out.fill(0)
    out.set(entry.header)
    const { _pg_off: offsets, _pg_lpd: differences } = this.#hidden
    let predicted = PAGE_SIZE
    for (const stop = this.#row + entry.rowCount; this.#row < stop; this.#row++) {
      const length = this.#encodeTuple(blockNumber)
      const start = predicted - alignUp(length, 8) + differences.int32(this.#row)
      const offsetNumber = offsets.int32(this.#row)
      const itemByte = itemIdByte(offsetNumber)
      if (start < PAGE_HEADER_SIZE || start + length > PAGE_SIZE || offsetNumber < 1 || itemByte + 4 > PAGE_SIZE) {
        throw new CorruptionError('columnar row outside its page', { blockNumber, offsetNumber, start, length })
      }
      copyTuple(this.#tuple, length, out, start)
      writeI32(out, itemByte, makeItemId(start, ItemIdFlag.normal, length))
      predicted = start
    }
    for (let i = 0; i < entry.itemIndexes.length; i++)
      writeI32(out, itemIdByte(entry.itemIndexes[i]! + 1), entry.items[i]!)
  }

  /** Writes the current row's tuple and returns its length. */
  #encodeTuple(blockNumber: number): number {
    const row = this.#row
    const hidden = this.#hidden
    const tuple = this.#tuple
    const infomask2 = hidden._pg_im2.int32(row)
    const infomask = hidden._pg_im.int32(row)
    const ctidBlock = hidden._pg_ctb.int32(row)
    const ctidOffset = hidden._pg_cto.int32(row)
    const isSelf = ctidBlock === 0 && ctidOffset === 0
    const block = (blockNumber + ctidBlock) >>> 0
    writeI32(tuple, 0, hidden._pg_xmin.int32(row))
    writeI32(tuple, 4, hidden._pg_xmax.int32(row))
    writeI32(tuple, 8, hidden._pg_cid.int32(row))
    writeU16(tuple, 12, block >>> 16)
    writeU16(tuple, 14, block)
    writeU16(tuple, 16, isSelf ? hidden._pg_off.int32(row) : ctidOffset)
    writeU16(tuple, 18, infomask2)
    writeU16(tuple, 20, infomask)
    const attributeCount = infomask2 & NATTS_MASK
    const hasNulls = (infomask & HEAP_HAS_NULL) !== 0
    const headerEnd = alignUp(TUPLE_HEADER_SIZE + (hasNulls ? (attributeCount + 7) >> 3 : 0), 8)
    tuple[22] = headerEnd
    tuple.fill(0, TUPLE_HEADER_SIZE, headerEnd)
    const exceptions = this.#exceptionsOf(row)
    let at = headerEnd
    for (let i = 0; i < this.#sources.length; i++) {
      const source = this.#sources[i]!
      const isPresent = source.column.definitionLevels!.levels[row] === 1
      const index = isPresent ? source.next++ : -1
      if (i >= attributeCount) continue
      const exception = exceptions?.get(source.attribute.number)
      if (!isPresent && exception === undefined) continue
      if (hasNulls) tuple[TUPLE_HEADER_SIZE + (i >> 3)]! |= 1 << (i & 7)
      at = this.#encodeDatum(source, index, exception, at)
      if (at > PAGE_SIZE) throw new CorruptionError('columnar row longer than a page', { blockNumber, row })
    }
    return at
  }

  #exceptionsOf(row: number): Map<number, ValueException> | undefined {
    if (this.#raw.definitionLevels!.levels[row] !== 1) return undefined
    const { data, offsets } = this.#raw.values as BytesValues
    const index = this.#rawNext++
    return decodeExceptions(data, offsets[index]!, offsets[index + 1]!)
  }

  #encodeDatum(source: PayloadSource, index: number, exception: ValueException | undefined, at: number): number {
    const { attribute } = source
    const { length, alignment } = attribute
    const tuple = this.#tuple
    if (exception?.kind === ExceptionKind.bytes) {
      const { bytes } = exception
      const isAligned = length > 0 || (length === -1 && (bytes[0]! & 1) === 0)
      const start = isAligned ? this.#pad(at, alignment) : at
      if (start + bytes.length > PAGE_SIZE)
        throw new CorruptionError('columnar value longer than a page', { length: bytes.length })
      tuple.set(bytes, start)
      return start + bytes.length
    }
    if (index < 0) throw new CorruptionError('columnar row lacks a value', { attribute: attribute.number })
    if (length > 0) return this.#writePayload(source, index, this.#pad(at, alignment))
    if (length === -2) {
      const end = this.#writePayload(source, index, at)
      tuple[end] = 0
      return end + 1
    }
    // Written where a short header puts it, and moved when the header turns out to be long.
    const payloadEnd = this.#writePayload(source, index, at + 1)
    const size = payloadEnd - at - 1
    const isShortUsual = attribute.storage !== 'p' && size <= SHORT_PAYLOAD_MAX
    const isShort = exception?.kind === ExceptionKind.form ? !isShortUsual : isShortUsual
    if (isShort) {
      tuple[at] = ((size + 1) << 1) | 1
      return payloadEnd
    }
    const start = alignUp(at, alignment)
    tuple.copyWithin(start + 4, at + 1, payloadEnd)
    tuple.fill(0, at, start)
    writeI32(tuple, start, (size + 4) << 2)
    return start + 4 + size
  }

  #writePayload(source: PayloadSource, index: number, at: number): number {
    const { values } = source.column
    const bytes = values as BytesValues
    if (bytes.offsets !== undefined && bytes.offsets[index + 1]! - bytes.offsets[index]! > PAGE_SIZE) {
      throw new CorruptionError('columnar value longer than a page', { attribute: source.attribute.number })
    }
    if (source.codec) return source.codec.write(values, index, this.#tuple, at)
    const payload = bytes.at(index)
    this.#tuple.set(payload, at)
    return at + payload.length
  }

  #pad(at: number, alignment: number): number {
    const start = alignUp(at, alignment)
    for (let i = at; i < start; i++) this.#tuple[i] = 0
    return start
  }
}

/** In words where it lies as in a sound page; what is copied beyond the tuple is its padding. */
function copyTuple(tuple: Uint8Array, length: number, out: Uint8Array, start: number): void {
  const target = out.byteOffset + start
  if (target % 4 !== 0 || start + length + 3 > PAGE_SIZE) {
    for (let i = 0; i < length; i++) out[start + i] = tuple[i]!
    return
  }
  tuple[length] = 0
  tuple[length + 1] = 0
  tuple[length + 2] = 0
  const from = new Int32Array(tuple.buffer, 0, (length + 3) >> 2)
  new Int32Array(out.buffer, target, from.length).set(from)
}
