import { errorText, isStorageError } from '../base/errors.ts'
import type { Timer } from '../io/clock.ts'
import type { Env } from '../io/env.ts'
import type { Lsn } from '../postgres/lsn.ts'

/** What the PageServer gives at most. */
const LEASE_SECONDS = 3600
/** Three tries before a lease ends. */
const RENEW_INTERVAL_MS = 15 * 60_000
const RETRY_INTERVAL_MS = 10_000

/**
 * Keeps the LSN at which a compute reads its pages from being collected for as long as it runs: beyond the restore window,
 * too. Throws nothing once started: a PageServer that is away is asked again.
 */
export class LsnLeaseKeeper {
  readonly #env: Pick<Env, 'clock' | 'log'>
  readonly #lsn: Lsn
  readonly #lease: (lsn: Lsn, seconds: number) => Promise<void>
  #timer: Timer | undefined
  #isClosed = false

  constructor(env: Pick<Env, 'clock' | 'log'>, lsn: Lsn, lease: (lsn: Lsn, seconds: number) => Promise<void>) {
    this.#env = env
    this.#lsn = lsn
    this.#lease = lease
  }

  /** Rejects only when the LSN is collected already. */
  async start(): Promise<void> {
    try {
      await this.#lease(this.#lsn, LEASE_SECONDS)
      this.#arm(RENEW_INTERVAL_MS)
    } catch (error) {
      if (!isStorageError(error, 'unavailable')) throw error
      this.#warn(error)
      this.#arm(RETRY_INTERVAL_MS)
    }
  }

  close(): void {
    this.#isClosed = true
    this.#timer?.cancel()
  }

  #arm(delayMs: number): void {
    if (this.#isClosed) return
    this.#timer = this.#env.clock.setTimer(delayMs, () => {
      this.#lease(this.#lsn, LEASE_SECONDS).then(
        () => this.#arm(RENEW_INTERVAL_MS),
        (error: unknown) => {
          this.#warn(error)
          this.#arm(RETRY_INTERVAL_MS)
        },
      )
    })
  }

  #warn(error: unknown): void {
    this.#env.log.warn('the lease of the start lsn is not renewed yet', { error: errorText(error) })
  }
}
