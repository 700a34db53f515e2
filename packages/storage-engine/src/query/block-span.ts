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

/** Ascending, disjoint, not touching. */
export function mergeSpans(spans: readonly BlockSpan[]): BlockSpan[] {
  const merged: [number, number][] = []
  for (const [first, count] of [...spans].sort((a, b) => a[0] - b[0])) {
    const last = merged.at(-1)
    if (last && first <= last[0] + last[1]) last[1] = Math.max(last[1], first + count - last[0])
    else merged.push([first, count])
  }
  return merged
}

/** Both ascending and disjoint. */
export function intersectSpans(a: readonly BlockSpan[], b: readonly BlockSpan[]): BlockSpan[] {
  const common: BlockSpan[] = []
  let j = 0
  for (const [first, count] of a) {
    while (j > 0 && b[j - 1]![0] + b[j - 1]![1] > first) j--
    for (; j < b.length && b[j]![0] < first + count; j++) {
      const start = Math.max(first, b[j]![0])
      const end = Math.min(first + count, b[j]![0] + b[j]![1])
      if (start < end) common.push([start, end - start])
    }
  }
  return common
}

/** Of `a`, what is not in `b`. Both ascending and disjoint. */
export function subtractSpans(a: readonly BlockSpan[], b: readonly BlockSpan[]): BlockSpan[] {
  const rest: BlockSpan[] = []
  let j = 0
  for (const [first, count] of a) {
    let at = first
    const end = first + count
    while (j < b.length && b[j]![0] + b[j]![1] <= at) j++
    for (let k = j; k < b.length && b[k]![0] < end; k++) {
      if (b[k]![0] > at) rest.push([at, b[k]![0] - at])
      at = Math.max(at, b[k]![0] + b[k]![1])
    }
    if (at < end) rest.push([at, end - at])
  }
  return rest
}
