import { expect, test } from 'vitest'
import { barHeight, commitsAfter, neighbour, scaleOf, shareOf, timeAt } from './histogram-scale.ts'

const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString()
const buckets = [5, 0, 100, 1].map((commits, index) => ({ from: at(index), to: at(index + 1), commits, lastLsn: null }))
const scale = scaleOf({ fromTime: at(0), toTime: at(4) })

test('a place on the slider and its moment are two names of one thing', () => {
  if (!scale) throw new Error('no scale')
  for (const share of [0, 0.25, 0.5, 1]) expect(shareOf(scale, timeAt(scale, share))).toBeCloseTo(share)
  expect(shareOf(scale, 0)).toBe(0)
  expect(scaleOf({ fromTime: at(1), toTime: at(1) })).toBeUndefined()
  expect(scaleOf({ fromTime: null, toTime: at(1) })).toBeUndefined()
})

test('a single commit can be seen beside a bulk load', () => {
  expect(barHeight(1, 10_000)).toBeGreaterThanOrEqual(0.06)
  expect(barHeight(0, 10_000)).toBe(0)
})

test('commits left behind are those after the moment', () => {
  expect(commitsAfter(buckets, Date.parse(at(1)))).toBe(101)
  expect(commitsAfter(buckets, Date.parse(at(4)))).toBe(0)
})

test('stepping goes from commit to commit, over the quiet', () => {
  expect(neighbour(buckets, Date.parse(at(3)), -1)).toBe(Date.parse(at(1)))
  expect(neighbour(buckets, Date.parse(at(1)), 1)).toBe(Date.parse(at(3)))
  expect(neighbour(buckets, Date.parse(at(4)), 1)).toBeUndefined()
})
