import type { Socket } from 'node:net'
import { ProxyError, SQLSTATE } from './wire.ts'

/** Bytes read ahead of what was asked for, while a client logs in. */
const AHEAD_BYTES_MAX = 64 * 1024

const EMPTY = Buffer.alloc(0)

/**
 * Reads whole packets from a socket while one side logs in; afterwards `detach` gives back what was read ahead. Every
 * wait ends with the signal, or with the socket.
 */
export class SocketReader {
  readonly #socket: Socket
  #buffer: Buffer = EMPTY
  #isEnded = false
  #wake: (() => void) | undefined

  /** `isPushed`: the owner hands the bytes over with `push`, the socket emits none. */
  constructor(socket: Socket, options: { isPushed?: boolean } = {}) {
    this.#socket = socket
    if (!options.isPushed) socket.on('data', this.push)
    socket.on('end', this.#onEnd)
    socket.on('close', this.#onEnd)
    socket.resume()
  }

  get buffered(): number {
    return this.#buffer.length
  }

  /** Exactly so many bytes. Rejects with a ConnectionEnded, or with the reason of the signal. */
  async read(bytes: number, signal: AbortSignal): Promise<Buffer> {
    await this.#need(bytes, signal)
    const result = this.#buffer.subarray(0, bytes)
    this.#buffer = this.#buffer.subarray(bytes)
    if (this.#socket.isPaused() && !this.#isEnded) this.#socket.resume()
    return result
  }

  async peek(signal: AbortSignal): Promise<number> {
    await this.#need(1, signal)
    return this.#buffer[0]!
  }

  /** A message with type byte. Rejects as `read`, and with ProxyError 08P01 beyond `bytesMax`. */
  async readMessage(bytesMax: number, signal: AbortSignal): Promise<{ type: string; body: Buffer }> {
    const head = await this.read(5, signal)
    const length = head.readUInt32BE(1)
    if (length < 4 || length > bytesMax) throw new ProxyError(SQLSTATE.protocolViolation, 'invalid message length')
    return { type: String.fromCharCode(head[0]!), body: await this.read(length - 4, signal) }
  }

  /** Stops reading; the socket is paused. Returns what was read ahead. */
  detach(): Buffer {
    this.#socket.pause()
    this.#socket.off('data', this.push)
    this.#socket.off('end', this.#onEnd)
    this.#socket.off('close', this.#onEnd)
    const rest = this.#buffer
    this.#buffer = EMPTY
    return rest
  }

  async #need(bytes: number, signal: AbortSignal): Promise<void> {
    while (this.#buffer.length < bytes) {
      signal.throwIfAborted()
      if (this.#isEnded) throw new ConnectionEnded()
      await new Promise<void>((resolve, reject) => {
        const onAbort = () => {
          this.#wake = undefined
          reject(signal.reason)
        }
        signal.addEventListener('abort', onAbort, { once: true })
        this.#wake = () => {
          this.#wake = undefined
          signal.removeEventListener('abort', onAbort)
          resolve()
        }
      })
    }
  }

  readonly push = (chunk: Buffer): void => {
    this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk])
    if (this.#buffer.length > AHEAD_BYTES_MAX) this.#socket.pause()
    this.#wake?.()
  }

  readonly #onEnd = (): void => {
    this.#isEnded = true
    this.#wake?.()
  }
}

/** The other side went away: nothing to answer. */
export class ConnectionEnded extends Error {
  override readonly name = 'ConnectionEnded'

  constructor() {
    super('connection ended')
  }
}
