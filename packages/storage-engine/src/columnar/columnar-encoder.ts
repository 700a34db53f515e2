/**
 * Heap pages -> one columnar layer file, page after page, one row group in memory at a time. The file counts only after
 * `verifyColumnarFile` has read it back.
 *
 *   row group: 1024 heap pages (ROW_GROUP_PAGES)    data page: 256 heap pages (DATA_PAGE_PAGES), or up to 2047 rows more
 *                                                   at its start, aligned across columns
 */
import { assert } from '../base/assert.ts'
import { CorruptionError } from '../base/errors.ts'
import { compress } from '../base/zstd.ts'
import { type ByteSink, ParquetWriter } from '../parquet/file-writer.ts'
import type { FileMetadata } from '../parquet/metadata.ts'
import { BytesValues } from '../parquet/values.ts'
import { PAGE_SIZE } from '../postgres/constants.ts'
import { ItemIdFlag, itemFlags, itemIdByte, maxOffsetNumber } from '../postgres/item-id.ts'
import { PAGE_HEADER_SIZE, readPageLower } from '../postgres/page-header.ts'
import { canonicalizePage, isZeroPage } from './canonical-page.ts'
import { u32 } from './little-endian.ts'
import {
  type DirectorySegment,
  encodePageEntries,
  encodeSegments,
  makePatch,
  NO_PATCH,
  type PageEntry,
} from './page-directory.ts'
import { PageRebuilder } from './page-rebuilder.ts'
import type { TableDefinition } from './table-definition.ts'
import { planTableLayout, type TableLayout } from './table-layout.ts'
import { type DecodeCounts, type ToastReader, TupleDecoder } from './tuple-decoder.ts'

export const ROW_GROUP_PAGES = 1024
export const DATA_PAGE_PAGES = 256
/** Values of one row group in memory at which it ends early, at the next data page; TOAST values can be large. */
export const ROW_GROUP_BYTES_MAX = 128 * 1024 * 1024
export const LAYER_KEY = 'tributary.columnar'
export const COLUMNAR_FORMAT_VERSION = 2

/** Engines take rows in batches of so many, and are slow at one that two data pages share. */
const BATCH_ROWS = 2048
/** A data page begins at the start of a batch when the one before has so many rows: its first heap page reads few rows too many. */
const BATCHED_PAGE_ROWS_MIN = 4 * BATCH_ROWS

/** Content of the key-value entry `tributary.columnar`, as JSON. */
export interface LayerDescription {
  readonly formatVersion: number
  readonly table: TableDefinition
  readonly isUtf8: boolean
  readonly firstBlock: number
  readonly blockCount: number
  /** LSN of the pages, as text. */
  readonly lsn: string
  readonly rowGroupPages: number
  readonly dataPagePages: number
  readonly directory: { readonly offset: number; readonly length: number }
}

export interface ColumnarCounts extends DecodeCounts {
  pages: number
  zeroPages: number
  /** Kept whole: the rebuilt page differed by more than a patch. */
  wholePages: number
  /** Of the whole ones, those that do not read as pages of the table, so their rows are in no column. */
  undecodablePages: number
  patchedPages: number
  patchBytes: number
}

export interface ColumnarEncoderOptions {
  readonly table: TableDefinition
  readonly isUtf8: boolean
  readonly firstBlock: number
  readonly lsn: string
  readonly toast?: ToastReader
  readonly compressionLevel?: number
  readonly rowGroupPages?: number
  readonly dataPagePages?: number
  /**
   * Rebuild every page while encoding, to find what it needs besides its columns, and not only those whose layout shows
   * that they need something. For a second attempt, after a file did not verify.
   */
  readonly rebuildsEveryPage?: boolean
}

interface PendingSegment {
  readonly firstPage: number
  readonly entries: PageEntry[]
  readonly firstRow: number
  rowCount: number
}

