import { expect, test } from 'vitest'
import { turnGiver } from './turn-giver.ts'

test('scans that run at once hold the thread for 2 ms together and one step more of each, then all wait for the same turn', async () => {
  let nowMs = 0
  let heldSinceMs = 0
  let heldMsMax = 0
  let turns = 0
  const giveWay = turnGiver({
    monotonicMs: () => nowMs,
    yieldTurn: () =>
      new Promise((resolve) =>
        setImmediate(() => {
          turns++
          heldSinceMs = nowMs
          resolve()
        }),
      ),
  })
  const scan = async (): Promise<void> => {
    for (let step = 0; step < 80; step++) {
      await giveWay()
      nowMs += 0.25
      heldMsMax = Math.max(heldMsMax, nowMs - heldSinceMs)
    }
  }
  await Promise.all(Array.from({ length: 7 }, scan))
  expect(nowMs).toBe(140)
  expect(heldMsMax).toBeLessThanOrEqual(2 + 7 * 0.25)
  expect(turns).toBeLessThanOrEqual(140 / 2)
  expect(turns).toBeGreaterThanOrEqual(140 / 4 - 1)
})
