import { RELATION_SEGMENT_BLOCKS } from '../postgres/constants.ts'

/**
 * Blocks in each segment file of a fork. A fork of 0 blocks is one empty file. A fork that ends exactly at a segment's
 * end has no further, empty file: md.c (PG 18) makes that only when it extends.
 */
export function segmentBlockCounts(blockCount: number): number[] {
  if (blockCount === 0) return [0]
  const counts: number[] = []
  for (let rest = blockCount; rest > 0; rest -= RELATION_SEGMENT_BLOCKS) {
    counts.push(Math.min(rest, RELATION_SEGMENT_BLOCKS))
  }
  return counts
}
