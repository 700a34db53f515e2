import { StorageError } from '../base/errors.ts'
import type { Env } from '../io/env.ts'
import type { Connection } from '../io/network.ts'
import type { ProjectId, TimelineId } from '../postgres/ids.ts'
import type { Lsn } from '../postgres/lsn.ts'
import { FrameDecoder } from '../protocol/framing.ts'
import {
  decodeWalServiceMessage,
  encodeWalServiceMessage,
  type Feedback,
  WAL_SERVICE_PAYLOAD_BYTES_MAX,
} from '../protocol/wal-service-messages.ts'
import type { SafekeeperAddress } from './safekeeper-watch.ts'

const CONNECT_TIMEOUT_MS = 3_000
/** WAL received and not yet ingested; beyond it the connection is not read from. */
const QUEUED_BYTES_MAX = 4 * 1024 * 1024

export interface WalChunk {
  readonly lsn: Lsn
  readonly bytes: Uint8Array
}

/** Committed WAL of one timeline from one SafeKeeper, as an iterable of chunks that ends when `close` is called. */
export class WalStream implements AsyncIterable<WalChunk> {
  readonly safekeeperId: number
  readonly #env: Pick<Env, 'clock'>
  readonly #connection: Connection
  readonly #chunks: WalChunk[] = []
  #queuedBytes = 0
  #isPaused = false
  #isEnded = false
  #error: unknown
  #wake: (() => void) | undefined
  #heardAtMs: number
  #commitLsn: Lsn

  static async open(options: {
    readonly env: Pick<Env, 'clock' | 'network'>
    readonly safekeeper: SafekeeperAddress
    readonly projectId: ProjectId
    readonly timelineId: TimelineId
    readonly startLsn: Lsn
    readonly signal: AbortSignal
  }): Promise<WalStream> {
    const { env, safekeeper, projectId, timelineId, startLsn, signal } = options
    const address = { host: safekeeper.host, port: safekeeper.port }
    const connection = await env.network.connect(address, { timeoutMs: CONNECT_TIMEOUT_MS, signal })
    const stream = new WalStream(env, connection, safekeeper.id, startLsn)
    connection.send(
      encodeWalServiceMessage({ kind: 'start-wal', projectId, timelineId, startLsn, upTo: 'commit', term: 0 }),
    )
    return stream
  }

  private constructor(env: Pick<Env, 'clock'>, connection: Connection, safekeeperId: number, startLsn: Lsn) {
    this.#env = env
    this.#connection = connection
    this.safekeeperId = safekeeperId
    this.#commitLsn = startLsn
    this.#heardAtMs = env.clock.monotonicMs()
    const decoder = new FrameDecoder({
      payloadBytesMax: WAL_SERVICE_PAYLOAD_BYTES_MAX,
      onFrame: (type, payload) => this.#onFrame(type, payload),
    })
    connection.onData = (chunk) => {
      try {
        decoder.push(chunk)
      } catch (error) {
        // What is wrong with the stream says nothing about the WAL: another try may do better.
        const isRefusal = error instanceof StorageError && error.code !== 'corruption'
        this.close(isRefusal ? error : new StorageError('unavailable', 'wal stream is damaged', {}, { cause: error }))
      }
    }
    connection.onClose = (error) => {
      decoder.close()
      this.close(error ?? new StorageError('unavailable', 'safekeeper closed the wal stream', { safekeeperId }))
    }
  }

  /** Milliseconds since anything came in. */
  silentMs(): number {
    return this.#env.clock.monotonicMs() - this.#heardAtMs
  }

  /** The SafeKeeper's commit LSN as last heard. */
  get commitLsn(): Lsn {
    return this.#commitLsn
  }

  sendFeedback(feedback: Omit<Feedback, 'kind'>): void {
    if (!this.#isEnded) this.#connection.send(encodeWalServiceMessage({ kind: 'feedback', ...feedback }))
  }

  /** Ends the iteration: with `error` when there is one, after the chunks in hand. Idempotent. */
  close(error?: unknown): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#error = error
    this.#connection.destroy()
    this.#wake?.()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<WalChunk> {
    for (;;) {
      const chunk = this.#chunks.shift()
      if (chunk) {
        this.#queuedBytes -= chunk.bytes.length
        if (this.#isPaused && this.#queuedBytes < QUEUED_BYTES_MAX / 2) {
          this.#isPaused = false
          this.#connection.resume()
        }
        yield chunk
        // Chunks that are here already would come one after the other with nothing in between: no read, no request.
        await this.#env.clock.yieldTurn()
        continue
      }
      if (this.#isEnded) {
        if (this.#error !== undefined) throw this.#error
        return
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      this.#wake = undefined
    }
  }

  #onFrame(type: number, payload: Uint8Array): void {
    this.#heardAtMs = this.#env.clock.monotonicMs()
    const message = decodeWalServiceMessage(type, payload)
    switch (message.kind) {
      case 'wal-data':
        this.#commitLsn = message.commitLsn
        // The bytes lie in a received chunk or in a buffer of their own: nobody writes to them any more.
        this.#chunks.push({ lsn: message.startLsn, bytes: message.bytes })
        this.#queuedBytes += message.bytes.length
        if (this.#queuedBytes > QUEUED_BYTES_MAX && !this.#isPaused) {
          this.#isPaused = true
          this.#connection.pause()
        }
        this.#wake?.()
        return
      case 'keepalive':
        this.#commitLsn = message.commitLsn
        return
      case 'error':
        throw new StorageError(message.code, message.message, { safekeeperId: this.safekeeperId })
      default:
        throw new StorageError('invalid-input', 'unexpected message on a wal stream', { kind: message.kind })
    }
  }
}
