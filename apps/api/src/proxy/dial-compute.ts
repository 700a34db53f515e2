import { connect, type NetConnectOpts, type OnReadOpts, type Socket } from 'node:net'
import * as path from 'node:path'
import type { ProxyConfig } from './proxy-config.ts'
import type { ComputeAddress } from './proxy-contract.ts'

/** sun_path of a socket address, less the zero at its end. */
const SOCKET_PATH_BYTES_MAX = 107
const CONNECT_MS_MAX = 5_000
const KEEPALIVE_MS = 60_000

/** How a compute is reached: over TCP, or by its Unix socket when it runs on this machine. */
export interface ComputePlace {
  readonly address: ComputeAddress
  readonly socketPath: string | undefined
  /** A pooler: behind its socket is not what listens at the address. */
  readonly isSocketOnly?: boolean
}

/**
 * The place of a compute for sessions of `user`. A round costs less by the socket than over TCP. Superusers' sessions
 * go over TCP: a compute lets its own sidecar in by the socket without a proof, and the proxy insists on one.
 */
export function placeOf(sockets: ProxyConfig['computeSockets'], address: ComputeAddress, user: string): ComputePlace {
  const isHere = sockets !== undefined && address.host === sockets.host && user !== 'postgres'
  const file = isHere ? path.join(sockets.folder, `.s.PGSQL.${address.port}`) : undefined
  const fits = file !== undefined && Buffer.byteLength(file) <= SOCKET_PATH_BYTES_MAX
  return { address, socketPath: fits ? file : undefined }
}

/**
 * Connects; over TCP when nobody listens at the socket, or it cannot be reached. Rejects with the reason of the signal, or the error of
 * the last attempt. Later errors of the socket are for its `close` event.
 */
export async function dialCompute(place: ComputePlace, signal: AbortSignal, onread?: OnReadOpts): Promise<Socket> {
  const options = {
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEPALIVE_MS,
    ...(onread === undefined ? {} : { onread }),
  }
  if (place.socketPath !== undefined) {
    const socket = attempt({ path: place.socketPath, ...options }, signal)
    if (place.isSocketOnly) return socket
    const connected = await socket.catch(() => undefined)
    if (connected) return connected
    signal.throwIfAborted()
  }
  return attempt({ ...place.address, ...options }, signal)
}

function attempt(options: NetConnectOpts, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const socket = connect(options)
    const fail = (cause: unknown) => {
      settle()
      socket.destroy()
      reject(cause)
    }
    const onAbort = () => fail(signal.reason)
    const timer = setTimeout(() => fail(new Error('connect took too long')), CONNECT_MS_MAX)
    const settle = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    socket.on('error', fail)
    socket.once('connect', () => {
      settle()
      resolve(socket)
    })
  })
}
