import { expect, test } from 'vitest'
import { StorageError } from '../base/errors.ts'
import type { Clock } from '../io/clock.ts'
import { silentLog } from '../io/log.ts'
import { Lsn } from '../postgres/lsn.ts'
import { LsnLeaseKeeper } from './lsn-lease-keeper.ts'

const lsn = Lsn.of(0x2000028)

/** A clock whose one timer fires when the test says so. */
function handClock(): { clock: Clock; fire: () => Promise<void>; delayMs: () => number | undefined } {
  let timer: { delayMs: number; run: () => void } | undefined
  const clock: Clock = {
    nowMs: () => 0,
    monotonicMs: () => 0,
    yieldTurn: () => Promise.resolve(),
    sleep: () => Promise.resolve(),
    setTimer(delayMs, run) {
      timer = { delayMs, run }
      return {
        cancel() {
          timer = undefined
        },
      }
    },
  }
  return {
    clock,
    delayMs: () => timer?.delayMs,
    async fire() {
      const fired = timer
      timer = undefined
      fired?.run()
      await new Promise((resolve) => setImmediate(resolve))
    },
  }
}

test('a lease is renewed well before it ends, and asked for again soon while the PageServer is away', async () => {
  const { clock, fire, delayMs } = handClock()
  const asked: number[] = []
  let isAway = false
  const keeper = new LsnLeaseKeeper({ clock, log: silentLog }, lsn, async (at, seconds) => {
    expect(at).toBe(lsn)
    asked.push(seconds)
    if (isAway) throw new StorageError('unavailable', 'away')
  })
  await keeper.start()
  expect(delayMs()! * 3).toBeLessThan(asked[0]! * 1000)
  isAway = true
  await fire()
  const retryMs = delayMs()!
  expect(retryMs * 10).toBeLessThan(asked[0]! * 1000)
  isAway = false
  await fire()
  expect(delayMs()).toBeGreaterThan(retryMs)
  expect(asked).toHaveLength(3)
  keeper.close()
  expect(delayMs()).toBeUndefined()
})

test('a compute does not start at an LSN that is collected already', async () => {
  const { clock } = handClock()
  const keeper = new LsnLeaseKeeper({ clock, log: silentLog }, lsn, () =>
    Promise.reject(new StorageError('not-found', 'lsn is older than the history kept')),
  )
  await expect(keeper.start()).rejects.toThrow(/older than the history/)
})
