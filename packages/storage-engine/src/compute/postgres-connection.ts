import { StorageError } from '../base/errors.ts'
import { joinBytes } from '../base/join-bytes.ts'
import type { Address, Connection, Network } from '../io/network.ts'

/**
 * The frontend side of the Postgres protocol 3.0 (protocol-message-formats, PG 18) as far as the sidecar needs it over
 * its private socket: trust authentication, simple queries, COPY in both directions. Integers are big-endian.
 */
export interface PostgresConnection {
  /** Rows of the last statement that gave any, as text. Rejects with `unavailable` for an ErrorResponse, naming its SQLSTATE. */
  query(sql: string): Promise<(string | null)[][]>
  /** Starts a command that answers with CopyBothResponse; from then on every CopyData body goes to `onData`. */
  startCopyBoth(sql: string, onData: (body: Uint8Array) => void): Promise<void>
  sendCopyData(body: Uint8Array): void
  /** Stops reading; what has arrived already is still handed on. */
  pause(): void
  resume(): void
  readonly closed: Promise<Error | undefined>
  close(): void
}

export interface PostgresStartup {
  readonly user: string
  readonly database?: string
  readonly replication?: boolean
  readonly applicationName: string
}

const MESSAGE_BYTES_MAX = 64 * 1024 * 1024
const HEADER_BYTES = 5

/** Rejects with `unavailable` while the server is not there or still starting. */
export async function connectPostgres(
  network: Network,
  address: Address,
  startup: PostgresStartup,
  options: { timeoutMs: number },
): Promise<PostgresConnection> {
  const connection = await network.connect(address, { timeoutMs: options.timeoutMs })
  const session = new Session(connection)
  await session.start(startup)
  return session
}

interface Pending {
  readonly rows: (string | null)[][]
  error: StorageError | undefined
  onData: ((body: Uint8Array) => void) | undefined
  readonly resolve: (rows: (string | null)[][]) => void
  readonly reject: (error: Error) => void
}

class Session implements PostgresConnection {
  readonly closed: Promise<Error | undefined>
  readonly #connection: Connection
  readonly #parts = new MessageSplitter((type, body) => this.#onMessage(type, body))
  #pending: Pending | undefined
  #onData: ((body: Uint8Array) => void) | undefined
  #isClosed = false

  constructor(connection: Connection) {
    this.#connection = connection
    this.closed = new Promise((resolve) => {
      connection.onClose = (error) => {
        this.#isClosed = true
        this.#fail(new StorageError('unavailable', 'postgres closed the connection', {}, { cause: error }))
        resolve(error)
      }
    })
    connection.onData = (chunk) => {
      try {
        this.#parts.push(chunk)
      } catch (error) {
        connection.destroy(error instanceof Error ? error : new Error(String(error)))
      }
    }
  }

  start(startup: PostgresStartup): Promise<unknown> {
    const parameters = ['user', startup.user, 'application_name', startup.applicationName, 'client_encoding', 'UTF8']
    if (startup.database !== undefined) parameters.push('database', startup.database)
    if (startup.replication) parameters.push('replication', 'true')
    const text = new TextEncoder().encode(`${parameters.join('\0')}\0\0`)
    const message = new Uint8Array(8 + text.length)
    const view = new DataView(message.buffer)
    view.setUint32(0, message.length)
    view.setUint32(4, 196_608)
    message.set(text, 8)
    return this.#exchange(message, undefined)
  }

  query(sql: string): Promise<(string | null)[][]> {
    return this.#exchange(queryMessage(sql), undefined)
  }

  async startCopyBoth(sql: string, onData: (body: Uint8Array) => void): Promise<void> {
    await this.#exchange(queryMessage(sql), onData)
  }

  sendCopyData(body: Uint8Array): void {
    this.#connection.send(frame('d', body))
  }

  pause(): void {
    this.#connection.pause()
  }

  resume(): void {
    this.#connection.resume()
  }

  close(): void {
    this.#connection.end()
  }

