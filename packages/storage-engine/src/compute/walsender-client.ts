import { CorruptionError, StorageError } from '../base/errors.ts'
import type { Clock } from '../io/clock.ts'
import type { Address, Network } from '../io/network.ts'
import { POSTGRES_EPOCH_UNIX_SECONDS, WAL_TIMELINE } from '../postgres/constants.ts'
import { Lsn } from '../postgres/lsn.ts'
import { connectPostgres, type PostgresConnection } from './postgres-connection.ts'

/**
 * The only synchronous standby of the compute's Postgres (src/backend/replication/walsender.c, PG 18): takes the WAL over
 * the private socket, and reports as flushed what a quorum of SafeKeepers has made durable.
 *
 *   XLogData   'w' | u64 start | u64 server end | i64 time | WAL bytes
 *   keepalive  'k' | u64 server end | i64 time | u8 reply requested
 *   status     'r' | u64 write | u64 flush | u64 apply | i64 time | u8 reply requested
 */
export const STANDBY_NAME = 'tributary_quorum'

export interface WalsenderClientOptions {
  readonly network: Network
  readonly clock: Clock
  readonly address: Address
  readonly systemIdentifier: bigint
  readonly startLsn: Lsn
  /** WAL bytes beginning at `lsn`, gapless; the receiver owns them. A promise: no more is read until it settles. */
  readonly onWal: (lsn: Lsn, bytes: Uint8Array) => Promise<void> | undefined
}

export interface WalsenderClient {
  readonly receivedLsn: Lsn
  /** Everything below is durable: releases the commits that wait for it. */
  reportFlushed(lsn: Lsn): void
  /** Resolves with the cause when the stream ends for whatever reason. */
  readonly closed: Promise<Error | undefined>
  close(): void
}

const STATUS_BYTES = 34
const XLOG_DATA_HEADER_BYTES = 25
/** Well below wal_sender_timeout (60 s). */
const STATUS_INTERVAL_MS = 10_000

/**
 * Connects and starts the stream. The temporary slot keeps the WAL that a slow quorum has not taken yet, and lets no second
 * connection of this name stream at the same time. Rejects with `unavailable` while Postgres is not ready.
 */
export async function openWalsenderClient(options: WalsenderClientOptions): Promise<WalsenderClient> {
  const { network, address, startLsn } = options
  const connection = await connectPostgres(
    network,
    address,
    { user: 'postgres', replication: true, applicationName: STANDBY_NAME },
    { timeoutMs: 5000 },
  )
  try {
    const [row] = await connection.query('IDENTIFY_SYSTEM')
    if (row?.[0] !== String(options.systemIdentifier) || row[1] !== String(WAL_TIMELINE)) {
      throw new StorageError('invalid-input', 'postgres has another identity', {
        systemIdentifier: row?.[0] ?? undefined,
        timeline: row?.[1] ?? undefined,
      })
    }
    await connection.query(`CREATE_REPLICATION_SLOT ${STANDBY_NAME} TEMPORARY PHYSICAL RESERVE_WAL`)
    const stream = new Stream(connection, options)
    await connection.startCopyBoth(
      `START_REPLICATION SLOT ${STANDBY_NAME} PHYSICAL ${Lsn.format(startLsn)} TIMELINE ${WAL_TIMELINE}`,
      (body) => stream.onCopyData(body),
    )
    stream.begin()
    return stream
  } catch (error) {
    connection.close()
    throw error
  }
}

class Stream implements WalsenderClient {
  readonly closed: Promise<Error | undefined>
  readonly #connection: PostgresConnection
  readonly #options: WalsenderClientOptions
  #receivedLsn: Lsn
  #flushedLsn: Lsn
  #lastSentMs = 0
  #isClosed = false
  #isPaused = false

  constructor(connection: PostgresConnection, options: WalsenderClientOptions) {
    this.#connection = connection
    this.#options = options
    this.#receivedLsn = options.startLsn
    this.#flushedLsn = options.startLsn
    this.closed = connection.closed.then((error) => {
      this.#isClosed = true
      return error
    })
  }

  get receivedLsn(): Lsn {
    return this.#receivedLsn
  }

  begin(): void {
    this.#sendStatus()
    this.#keepSending()
  }

  reportFlushed(lsn: Lsn): void {
    // Never more than the server has sent on this connection.
    const flushed = Lsn.min(lsn, this.#receivedLsn)
    if (flushed <= this.#flushedLsn) return
    this.#flushedLsn = flushed
    this.#sendStatus()
  }

  close(): void {
    this.#isClosed = true
    this.#connection.close()
  }

  onCopyData(body: Uint8Array): void {
    const view = new DataView(body.buffer, body.byteOffset, body.byteLength)
    switch (body[0]) {
      case 0x77: {
        const lsn = Lsn.readBigEndian(view, 1)
        if (lsn !== this.#receivedLsn) {
          throw new CorruptionError('walsender left a gap', {
            expected: Lsn.format(this.#receivedLsn),
            got: Lsn.format(lsn),
          })
        }
        const bytes = body.subarray(XLOG_DATA_HEADER_BYTES)
        this.#receivedLsn = Lsn.add(lsn, bytes.length)
        const wait = this.#options.onWal(lsn, bytes)
        if (wait && !this.#isPaused) {
          this.#isPaused = true
          this.#connection.pause()
          void wait.then(() => {
            this.#isPaused = false
            this.#connection.resume()
          })
        }
        return
      }
      case 0x6b:
        if (body[17] === 1) this.#sendStatus()
        return
      default:
        throw new CorruptionError('unknown replication message', { type: body[0] })
    }
  }

  #sendStatus(): void {
    if (this.#isClosed) return
    const { clock } = this.#options
    this.#lastSentMs = clock.monotonicMs()
    const body = new Uint8Array(STATUS_BYTES)
    const view = new DataView(body.buffer)
    body[0] = 0x72
    Lsn.writeBigEndian(view, 1, this.#receivedLsn)
    Lsn.writeBigEndian(view, 9, this.#flushedLsn)
    Lsn.writeBigEndian(view, 17, this.#flushedLsn)
    view.setBigInt64(25, BigInt(clock.nowMs() - POSTGRES_EPOCH_UNIX_SECONDS * 1000) * 1000n)
    this.#connection.sendCopyData(body)
  }

  #keepSending(): void {
    const { clock } = this.#options
    clock.setTimer(STATUS_INTERVAL_MS, () => {
      if (this.#isClosed) return
      if (clock.monotonicMs() - this.#lastSentMs >= STATUS_INTERVAL_MS / 2) this.#sendStatus()
      this.#keepSending()
    })
  }
}
