/** Byte streams between processes as a seam (TCP and Unix sockets in production). */
export interface Network {
  listen(address: Address, onConnection: (connection: Connection) => void): Promise<Listener>
  /** Rejects with `unavailable` when nobody answers within `timeoutMs`, with `aborted` when the signal fires. */
  connect(address: Address, options: ConnectOptions): Promise<Connection>
}

export interface ConnectOptions {
  readonly timeoutMs: number
  readonly signal?: AbortSignal
  /**
   * Asked for before each read: where the bytes received next are to go, instead of new memory. A chunk is then only lent, until
   * `onData` returns. A network may take no notice of it.
   */
  readonly nextBuffer?: () => Uint8Array
}

export type Address = { readonly host: string; readonly port: number } | { readonly socketPath: string }

export interface Listener {
  /** The bound address; the port is filled in when 0 was asked for. */
  readonly address: Address
  close(): Promise<void>
}

/**
 * One connection. Set the handlers synchronously after getting it: data that arrives earlier is held back.
 * Chunk boundaries carry no meaning. A chunk given to `onData` belongs to the receiver, unless there is a `nextBuffer`.
 */
export interface Connection {
  readonly remote: string
  onData: (chunk: Uint8Array) => void
  /** Called once: with no error after an orderly close of either side. */
  onClose: (error?: Error) => void
  /** Queues the chunks, in order. False when more than the high-water mark is waiting: then wait for `drained`. */
  send(...chunks: Uint8Array[]): boolean
  /** Bytes of chunks given to `send` that are still read from there: at 0 the caller may write to all of them again. */
  readonly borrowedBytes: number
  drained(): Promise<void>
  pause(): void
  resume(): void
  /** Sends what is queued, then closes. */
  end(): void
  /** Closes at once. */
  destroy(error?: Error): void
}

export function formatAddress(address: Address): string {
  return 'socketPath' in address ? address.socketPath : `${address.host}:${address.port}`
}