  #exchange(message: Uint8Array, onData: ((body: Uint8Array) => void) | undefined): Promise<(string | null)[][]> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) return reject(new StorageError('unavailable', 'postgres connection is closed'))
      if (this.#pending) return reject(new StorageError('conflict', 'postgres connection is busy'))
      this.#pending = { rows: [], error: undefined, onData, resolve, reject }
      this.#connection.send(message)
    })
  }

  #onMessage(type: string, body: Uint8Array): void {
    if (type === 'd') {
      this.#onData?.(body)
      return
    }
    const pending = this.#pending
    switch (type) {
      case 'R':
        if (viewOf(body).getUint32(0) !== 0) this.#fail(new StorageError('unsupported', 'postgres asks for a password'))
        return
      case 'D':
        pending?.rows.push(decodeRow(body))
        return
      case 'T':
        if (pending) pending.rows.length = 0
        return
      case 'E': {
        const fields = decodeErrorFields(body)
        const error = new StorageError('unavailable', fields.message, { sqlState: fields.sqlState })
        if (pending) pending.error = error
        // FATAL: no ReadyForQuery follows, the server closes.
        if (fields.severity === 'FATAL' || fields.severity === 'PANIC') this.#fail(error)
        return
      }
      case 'W':
        if (pending?.onData) {
          this.#onData = pending.onData
          this.#pending = undefined
          pending.resolve([])
        }
        return
      case 'Z':
        this.#pending = undefined
        if (pending?.error) pending.reject(pending.error)
        else pending?.resolve(pending.rows)
        return
      case 'c':
        this.#connection.send(frame('c', new Uint8Array(0)))
        return
      default:
        return
    }
  }

  #fail(error: StorageError): void {
    const pending = this.#pending
    this.#pending = undefined
    pending?.reject(pending.error ?? error)
  }
}

/** Cuts the stream into typed messages. A body lying whole in one chunk is borrowed from it, others are put together. */
class MessageSplitter {
  readonly #onMessage: (type: string, body: Uint8Array) => void
  #rest: Uint8Array[] = []
  #restBytes = 0
  #needed = HEADER_BYTES

  constructor(onMessage: (type: string, body: Uint8Array) => void) {
    this.#onMessage = onMessage
  }

  push(chunk: Uint8Array): void {
    let bytes = chunk
    if (this.#restBytes > 0) {
      this.#rest.push(chunk)
      this.#restBytes += chunk.length
      if (this.#restBytes < this.#needed) return
      bytes = joinBytes(this.#rest, this.#restBytes)
      this.#rest = []
      this.#restBytes = 0
    }
    let at = 0
    this.#needed = HEADER_BYTES
    while (bytes.length - at >= HEADER_BYTES) {
      const length = viewOf(bytes).getUint32(at + 1)
      if (length < 4 || length > MESSAGE_BYTES_MAX) {
        throw new StorageError('corruption', 'message length out of bounds', { length })
      }
      if (bytes.length - at < 1 + length) {
        this.#needed = 1 + length
        break
      }
      this.#onMessage(String.fromCharCode(bytes[at]!), bytes.subarray(at + HEADER_BYTES, at + 1 + length))
      at += 1 + length
    }
    if (at < bytes.length) {
      this.#rest = [at === 0 ? bytes : bytes.subarray(at)]
      this.#restBytes = bytes.length - at
    }
  }
}

function frame(type: string, body: Uint8Array): Uint8Array {
  const message = new Uint8Array(HEADER_BYTES + body.length)
  message[0] = type.charCodeAt(0)
  viewOf(message).setUint32(1, 4 + body.length)
  message.set(body, HEADER_BYTES)
  return message
}

function queryMessage(sql: string): Uint8Array {
  return frame('Q', new TextEncoder().encode(`${sql}\0`))
}

function decodeRow(body: Uint8Array): (string | null)[] {
  const view = viewOf(body)
  const row: (string | null)[] = []
  let at = 2
  for (let i = 0; i < view.getUint16(0); i++) {
    const length = view.getInt32(at)
    at += 4
    if (length < 0) {
      row.push(null)
      continue
    }
    row.push(new TextDecoder().decode(body.subarray(at, at + length)))
    at += length
  }
  return row
}

function decodeErrorFields(body: Uint8Array): { severity: string; sqlState: string; message: string } {
  const fields = new Map(
    new TextDecoder()
      .decode(body)
      .split('\0')
      .filter((field) => field !== '')
      .map((field) => [field[0]!, field.slice(1)] as const),
  )
  return {
    severity: fields.get('V') ?? fields.get('S') ?? 'ERROR',
    sqlState: fields.get('C') ?? '',
    message: fields.get('M') ?? 'postgres error',
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
