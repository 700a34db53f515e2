/** What the values of an axis count: it decides which steps read well. */
export type AxisUnit = 'number' | 'whole' | 'bytes' | 'ratio'

const stepsWanted = 3

/** Places for the labels of an axis from 0 to at least `max`, at steps a reader can add up: 1, 2, 5 or powers of two of bytes. */
export function niceTicks(max: number, unit: AxisUnit = 'number'): number[] {
  if (unit === 'ratio' && max <= 1) return [0, 0.25, 0.5, 0.75, 1]
  const step = stepFor(Number.isFinite(max) && max > 0 ? max / stepsWanted : 0, unit)
  const count = Math.max(1, Math.ceil(max / step - 1e-9) || 1)
  return Array.from({ length: count + 1 }, (_, index) => index * step)
}

function stepFor(least: number, unit: AxisUnit): number {
  if (least === 0) return 1
  if (unit === 'bytes') return 2 ** Math.max(0, Math.ceil(Math.log2(least)))
  const magnitude = 10 ** Math.floor(Math.log10(least))
  const step = ([1, 2, 5, 10].find((each) => each * magnitude >= least * (1 - 1e-9)) ?? 10) * magnitude
  return unit === 'whole' ? Math.max(1, step) : step
}
