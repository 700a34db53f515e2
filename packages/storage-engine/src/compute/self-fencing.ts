import type { Clock, Timer } from '../io/clock.ts'

export interface SelfFencingOptions {
  readonly clock: Clock
  readonly leaseMs: number
  /** Monotonic time of the last sign of life from a majority. */
  readonly lastContactMs: () => number
  readonly onLost: (reason: string) => void
}

/**
 * Ends a compute that has lost its quorum: without acknowledgements it cannot commit, but it would go on serving reads
 * that another compute has made stale. A higher term is reported by the quorum itself, at once.
 */
export class SelfFencing {
  readonly #options: SelfFencingOptions
  #timer: Timer | undefined

  constructor(options: SelfFencingOptions) {
    this.#options = options
  }

  start(): void {
    const { clock, leaseMs, lastContactMs, onLost } = this.#options
    const dueMs = lastContactMs() + leaseMs - clock.monotonicMs()
    if (dueMs <= 0) {
      onLost(`no contact with a quorum for ${leaseMs} ms`)
      return
    }
    this.#timer = clock.setTimer(dueMs, () => this.start())
  }

  stop(): void {
    this.#timer?.cancel()
  }
}
