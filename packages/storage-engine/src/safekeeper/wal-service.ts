import { errorText, isStorageError, StorageError } from '../base/errors.ts'
import type { Clock, Timer } from '../io/clock.ts'
import type { Connection } from '../io/network.ts'
import type { ObjectStore } from '../object-store/object-store.ts'
import { Lsn } from '../postgres/lsn.ts'
import {
  encodeWalData,
  encodeWalServiceMessage,
  KEEPALIVE_INTERVAL_MS,
  type StartWal,
  WAL_DATA_BYTES_MAX,
} from '../protocol/wal-service-messages.ts'
import type { AcceptorService } from './acceptor-service.ts'
import { readArchivedWal } from './wal-archive.ts'

/** Archived WAL is fetched in pieces of this size. */
const ARCHIVE_READ_SIZE = 1024 * 1024
/**
 * Less WAL than this is sent at most once in SEND_INTERVAL_MS. A reader that is told of each commit by itself spends more on
 * the telling than on the WAL, and so does its sender.
 */
const SMALL_SEND_BYTES = 32 * 1024
const SEND_INTERVAL_MS = 5

/**
 * One reader's stream of WAL: from local segments, or from object storage below them. It follows the timeline until the
 * connection ends.
 */
export class WalStream {
  readonly #timeline: AcceptorService
  readonly #connection: Connection
  readonly #clock: Clock
  readonly #objectStore: ObjectStore
  readonly #request: StartWal
  readonly #stopListening: () => void
  #sentLsn: Lsn
  #sentCommitLsn: Lsn = Lsn.zero
  #sentAtMs = Number.NEGATIVE_INFINITY
  #sendTimer: Timer | undefined
  #isSending = false
  #isClosed = false
  #sentSinceKeepalive = false
  #keepalive: Timer

  /** Throws `invalid-input` for a start that this timeline cannot serve. */
  constructor(options: {
    timeline: AcceptorService
    connection: Connection
    clock: Clock
    objectStore: ObjectStore
    request: StartWal
  }) {
    this.#timeline = options.timeline
    this.#connection = options.connection
    this.#clock = options.clock
    this.#objectStore = options.objectStore
    this.#request = options.request
    this.#sentLsn = options.request.startLsn
    const { identity, state } = options.timeline
    if (this.#sentLsn < identity.startLsn) {
      throw new StorageError('invalid-input', 'wal starts before this timeline', {
        asked: Lsn.format(this.#sentLsn),
        start: Lsn.format(identity.startLsn),
      })
    }
    if (this.#sentLsn > state.flushLsn) {
      throw new StorageError('unavailable', 'wal has not reached this lsn here', {
        asked: Lsn.format(this.#sentLsn),
        end: Lsn.format(state.flushLsn),
      })
    }
    this.#stopListening = options.timeline.onChange(() => this.#wake())
    this.#keepalive = this.#clock.setTimer(KEEPALIVE_INTERVAL_MS, () => this.#onKeepaliveTimer())
    this.#wake()
  }

  get sentLsn(): Lsn {
    return this.#sentLsn
  }

  close(): void {
    this.#isClosed = true
    this.#stopListening()
    this.#keepalive.cancel()
    this.#sendTimer?.cancel()
  }

  #wake(): void {
    if (this.#isSending || this.#isClosed) return
    const waitingBytes = this.#limit() - this.#sentLsn
    const waitMs = this.#sentAtMs + SEND_INTERVAL_MS - this.#clock.monotonicMs()
    if (waitingBytes >= SMALL_SEND_BYTES || waitMs <= 0) {
      this.#send()
      return
    }
    this.#sendTimer ??= this.#clock.setTimer(waitMs, () => {
      if (!this.#isSending && !this.#isClosed) this.#send()
    })
  }

  #send(): void {
    this.#sendTimer?.cancel()
    this.#sendTimer = undefined
    this.#isSending = true
    this.#sendAll()
      .catch((error: unknown) => this.#end(error))
      .finally(() => {
        this.#isSending = false
        // What arrived between the last look and here.
        if (!this.#isClosed && this.#sentLsn < this.#limit()) this.#wake()
      })
  }

  async #sendAll(): Promise<void> {
    while (!this.#isClosed) {
      const limit = this.#limit()
      if (this.#sentLsn >= limit) return
      const bytes = await this.#read(limit)
      // A new leader may have cut the log while archived WAL was fetched.
      if (this.#isClosed || this.#sentLsn + bytes.length > this.#limit()) continue
      const commitLsn = this.#timeline.state.commitLsn
      const data = { kind: 'wal-data', startLsn: this.#sentLsn, commitLsn, bytes } as const
      const hasRoom = this.#connection.send(encodeWalData(data), bytes)
      this.#sentLsn = (this.#sentLsn + bytes.length) as Lsn
      this.#sentCommitLsn = commitLsn
      this.#sentSinceKeepalive = true
      this.#sentAtMs = this.#clock.monotonicMs()
      if (!hasRoom) await this.#connection.drained()
    }
  }

  #read(limit: Lsn): Uint8Array | Promise<Uint8Array> {
    const lsn = this.#sentLsn
    if (lsn < this.#timeline.oldestLocalLsn) return this.#readArchive(lsn, limit)
    const bytes = new Uint8Array(Math.min(WAL_DATA_BYTES_MAX, limit - lsn))
    this.#timeline.readNow(lsn, bytes)
    return bytes
  }

  #archive: { startLsn: Lsn; bytes: Uint8Array } | undefined

  async #readArchive(lsn: Lsn, limit: Lsn): Promise<Uint8Array> {
    let archive = this.#archive
    if (archive === undefined || lsn < archive.startLsn || lsn >= archive.startLsn + archive.bytes.length) {
      const bytes = await readArchivedWal(this.#objectStore, this.#timeline.identity, lsn, ARCHIVE_READ_SIZE)
      archive = { startLsn: lsn, bytes }
      this.#archive = archive
    }
    const offset = lsn - archive.startLsn
    return archive.bytes.subarray(offset, offset + Math.min(WAL_DATA_BYTES_MAX, limit - lsn))
  }

  /** How far this reader may go now. Ends the stream when the log is no longer the one it asked for. */
  #limit(): Lsn {
    const { state } = this.#timeline
    if (this.#timeline.failure !== undefined) {
      this.#end(new StorageError('unavailable', 'timeline is not usable here'))
      return this.#sentLsn
    }
    if (this.#request.upTo === 'commit') return state.commitLsn
    if (this.#timeline.lastLogTerm !== this.#request.term) {
      this.#end(new StorageError('fenced', 'the log is of another term', { term: this.#timeline.lastLogTerm }))
      return this.#sentLsn
    }
    return state.flushLsn
  }

  #onKeepaliveTimer(): void {
    if (this.#isClosed) return
    const { commitLsn } = this.#timeline.state
    if (!this.#sentSinceKeepalive || commitLsn !== this.#sentCommitLsn) {
      this.#connection.send(encodeWalServiceMessage({ kind: 'keepalive', commitLsn }))
      this.#sentCommitLsn = commitLsn
    }
    this.#sentSinceKeepalive = false
    this.#keepalive = this.#clock.setTimer(KEEPALIVE_INTERVAL_MS, () => this.#onKeepaliveTimer())
  }

  #end(error: unknown): void {
    if (this.#isClosed) return
    this.close()
    const code = isStorageError(error) ? error.code : 'unavailable'
    this.#connection.send(encodeWalServiceMessage({ kind: 'error', code, message: errorText(error) }))
    this.#connection.end()
  }
}
