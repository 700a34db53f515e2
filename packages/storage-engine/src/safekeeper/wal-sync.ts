import type { Clock } from '../io/clock.ts'
import type { Lsn } from '../postgres/lsn.ts'
import { SyncPolicy } from './sync-policy.ts'
import type { WalStorage } from './wal-storage.ts'

export interface WalSyncOptions {
  readonly clock: Pick<Clock, 'monotonicMs'>
  /** The WAL as it is now: another one after the timeline was read again. */
  readonly storage: () => WalStorage
  /** Something else has the disk; `start` is called again when it has ended. */
  readonly isBusy: () => boolean
  /** The disk has failed: nothing is synced before the timeline is read again. */
  readonly isFailed: () => boolean
  /** All records that end at or before `recordLsn` are durable. */
  readonly onFlushed: (recordLsn: Lsn) => void
  readonly onFailure: (error: unknown) => void
}

/** When the WAL of one timeline is made durable: one sync at a time, each for all that was written before it. */
export class WalSync {
  readonly #options: WalSyncOptions
  readonly #policy: SyncPolicy
  #isWanted = false
  #running: Promise<void> | undefined

  constructor(options: WalSyncOptions) {
    this.#options = options
    this.#policy = new SyncPolicy(options.clock)
  }

  /** Somebody waits for what was written. Takes effect with the next `start`. */
  want(): void {
    this.#isWanted = true
  }

  /** Nobody waits any more. */
  forget(): void {
    this.#isWanted = false
  }

  start(): void {
    const { storage, isBusy, isFailed, onFlushed, onFailure } = this.#options
    if (!this.#isWanted || isBusy() || this.#running !== undefined || isFailed()) return
    this.#isWanted = false
    const wal = storage()
    // Half a record is not reported, so it need not be durable yet.
    if (!wal.isDirty) return
    if (wal.needsBackgroundSync || !this.#policy.prefersNow) {
      this.#running = this.#syncInBackground(wal)
      return
    }
    try {
      const startMs = this.#options.clock.monotonicMs()
      const recordLsn = wal.syncNow()
      this.#policy.observe(this.#options.clock.monotonicMs() - startMs)
      onFlushed(recordLsn)
    } catch (error) {
      onFailure(error)
    }
  }

  /** Resolves when no sync is under way. */
  async settle(): Promise<void> {
    await this.#running
  }

  /** Makes all durable that was written; nothing after a failure. Rejects where the disk does. */
  async flush(): Promise<void> {
    await this.#running
    if (this.#options.isFailed()) return
    this.#isWanted = false
    this.#options.onFlushed(await this.#options.storage().sync())
  }

  async #syncInBackground(wal: WalStorage): Promise<void> {
    const { clock, onFlushed, onFailure } = this.#options
    try {
      const startMs = clock.monotonicMs()
      const recordLsn = await wal.sync()
      this.#policy.observe(clock.monotonicMs() - startMs)
      this.#running = undefined
      onFlushed(recordLsn)
    } catch (error) {
      this.#running = undefined
      onFailure(error)
    }
    this.start()
  }
}
