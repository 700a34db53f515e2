import type { Socket } from 'node:net'

/** A client's connection from its first byte on: the socket to talk to changes when TLS begins. */
export class ClientConnection {
  socket: Socket
  /** Of the form "192.0.2.7:51234". */
  readonly clientAddress: string
  readonly #gone: AbortSignal

  constructor(socket: Socket, clientAddress: string, gone: AbortSignal) {
    this.socket = socket
    this.clientAddress = clientAddress
    this.#gone = gone
  }

  /** A signal that aborts when the client is gone, or with `error` when the time is over. Call `done` when it is not needed any more. */
  withDeadline(ms: number, error: Error): { readonly signal: AbortSignal; done(): void } {
    const late = new AbortController()
    const timer = setTimeout(() => late.abort(error), ms)
    return { signal: AbortSignal.any([this.#gone, late.signal]), done: () => clearTimeout(timer) }
  }
}
