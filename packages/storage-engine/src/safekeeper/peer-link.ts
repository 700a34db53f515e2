import { errorText } from '../base/errors.ts'
import type { Env } from '../io/env.ts'
import type { Address, Connection } from '../io/network.ts'
import type { Lsn } from '../postgres/lsn.ts'
import { FrameDecoder, type FrameHandler } from '../protocol/framing.ts'
import { SAFEKEEPER_PAYLOAD_BYTES_MAX } from '../protocol/safekeeper-messages.ts'

/** One SafeKeeper as its proposer sees it: the connection, and how far its stream is. */
export interface PeerLink {
  readonly index: number
  readonly id: number
  readonly address: Address
  connection: Connection | undefined
  /** End of what was sent on this connection; undefined before the stream starts. */
  sentLsn: Lsn | undefined
  /** Place in the buffer of the next frame, valid while `sentLsn` is in it. */
  sequence: number
  isBlocked: boolean
  isCatchingUp: boolean
  /** Connections tried since the last stream began. */
  attempt: number
  connectedMs: number
  lastHeardMs: number
  lastError: string | undefined
}

export function newPeerLink(index: number, id: number, address: Address): PeerLink {
  return {
    index,
    id,
    address,
    connection: undefined,
    sentLsn: undefined,
    sequence: 0,
    isBlocked: false,
    isCatchingUp: false,
    attempt: 0,
    connectedMs: 0,
    lastHeardMs: Number.NEGATIVE_INFINITY,
    lastError: undefined,
  }
}

export interface PeerLinkHandler {
  readonly env: Pick<Env, 'clock' | 'random' | 'network' | 'log'>
  readonly signal: AbortSignal
  /** No connection is of use any more. */
  readonly isOver: () => boolean
  readonly onConnected: () => void
  /** A CorruptionError ends the connection. */
  readonly onFrame: FrameHandler
  readonly onDisconnected: () => void
}

const CONNECT_TIMEOUT_MS = 2000
const RECONNECT_DELAY_MS_MIN = 20
const RECONNECT_DELAY_MS_MAX = 1000

/** Connects, again and again, until it is over. */
export async function keepConnected(link: PeerLink, handler: PeerLinkHandler): Promise<void> {
  const { env, signal, isOver } = handler
  while (!isOver()) {
    try {
      const connection = await env.network.connect(link.address, { timeoutMs: CONNECT_TIMEOUT_MS, signal })
      await serve(link, connection, handler)
    } catch (error) {
      link.lastError = errorText(error)
    }
    if (isOver()) return
    const ceiling = Math.min(RECONNECT_DELAY_MS_MAX, RECONNECT_DELAY_MS_MIN * 2 ** Math.min(link.attempt++, 10))
    try {
      await env.clock.sleep(ceiling / 2 + env.random.below(Math.ceil(ceiling / 2)), { signal })
    } catch {
      return
    }
  }
}

/** Resolves when the connection is closed. */
function serve(link: PeerLink, connection: Connection, handler: PeerLinkHandler): Promise<void> {
  return new Promise((resolve) => {
    if (handler.isOver()) {
      connection.onData = () => undefined
      connection.onClose = () => resolve()
      connection.destroy()
      return
    }
    const decoder = new FrameDecoder({ payloadBytesMax: SAFEKEEPER_PAYLOAD_BYTES_MAX, onFrame: handler.onFrame })
    link.connection = connection
    link.connectedMs = handler.env.clock.monotonicMs()
    link.sentLsn = undefined
    link.isBlocked = false
    connection.onData = (chunk) => {
      try {
        decoder.push(chunk)
      } catch (error) {
        link.lastError = errorText(error)
        handler.env.log.warn('safekeeper sent nonsense', { peer: link.id, error: errorText(error) })
        connection.destroy()
      }
    }
    connection.onClose = (error) => {
      decoder.close()
      if (error !== undefined) link.lastError = errorText(error)
      link.connection = undefined
      link.sentLsn = undefined
      handler.onDisconnected()
      resolve()
    }
    handler.onConnected()
  })
}
