import { PROTOCOL_MAJOR, ProxyError, SQLSTATE } from './wire.ts'

/**
 * The packets before the log-in have no type byte: length (u32 big-endian, counts itself), code (u32), the rest.
 * src/backend/tcop/backend_startup.c, PG 18.
 */

/** MAX_STARTUP_PACKET_LENGTH. */
export const STARTUP_PACKET_BYTES_MAX = 10_000
export const STARTUP_PACKET_BYTES_MIN = 8

const CODE_CANCEL = 80877102
const CODE_SSL = 80877103
const CODE_GSS = 80877104

/** MAX_CANCEL_KEY_LENGTH. */
const CANCEL_KEY_BYTES_MAX = 256

export interface StartupMessage {
  readonly kind: 'startup'
  readonly minorVersion: number
  /** In the order sent; a later value of the same name wins, as in Postgres. */
  readonly parameters: ReadonlyMap<string, string>
  /** `_pq_.` names: protocol extensions, of which there are none yet. */
  readonly unknownOptions: readonly string[]
}

export type FirstPacket =
  | StartupMessage
  | { readonly kind: 'ssl-request' }
  | { readonly kind: 'gss-request' }
  | { readonly kind: 'cancel-request'; readonly processId: number; readonly key: Buffer }

/** Checks the length word of a packet. Throws ProxyError 08P01. */
export function checkStartupLength(lengthBytes: number): number {
  if (lengthBytes < STARTUP_PACKET_BYTES_MIN || lengthBytes > STARTUP_PACKET_BYTES_MAX)
    throw new ProxyError(SQLSTATE.protocolViolation, 'invalid length of startup packet')
  return lengthBytes
}

/** `body` is the packet without its length word. Throws ProxyError. */
export function decodeFirstPacket(body: Buffer): FirstPacket {
  if (body.length < 4) throw new ProxyError(SQLSTATE.protocolViolation, 'incomplete startup packet')
  const code = body.readUInt32BE(0)
  if (code === CODE_SSL) return exact(body, { kind: 'ssl-request' })
  if (code === CODE_GSS) return exact(body, { kind: 'gss-request' })
  if (code === CODE_CANCEL) return decodeCancelRequest(body)
  const [major, minor] = [code >>> 16, code & 0xffff]
  if (major !== PROTOCOL_MAJOR)
    throw new ProxyError(
      SQLSTATE.featureNotSupported,
      `unsupported frontend protocol ${major}.${minor}: server supports 3.0 to 3.2`,
    )
  return decodeParameters(body, minor)
}

function exact(body: Buffer, packet: FirstPacket): FirstPacket {
  if (body.length !== 4) throw new ProxyError(SQLSTATE.protocolViolation, 'invalid length of startup packet')
  return packet
}

function decodeCancelRequest(body: Buffer): FirstPacket {
  const keyBytes = body.length - 8
  if (keyBytes < 1 || keyBytes > CANCEL_KEY_BYTES_MAX)
    throw new ProxyError(SQLSTATE.protocolViolation, 'invalid length of cancel request packet')
  return { kind: 'cancel-request', processId: body.readInt32BE(4), key: Buffer.from(body.subarray(8)) }
}

function decodeParameters(body: Buffer, minorVersion: number): StartupMessage {
  const parameters = new Map<string, string>()
  const unknownOptions: string[] = []
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let at = 4
  const readText = (): string => {
    const end = body.indexOf(0, at)
    if (end < 0) throw layout()
    const bytes = body.subarray(at, end)
    at = end + 1
    try {
      return decoder.decode(bytes)
    } catch (cause) {
      throw new ProxyError(SQLSTATE.protocolViolation, 'startup packet is not valid UTF-8', { cause })
    }
  }
  for (;;) {
    const name = readText()
    if (name === '') break
    const value = readText()
    if (name.startsWith('_pq_.')) unknownOptions.push(name)
    else parameters.set(name, value)
  }
  if (at !== body.length) throw layout()
  return { kind: 'startup', minorVersion, parameters, unknownOptions }
}

function layout(): ProxyError {
  return new ProxyError(SQLSTATE.protocolViolation, 'invalid startup packet layout: expected terminator as last byte')
}
