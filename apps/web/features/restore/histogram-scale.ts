/** Where things stand on the slider: moments on a line from the oldest restorable to the newest. */

export interface Bucket {
  readonly from: string
  readonly to: string
  readonly commits: number
  readonly lastLsn?: string | null
}

export interface Scale {
  readonly fromMs: number
  readonly toMs: number
}

/** From the first commit to the last; undefined while there is nothing to choose between. */
export function scaleOf(window: { fromTime?: string | null; toTime?: string | null }): Scale | undefined {
  const fromMs = Date.parse(window.fromTime ?? '')
  const toMs = Date.parse(window.toTime ?? '')
  return toMs > fromMs ? { fromMs, toMs } : undefined
}

/** 0 at the left edge, 1 at the right; moments outside are put on the edge. */
export function shareOf(scale: Scale, timeMs: number): number {
  return Math.min(1, Math.max(0, (timeMs - scale.fromMs) / (scale.toMs - scale.fromMs)))
}

export function timeAt(scale: Scale, share: number): number {
  return Math.round(scale.fromMs + Math.min(1, Math.max(0, share)) * (scale.toMs - scale.fromMs))
}

/** Height of a bar, 0 to 1. By square root, so that a quiet hour beside a bulk load can still be seen. */
export function barHeight(commits: number, most: number): number {
  return most <= 0 || commits <= 0 ? 0 : Math.max(0.06, Math.sqrt(commits / most))
}

/** Commits after this moment: what a restore to it would leave behind. Whole buckets count from their middle. */
export function commitsAfter(buckets: readonly Bucket[], timeMs: number): number {
  return buckets.reduce((sum, bucket) => {
    const middleMs = (Date.parse(bucket.from) + Date.parse(bucket.to)) / 2
    return middleMs > timeMs ? sum + bucket.commits : sum
  }, 0)
}

/** The nearest bucket with commits before (-1) or after (1) the moment: its end, or undefined. */
export function neighbour(buckets: readonly Bucket[], timeMs: number, direction: -1 | 1): number | undefined {
  const ends = buckets.filter((bucket) => bucket.commits > 0).map((bucket) => Date.parse(bucket.to))
  return direction < 0 ? ends.findLast((endMs) => endMs < timeMs) : ends.find((endMs) => endMs > timeMs)
}
