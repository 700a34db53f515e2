/**
 * Heap pages at an LSN -> a Parquet file of the rows that are visible there, with the columns a layer of the same table has,
 * or some of them. The same decoder and the same types as in columnar layers: rows from either place look alike.
 */

import { CorruptionError, StorageError } from '../base/errors.ts'
import { forEachTuple, Infomask, tupleInfomask } from '../catalog/heap-tuple.ts'
import { SCAN_BLOCKS, type SnapshotSource } from '../catalog/snapshot-source.ts'
import { ToastValues } from '../catalog/toast-values.ts'
import { TransactionStatus } from '../catalog/transaction-status.ts'
import type { TableDefinition } from '../columnar/table-definition.ts'
import { columnName, planTableLayout, type TableLayout } from '../columnar/table-layout.ts'
import { TupleDecoder } from '../columnar/tuple-decoder.ts'
import type { ToastPointer } from '../columnar/varlena.ts'
import { type ByteSink, ParquetWriter } from '../parquet/file-writer.ts'
import { Repetition, type SchemaNode } from '../parquet/schema.ts'
import { PAGE_SIZE } from '../postgres/constants.ts'
import { ITEM_ID_SIZE, itemIdByte, maxOffsetNumber } from '../postgres/item-id.ts'
import { isNewPage, readPageLower } from '../postgres/page-header.ts'
import type { RelationLocator } from '../postgres/two-phase.ts'
import type { BlockSpan } from '../protocol/snapshot-plan.ts'
import { countBlocks } from './block-span.ts'

/** A row group is written when it has this many rows. */
const ROW_GROUP_ROWS = 122_880
/** Or when the values of out-of-line columns that it holds come to this. */
const ROW_GROUP_TOAST_BYTES = 64 * 1024 * 1024
/** Or when its rows come from this many pages: 32 MiB of them. */
const ROW_GROUP_PAGES = 4096
/** Runs that are longer than this on average are requests of their own. */
const RUN_BLOCKS_MIN = 16
/** Out-of-line values of the tuples of one page that are held at a time. */
const PAGE_TOAST_BYTES_MAX = 256 * 1024 * 1024

export interface FreshRowsOptions {
  readonly table: TableDefinition
  readonly isUtf8: boolean
  /** Attribute numbers of the columns to write; all others are left out. */
  readonly columns: readonly number[]
  /** Those of them that are written as text. */
  readonly textColumns: readonly number[]
  readonly heap: RelationLocator
  readonly toast: { readonly heap: RelationLocator; readonly index: RelationLocator } | undefined
  readonly blocks: readonly BlockSpan[]
  /** Asked between pages; true ends with `aborted`. */
  readonly isCancelled: () => boolean
  /** Bytes of Parquet that may be written. */
  readonly bytesMax: number
}

export interface FreshRowsResult {
  readonly rowCount: number
  /** Visible rows of each block, in the order of `blocks`. */
  readonly rowCounts: Uint16Array
  /** Blocks with a row whose inserter or deleter had not ended: at a later LSN the same page may show other rows. */
  readonly openBlocks: readonly BlockSpan[]
  readonly sizeBytes: number
  /** Values that their column cannot hold, in `_pg_overflow`. */
  readonly overflowCount: number
}

export async function writeFreshRows(
  source: SnapshotSource,
  options: FreshRowsOptions,
  sink: ByteSink,
): Promise<FreshRowsResult> {
  const wanted = new Set(options.columns)
  const table = onlyColumns(options.table, wanted)
  const layout = planTableLayout(table, options, new Set(options.textColumns))
  const transactions = new TransactionStatus(source)
  const toast = options.toast && new ToastValues(source, transactions, options.toast.heap, options.toast.index)
  const values = new Map<number, Uint8Array>()
  let missed: ToastPointer[] = []
  const decoder = new TupleDecoder(layout, (pointer) => {
    const value = values.get(pointer.valueId)
    if (!value) missed.push(pointer)
    return value
  })
  const { schema, leaves } = visibleSchema(layout, wanted)
  let sizeBytes = 0
  const writer = new ParquetWriter(
    schema,
    (bytes) => {
      sizeBytes += bytes.length
      if (sizeBytes > options.bytesMax) throw new StorageError('exhausted', 'fresh rows take more than the spill limit')
      sink(bytes)
    },
    { compressionLevel: 1 },
  )
  const writeGroup = (): void => {
    const columns = leaves.map((leaf) => decoder.columns[leaf]!)
    if (decoder.rowCount > 0) writer.writeRowGroup(decoder.rowCount, columns)
    decoder.clear()
  }
  let rowCount = 0
  const rowCounts = new Uint16Array(countBlocks(options.blocks))
  const openBlocks: BlockSpan[] = []
  let blockCount = 0
  let toastBytes = 0
  let groupPages = 0
  const page = new Uint8Array(PAGE_SIZE)
  for await (const { blocks, pages } of readBatches(source, options)) {
    await transactions.load(pages)
    for (let i = 0; i < pages.length; i++) {
      if (options.isCancelled()) throw new StorageError('aborted', 'query cancelled')
      const at = blockCount++
      const original = pages[i]
      if (!original || isNewPage(original)) continue
      page.set(original)
      const block = blocks[i]!
      transactions.hasSeenOpen = false
      const hasExternal = hideInvisible(page, transactions, options.heap, block)
      if (transactions.hasSeenOpen) openBlocks.push([block, 1])
      values.clear()
      if (hasExternal && toast) {
        // A first pass finds out which values the wanted columns need.
        missed = []
        const probe = new TupleDecoder(layout, (pointer) => {
          missed.push(pointer)
          return undefined
        })
        probe.decodePage(page, block)
        let held = 0
        for (const pointer of missed) {
          if (values.has(pointer.valueId)) continue
          held += pointer.storedSizeBytes
          if (held > PAGE_TOAST_BYTES_MAX)
            throw new StorageError('exhausted', 'values of one page are too large', { block })
          const value = await toast.fetch(pointer)
          if (!value) throw missingValue(options.heap, block, pointer)
          values.set(pointer.valueId, value)
          toastBytes += pointer.rawSizeBytes
        }
      }
      missed = []
      const decoded = decoder.decodePage(page, block)
      if (decoded === undefined) {
        throw new CorruptionError('page does not read as one of its table', {
          relNumber: options.heap.relNumber,
          block,
        })
      }
      if (missed[0]) throw missingValue(options.heap, block, missed[0])
      rowCount += decoded
      rowCounts[at] = decoded
      groupPages++
      if (decoder.rowCount >= ROW_GROUP_ROWS || groupPages >= ROW_GROUP_PAGES || toastBytes >= ROW_GROUP_TOAST_BYTES) {
        writeGroup()
        groupPages = 0
        toastBytes = 0
      }
    }
  }
  writeGroup()
  writer.finish({ createdBy: 'tributary' })
  return { rowCount, rowCounts, openBlocks, sizeBytes, overflowCount: decoder.counts.overflowValues }
}

