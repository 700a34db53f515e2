/**
 * Heap page -> columns (HeapTupleHeaderData, src/include/access/htup_details.h, PG 18): appends one row for each tuple of a
 * page, those of dead line pointers with storage too.
 */
import { isStorageError } from '../base/errors.ts'
import { schemaLeaves } from '../parquet/schema.ts'
import type { BytesValues, FixedValues } from '../parquet/values.ts'
import { PAGE_SIZE } from '../postgres/constants.ts'
import {
  ITEM_ID_SIZE,
  ItemIdFlag,
  itemFlags,
  itemIdByte,
  itemLength,
  itemOffset,
  maxOffsetNumber,
} from '../postgres/item-id.ts'
import {
  hasPlausiblePageHeader,
  PAGE_HEADER_SIZE,
  readPageLower,
  readPageSpecial,
  readPageUpper,
} from '../postgres/page-header.ts'
import { AttributeColumn, GrowingColumn } from './attribute-column.ts'
import { alignUp, i32, u16, u32 } from './little-endian.ts'
import { columnName, HIDDEN_COLUMNS, type HiddenColumn, type TableLayout } from './table-layout.ts'
import { Appended } from './types/type-codec.ts'
import { ExceptionBuilder } from './value-exceptions.ts'
import {
  decodeToastPointer,
  decompressInline,
  EXTERNAL_POINTER_SIZE,
  SHORT_PAYLOAD_MAX,
  type ToastPointer,
  toastPayload,
  varlenaForm,
  varlenaSize,
  varlenaStart,
} from './varlena.ts'

export const TUPLE_HEADER_SIZE = 23
export const HEAP_HAS_NULL = 0x0001
export const NATTS_MASK = 0x07ff

/** Gives the stored bytes of an out-of-line value (its chunks joined), or undefined when they are no longer there. */
export type ToastReader = (pointer: ToastPointer) => Uint8Array | undefined

/** Larger out-of-line values are null in their column and marked as overflow: a row group of them would not fit in memory. */
export const TOAST_VALUE_BYTES_MAX = 64 * 1024 * 1024

export interface DecodeCounts {
  rows: number
  /** Values kept with their page bytes. */
  rawValues: number
  /** Values whose varlena header has the unusual form. */
  formValues: number
  overflowValues: number
}

/** The page cannot be read as a heap page with this table's attributes. */
class UndecodablePage extends Error {}

export class TupleDecoder {
  readonly columns: readonly GrowingColumn[]
  readonly counts: DecodeCounts = { rows: 0, rawValues: 0, formValues: 0, overflowValues: 0 }
  readonly #attributes: readonly AttributeColumn[]
  readonly #hidden: Readonly<Record<HiddenColumn, FixedValues>>
  readonly #raw: GrowingColumn
  readonly #overflow: GrowingColumn
  readonly #toast: ToastReader | undefined
  readonly #exceptions = new ExceptionBuilder()
  #overflowTexts: Record<string, string | null> | undefined
  #rowCount = 0
  #isPlain = true

