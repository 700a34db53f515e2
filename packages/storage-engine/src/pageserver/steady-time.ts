import type { Clock } from '../io/clock.ts'

/** How much faster than the monotonic clock this one may go: a clock that was behind catches up 12 minutes an hour. */
const RATE_MAX = 1.2

/**
 * The wall clock, but for leaps forward: history that a leap put beyond the restore window would be gone for good by the time
 * the clock is set right. It goes back with the wall clock, which keeps more.
 */
export class SteadyTime {
  readonly #clock: Pick<Clock, 'nowMs' | 'monotonicMs'>
  #lastMs: number
  #lastMonotonicMs: number

  constructor(clock: Pick<Clock, 'nowMs' | 'monotonicMs'>) {
    this.#clock = clock
    this.#lastMs = clock.nowMs()
    this.#lastMonotonicMs = clock.monotonicMs()
  }

  /** Unix time in milliseconds. */
  nowMs(): number {
    const monotonicMs = this.#clock.monotonicMs()
    const latestMs = this.#lastMs + (monotonicMs - this.#lastMonotonicMs) * RATE_MAX
    this.#lastMs = Math.min(this.#clock.nowMs(), latestMs)
    this.#lastMonotonicMs = monotonicMs
    return this.#lastMs
  }
}
