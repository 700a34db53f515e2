import type { ComputeAddress, ConnectionsReport } from './proxy-contract.ts'
import { ProxyError, SQLSTATE } from './wire.ts'

/** What the register needs of a session. */
export interface LiveSession {
  readonly endpointId: string
  readonly address: ComputeAddress
  /** Through the endpoint's pool: counted apart from those that hold a connection to the compute each. */
  readonly isPooled: boolean
  readonly idleTimeoutMs: number
  readonly bytesFromClient: number
  readonly bytesToClient: number
  end(error: ProxyError): void
}

interface Seen {
  bytesFromClient: number
  bytesToClient: number
  lastActivityMs: number
}

/** Sessions by endpoint: limits, the report to the API, and the end of those that lie elsewhere or are idle too long. */
export class LiveSessions {
  readonly #byEndpoint = new Map<string, Map<LiveSession, Seen>>()
  /** Places taken by log-ins whose session has not begun. */
  readonly #reserved = new Map<string, number>()
  #count = 0

  get count(): number {
    return this.#count
  }

  /**
   * Takes a place among the endpoint's pooled sessions, or among the others, or throws ProxyError 53300. Call the result once:
   * when the session has begun, or will not begin.
   */
  reserve(endpointId: string, connectionsMax: number, { isPooled = false } = {}): () => void {
    const key = `${isPooled ? 'pooled' : 'direct'} ${endpointId}`
    const taken = this.#sessionsOf(endpointId, isPooled) + (this.#reserved.get(key) ?? 0)
    if (taken >= connectionsMax)
      throw new ProxyError(SQLSTATE.tooManyConnections, 'too many connections to this endpoint', {
        detail: `The limit is ${connectionsMax}.`,
        hint: 'Close connections that are not needed, or use a pool in the application.',
      })
    this.#reserved.set(key, (this.#reserved.get(key) ?? 0) + 1)
    return () => {
      const left = (this.#reserved.get(key) ?? 1) - 1
      if (left > 0) this.#reserved.set(key, left)
      else this.#reserved.delete(key)
    }
  }

  add(session: LiveSession, nowMs: number): void {
    const sessions = this.#byEndpoint.get(session.endpointId) ?? new Map<LiveSession, Seen>()
    sessions.set(session, { bytesFromClient: 0, bytesToClient: 0, lastActivityMs: nowMs })
    this.#byEndpoint.set(session.endpointId, sessions)
    this.#count++
  }

  remove(session: LiveSession): void {
    const sessions = this.#byEndpoint.get(session.endpointId)
    if (!sessions?.delete(session)) return
    this.#count--
    if (sessions.size === 0) this.#byEndpoint.delete(session.endpointId)
  }

  /** Ends sessions of an endpoint that do not lie at `address`. Returns how many. */
  endElsewhere(endpointId: string, address: ComputeAddress | null): number {
    let ended = 0
    for (const session of [...(this.#byEndpoint.get(endpointId)?.keys() ?? [])]) {
      if (address && session.address.host === address.host && session.address.port === address.port) continue
      session.end(
        new ProxyError(SQLSTATE.adminShutdown, 'the endpoint was suspended or moved to another compute', {
          hint: 'Connect again.',
        }),
      )
      ended++
    }
    return ended
  }

  #sessionsOf(endpointId: string, isPooled: boolean): number {
    let count = 0
    for (const session of this.#byEndpoint.get(endpointId)?.keys() ?? []) if (session.isPooled === isPooled) count++
    return count
  }

  endAll(error: ProxyError): void {
    for (const sessions of [...this.#byEndpoint.values()])
      for (const session of [...sessions.keys()]) session.end(error)
  }

  /** Looks at every session once: closes the idle ones, and gives what the API wants to know since the last time. */
  sweep(nowMs: number): ConnectionsReport['endpoints'] {
    const endpoints: ConnectionsReport['endpoints'] = []
    for (const [endpointId, sessions] of [...this.#byEndpoint]) {
      let [activeConnections, bytesFromClients, bytesToClients, lastActivityMs] = [0, 0, 0, 0]
      for (const [session, seen] of [...sessions]) {
        const fromClient = session.bytesFromClient - seen.bytesFromClient
        const toClient = session.bytesToClient - seen.bytesToClient
        if (fromClient + toClient > 0) {
          activeConnections++
          bytesFromClients += fromClient
          bytesToClients += toClient
          seen.bytesFromClient = session.bytesFromClient
          seen.bytesToClient = session.bytesToClient
          seen.lastActivityMs = nowMs
        } else if (session.idleTimeoutMs > 0 && nowMs - seen.lastActivityMs >= session.idleTimeoutMs) {
          session.end(new ProxyError(SQLSTATE.idleSessionTimeout, 'terminating connection due to idle-session timeout'))
        }
        lastActivityMs = Math.max(lastActivityMs, seen.lastActivityMs)
      }
      endpoints.push({
        endpointId,
        connections: sessions.size,
        activeConnections,
        lastActivityMs: lastActivityMs === 0 ? null : lastActivityMs,
        bytesFromClients,
        bytesToClients,
      })
    }
    return endpoints
  }
}