export class ColumnarEncoder {
  readonly counts: ColumnarCounts
  readonly #options: ColumnarEncoderOptions
  readonly #rowGroupPages: number
  readonly #dataPagePages: number
  readonly #layout: TableLayout
  readonly #writer: ParquetWriter
  readonly #decoder: TupleDecoder
  readonly #rebuilder: PageRebuilder
  readonly #rebuilt = new Uint8Array(PAGE_SIZE)
  readonly #segments: {
    bytes: Uint8Array
    uncompressedLength: number
    segment: Omit<DirectorySegment, 'offset' | 'length' | 'uncompressedLength'>
  }[] = []
  #pending: PendingSegment[] = []
  #pageCount = 0

  constructor(options: ColumnarEncoderOptions, sink: ByteSink) {
    this.#options = options
    this.#rowGroupPages = options.rowGroupPages ?? ROW_GROUP_PAGES
    this.#dataPagePages = options.dataPagePages ?? DATA_PAGE_PAGES
    assert(this.#rowGroupPages % this.#dataPagePages === 0, 'a row group holds whole data pages')
    this.#layout = planTableLayout(options.table, options)
    this.#writer = new ParquetWriter(this.#layout.schema, sink, { compressionLevel: options.compressionLevel ?? 3 })
    this.#decoder = new TupleDecoder(this.#layout, options.toast)
    this.#rebuilder = new PageRebuilder(this.#layout, this.#decoder.columns)
    this.counts = Object.assign(this.#decoder.counts, {
      pages: 0,
      zeroPages: 0,
      wholePages: 0,
      undecodablePages: 0,
      patchedPages: 0,
      patchBytes: 0,
    })
  }

  /** Appends the page of the next block. The page is brought into canonical form in place. */
  addPage(page: Uint8Array): void {
    assert(page.length === PAGE_SIZE, 'a page has 8192 bytes')
    const blockNumber = this.#options.firstBlock + this.#pageCount
    if (this.#pageCount % this.#dataPagePages === 0) {
      this.#pending.push({ firstPage: this.#pageCount, entries: [], firstRow: this.#decoder.rowCount, rowCount: 0 })
    }
    const segment = this.#pending.at(-1)!
    const entry = this.#encodePage(page, blockNumber)
    segment.entries.push(entry)
    segment.rowCount += entry.rowCount
    this.#pageCount++
    this.counts.pages++
    const isDataPageEnd = this.#pageCount % this.#dataPagePages === 0
    if (this.#pageCount % this.#rowGroupPages === 0 || (isDataPageEnd && this.#isRowGroupLarge())) {
      this.#flushRowGroup()
    }
  }

  /** Ends the file. */
  finish(): FileMetadata {
    this.#flushRowGroup()
    const segments = this.#segments.map(({ bytes, uncompressedLength, segment }): DirectorySegment => {
      return { ...segment, ...this.#writer.writeBlob(bytes), uncompressedLength }
    })
    const directory = this.#writer.writeBlob(encodeSegments(segments))
    const description: LayerDescription = {
      formatVersion: COLUMNAR_FORMAT_VERSION,
      table: this.#options.table,
      isUtf8: this.#options.isUtf8,
      firstBlock: this.#options.firstBlock,
      blockCount: this.#pageCount,
      lsn: this.#options.lsn,
      rowGroupPages: this.#rowGroupPages,
      dataPagePages: this.#dataPagePages,
      directory,
    }
    return this.#writer.finish({
      createdBy: 'tributary',
      keyValues: new Map([
        [LAYER_KEY, JSON.stringify(description)],
        // Without a version key Spark 3 takes dates before 1582 for Julian ones and refuses them.
        ['org.apache.spark.version', '4.0.0'],
      ]),
    })
  }

  #isRowGroupLarge(): boolean {
    const sizeBytes = this.#decoder.columns.reduce((sum, { values }) => {
      return sum + (values instanceof BytesValues ? values.offsets[values.count]! : values.count * values.width)
    }, 0)
    return sizeBytes >= ROW_GROUP_BYTES_MAX
  }

  #encodePage(page: Uint8Array, blockNumber: number): PageEntry {
    if (isZeroPage(page)) {
      this.counts.zeroPages++
      return { kind: 'zero', rowCount: 0 }
    }
    canonicalizePage(page, blockNumber)
    const firstRow = this.#decoder.rowCount
    const rowCount = this.#decoder.decodePage(page, blockNumber)
    if (rowCount === undefined) {
      this.counts.wholePages++
      this.counts.undecodablePages++
      return { kind: 'whole', rowCount: 0, page: page.slice() }
    }
    const entry = {
      kind: 'columns' as const,
      rowCount,
      header: page.slice(0, PAGE_HEADER_SIZE),
      ...abnormalItems(page),
    }
    const patch = this.#patchOf(entry, firstRow, blockNumber, page)
    if (patch === undefined) {
      this.counts.wholePages++
      return { kind: 'whole', rowCount, page: page.slice() }
    }
    if (patch.length > 0) {
      this.counts.patchedPages++
      this.counts.patchBytes += patch.length
    }
    return { ...entry, patch }
  }

  #patchOf(
    entry: Omit<PageEntry & { kind: 'columns' }, 'patch'>,
    firstRow: number,
    blockNumber: number,
    page: Uint8Array,
  ): Uint8Array | undefined {
    if (this.#decoder.isPagePlain && !this.#options.rebuildsEveryPage) return NO_PATCH
    this.#rebuilder.seek(firstRow, (leaf) => this.#decoder.columns[leaf]!.valueMark)
    try {
      this.#rebuilder.rebuildUnpatched(entry, blockNumber, this.#rebuilt)
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error
      return undefined
    }
    return makePatch(this.#rebuilt, page)
  }

  #flushRowGroup(): void {
    const pending = this.#pending
    if (pending.length === 0) return
    const rowCount = this.#decoder.rowCount
    const withRows = pending.filter((segment) => segment.rowCount > 0)
    const rowGroup = this.#writer.rowGroupCount
    const pageFirstRows = dataPageStarts(withRows.map((segment) => segment.firstRow))
    if (rowCount > 0) this.#writer.writeRowGroup(rowCount, this.#decoder.columns, pageFirstRows)
    for (const segment of pending) {
      const entries = encodePageEntries(segment.entries)
      this.#segments.push({
        bytes: compress(entries, 3),
        uncompressedLength: entries.length,
        segment: {
          firstPage: segment.firstPage,
          pageCount: segment.entries.length,
          rows:
            segment.rowCount === 0
              ? undefined
              : {
                  rowGroup,
                  dataPage: pageFirstRows.findLastIndex((row) => row <= segment.firstRow),
                  firstRow: segment.firstRow,
                  rowCount: segment.rowCount,
                },
        },
      })
    }
    this.#decoder.clear()
    this.#pending = []
  }
}

/** Where data pages begin, given where segments do: there, or at the start of the batch. */
export function dataPageStarts(segmentFirstRows: readonly number[]): number[] {
  const starts: number[] = []
  for (const firstRow of segmentFirstRows) {
    const batchStart = firstRow - (firstRow % BATCH_ROWS)
    starts.push(batchStart - (starts.at(-1) ?? 0) >= BATCHED_PAGE_ROWS_MIN ? batchStart : firstRow)
  }
  return starts
}

/** Line pointers that are not normal. */
function abnormalItems(page: Uint8Array): { itemIndexes: number[]; items: number[] } {
  const itemIndexes: number[] = []
  const items: number[] = []
  const count = maxOffsetNumber(readPageLower(page))
  for (let index = 0; index < count; index++) {
    const item = u32(page, itemIdByte(index + 1))
    if (itemFlags(item) === ItemIdFlag.normal) continue
    itemIndexes.push(index)
    items.push(item)
  }
  return { itemIndexes, items }
}
