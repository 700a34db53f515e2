import { expect, test } from 'vitest'
import { SteadyTime } from './steady-time.ts'

test('a clock that is set forward takes nothing from the restore window, one that is set right again is followed', () => {
  let nowMs = 1e12
  let monotonicMs = 5
  const time = new SteadyTime({ nowMs: () => nowMs, monotonicMs: () => monotonicMs })
  const pass = (durationMs: number) => {
    nowMs += durationMs
    monotonicMs += durationMs
  }
  pass(600_000)
  expect(time.nowMs()).toBe(nowMs)
  const before = time.nowMs()
  nowMs += 8 * 24 * 3600_000
  pass(3600_000)
  expect(time.nowMs() - before).toBeCloseTo(1.2 * 3600_000)
  nowMs -= 8 * 24 * 3600_000
  expect(time.nowMs()).toBe(nowMs)
  // One that was an hour behind is caught up with in the end.
  nowMs += 3600_000
  for (let hour = 0; hour < 6; hour++) {
    pass(3600_000)
    time.nowMs()
  }
  expect(time.nowMs()).toBe(nowMs)
})
