/** One benchmark's outcome; printed as the last line of `npm run bench -- NAME --json`. */
export interface BenchReport {
  readonly bench: string
  readonly figures: Readonly<Record<string, number | Readonly<Record<string, number>>>>
  readonly ratios: Readonly<Record<string, number>>
}

export interface BenchContext {
  /** Progress for the person who waits; goes to standard error. */
  say(line: string): void
  /** For a short run that only shows that the benchmark works: `--quick`. */
  readonly isQuick: boolean
}

export type Bench = (context: BenchContext) => Promise<BenchReport>

/** The value below which `fraction` of the samples lie (nearest rank). */
export function percentile(samples: readonly number[], fraction: number): number {
  const sorted = [...samples].sort((a, b) => a - b)
  const index = Math.min(sorted.length - 1, Math.max(0, Math.ceil(sorted.length * fraction) - 1))
  return sorted[index] ?? Number.NaN
}

export function median(samples: readonly number[]): number {
  return percentile(samples, 0.5)
}

/** Three significant digits: more would be noise. */
export function rounded(value: number): number {
  return Number(value.toPrecision(3))
}

/** Median per phase over the runs that have it. */
export function medianPhases(runs: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const names = new Set(runs.flatMap((run) => Object.keys(run)))
  return Object.fromEntries(
    [...names].map((name) => [
      name,
      rounded(median(runs.flatMap((run) => (run[name] === undefined ? [] : [run[name]])))),
    ]),
  )
}
