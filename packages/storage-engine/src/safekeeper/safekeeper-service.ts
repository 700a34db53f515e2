import { errorText, isStorageError, StorageError } from '../base/errors.ts'
import type { Timer } from '../io/clock.ts'
import type { Env } from '../io/env.ts'
import type { Address, Connection, Listener } from '../io/network.ts'
import type { ObjectStore } from '../object-store/object-store.ts'
import { WAL_SEGMENT_SIZE } from '../postgres/constants.ts'
import { FrameDecoder } from '../protocol/framing.ts'
import {
  APPEND_BYTES_MAX,
  decodeProposerMessage,
  encodeSafekeeperMessage,
  type Greeting,
  SAFEKEEPER_PAYLOAD_BYTES_MAX,
  SAFEKEEPER_PROTOCOL_VERSION,
} from '../protocol/safekeeper-messages.ts'
import {
  decodeWalReaderMessage,
  encodeWalServiceMessage,
  isWalServiceFrame,
  type WalReaderMessage,
} from '../protocol/wal-service-messages.ts'
import type { AcceptorStepFunction } from './acceptor.ts'
import type { AcceptorService } from './acceptor-service.ts'
import { StatusSubscription } from './status-subscription.ts'
import { TimelineRegistry } from './timeline-registry.ts'
import { WalStream } from './wal-service.ts'

/**
 * One SafeKeeper's TCP side: tells proposers from WAL readers by their first frame and ties each connection to its
 * timeline. Bytes that make no sense get a typed error and a closed connection.
 */
export interface SafekeeperServiceOptions {
  readonly env: Env
  readonly nodeId: number
  readonly dataDirectory: string
  readonly address: Address
  readonly objectStore: ObjectStore
  readonly allocation?: 'zero-fill' | 'sparse'
  /** False while the node must not yet take part (a lost disk is being rebuilt). */
  readonly mayVote?: () => boolean
  readonly step?: AcceptorStepFunction
}

export const POSTGRES_MAJOR_VERSION = 18
/** A connection that has not said what it wants by then is closed. */
const FIRST_FRAME_TIMEOUT_MS = 10_000
/** Control files are brought up to date this often; what they then lack is learned again. */
const PERSIST_INTERVAL_MS = 5000
const CONNECTIONS_MAX = 2000

export class SafekeeperService {
  readonly registry: TimelineRegistry
  readonly #options: SafekeeperServiceOptions
  readonly #connections = new Set<SafekeeperConnection>()
  #listener: Listener | undefined
  #persistTimer: Timer | undefined
  #isClosed = false

  private constructor(options: SafekeeperServiceOptions, registry: TimelineRegistry) {
    this.#options = options
    this.registry = registry
  }

  static async open(options: SafekeeperServiceOptions): Promise<SafekeeperService> {
    const { env, nodeId, dataDirectory, allocation = 'zero-fill', step } = options
    const registry = await TimelineRegistry.open({
      env,
      nodeId,
      dataDirectory,
      allocation,
      ...(step === undefined ? {} : { step }),
    })
    const service = new SafekeeperService(options, registry)
    service.#listener = await env.network.listen(options.address, (connection) => service.#accept(connection))
    service.#schedulePersist()
    return service
  }

  get address(): Address {
    return this.#listener?.address ?? this.#options.address
  }

  get connectionCount(): number {
    return this.#connections.size
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#persistTimer?.cancel()
    await this.registry.close()
    await this.#listener?.close()
    for (const connection of this.#connections) connection.close()
  }

  #accept(connection: Connection): void {
    if (this.#connections.size >= CONNECTIONS_MAX || this.#isClosed) {
      connection.onData = () => undefined
      connection.onClose = () => undefined
      connection.destroy()
      return
    }
    const handler = new SafekeeperConnection(this.#options, this.registry, connection, () =>
      this.#connections.delete(handler),
    )
    this.#connections.add(handler)
  }

  #schedulePersist(): void {
    this.#persistTimer = this.#options.env.clock.setTimer(PERSIST_INTERVAL_MS, () => {
      const written = this.registry.list().map((timeline) => timeline.persistProgress())
      Promise.all(written)
        .catch((error: unknown) => this.#options.env.log.warn('control file not written', { error: errorText(error) }))
        .finally(() => {
          if (!this.#isClosed) this.#schedulePersist()
        })
    })
  }
}

class SafekeeperConnection {
  readonly #options: SafekeeperServiceOptions
  readonly #registry: TimelineRegistry
  readonly #connection: Connection
  readonly #decoder: FrameDecoder
  readonly #onClosed: () => void
  #firstFrameTimer: Timer | undefined
  #proposer: { timeline: AcceptorService; id: number } | undefined
  #stream: { timeline: AcceptorService; wal: WalStream } | undefined
  #subscription: StatusSubscription | undefined
  /** Which protocol the first frame spoke. */
  #speaks: 'unknown' | 'consensus' | 'wal' = 'unknown'
  #isClosed = false

