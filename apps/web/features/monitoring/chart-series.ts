/** From series of the API to the rows of a chart. */

export interface Series {
  readonly points: readonly { readonly time: string; readonly value: number | null }[]
  readonly idle: readonly { readonly from: string; readonly to: string }[]
}

export type ChartRow = { timeMs: number } & Record<string, number | null>

/** Rows by time with a value, or null, of every series. */
export function chartRows(series: Readonly<Record<string, Series>>): ChartRow[] {
  const keys = Object.keys(series)
  const rows = new Map<number, ChartRow>()
  for (const [key, { points }] of Object.entries(series)) {
    for (const { time, value } of points) {
      const timeMs = Date.parse(time)
      let row = rows.get(timeMs)
      if (!row) {
        row = Object.assign(Object.fromEntries(keys.map((each) => [each, null])), { timeMs }) as ChartRow
        rows.set(timeMs, row)
      }
      row[key] = value
    }
  }
  return [...rows.values()].sort((a, b) => a.timeMs - b.timeMs)
}

/** Spans of time in which no compute ran: those of the first series, as all of a chart are measured together. */
export function idleSpans(series: Readonly<Record<string, Series>>): { fromMs: number; toMs: number }[] {
  const [first] = Object.values(series)
  return (first?.idle ?? []).map(({ from, to }) => ({ fromMs: Date.parse(from), toMs: Date.parse(to) }))
}

export function latestValue({ points }: Series): number | undefined {
  return points.findLast(({ value }) => value !== null)?.value ?? undefined
}

export const hasValues = (series: Readonly<Record<string, Series>>) =>
  Object.values(series).some(({ points }) => points.some(({ value }) => value !== null))
