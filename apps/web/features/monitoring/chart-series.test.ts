import { expect, test } from 'vitest'
import { chartRows, hasValues, idleSpans, latestValue } from './chart-series.ts'

const at = (second: number) => new Date(second * 1000).toISOString()
const series = (values: [number, number | null][], idle: [number, number][] = []) => ({
  points: values.map(([second, value]) => ({ time: at(second), value })),
  idle: idle.map(([from, to]) => ({ from: at(from), to: at(to) })),
})

test('series of one chart meet in rows by time, gaps stay gaps', () => {
  expect(
    chartRows({
      p50: series([
        [2, 5],
        [1, null],
      ]),
      p99: series([
        [2, 9],
        [3, 8],
      ]),
    }),
  ).toEqual([
    { timeMs: 1000, p50: null, p99: null },
    { timeMs: 2000, p50: 5, p99: 9 },
    { timeMs: 3000, p50: null, p99: 8 },
  ])
})

test('the latest value is the last that was measured, zero included', () => {
  expect(
    latestValue(
      series([
        [1, 4],
        [2, 0],
        [3, null],
      ]),
    ),
  ).toBe(0)
  expect(latestValue(series([[1, null]]))).toBeUndefined()
})

test('a chart is empty when nothing was measured, and its idle spans are those of the answer', () => {
  expect(hasValues({ a: series([[1, null]]), b: series([]) })).toBe(false)
  expect(hasValues({ a: series([[1, null]]), b: series([[1, 0]]) })).toBe(true)
  expect(idleSpans({ a: series([], [[1, 2]]) })).toEqual([{ fromMs: 1000, toMs: 2000 }])
})
