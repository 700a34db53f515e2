import type { Clock } from '../io/clock.ts'

/**
 * Where fdatasync runs. On the calling thread it costs no trip through the thread pool, which wins while the disk answers
 * fast; a slow disk would hold up the loop, and there WAL gathers while the sync runs in the background.
 */
const FAST_SYNC_MS = 1
/** A slow disk is tried on the calling thread again this often. */
const RETRY_INTERVAL_MS = 10_000
const SMOOTHING = 0.1

export class SyncPolicy {
  readonly #clock: Pick<Clock, 'monotonicMs'>
  #averageMs = 0
  #slowSinceMs: number | undefined

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock
  }

  get prefersNow(): boolean {
    return this.#slowSinceMs === undefined
  }

  observe(durationMs: number): void {
    this.#averageMs += (durationMs - this.#averageMs) * SMOOTHING
    const nowMs = this.#clock.monotonicMs()
    if (this.#slowSinceMs === undefined) {
      if (this.#averageMs > FAST_SYNC_MS) this.#slowSinceMs = nowMs
    } else if (nowMs - this.#slowSinceMs > RETRY_INTERVAL_MS) {
      this.#averageMs = 0
      this.#slowSinceMs = undefined
    }
  }
}
