/**
 * Bytes of the Postgres frontend/backend protocol, as far as the proxy speaks for itself ("Message Formats" in the
 * Postgres 18 documentation). A message after the start-up: type (1 byte), length (u32 big-endian, counts itself), body.
 */

/** NegotiateProtocolVersion answers with this when a client asks for more. */
export const PROTOCOL_MAJOR = 3
export const PROTOCOL_MINOR_MAX = 2

export type Severity = 'ERROR' | 'FATAL'

/** What a client of Postgres is told: an ErrorResponse. `message` starts lower-case and ends without a full stop. */
export class ProxyError extends Error {
  override readonly name = 'ProxyError'
  readonly sqlstate: string
  readonly hint: string | undefined
  readonly detail: string | undefined

  constructor(
    sqlstate: string,
    message: string,
    more: { hint?: string | undefined; detail?: string | undefined; cause?: unknown } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause })
    this.sqlstate = sqlstate
    this.hint = more.hint
    this.detail = more.detail
  }
}

/** SQLSTATEs of Appendix A that the proxy uses. */
export const SQLSTATE = {
  protocolViolation: '08P01',
  connectionRejected: '08004',
  connectionFailure: '08006',
  invalidPassword: '28P01',
  invalidAuthorization: '28000',
  tooManyConnections: '53300',
  quotaExceeded: '53000',
  cannotConnectNow: '57P03',
  adminShutdown: '57P01',
  idleSessionTimeout: '57P05',
  featureNotSupported: '0A000',
  invalidParameter: '22023',
  statementCompletionUnknown: '40003',
} as const

export function encodeMessage(type: string, body: Uint8Array): Buffer {
  const message = Buffer.allocUnsafe(5 + body.length)
  message[0] = type.charCodeAt(0)
  message.writeUInt32BE(body.length + 4, 1)
  message.set(body, 5)
  return message
}

export function encodeErrorResponse(error: ProxyError, severity: Severity = 'FATAL'): Buffer {
  const fields: [letter: string, text: string | undefined][] = [
    ['S', severity],
    ['V', severity],
    ['C', error.sqlstate],
    ['M', error.message],
    ['D', error.detail],
    ['H', error.hint],
  ]
  const text = fields
    .flatMap(([letter, value]) => (value === undefined ? [] : [`${letter}${value.replaceAll('\0', '')}\0`]))
    .join('')
  return encodeMessage('E', Buffer.from(`${text}\0`))
}

/** Fields of an ErrorResponse or NoticeResponse by their letter; what is not well-formed is left out. */
export function decodeNoticeFields(body: Buffer): Map<string, string> {
  const fields = new Map<string, string>()
  let at = 0
  while (at < body.length && body[at] !== 0) {
    const end = body.indexOf(0, at + 1)
    if (end < 0) break
    fields.set(String.fromCharCode(body[at]!), body.toString('utf8', at + 1, end))
    at = end + 1
  }
  return fields
}

/** `R` messages: Authentication… with its code. */
export function encodeAuthentication(code: number, body: Uint8Array = Buffer.alloc(0)): Buffer {
  const full = Buffer.allocUnsafe(4 + body.length)
  full.writeInt32BE(code, 0)
  full.set(body, 4)
  return encodeMessage('R', full)
}

export const AUTHENTICATION = { ok: 0, sasl: 10, saslContinue: 11, saslFinal: 12 } as const

/** Sent before the log-in when the client asked for a newer minor version or for options nobody knows. */
export function encodeNegotiateProtocolVersion(minor: number, unknownOptions: readonly string[]): Buffer {
  const names = Buffer.from(unknownOptions.map((name) => `${name}\0`).join(''))
  const body = Buffer.allocUnsafe(8 + names.length)
  body.writeUInt32BE((PROTOCOL_MAJOR << 16) | minor, 0)
  body.writeUInt32BE(unknownOptions.length, 4)
  body.set(names, 8)
  return encodeMessage('v', body)
}

/** StartupMessage, to a compute. */
export function encodeStartupMessage(minor: number, parameters: ReadonlyMap<string, string>): Buffer {
  const pairs = Buffer.from(`${[...parameters].map(([name, value]) => `${name}\0${value}\0`).join('')}\0`)
  const head = Buffer.allocUnsafe(8)
  head.writeUInt32BE(8 + pairs.length, 0)
  head.writeUInt32BE((PROTOCOL_MAJOR << 16) | minor, 4)
  return Buffer.concat([head, pairs])
}

const CANCEL_REQUEST_CODE = 80877102

/** CancelRequest, to a compute. The key has 4 bytes under protocol 3.0 and up to 256 under 3.2. */
export function encodeCancelRequest(processId: number, key: Uint8Array): Buffer {
  const message = Buffer.allocUnsafe(12 + key.length)
  message.writeUInt32BE(message.length, 0)
  message.writeUInt32BE(CANCEL_REQUEST_CODE, 4)
  message.writeInt32BE(processId, 8)
  message.set(key, 12)
  return message
}

export function encodeBackendKeyData(processId: number, key: Uint8Array): Buffer {
  const body = Buffer.allocUnsafe(4 + key.length)
  body.writeInt32BE(processId, 0)
  body.set(key, 4)
  return encodeMessage('K', body)
}

export function encodeQuery(sql: string): Buffer {
  return encodeMessage('Q', Buffer.from(`${sql}\0`))
}
