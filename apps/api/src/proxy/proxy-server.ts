import { createServer, type Server, type Socket } from 'node:net'
import type { Logger } from 'pino'
import { CancelKeys } from './cancel-keys.ts'
import { ClientConnection } from './client-connection.ts'
import { readClientHello } from './client-hello.ts'
import { logInClient } from './client-login.ts'
import { ComputeRefused, checkReachable, connectCompute } from './compute-connection.ts'
import { placeOf } from './dial-compute.ts'
import { resolveEndpointAddress } from './endpoint-address.ts'
import { type LiveSession, LiveSessions } from './live-sessions.ts'
import type { Poolers } from './pooler/poolers.ts'
import type { ProxyConfig } from './proxy-config.ts'
import type { ComputeAddress, RouteAnswer } from './proxy-contract.ts'
import { openProxyMetrics, type ProxyMetrics } from './proxy-metrics.ts'
import { type ReachedCompute, reachCompute } from './reach-compute.ts'
import type { RouteProvider } from './route-provider.ts'
import { ConnectionEnded } from './socket-reader.ts'
import { SplicedSession } from './spliced-session.ts'
import type { TlsMaterial } from './tls-material.ts'
import { WakeQueue } from './wake-queue.ts'
import {
  AUTHENTICATION,
  encodeAuthentication,
  encodeBackendKeyData,
  encodeErrorResponse,
  encodeNegotiateProtocolVersion,
  PROTOCOL_MINOR_MAX,
  ProxyError,
  SQLSTATE,
} from './wire.ts'

/**
 * The Postgres front door: one port for all endpoints.
 *
 *   TLS  ->  startup packet  ->  which endpoint  ->  route (API)  ->  proof of the password  ->  a place among the
 *   endpoint's connections  ->  wake, when nothing runs  ->  log-in at the compute  ->  splice
 *
 * Nobody without the password makes a compute start. Every wait has a limit, every count a bound.
 */
export interface ProxyServerOptions {
  readonly config: Pick<ProxyConfig, 'host' | 'port' | 'publicHost' | 'limits' | 'computeSockets'>
  readonly tls: TlsMaterial
  readonly routes: RouteProvider
  /** Undefined: no pooler on this machine, pooled names are refused. */
  readonly poolers?: Poolers | undefined
  /** Salts of made-up verifiers are derived from it; kept, so that they stay the same. */
  readonly mockSecret: Uint8Array
  readonly proxyId: string
  readonly log: Logger
  nowMs(): number
}

/** PgBouncer refuses newer ones. */
const POOLED_MINOR_MAX = 0
/** A refused client gets so long to read why. */
const REFUSAL_LINGER_MS = 2000

export class ProxyServer {
  readonly #options: ProxyServerOptions
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #loginsByAddress = new Map<string, number>()
  #logins = 0
  readonly #cancelKeys = new CancelKeys()
  readonly #wakes: WakeQueue
  readonly #stop = new AbortController()
  readonly sessions = new LiveSessions()
  readonly metrics: ProxyMetrics

