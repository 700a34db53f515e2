import { expect, test } from 'vitest'
import { type AxisUnit, niceTicks } from './nice-ticks.ts'

const mebibyte = 2 ** 20

test.each<[max: number, unit: AxisUnit, ticks: number[]]>([
  [0, 'number', [0, 1]],
  [5.2, 'number', [0, 2, 4, 6]],
  [1, 'whole', [0, 1]],
  [0.99, 'ratio', [0, 0.25, 0.5, 0.75, 1]],
  [85 * mebibyte, 'bytes', [0, 32 * mebibyte, 64 * mebibyte, 96 * mebibyte]],
  [3, 'bytes', [0, 1, 2, 3]],
  [Number.NaN, 'number', [0, 1]],
])('an axis up to %s (%s) is labelled at steps that read well', (max, unit, ticks) => {
  expect(niceTicks(max, unit)).toEqual(ticks)
})

test('the last label is never below the greatest value', () => {
  for (const unit of ['number', 'whole', 'bytes', 'ratio'] as const) {
    for (let max = 0.001; max < 1e12; max *= 3.7) {
      const ticks = niceTicks(max, unit)
      expect(ticks.at(-1)).toBeGreaterThanOrEqual(max * (1 - 1e-6))
      expect(ticks.length).toBeLessThanOrEqual(6)
    }
  }
})