/** Attributes that are not wanted become ones without a column: their datums are only walked over. */
function onlyColumns(table: TableDefinition, wanted: ReadonlySet<number>): TableDefinition {
  return {
    name: table.name,
    attributes: table.attributes.map((attribute) => {
      if (wanted.has(attribute.number)) return attribute
      const { type: _, missingHex: __, ...rest } = attribute
      return rest
    }),
  }
}

/** The visible columns, `_pg_blk` and `_pg_overflow`, and the leaves of the layout they come from. */
function visibleSchema(
  layout: TableLayout,
  wanted: ReadonlySet<number>,
): { schema: SchemaNode; leaves: readonly number[] } {
  const names = new Set([...wanted].map((number) => columnName(number)))
  const leaves: number[] = []
  const children = (layout.schema.children ?? []).filter((node, i) => {
    const isWanted = names.has(node.name) || node.name === '_pg_blk' || node.name === '_pg_overflow'
    // Every child of the schema has exactly one leaf.
    if (isWanted) leaves.push(i)
    return isWanted
  })
  return { schema: { name: 'schema', repetition: Repetition.required, children }, leaves }
}

/** Turns line pointers of invisible rows into unused ones. True when a row that is left has an out-of-line value. */
function hideInvisible(
  page: Uint8Array,
  transactions: TransactionStatus,
  heap: RelationLocator,
  block: number,
): boolean {
  let hasExternal = false
  const visible = new Set<number>()
  const isHeap = forEachTuple(page, (start, _end, offsetNumber) => {
    if (!transactions.isVisible(page, start)) return
    visible.add(offsetNumber)
    if ((tupleInfomask(page, start) & Infomask.hasExternal) !== 0) hasExternal = true
  })
  if (!isHeap) throw new CorruptionError('not a heap page', { relNumber: heap.relNumber, block })
  for (let offsetNumber = maxOffsetNumber(readPageLower(page)); offsetNumber > 0; offsetNumber--) {
    const at = itemIdByte(offsetNumber)
    if (!visible.has(offsetNumber)) page.fill(0, at, at + ITEM_ID_SIZE)
  }
  return hasExternal
}

function missingValue(heap: RelationLocator, block: number, pointer: ToastPointer): CorruptionError {
  const fields = { relNumber: heap.relNumber, block, valueId: pointer.valueId }
  return new CorruptionError('out-of-line value is not there', fields)
}

interface PageBatch {
  readonly blocks: readonly number[]
  /** By position in `blocks`. */
  readonly pages: readonly (Uint8Array | undefined)[]
}

/** Pages of the spans in order; the next batch is asked for while the last one is decoded. */
async function* readBatches(source: SnapshotSource, { heap, blocks }: FreshRowsOptions): AsyncGenerator<PageBatch> {
  let pending: Promise<PageBatch> | undefined
  for (const batch of batchesOf(blocks)) {
    const next = readBatch(source, heap, batch)
    // It is awaited below, or not at all when an earlier one fails.
    next.catch(() => undefined)
    if (pending) yield await pending
    pending = next
  }
  if (pending) yield await pending
}

/** Runs are asked for as such, and what lies scattered together. */
async function readBatch(
  source: SnapshotSource,
  heap: RelationLocator,
  batch: readonly BlockSpan[],
): Promise<PageBatch> {
  const blocks = batch.flatMap(([first, count]) => Array.from({ length: count }, (_, i) => first + i))
  const isScattered = batch.length * RUN_BLOCKS_MIN > blocks.length
  if (source.readBlocks && isScattered && batch.length > 1)
    return { blocks, pages: await source.readBlocks(heap, blocks) }
  const runs = await Promise.all(batch.map(([first, count]) => source.readPages(heap, first, count)))
  return { blocks, pages: runs.flat() }
}

/** Spans of together at most SCAN_BLOCKS blocks. */
function* batchesOf(blocks: readonly BlockSpan[]): Iterable<BlockSpan[]> {
  let batch: BlockSpan[] = []
  let room = SCAN_BLOCKS
  for (const [first, count] of blocks) {
    for (let at = 0; at < count; ) {
      const taken = Math.min(room, count - at)
      batch.push([first + at, taken])
      at += taken
      room -= taken
      if (room > 0) continue
      yield batch
      batch = []
      room = SCAN_BLOCKS
    }
  }
  if (batch.length > 0) yield batch
}
