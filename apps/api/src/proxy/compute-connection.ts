import { randomBytes } from 'node:crypto'
import type { OnReadOpts, Socket } from 'node:net'
import { type ComputePlace, dialCompute } from './dial-compute.ts'
import { ScramKeyClient, type ScramVerifier } from './scram.ts'
import { SocketReader } from './socket-reader.ts'
import {
  AUTHENTICATION,
  decodeNoticeFields,
  encodeMessage,
  encodeStartupMessage,
  PROTOCOL_MAJOR,
  ProxyError,
  SQLSTATE,
} from './wire.ts'

/** Reads of one socket at a time; what is read is copied before the next. One for all sockets of the process. */
const READ_BYTES = 64 * 1024
const sharedReadBuffer = Buffer.allocUnsafeSlow(READ_BYTES)

const LOGIN_MESSAGE_BYTES_MAX = 64 * 1024
/** ParameterStatus, notices and the rest up to the first ReadyForQuery. */
const GREETING_BYTES_MAX = 1024 * 1024

export interface ComputeLogin {
  readonly place: ComputePlace
  readonly minorVersion: number
  readonly parameters: ReadonlyMap<string, string>
  readonly verifier: ScramVerifier
  readonly clientKey: Buffer
}

export interface ComputeConnection {
  readonly socket: Socket
  readonly place: ComputePlace
  /** Messages between the log-in and the first ReadyForQuery, this included; BackendKeyData left out. */
  readonly greeting: Buffer
  readonly processId: number
  readonly key: Buffer
  /** From now on every chunk goes to `onChunk`; it may keep it. The socket is paused until `resume()`. */
  attach(onChunk: (chunk: Buffer) => void): void
}

/** Nobody listens there, or not yet, or no longer: another address may do. */
export class ComputeUnreachable extends Error {
  override readonly name = 'ComputeUnreachable'
  /** It answers but is not ready: the same address may do in a moment. */
  readonly isStarting: boolean

  constructor(message: string, options: { isStarting?: boolean; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.isStarting = options.isStarting ?? false
  }
}

/** The compute refused the log-in for a reason of its own; the message goes to the client as it is. */
export class ComputeRefused extends Error {
  override readonly name = 'ComputeRefused'
  readonly response: Buffer

