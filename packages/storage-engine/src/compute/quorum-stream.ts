import { errorText, isStorageError } from '../base/errors.ts'
import type { Env } from '../io/env.ts'
import type { Lsn } from '../postgres/lsn.ts'
import type { QuorumLog } from './quorum-log.ts'
import { openWalsenderClient, type WalsenderClient } from './walsender-client.ts'

export interface QuorumStreamOptions {
  readonly env: Pick<Env, 'clock' | 'network' | 'log'>
  readonly quorum: QuorumLog
  /** Of Postgres. */
  readonly address: { readonly socketPath: string }
  readonly systemIdentifier: bigint
  /** Postgres is shutting down: a stream that ends is not opened again. */
  readonly isStopping: () => boolean
  /** Nothing is tried any more. */
  readonly isEnded: () => boolean
  /** The stream broke and cannot be opened again. */
  readonly onFailed: (error: unknown) => void
}

const CONNECT_RETRY_MS = 2
const CONNECT_RETRIES_MAX = 2000

/** The WAL of one Postgres on its way to the quorum, and what the quorum has flushed on its way back. */
export class QuorumStream {
  readonly #options: QuorumStreamOptions
  #walsender: WalsenderClient | undefined

  constructor(options: QuorumStreamOptions) {
    this.#options = options
  }

  /** Undefined before the first connection. */
  get receivedLsn(): Lsn | undefined {
    return this.#walsender?.receivedLsn
  }

  /** Resolves when the stream runs; one that breaks later is opened again from where it was. */
  async start(startLsn: Lsn): Promise<void> {
    const { env, quorum, isEnded, isStopping, onFailed } = this.#options
    const walsender = await this.#open(startLsn)
    this.#walsender = walsender
    walsender.reportFlushed(quorum.commitLsn)
    void walsender.closed.then(async (error) => {
      if (isEnded() || isStopping()) return
      const fields = { reason: error ? errorText(error) : undefined }
      env.log.warn('wal stream from postgres broke, connecting again', fields)
      try {
        await this.start(walsender.receivedLsn)
      } catch (failure) {
        onFailed(failure)
      }
    })
  }

  reportFlushed(lsn: Lsn): void {
    this.#walsender?.reportFlushed(lsn)
  }

  close(): void {
    this.#walsender?.close()
  }

  async #open(startLsn: Lsn): Promise<WalsenderClient> {
    const { env, quorum, address, systemIdentifier, isEnded } = this.#options
    const { network, clock } = env
    for (let attempt = 0; ; attempt++) {
      try {
        return await openWalsenderClient({
          network,
          clock,
          address,
          systemIdentifier,
          startLsn,
          // While too much is uncommitted the WAL waits in Postgres, on its disk.
          onWal: (lsn, bytes) => (quorum.append(lsn, bytes) ? undefined : quorum.hasRoom()),
        })
      } catch (error) {
        if (isEnded() || !isStorageError(error, 'unavailable') || attempt >= CONNECT_RETRIES_MAX) throw error
        await clock.sleep(CONNECT_RETRY_MS)
      }
    }
  }
}
