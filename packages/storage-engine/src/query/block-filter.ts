/** SQL that leaves the rows of some blocks out of a scan of files with `_pg_blk`. */
import type { BlockSpan } from '../protocol/snapshot-plan.ts'
import type { Engine } from './engine.ts'
import type { RowSource } from './row-source.ts'
import { quoteText } from './sql/tokens.ts'

export type RowFilter = Pick<RowSource, 'joins' | 'conditions'>

/** Bits of a map of blocks: 2 MiB, for a heap of 128 GiB. */
const MAP_BLOCKS_MAX = 1 << 24
/** Block numbers up to here are positive in 32 bits. */
const INT32_BLOCKS = 0x7fff_ffff

/**
 * Leaves out the rows of `blocks`, which are some. All rows lie in `range`; `blockCount` is that of the heap. The engine asks
 * a map in one bit a block for each entry of a dictionary, not for each row, and its optimizer sees nothing but a scan; where the
 * map would be too large, an anti join does it.
 */
export async function leaveOutBlocks(
  engine: Engine,
  newName: () => string,
  blocks: readonly BlockSpan[],
  [rangeFirst, rangeCount]: BlockSpan,
  blockCount: number,
): Promise<RowFilter> {
  const spans = newName()
  const name = newName()
  await engine.createTable(spans, {
    first: blocks.map(([first]) => first),
    past: blocks.map(([first, count]) => first + count),
  })
  const rangeEnd = rangeFirst + rangeCount
  if (rangeCount <= MAP_BLOCKS_MAX && Math.max(rangeEnd, blockCount) <= INT32_BLOCKS) {
    await engine.run(
      `set variable ${name} = (select bitstring_agg(blk, ${rangeFirst}, ${rangeEnd - 1}) from (select unnest(range(first, past)) as blk from ${spans}))`,
    )
    return { joins: [], conditions: [`get_bit(getvariable(${quoteText(name)}), p._pg_blk - ${rangeFirst}) = 0`] }
  }
  const type = blockCount <= INT32_BLOCKS ? 'integer' : 'bigint'
  await engine.run(`create temp table ${name} as select unnest(range(first, past))::${type} as blk from ${spans}`)
  return { joins: [`anti join ${name} on ${name}.blk = ${blockColumn(blockCount)}`], conditions: [] }
}

/** Block numbers are unsigned, the column is not: it matters from 16 TiB on. */
export function blockColumn(blockCount: number): string {
  return blockCount <= INT32_BLOCKS ? 'p._pg_blk' : '(p._pg_blk::bigint & 4294967295)'
}

/** The smallest span that holds all of `spans`, which are some. */
export function hullOf(spans: readonly BlockSpan[]): BlockSpan {
  const first = spans.reduce((least, [at]) => Math.min(least, at), spans[0]![0])
  return [first, spans.reduce((most, [at, count]) => Math.max(most, at + count), 0) - first]
}

/** True when some block of `span` is in `spans`, which ascend and do not overlap. */
export function meetsSpans(spans: readonly BlockSpan[], [first, count]: BlockSpan): boolean {
  let [low, high] = [0, spans.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (spans[middle]![0] + spans[middle]![1] <= first) low = middle + 1
    else high = middle
  }
  return low < spans.length && spans[low]![0] < first + count
}