  constructor(layout: TableLayout, toast?: ToastReader) {
    this.columns = schemaLeaves(layout.schema).map((leaf) => new GrowingColumn(leaf))
    this.#attributes = layout.attributes.map((each) => new AttributeColumn(each, this.columns))
    this.#hidden = Object.fromEntries(
      HIDDEN_COLUMNS.map((name) => [name, this.columns[layout.hiddenLeaf[name]]!.values]),
    ) as Record<HiddenColumn, FixedValues>
    this.#raw = this.columns[layout.rawLeaf]!
    this.#overflow = this.columns[layout.overflowLeaf]!
    this.#toast = toast
  }

  /** Rows since the last `clear`. */
  get rowCount(): number {
    return this.#rowCount
  }

  /**
   * Whether nothing but the rows and the page directory is needed to rebuild the page decoded last, as far as its layout
   * tells: all padding is zero, tuples and line pointers lie without gaps. Verifying the file still has the last word.
   */
  get isPagePlain(): boolean {
    return this.#isPlain
  }

  clear(): void {
    for (const column of this.columns) column.clear()
    this.#rowCount = 0
  }

  /**
   * Appends the page's rows and returns their number, or undefined, with nothing appended, when the page does not read as
   * one of this table.
   */
  decodePage(page: Uint8Array, blockNumber: number): number | undefined {
    if (!hasPlausiblePageHeader(page) || readPageSpecial(page) !== PAGE_SIZE) return undefined
    for (const column of this.columns) column.mark()
    const before = this.#rowCount
    try {
      this.#decodeTuples(page, blockNumber)
    } catch (error) {
      if (!(error instanceof UndecodablePage)) throw error
      for (const column of this.columns) column.rollback()
      this.#exceptions.clear()
      this.#overflowTexts = undefined
      this.#rowCount = before
      return undefined
    }
    this.counts.rows += this.#rowCount - before
    return this.#rowCount - before
  }

  #decodeTuples(page: Uint8Array, blockNumber: number): void {
    const lower = readPageLower(page)
    const itemCount = maxOffsetNumber(lower)
    let predicted = PAGE_SIZE
    let coveredBytes = 0
    this.#isPlain = (lower - PAGE_HEADER_SIZE) % ITEM_ID_SIZE === 0
    for (let offsetNumber = 1; offsetNumber <= itemCount; offsetNumber++) {
      const item = u32(page, itemIdByte(offsetNumber))
      const flags = itemFlags(item)
      const length = itemLength(item)
      if (flags !== ItemIdFlag.normal && !(flags === ItemIdFlag.dead && length > 0)) continue
      const start = itemOffset(item)
      if (start % 8 !== 0 || start < lower || start + length > PAGE_SIZE || length < TUPLE_HEADER_SIZE + 1)
        throw new UndecodablePage()
      const alignedLength = alignUp(length, 8)
      predicted -= alignedLength
      coveredBytes += alignedLength
      this.#decodeHeader(page, start, blockNumber, offsetNumber, start - predicted)
      predicted = start
      this.#decodeValues(page, start, start + length)
      this.#expectZeros(page, start + length, start + alignedLength)
      this.#rowCount++
    }
    // Tuples that fill the page from its end to pd_upper leave no bytes between them.
    if (coveredBytes !== PAGE_SIZE - readPageUpper(page)) this.#isPlain = false
  }

  /** Padding that a rebuilt page has as zeros. */
  #expectZeros(page: Uint8Array, start: number, end: number): void {
    for (let i = start; i < end; i++) if (page[i] !== 0) this.#isPlain = false
  }

  #decodeHeader(
    page: Uint8Array,
    start: number,
    blockNumber: number,
    offsetNumber: number,
    offsetDifference: number,
  ): void {
    const hidden = this.#hidden
    hidden._pg_blk.appendInt32(blockNumber | 0)
    hidden._pg_off.appendInt32(offsetNumber)
    hidden._pg_lpd.appendInt32(offsetDifference)
    hidden._pg_xmin.appendInt32(i32(page, start))
    hidden._pg_xmax.appendInt32(i32(page, start + 4))
    hidden._pg_cid.appendInt32(i32(page, start + 8))
    const ctidBlock = (u16(page, start + 12) * 65_536 + u16(page, start + 14)) | 0
    const ctidOffset = u16(page, start + 16)
    const isSelf = ctidBlock === (blockNumber | 0) && ctidOffset === offsetNumber
    if (!isSelf && ctidOffset === 0) this.#isPlain = false
    hidden._pg_ctb.appendInt32(isSelf ? 0 : (ctidBlock - blockNumber) | 0)
    hidden._pg_cto.appendInt32(isSelf ? 0 : ctidOffset)
    hidden._pg_im2.appendInt32(u16(page, start + 18))
    hidden._pg_im.appendInt32(u16(page, start + 20))
  }

  #decodeValues(page: Uint8Array, start: number, end: number): void {
    const attributeCount = u16(page, start + 18) & NATTS_MASK
    const hasNulls = (u16(page, start + 20) & HEAP_HAS_NULL) !== 0
    const attributes = this.#attributes
    let at = start + page[start + 22]!
    if (attributeCount > attributes.length || at > end) throw new UndecodablePage()
    this.#expectUsualHeader(page, start, attributeCount, hasNulls)
    for (let i = 0; i < attributes.length; i++) {
      const column = attributes[i]!
      if (i >= attributeCount) column.appendMissing()
      else if (hasNulls && (page[start + TUPLE_HEADER_SIZE + (i >> 3)]! & (1 << (i & 7))) === 0) column.appendNull()
      else at = this.#decodeDatum(column, page, start, at, end)
    }
    if (at !== end) this.#isPlain = false
    this.#endRow()
  }

  /** t_hoff right after the null bitmap, and nothing in the bitmap beyond the attributes. */
  #expectUsualHeader(page: Uint8Array, start: number, attributeCount: number, hasNulls: boolean): void {
    let bitmapEnd = start + TUPLE_HEADER_SIZE
    if (hasNulls) {
      bitmapEnd += (attributeCount + 7) >> 3
      const used = attributeCount & 7
      if (used !== 0 && page[bitmapEnd - 1]! >> used !== 0) this.#isPlain = false
    }
    const headerEnd = start + alignUp(bitmapEnd - start, 8)
    if (page[start + 22] !== headerEnd - start) this.#isPlain = false
    this.#expectZeros(page, bitmapEnd, headerEnd)
  }

  /** Returns the offset after the datum. */
  #decodeDatum(column: AttributeColumn, page: Uint8Array, tupleStart: number, at: number, end: number): number {
    const { attribute } = column.layout
    const { length } = attribute
    if (length === -1) return this.#decodeVarlena(column, page, tupleStart, at, end)
    const start = length === -2 ? at : tupleStart + alignUp(at - tupleStart, attribute.alignment)
    const zero = length === -2 ? page.indexOf(0, start) : -1
    const payloadEnd = length === -2 ? zero : start + length
    const datumEnd = length === -2 ? zero + 1 : payloadEnd
    if (payloadEnd < start || datumEnd > end) throw new UndecodablePage()
    if (start !== at) this.#expectZeros(page, at, start)
    const appended = column.appendDatum(page, start, payloadEnd, true)
    if (appended !== Appended.exact) {
      if (appended === Appended.overflow) this.#addOverflow(column, page, start, payloadEnd)
      if (!column.payload) this.#addRaw(attribute.number, page, start, datumEnd)
    }
    return datumEnd
  }

  #decodeVarlena(column: AttributeColumn, page: Uint8Array, tupleStart: number, at: number, end: number): number {
    const { attribute } = column.layout
    if (at >= end) throw new UndecodablePage()
    const start = varlenaStart(page, at, tupleStart, attribute.alignment)
    if (start >= end) throw new UndecodablePage()
    if (start !== at) this.#expectZeros(page, at, start)
    const form = varlenaForm(page, start)
    if (form === 'external' ? start + EXTERNAL_POINTER_SIZE > end : form !== 'short' && start + 4 > end)
      throw new UndecodablePage()
    const size = varlenaSize(page, start)
    const header = form === 'short' ? 1 : 4
    const datumEnd = start + size
    if (size < header || datumEnd > end) throw new UndecodablePage()
    if (form === 'compressed' || form === 'external') {
      this.#addRaw(attribute.number, page, start, datumEnd)
      // Nobody sees the value of a dropped attribute.
      const payload =
        column.value === undefined
          ? undefined
          : form === 'external'
            ? this.#fetchToast(page, start)
            : decompressed(page, start, datumEnd)
      if (payload === undefined) {
        column.appendUnreadable()
        this.#markOverflow(column, null)
      } else if (column.appendDatum(payload, 0, payload.length, false) === Appended.overflow) {
        this.#addOverflow(column, payload, 0, payload.length)
      }
      return datumEnd
    }
    const payloadStart = start + header
    const appended = column.appendDatum(page, payloadStart, datumEnd, true)
    const isShortUsual = attribute.storage !== 'p' && datumEnd - payloadStart <= SHORT_PAYLOAD_MAX
    if (appended === Appended.overflow) this.#addOverflow(column, page, payloadStart, datumEnd)
    if (appended !== Appended.exact && !column.payload) this.#addRaw(attribute.number, page, start, datumEnd)
    else if ((form === 'short') !== isShortUsual) {
      this.#exceptions.addForm(attribute.number)
      this.counts.formValues++
    }
    return datumEnd
  }

  #fetchToast(page: Uint8Array, start: number): Uint8Array | undefined {
    try {
      const pointer = decodeToastPointer(page, start)
      if (pointer.rawSizeBytes > TOAST_VALUE_BYTES_MAX) return undefined
      const stored = this.#toast?.(pointer)
      return stored && toastPayload(pointer, stored)
    } catch (error) {
      if (isStorageError(error, 'corruption')) return undefined
      throw error
    }
  }

  #addRaw(attributeNumber: number, page: Uint8Array, start: number, end: number): void {
    this.#exceptions.addBytes(attributeNumber, page, start, end)
    this.counts.rawValues++
  }

  #addOverflow(column: AttributeColumn, bytes: Uint8Array, start: number, end: number): void {
    let text: string | null = null
    try {
      text = column.layout.codec?.text(bytes, start, end) ?? null
    } catch (error) {
      if (!(isStorageError(error, 'corruption') || error instanceof RangeError)) throw error
    }
    this.#markOverflow(column, text)
  }

  #markOverflow(column: AttributeColumn, text: string | null): void {
    if (!column.layout.codec) return
    this.#overflowTexts ??= {}
    this.#overflowTexts[columnName(column.layout.attribute.number)] = text
    this.counts.overflowValues++
  }

  #endRow(): void {
    const hasRaw = !this.#exceptions.isEmpty
    this.#raw.definitionLevels!.append(hasRaw ? 1 : 0)
    if (hasRaw) this.#exceptions.flush(this.#raw.values as BytesValues)
    this.#overflow.definitionLevels!.append(this.#overflowTexts ? 1 : 0)
    if (this.#overflowTexts) (this.#overflow.values as BytesValues).appendText(JSON.stringify(this.#overflowTexts))
    this.#overflowTexts = undefined
  }
}

function decompressed(page: Uint8Array, start: number, end: number): Uint8Array | undefined {
  try {
    return decompressInline(page.subarray(start, end))
  } catch (error) {
    if (isStorageError(error, 'corruption')) return undefined
    throw error
  }
}
