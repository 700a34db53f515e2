import { expect, test } from 'vitest'
import { Lsn } from '../postgres/lsn.ts'
import { ABSENT_MS, allowedBytesPerSecond, IngestThrottle, PAUSE_MS_MAX } from './ingest-throttle.ts'

const LIMIT = 100_000
/** 50,000 bytes a second. */
const reports = [
  { atMs: 1000, lsn: Lsn.of(1_000_000) },
  { atMs: 3000, lsn: Lsn.of(1_100_000) },
]
const allowed = (lagBytes: number, change: { reports?: typeof reports; nowMs?: number } = {}) =>
  allowedBytesPerSecond({ reports, lagBytes, nowMs: 3500, ...change }, LIMIT)

test('up to the limit nothing is held up', () => {
  expect(allowed(0)).toBe(Number.POSITIVE_INFINITY)
  expect(allowed(LIMIT)).toBe(Number.POSITIVE_INFINITY)
})

test('beyond the limit less is allowed the greater the lag, and from some lag on less than is ingested', () => {
  const shares = [1.01, 1.2, 1.5, 1.8, 2].map((times) => allowed(times * LIMIT) / 50_000)
  for (const [index, share] of shares.entries()) expect(share).toBeLessThan(shares[index - 1] ?? 1.25)
  expect(allowed(1.34 * LIMIT)).toBeLessThan(50_000)
})

test('whatever the lag, the writer keeps half of what is ingested', () => {
  expect(allowed(2 * LIMIT)).toBe(25_000)
  expect(allowed(1000 * LIMIT)).toBe(25_000)
})

test('a PageServer that has not moved while it was behind holds nothing up', () => {
  expect(allowed(5 * LIMIT, { reports: [] })).toBe(Number.POSITIVE_INFINITY)
  expect(allowed(5 * LIMIT, { reports: reports.slice(0, 1) })).toBe(Number.POSITIVE_INFINITY)
})

test('a PageServer without news for a while counts as absent, and holds nothing up', () => {
  expect(allowed(5 * LIMIT, { nowMs: 3000 + ABSENT_MS })).toBe(25_000)
  expect(allowed(5 * LIMIT, { nowMs: 3001 + ABSENT_MS })).toBe(Number.POSITIVE_INFINITY)
})

test('the rate is measured only while the PageServer is behind', () => {
  const throttle = new IngestThrottle(LIMIT)
  // A trickle, each byte of which is ingested at once.
  for (let second = 1; second <= 20; second++)
    throttle.report(Lsn.of(1000 + second), Lsn.of(1001 + second), second * 1000)
  throttle.appended(1000, Lsn.of(5_000_000), 20_500)
  expect(throttle.pauseMs(20_500)).toBe(0)
  // Behind: two reports make a rate.
  throttle.report(Lsn.of(500_000), Lsn.of(5_000_000), 21_000)
  throttle.appended(1000, Lsn.of(5_000_000), 21_500)
  expect(throttle.pauseMs(21_500)).toBe(0)
  throttle.report(Lsn.of(600_000), Lsn.of(5_000_000), 22_000)
  throttle.appended(1000, Lsn.of(5_000_000), 22_000)
  expect(throttle.pauseMs(22_000)).toBe((1000 * 1000) / 50_000)
})

test('small appends add up to the pause of a large one, and no pause exceeds its bound', () => {
  const throttle = new IngestThrottle(LIMIT)
  throttle.report(Lsn.of(500_000), Lsn.of(5_000_000), 1000)
  throttle.report(Lsn.of(600_000), Lsn.of(5_000_000), 2000)
  for (let i = 0; i < 10; i++) throttle.appended(10, Lsn.of(5_000_000), 2000)
  expect(throttle.pauseMs(2000)).toBeCloseTo(2)
  expect(throttle.pauseMs(2001.5)).toBe(0)
  throttle.appended(1_000_000_000, Lsn.of(5_000_000), 2000)
  expect(throttle.pauseMs(2000)).toBe(PAUSE_MS_MAX)
})

test('an LSN that goes back is no progress: of a PageServer that starts again the highest stands', () => {
  const throttle = new IngestThrottle(LIMIT)
  throttle.report(Lsn.of(500_000), Lsn.of(5_000_000), 1000)
  throttle.report(Lsn.of(200_000), Lsn.of(5_000_000), 2000)
  throttle.report(Lsn.of(300_000), Lsn.of(5_000_000), 3000)
  throttle.appended(1000, Lsn.of(5_000_000), 3000)
  expect(throttle.ingestedLsn).toBe(500_000)
  expect(throttle.lagBytes(Lsn.of(5_000_000))).toBe(4_500_000)
  expect(throttle.pauseMs(3000)).toBe(0)
})

test('without a limit nothing is ever held up', () => {
  const throttle = new IngestThrottle(Number.POSITIVE_INFINITY)
  throttle.report(Lsn.of(1), Lsn.of(1e12), 1000)
  throttle.report(Lsn.of(2), Lsn.of(1e12), 2000)
  throttle.appended(1e9, Lsn.of(1e12), 2000)
  expect(throttle.pauseMs(2000)).toBe(0)
})
