import { StorageError } from '../../base/errors.ts'
import type { Clock } from '../../io/clock.ts'
import { Lsn } from '../../postgres/lsn.ts'

/** Readers waiting for an LSN to be ingested. More than this many at once and the next is refused. */
const WAITERS_MAX = 10_000

interface Waiter {
  readonly lsn: Lsn
  readonly settle: (error?: StorageError) => void
}

/** Wakes readers when the last record LSN passes what they wait for. */
export class LsnWaiters {
  readonly #waiters = new Set<Waiter>()
  readonly #clock: Clock
  #lsn: Lsn
  #failure: StorageError | undefined

  constructor(clock: Clock, lsn: Lsn) {
    this.#clock = clock
    this.#lsn = lsn
  }

  /** Rejects with `unavailable` after `timeoutMs`, with `aborted` when the signal fires, or with what `fail` was told. */
  wait(lsn: Lsn, timeoutMs: number, signal?: AbortSignal): Promise<void> {
    if (lsn <= this.#lsn) return Promise.resolve()
    if (this.#failure) return Promise.reject(this.#failure)
    if (signal?.aborted) return Promise.reject(new StorageError('aborted', 'wait for lsn'))
    if (this.#waiters.size >= WAITERS_MAX) {
      return Promise.reject(new StorageError('exhausted', 'too many readers wait for an lsn', { waiters: WAITERS_MAX }))
    }
    return new Promise((resolve, reject) => {
      const onAbort = () => waiter.settle(new StorageError('aborted', 'wait for lsn'))
      const waiter: Waiter = {
        lsn,
        settle: (error) => {
          this.#waiters.delete(waiter)
          timer.cancel()
          signal?.removeEventListener('abort', onAbort)
          if (error) reject(error)
          else resolve()
        },
      }
      const timer = this.#clock.setTimer(timeoutMs, () => {
        const fields = { lsn: Lsn.format(lsn), lastRecordLsn: Lsn.format(this.#lsn), timeoutMs }
        waiter.settle(new StorageError('unavailable', 'lsn not reached in time', fields))
      })
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#waiters.add(waiter)
    })
  }

  advance(lsn: Lsn): void {
    this.#lsn = lsn
    if (this.#waiters.size === 0) return
    for (const waiter of [...this.#waiters]) if (waiter.lsn <= lsn) waiter.settle()
  }

  /** Nothing will be ingested any more: every wait for a later LSN ends with this error. */
  fail(error: StorageError): void {
    this.#failure = error
    for (const waiter of [...this.#waiters]) waiter.settle(error)
  }

  /** Ingest goes on after a failure. */
  recover(): void {
    this.#failure = undefined
  }
}