  constructor(options: ProxyServerOptions) {
    this.#options = options
    const { limits } = options.config
    this.#wakes = new WakeQueue(options.routes, {
      waitersMax: limits.waitersPerEndpointMax,
      wakesMax: limits.wakesMax,
      wakeMsMax: limits.wakeMsMax,
    })
    this.metrics = openProxyMetrics({
      sessions: () => this.sessions.count,
      connections: () => this.#sockets.size,
      logins: () => this.#logins,
      waiting: () => this.#wakes.waiting,
    })
    this.#server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 }, (socket) =>
      this.#accept(socket),
    )
  }

  get port(): number {
    const address = this.#server.address()
    return address !== null && typeof address === 'object' ? address.port : 0
  }

  /** Rejects when the port is taken. */
  async listen(): Promise<void> {
    const { host, port } = this.#options.config
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen({ host, port, backlog: 1024 }, () => {
        this.#server.off('error', reject)
        this.#server.on('error', (error) => this.#options.log.error({ error: error.message }, 'listening failed'))
        resolve()
      })
    })
  }

  /** Ends every session with 57P01 and stops listening. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    const error = new ProxyError(SQLSTATE.adminShutdown, 'the proxy is shutting down', { hint: 'Connect again.' })
    this.#stop.abort(error)
    this.sessions.endAll(error)
    await new Promise((resolve) => setTimeout(resolve, 50))
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  status() {
    return {
      sessions: this.sessions.count,
      connections: this.#sockets.size,
      logins: this.#logins,
      waiting: this.#wakes.waiting,
      wakes: this.#wakes.wakesTotal,
      cancelKeys: this.#cancelKeys.size,
      poolers: this.#options.poolers?.count ?? null,
    }
  }

  #accept(socket: Socket): void {
    this.metrics.accepted.inc()
    this.#sockets.add(socket)
    const clientAddress = `${socket.remoteAddress ?? 'unknown'}:${socket.remotePort ?? 0}`
    const host = socket.remoteAddress ?? 'unknown'
    const endLogin = once(() => {
      this.#logins--
      const left = (this.#loginsByAddress.get(host) ?? 1) - 1
      if (left > 0) this.#loginsByAddress.set(host, left)
      else this.#loginsByAddress.delete(host)
    })
    this.#logins++
    this.#loginsByAddress.set(host, (this.#loginsByAddress.get(host) ?? 0) + 1)
    const gone = new AbortController()
    socket.on('error', () => undefined)
    socket.once('close', () => {
      this.#sockets.delete(socket)
      endLogin()
      gone.abort(new ConnectionEnded())
    })
    const connection = new ClientConnection(socket, clientAddress, AbortSignal.any([gone.signal, this.#stop.signal]))
    this.#serve(connection, host, endLogin).catch((error: unknown) => this.#refuse(connection, error))
  }

  async #serve(connection: ClientConnection, host: string, endLogin: () => void): Promise<void> {
    const { config, tls, routes, log, mockSecret } = this.#options
    const { limits } = config
    const startedMs = performance.now()
    if (this.#sockets.size > limits.connectionsMax) throw tooMany('the proxy has too many connections')
    if (this.#logins > limits.loginsMax || (this.#loginsByAddress.get(host) ?? 0) > limits.loginsPerAddressMax)
      throw tooMany('too many connections are logging in')

    const login = connection.withDeadline(
      limits.loginMsMax,
      new ProxyError(SQLSTATE.connectionFailure, 'canceling authentication due to timeout'),
    )
    const hello = await readClientHello(connection.socket, {
      tls,
      signal: login.signal,
      onSocket: (socket) => {
        connection.socket = socket
      },
    })
    if (hello.packet.kind === 'cancel-request') {
      login.done()
      const isKnown = await this.#cancelKeys.cancel(hello.packet.processId, hello.packet.key)
      this.metrics.cancels.inc({ known: String(isKnown) })
      connection.socket.end()
      return
    }
    const { packet, reader } = hello
    const address = resolveEndpointAddress({
      serverName: hello.serverName,
      publicHost: config.publicHost,
      parameters: packet.parameters,
    })
    if (address.isPooled && !this.#options.poolers) throw noPooler(address.label)
    const minorMax = address.isPooled ? POOLED_MINOR_MAX : PROTOCOL_MINOR_MAX
    const minorVersion = Math.min(packet.minorVersion, minorMax)
    if (packet.minorVersion > minorMax || packet.unknownOptions.length > 0)
      connection.socket.write(encodeNegotiateProtocolVersion(minorVersion, packet.unknownOptions))
    const route = await routes.route(
      {
        endpoint: address.label,
        user: address.user,
        database: address.database,
        ...(address.lsn === undefined ? {} : { lsn: address.lsn }),
        ...(address.timestamp === undefined ? {} : { timestamp: address.timestamp }),
      },
      { signal: login.signal },
    )
    const channelBinding = hello.isTls ? tls.channelBinding : undefined
    const proof = await logInClient({
      socket: connection.socket,
      reader,
      channelBinding,
      verifierText: route.verifier,
      mockSecret,
      endpointId: route.endpointId,
      user: address.user,
      signal: login.signal,
    })
    login.done()
    endLogin()

    const { isPooled } = address
    const connectionsMax = isPooled ? limits.pooledClientsMax : route.limits.connectionsMax
    const leavePlace = this.sessions.reserve(route.endpointId, connectionsMax, { isPooled })
    let leavePool: (() => void) | undefined
    try {
      const start = connection.withDeadline(
        limits.wakeMsMax,
        new ProxyError(SQLSTATE.cannotConnectNow, 'the endpoint did not start in time', {
          hint: 'Try again in a few seconds.',
        }),
      )
      const reached = await reachCompute({
        route,
        address,
        clientAddress: connection.clientAddress,
        proxyId: this.#options.proxyId,
        wakes: this.#wakes,
        connect: async (at) => {
          const login = { minorVersion, parameters: address.parameters, ...proof }
          const place = placeOf(config.computeSockets, at, address.user)
          if (!isPooled) return connectCompute({ place, ...login }, start.signal)
          await checkReachable(place, start.signal)
          leavePool?.()
          const pool = await this.#joinPool(route, at, address.user)
          leavePool = pool.leave
          return connectCompute({ place: pool.place, ...login }, start.signal)
        },
        onWoken: (at) => {
          this.metrics.wakes.inc()
          this.sessions.endElsewhere(route.endpointId, at)
        },
        signal: start.signal,
      })
      start.done()
      if (connection.socket.destroyed) {
        reached.compute.socket.destroy()
        throw new ConnectionEnded()
      }
      this.#beginSession({ connection, route, ahead: reader.detach(), reached, isPooled, leavePool })
      leavePool = undefined
      const security = hello.isTls ? (proof.isChannelBound ? 'tls-channel-bound' : 'tls') : 'plain'
      this.metrics.loggedIn.inc({ security })
      const seconds = (performance.now() - startedMs) / 1000
      this.metrics.connectSeconds.observe({ woken: String(reached.isWoken) }, seconds)
      log.debug(
        { endpoint: route.endpointId, user: address.user, client: connection.clientAddress, security, seconds },
        'session begins',
      )
    } finally {
      leavePlace()
      leavePool?.()
    }
  }

  #joinPool(route: RouteAnswer, compute: ComputeAddress, role: string) {
    const { poolers } = this.#options
    if (!poolers || route.verifier === null) throw noPooler(route.endpointId)
    const { endpointId, verifier } = route
    return poolers.join({ endpointId, compute, connectionsMax: route.limits.connectionsMax, role, verifier })
  }

  #beginSession(begin: {
    connection: ClientConnection
    route: RouteAnswer
    ahead: Buffer
    reached: ReachedCompute
    isPooled: boolean
    leavePool: (() => void) | undefined
  }): void {
    const { connection, route, reached, isPooled, leavePool } = begin
    const { compute, at } = reached
    const keys = this.#cancelKeys.issue({
      place: compute.place,
      processId: compute.processId,
      key: compute.key,
      onCancel: (step) => session.onCancel(step),
    })
    connection.socket.write(
      Buffer.concat([
        encodeAuthentication(AUTHENTICATION.ok),
        encodeBackendKeyData(keys.processId, keys.key),
        compute.greeting,
      ]),
    )
    const session = new SplicedSession({
      client: connection.socket,
      compute,
      ahead: begin.ahead,
      isPooled,
      onBrokenWait: () => {
        this.metrics.brokenWaits.inc()
        this.#options.log.warn({ endpoint: route.endpointId, compute: at }, 'the wait for the quorum was broken off')
      },
      onClose: () => {
        keys.forget()
        leavePool?.()
        this.sessions.remove(live)
        this.metrics.bytes.inc({ direction: 'from-client' }, session.bytesFromClient)
        this.metrics.bytes.inc({ direction: 'to-client' }, session.bytesToClient)
      },
    })
    const live: LiveSession = {
      endpointId: route.endpointId,
      address: at,
      isPooled,
      idleTimeoutMs: route.limits.idleTimeoutMs,
      get bytesFromClient() {
        return session.bytesFromClient
      },
      get bytesToClient() {
        return session.bytesToClient
      },
      end: (error) => session.end(error),
    }
    if (!session.isClosed) this.sessions.add(live, this.#options.nowMs())
  }

  /** Tells the client why, as far as it can be told, and closes. */
  #refuse(connection: ClientConnection, error: unknown): void {
    const { socket } = connection
    const { log } = this.#options
    if (error instanceof ConnectionEnded || socket.destroyed) {
      socket.destroy()
      return
    }
    let response: Buffer
    if (error instanceof ComputeRefused) {
      this.metrics.refused.inc({ sqlstate: 'compute' })
      response = error.response
    } else {
      const told =
        error instanceof ProxyError ? error : new ProxyError(SQLSTATE.connectionFailure, 'the connection failed')
      this.metrics.refused.inc({ sqlstate: told.sqlstate })
      const reason = error instanceof Error ? error.message : String(error)
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : undefined
      log.info({ client: connection.clientAddress, sqlstate: told.sqlstate, reason, cause }, 'connection refused')
      response = encodeErrorResponse(told)
    }
    socket.end(response)
    // Bytes that nobody reads would turn the farewell into a reset.
    socket.resume()
    const timer = setTimeout(() => socket.destroy(), REFUSAL_LINGER_MS)
    socket.once('close', () => clearTimeout(timer))
  }
}

function once(work: () => void): () => void {
  let isDone = false
  return () => {
    if (isDone) return
    isDone = true
    work()
  }
}

function tooMany(message: string): ProxyError {
  return new ProxyError(SQLSTATE.tooManyConnections, message, { hint: 'Try again in a few seconds.' })
}

function noPooler(label: string): ProxyError {
  return new ProxyError(SQLSTATE.featureNotSupported, 'pooled connections are not available', {
    detail: 'There is no PgBouncer on the machine of the proxy.',
    hint: `Connect to ${label} without -pooler.`,
  })
}