  constructor(response: Buffer) {
    super('the compute refused the log-in')
    this.response = response
  }
}

/**
 * Connects and logs in with the key from the client's proof. Rejects with ComputeUnreachable, ComputeRefused, or a
 * ProxyError; the socket is then gone.
 */
export async function connectCompute(login: ComputeLogin, signal: AbortSignal): Promise<ComputeConnection> {
  const { socket, reader, attach } = await open(login.place, signal)
  const onAbort = () => socket.destroy()
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    socket.write(encodeStartupMessage(login.minorVersion, login.parameters))
    await logIn(reader, socket, login, signal)
    const greeting = await readGreeting(reader, signal)
    return { socket, place: login.place, ...greeting, attach }
  } catch (error) {
    socket.destroy()
    signal.throwIfAborted()
    if (error instanceof ProxyError || error instanceof ComputeRefused || error instanceof ComputeUnreachable)
      throw error
    throw new ComputeUnreachable('the compute closed the connection during the log-in', { cause: error })
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/** Rejects with ComputeUnreachable when nobody listens: a pooler in front would not tell that from a refusal. */
export async function checkReachable(place: ComputePlace, signal: AbortSignal): Promise<void> {
  const socket = await reach(place, signal)
  socket.destroy()
}

async function reach(place: ComputePlace, signal: AbortSignal, onread?: OnReadOpts): Promise<Socket> {
  try {
    return await dialCompute(place, signal, onread)
  } catch (cause) {
    signal.throwIfAborted()
    throw new ComputeUnreachable('the compute does not answer', { cause })
  }
}

async function open(place: ComputePlace, signal: AbortSignal) {
  let onChunk: (chunk: Buffer) => void = () => undefined
  const callback = (bytes: number) => {
    onChunk(Buffer.from(sharedReadBuffer.subarray(0, bytes)))
    return true
  }
  const socket = await reach(place, signal, { buffer: sharedReadBuffer, callback })
  const reader = new SocketReader(socket, { isPushed: true })
  onChunk = reader.push
  const attach: ComputeConnection['attach'] = (next) => {
    const rest = reader.detach()
    onChunk = next
    if (rest.length > 0) next(rest)
  }
  return { socket, reader, attach }
}

async function logIn(reader: SocketReader, socket: Socket, login: ComputeLogin, signal: AbortSignal): Promise<void> {
  const scram = new ScramKeyClient(login.verifier, login.clientKey, randomBytes(18).toString('base64'))
  let isProven = false
  for (;;) {
    const { type, body } = await reader.readMessage(LOGIN_MESSAGE_BYTES_MAX, signal)
    if (type === 'E') throw refusal(body)
    if (type === 'v') {
      // The version was agreed with the client before; a compute knows at least as much.
      if (body.length < 4 || body.readUInt32BE(0) !== ((PROTOCOL_MAJOR << 16) | login.minorVersion))
        throw unexpected('a protocol version that was not asked for')
      continue
    }
    if (type !== 'R' || body.length < 4) throw unexpected(`message ${JSON.stringify(type)} during the log-in`)
    const code = body.readInt32BE(0)
    const text = body.toString('latin1', 4)
    if (code === AUTHENTICATION.sasl) socket.write(encodeMessage('p', scram.first()))
    else if (code === AUTHENTICATION.saslContinue) {
      const final = scram.final(text)
      if (!final) throw otherVerifier()
      socket.write(encodeMessage('p', final))
    } else if (code === AUTHENTICATION.saslFinal) {
      if (!scram.isServerGenuine(text)) throw unexpected('a wrong proof of its own')
      isProven = true
    } else if (code === AUTHENTICATION.ok) {
      // Whoever lets everybody in is not one of our computes.
      if (!isProven) throw unexpected('a log-in without a proof')
      return
    } else throw unexpected(`authentication method ${code}`)
  }
}

async function readGreeting(reader: SocketReader, signal: AbortSignal) {
  const parts: Buffer[] = []
  let bytes = 0
  let [processId, key] = [0, Buffer.alloc(0)]
  for (;;) {
    const { type, body } = await reader.readMessage(LOGIN_MESSAGE_BYTES_MAX, signal)
    if (type === 'E') throw refusal(body)
    if (type === 'K') {
      if (body.length < 5) throw unexpected('a short cancel key')
      processId = body.readInt32BE(0)
      key = Buffer.from(body.subarray(4))
      continue
    }
    const message = encodeMessage(type, body)
    bytes += message.length
    if (bytes > GREETING_BYTES_MAX) throw unexpected('a greeting without end')
    parts.push(message)
    if (type === 'Z') return { greeting: Buffer.concat(parts), processId, key }
  }
}

/** 57P03: starting up, shutting down or in recovery. */
function refusal(body: Buffer): Error {
  const fields = decodeNoticeFields(body)
  if (fields.get('C') === SQLSTATE.cannotConnectNow)
    return new ComputeUnreachable(fields.get('M') ?? 'not ready', { isStarting: true })
  if (fields.get('C') === SQLSTATE.adminShutdown) return new ComputeUnreachable(fields.get('M') ?? 'shutting down')
  return new ComputeRefused(encodeMessage('E', body))
}

function unexpected(what: string): ProxyError {
  return new ProxyError(SQLSTATE.connectionFailure, `the compute sent ${what}`)
}

function otherVerifier(): ProxyError {
  return new ProxyError(SQLSTATE.invalidPassword, 'the role has another password in this database than it has now', {
    hint: 'At an earlier LSN or time the password of that moment counts. If the password was changed just now, try again.',
  })
}
