import * as fs from 'node:fs'
import * as net from 'node:net'
import { StorageError } from '../base/errors.ts'
import {
  type Address,
  type Connection,
  type ConnectOptions,
  formatAddress,
  type Listener,
  type Network,
} from './network.ts'
import { abortedError, errnoOf, systemError } from './node-errors.ts'

/** Bytes waiting in a connection above which `send` answers false. */
const SEND_HIGH_WATER_BYTES = 1024 * 1024
/**
 * A connection on which nothing comes for so long is probed by the system, and closed after ten probes a second apart: a
 * machine that lost its power says no goodbye, and who only listens would never know.
 */
const KEEP_ALIVE_DELAY_MS = 10_000

/** TCP (without Nagle's delay) and Unix sockets. */
export const nodeNetwork: Network = {
  async listen(address: Address, onConnection: (connection: Connection) => void): Promise<Listener> {
    if ('socketPath' in address) await removeStaleSocket(address.socketPath)
    const open = new Set<net.Socket>()
    const server = net.createServer({ noDelay: true, pauseOnConnect: true }, (socket) => {
      open.add(socket)
      socket.on('close', () => open.delete(socket))
      onConnection(new NodeConnection(socket))
    })
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => reject(systemError('listen', error, { address: formatAddress(address) })))
      server.listen(
        'socketPath' in address ? { path: address.socketPath } : { host: address.host, port: address.port },
        () => {
          server.removeAllListeners('error')
          server.on('error', () => undefined)
          resolve()
        },
      )
    })
    const bound = server.address()
    return {
      address:
        bound !== null && typeof bound === 'object' && 'host' in address
          ? { host: address.host, port: bound.port }
          : address,
      close: () =>
        new Promise((resolve) => {
          server.close(() => resolve())
          for (const socket of open) socket.destroy()
        }),
    }
  },

  connect(address: Address, options: ConnectOptions): Promise<Connection> {
    const { nextBuffer, signal, timeoutMs } = options
    let connection: NodeConnection | undefined
    const onread = nextBuffer && {
      buffer: nextBuffer,
      callback(byteCount: number, buffer: Uint8Array) {
        connection?.receive(buffer.subarray(0, byteCount))
        return true
      },
    }
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(abortedError('connect'))
      const socket =
        'socketPath' in address
          ? net.connect({ path: address.socketPath, ...(onread ? { onread } : {}) })
          : net.connect({ host: address.host, port: address.port, noDelay: true, ...(onread ? { onread } : {}) })
      socket.pause()
      const settle = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', onAbort)
        socket.off('error', onError)
        socket.off('connect', onConnect)
      }
      const fail = (error: Error) => {
        settle()
        socket.on('error', () => undefined)
        socket.destroy()
        reject(error)
      }
      const onError = (error: Error) => fail(unavailable(error, address))
      const onAbort = () => fail(abortedError('connect'))
      const onConnect = () => {
        settle()
        connection = new NodeConnection(socket)
        resolve(connection)
      }
      const timer = setTimeout(
        () =>
          fail(new StorageError('unavailable', 'connect: timed out', { address: formatAddress(address), timeoutMs })),
        timeoutMs,
      )
      signal?.addEventListener('abort', onAbort, { once: true })
      socket.on('error', onError)
      socket.on('connect', onConnect)
    })
  },
}

/** A peer that is not there yet is worth a retry, whatever the errno says (a missing socket file, too). */
function unavailable(error: Error, address: Address): StorageError {
  const wrapped = systemError('connect', error, { address: formatAddress(address) })
  return wrapped.code === 'unavailable'
    ? wrapped
    : new StorageError('unavailable', wrapped.message, { errno: errnoOf(error) }, { cause: error })
}

/** A socket file whose server is gone stands in the way of a new one. A living server is left alone. */
async function removeStaleSocket(socketPath: string): Promise<void> {
  if (!fs.existsSync(socketPath)) return
  const isAlive = await new Promise<boolean>((resolve) => {
    const probe = net.connect({ path: socketPath })
    probe.once('connect', () => {
      probe.destroy()
      resolve(true)
    })
    probe.once('error', () => resolve(false))
  })
  if (!isAlive) fs.rmSync(socketPath, { force: true })
}

class NodeConnection implements Connection {
  readonly remote: string
  readonly #socket: net.Socket
  #onData: ((chunk: Uint8Array) => void) | undefined
  #onClose: ((error?: Error) => void) | undefined
  #isPaused = false
  #error: Error | undefined
  #isClosed = false
  #waiters: (() => void)[] = []

  constructor(socket: net.Socket) {
    this.#socket = socket
    this.remote = socket.remoteAddress ? `${socket.remoteAddress}:${socket.remotePort}` : 'unix'
    socket.setKeepAlive(true, KEEP_ALIVE_DELAY_MS)
    socket.on('data', (chunk: Buffer) => this.receive(chunk))
    // 'data' listeners start the flow; nothing may arrive before the receiver is there.
    socket.pause()
    socket.on('error', (error) => {
      this.#error ??= systemError('connection', error, { remote: this.remote })
    })
    socket.on('drain', () => this.#wake())
    socket.on('close', () => {
      this.#isClosed = true
      this.#wake()
      this.#onClose?.(this.#error)
    })
  }

  receive(chunk: Uint8Array): void {
    this.#onData?.(chunk)
  }

  get onData(): (chunk: Uint8Array) => void {
    return this.#onData ?? (() => undefined)
  }

  set onData(handler: (chunk: Uint8Array) => void) {
    this.#onData = handler
    if (!this.#isPaused) this.#socket.resume()
  }

  get onClose(): (error?: Error) => void {
    return this.#onClose ?? (() => undefined)
  }

  set onClose(handler: (error?: Error) => void) {
    const isFirst = this.#onClose === undefined
    this.#onClose = handler
    if (isFirst && this.#isClosed) queueMicrotask(() => this.#onClose?.(this.#error))
  }

  send(...chunks: Uint8Array[]): boolean {
    const socket = this.#socket
    if (socket.destroyed || socket.writableEnded) return true
    if (chunks.length === 1) {
      socket.write(chunks[0]!)
    } else {
      socket.cork()
      for (const chunk of chunks) socket.write(chunk)
      socket.uncork()
    }
    return socket.writableLength <= SEND_HIGH_WATER_BYTES
  }

  get borrowedBytes(): number {
    return this.#socket.writableLength
  }

  drained(): Promise<void> {
    if (this.#isClosed || !this.#socket.writableNeedDrain || this.#socket.writableLength <= SEND_HIGH_WATER_BYTES) {
      return Promise.resolve()
    }
    return new Promise((resolve) => this.#waiters.push(resolve))
  }

  pause(): void {
    this.#isPaused = true
    this.#socket.pause()
  }

  resume(): void {
    this.#isPaused = false
    if (this.#onData) this.#socket.resume()
  }

  end(): void {
    this.#socket.end()
  }

  destroy(error?: Error): void {
    this.#error ??= error
    this.#socket.destroy()
  }

  #wake(): void {
    const waiters = this.#waiters
    this.#waiters = []
    for (const wake of waiters) wake()
  }
}