  constructor(
    options: SafekeeperServiceOptions,
    registry: TimelineRegistry,
    connection: Connection,
    onClosed: () => void,
  ) {
    this.#options = options
    this.#registry = registry
    this.#connection = connection
    this.#onClosed = onClosed
    this.#decoder = new FrameDecoder({
      payloadBytesMax: Math.max(SAFEKEEPER_PAYLOAD_BYTES_MAX, APPEND_BYTES_MAX + 1024),
      onFrame: (type, payload) => this.#onFrame(type, payload),
    })
    this.#firstFrameTimer = options.env.clock.setTimer(FIRST_FRAME_TIMEOUT_MS, () => connection.destroy())
    connection.onClose = () => this.close()
    connection.onData = (chunk) => this.#onData(chunk)
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#decoder.close()
    this.#firstFrameTimer?.cancel()
    this.#proposer?.timeline.disconnect(this.#proposer.id)
    this.#stream?.wal.close()
    this.#subscription?.close()
    this.#connection.destroy()
    this.#onClosed()
  }

  #onData(chunk: Uint8Array): void {
    if (this.#isClosed) return
    try {
      this.#decoder.push(chunk)
    } catch (error) {
      this.#refuse(error)
    }
    this.#proposer?.timeline.endOfBatch()
  }

  #onFrame(type: number, payload: Uint8Array): void {
    if (this.#firstFrameTimer !== undefined) {
      this.#firstFrameTimer.cancel()
      this.#firstFrameTimer = undefined
    }
    if (this.#speaks === 'unknown') this.#speaks = isWalServiceFrame(type) ? 'wal' : 'consensus'
    if (this.#speaks === 'wal') {
      this.#onReaderMessage(decodeWalReaderMessage(type, payload))
      return
    }
    const message = decodeProposerMessage(type, payload)
    if (message.kind === 'greeting') {
      this.#greet(message)
      return
    }
    const proposer = this.#proposer
    if (proposer === undefined) throw new StorageError('invalid-input', 'greet first')
    const isCampaign = message.kind === 'vote-request' && message.term > proposer.timeline.state.term
    if (isCampaign && this.#options.mayVote?.() === false) {
      throw new StorageError('unavailable', 'this safekeeper was just rebuilt and does not vote yet')
    }
    proposer.timeline.handle(proposer.id, message)
  }

  #greet(greeting: Greeting): void {
    if (this.#proposer !== undefined) throw new StorageError('invalid-input', 'greeted twice')
    if (greeting.protocolVersion !== SAFEKEEPER_PROTOCOL_VERSION) {
      throw new StorageError('unsupported', 'unknown protocol version', { version: greeting.protocolVersion })
    }
    const timeline = this.#registry.get(greeting.timelineId)
    if (timeline === undefined || timeline.identity.projectId !== greeting.projectId) {
      throw new StorageError('not-found', 'unknown timeline', { timelineId: greeting.timelineId })
    }
    if (timeline.identity.systemIdentifier !== greeting.systemIdentifier) {
      throw new StorageError('invalid-input', 'system identifier differs', {
        expected: timeline.identity.systemIdentifier.toString(),
        found: greeting.systemIdentifier.toString(),
      })
    }
    if (greeting.pgMajorVersion !== POSTGRES_MAJOR_VERSION || greeting.segmentSize !== WAL_SEGMENT_SIZE) {
      throw new StorageError('unsupported', 'postgres version or segment size differs', {
        pgMajorVersion: greeting.pgMajorVersion,
        segmentSize: greeting.segmentSize,
      })
    }
    const connection = this.#connection
    const id = timeline.connect({
      send: (frame) => void connection.send(frame),
      close: () => connection.end(),
    })
    this.#proposer = { timeline, id }
    const { term } = timeline.state
    connection.send(encodeSafekeeperMessage({ kind: 'greeting-response', nodeId: this.#options.nodeId, term }))
  }

  #onReaderMessage(message: WalReaderMessage): void {
    const { env, nodeId, objectStore } = this.#options
    switch (message.kind) {
      case 'feedback':
        this.#stream?.timeline.onFeedback(message)
        return
      case 'subscribe':
        if (this.#subscription !== undefined || this.#stream !== undefined) {
          throw new StorageError('invalid-input', 'already subscribed or streaming')
        }
        this.#subscription = new StatusSubscription(this.#registry, this.#connection, env.clock, nodeId)
        return
      case 'start-wal': {
        if (this.#subscription !== undefined || this.#stream !== undefined) {
          throw new StorageError('invalid-input', 'already subscribed or streaming')
        }
        const timeline = this.#registry.get(message.timelineId)
        if (timeline === undefined || timeline.identity.projectId !== message.projectId) {
          throw new StorageError('not-found', 'unknown timeline', { timelineId: message.timelineId })
        }
        const connection = this.#connection
        const wal = new WalStream({ timeline, connection, clock: env.clock, objectStore, request: message })
        this.#stream = { timeline, wal }
        return
      }
      default:
        return message satisfies never
    }
  }

  /** Says why in the words of the protocol that the peer speaks, then closes. */
  #refuse(error: unknown): void {
    const { env } = this.#options
    const code = isStorageError(error) ? error.code : 'unavailable'
    const message = errorText(error)
    env.log.warn('connection refused', { remote: this.#connection.remote, code, error: message })
    this.#decoder.close()
    const term = this.#proposer?.timeline.state.term ?? 0
    const frame =
      this.#speaks === 'wal'
        ? encodeWalServiceMessage({ kind: 'error', code, message })
        : encodeSafekeeperMessage({ kind: 'refusal', code, term, message })
    this.#connection.send(frame)
    this.#connection.end()
    // An orderly end waits for the other side, which may never come.
    env.clock.setTimer(1000, () => this.close())
  }
}
