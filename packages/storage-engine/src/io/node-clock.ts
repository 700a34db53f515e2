import type { Clock, Timer } from './clock.ts'
import { abortedError } from './node-errors.ts'

/** setTimeout fires at once for more than a signed 32-bit number of milliseconds; longer waits are cut to this. */
const TIMER_DELAY_MS_MAX = 2 ** 31 - 1

/** The system clock and the event loop's timers. */
export const nodeClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),

  setTimer(delayMs: number, fire: () => void): Timer {
    const handle = setTimeout(fire, Math.min(delayMs, TIMER_DELAY_MS_MAX))
    return { cancel: () => clearTimeout(handle) }
  },

  sleep(delayMs: number, options: { signal?: AbortSignal } = {}): Promise<void> {
    const { signal } = options
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(abortedError('sleep'))
      const onAbort = () => {
        clearTimeout(handle)
        reject(abortedError('sleep'))
      }
      const handle = setTimeout(
        () => {
          signal?.removeEventListener('abort', onAbort)
          resolve()
        },
        Math.min(delayMs, TIMER_DELAY_MS_MAX),
      )
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  },

  yieldTurn: () => new Promise((resolve) => setImmediate(resolve)),
}
