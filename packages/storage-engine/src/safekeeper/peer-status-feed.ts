import { errorText } from '../base/errors.ts'
import type { Env } from '../io/env.ts'
import type { Address, Connection } from '../io/network.ts'
import type { TimelineId } from '../postgres/ids.ts'
import { FrameDecoder } from '../protocol/framing.ts'
import {
  decodeWalServiceMessage,
  encodeWalServiceMessage,
  type TimelineStatus,
  WAL_SERVICE_PAYLOAD_BYTES_MAX,
} from '../protocol/wal-service-messages.ts'
import type { TimelineRegistry } from './timeline-registry.ts'

/**
 * Follows the statuses of the other members: their timelines learn from them what was archived, what the PageServer has
 * and what is committed; the backup learns who else is there.
 */
export interface PeerStatusFeedOptions {
  readonly env: Pick<Env, 'clock' | 'network' | 'log'>
  readonly peers: readonly { readonly id: number; readonly address: Address }[]
  readonly registry: TimelineRegistry
}

const CONNECT_TIMEOUT_MS = 3000
const RETRY_MS = 1000

export class PeerStatusFeed {
  readonly #options: PeerStatusFeedOptions
  readonly #closing = new AbortController()
  /** Statuses of the peers that are connected now. */
  readonly #connected = new Map<number, Map<TimelineId, TimelineStatus>>()
  readonly #loops: Promise<void>[]

  constructor(options: PeerStatusFeedOptions) {
    this.#options = options
    this.#loops = options.peers.map((peer) => this.#follow(peer))
  }

  /** What the members that answer now say of a timeline. */
  statusesOf(timelineId: TimelineId): TimelineStatus[] {
    return [...this.#connected.values()].flatMap((statuses) => statuses.get(timelineId) ?? [])
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await Promise.all(this.#loops)
  }

  async #follow(peer: { id: number; address: Address }): Promise<void> {
    const { env } = this.#options
    const { signal } = this.#closing
    while (!signal.aborted) {
      try {
        const connection = await env.network.connect(peer.address, { timeoutMs: CONNECT_TIMEOUT_MS, signal })
        await this.#serve(peer.id, connection)
      } catch (error) {
        if (!signal.aborted) env.log.debug('peer is away', { peer: peer.id, error: errorText(error) })
      }
      await env.clock.sleep(RETRY_MS, { signal }).catch(() => undefined)
    }
  }

  /** Resolves when the connection is closed. */
  #serve(peerId: number, connection: Connection): Promise<void> {
    const statuses = new Map<TimelineId, TimelineStatus>()
    return new Promise((resolve) => {
      const onAbort = () => connection.destroy()
      const decoder = new FrameDecoder({
        payloadBytesMax: WAL_SERVICE_PAYLOAD_BYTES_MAX,
        onFrame: (type, payload) => {
          const message = decodeWalServiceMessage(type, payload)
          if (message.kind === 'subscribed') this.#connected.set(peerId, statuses)
          if (message.kind !== 'timeline-status') return
          statuses.set(message.timelineId, message)
          this.#learn(message)
        },
      })
      connection.onClose = () => {
        decoder.close()
        this.#closing.signal.removeEventListener('abort', onAbort)
        this.#connected.delete(peerId)
        resolve()
      }
      connection.onData = (chunk) => {
        try {
          decoder.push(chunk)
        } catch (error) {
          this.#options.env.log.warn('peer sent nonsense', { peer: peerId, error: errorText(error) })
          connection.destroy()
        }
      }
      this.#closing.signal.addEventListener('abort', onAbort, { once: true })
      if (this.#closing.signal.aborted) connection.destroy()
      else connection.send(encodeWalServiceMessage({ kind: 'subscribe' }))
    })
  }

  #learn(status: TimelineStatus): void {
    const timeline = this.#options.registry.get(status.timelineId)
    if (timeline === undefined || timeline.identity.projectId !== status.projectId) return
    const { state } = timeline
    const isNews =
      status.backupLsn > state.backupLsn ||
      status.remoteConsistentLsn > state.remoteConsistentLsn ||
      status.commitLsn > state.commitLsn
    if (!isNews) return
    timeline.learn({
      backupLsn: status.backupLsn,
      remoteConsistentLsn: status.remoteConsistentLsn,
      peerCommit: { lastLogTerm: status.lastLogTerm, commitLsn: status.commitLsn },
    })
  }
}
