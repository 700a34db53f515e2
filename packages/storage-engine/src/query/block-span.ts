import type { BlockSpan } from '../protocol/snapshot-plan.ts'

export function countBlocks(spans: readonly BlockSpan[]): number {
  return spans.reduce((sum, [, count]) => sum + count, 0)
}

/** Cuts spans into parts of about equally many blocks, at most `parts`, each of at least `blocksMin`. */
export function splitSpans(spans: readonly BlockSpan[], parts: number, blocksMin: number): BlockSpan[][] {
  const size = Math.max(Math.ceil(countBlocks(spans) / parts), blocksMin, 1)
  const result: BlockSpan[][] = []
  let current: BlockSpan[] = []
  let room = size
  for (const [first, count] of spans) {
    for (let at = 0; at < count; ) {
      const taken = Math.min(room, count - at)
      current.push([first + at, taken])
      at += taken
      room -= taken
      if (room > 0) continue
      result.push(current)
      current = []
      room = size
    }
  }
  if (current.length > 0) result.push(current)
  return result
}
