import type { TableDefinition } from '../../columnar/table-definition.ts'
import { Fork } from '../../postgres/relation.ts'
import type { RelationLocator } from '../../postgres/two-phase.ts'
import { encodeKey, KeyKind } from '../key.ts'
import type { KeyRange } from '../keyspace.ts'
import { COLUMNAR_LAYER_PAGES } from '../layer/columnar-segments.ts'
import { compareKeys, maxKey, minKey } from '../layer/packed-key.ts'

/** A table of a user whose blocks may lie in columns, as the catalogs have it at one LSN. */
export interface UserHeap {
  readonly locator: RelationLocator
  /** pg_class.oid. */
  readonly tableOid: number
  readonly definition: TableDefinition
  readonly isUtf8: boolean
  /** Blocks of the main fork. */
  readonly blockCount: number
  readonly toast?: { readonly heap: RelationLocator; readonly index: RelationLocator; readonly blockCount: number }
}

/** A block range of one heap that one columnar layer holds. */
export interface ColumnarChunk {
  readonly heap: UserHeap
  readonly firstBlock: number
  /** Blocks that exist. */
  readonly blockCount: number
  /** Keys that the layer speaks for, up to the end of the whole range of blocks. */
  readonly range: KeyRange
}

/** All chunks of a heap, ascending. */
export function chunksOf(heap: UserHeap): ColumnarChunk[] {
  const chunks: ColumnarChunk[] = []
  for (let firstBlock = 0; firstBlock < heap.blockCount; firstBlock += COLUMNAR_LAYER_PAGES) {
    const blockCount = Math.min(COLUMNAR_LAYER_PAGES, heap.blockCount - firstBlock)
    // Block 2^32 - 1 does not exist (InvalidBlockNumber), so it can end the last range.
    const endBlock = Math.min(firstBlock + COLUMNAR_LAYER_PAGES, 0xffff_ffff)
    const range = blockRange(heap.locator, firstBlock, endBlock)
    chunks.push({ heap, firstBlock, blockCount, range })
  }
  return chunks
}

export function blockRange({ spcOid, dbOid, relNumber }: RelationLocator, first: number, end: number): KeyRange {
  const fields = { kind: KeyKind.relationBlock, a: spcOid, b: dbOid, c: relNumber, d: Fork.main }
  return { start: encodeKey({ ...fields, e: first }), end: encodeKey({ ...fields, e: end }) }
}

/**
 * Splits key ranges that are to get images: chunks of user heaps that they touch become columns, whole, and the rest page
 * images. A heap below `blocksMin` blocks stays rows, unless `isColumnar` says that the chunk lies in columns already.
 */
export function planColumns(
  ranges: readonly KeyRange[],
  heaps: readonly UserHeap[],
  options: { readonly blocksMin: number; readonly isColumnar: (chunk: ColumnarChunk) => boolean },
): { chunks: ColumnarChunk[]; rest: KeyRange[] } {
  const chunks = heaps
    .flatMap(chunksOf)
    .filter((chunk) => ranges.some((range) => overlap(range, chunk.range)))
    .filter((chunk) => chunk.heap.blockCount >= options.blocksMin || options.isColumnar(chunk))
    .sort((a, b) => compareKeys(a.range.start, b.range.start))
  return { chunks, rest: ranges.flatMap((range) => subtract(range, chunks)) }
}

function overlap(a: KeyRange, b: KeyRange): boolean {
  return compareKeys(a.start, b.end) < 0 && compareKeys(b.start, a.end) < 0
}

/** `chunks` ascending. */
function subtract(range: KeyRange, chunks: readonly ColumnarChunk[]): KeyRange[] {
  const left: KeyRange[] = []
  let start = range.start
  for (const chunk of chunks) {
    if (!overlap({ start, end: range.end }, chunk.range)) continue
    if (compareKeys(start, chunk.range.start) < 0) left.push({ start, end: minKey(chunk.range.start, range.end) })
    start = maxKey(start, chunk.range.end)
    if (compareKeys(start, range.end) >= 0) return left
  }
  if (compareKeys(start, range.end) < 0) left.push({ start, end: range.end })
  return left
}
