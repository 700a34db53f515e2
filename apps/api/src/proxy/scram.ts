import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { ProxyError, SQLSTATE } from './wire.ts'

/**
 * SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677; src/backend/libpq/auth-scram.c, PG 18), both halves, pure.
 *
 * The proxy is the server towards the client and the client towards the compute. It never knows a password: from the
 * client's proof it learns the ClientKey, with which it proves itself to a compute that holds the same verifier.
 *
 *   AuthMessage     = client-first-bare "," server-first "," client-final-without-proof
 *   ClientKey       = ClientProof XOR HMAC(StoredKey, AuthMessage);   accepted when SHA256(ClientKey) = StoredKey
 *   ServerSignature = HMAC(ServerKey, AuthMessage)
 */
export interface ScramVerifier {
  readonly iterations: number
  /** Base64, as it goes over the wire. */
  readonly salt: string
  readonly storedKey: Buffer
  readonly serverKey: Buffer
}

export const SCRAM_PLAIN = 'SCRAM-SHA-256'
export const SCRAM_PLUS = 'SCRAM-SHA-256-PLUS'
/** SCRAM_SHA_256_DEFAULT_ITERATIONS: what a made-up verifier says, too. */
const ITERATIONS_DEFAULT = 4096
/** SCRAM_DEFAULT_SALT_LEN */
const SALT_BYTES = 16
const KEY_BYTES = 32

/** `rolpassword` of pg_authid; undefined when it is anything but a SCRAM-SHA-256 verifier. */
export function parseScramVerifier(text: string): ScramVerifier | undefined {
  const match = /^SCRAM-SHA-256\$(\d{1,9}):([A-Za-z0-9+/]+={0,2})\$([A-Za-z0-9+/]+=*):([A-Za-z0-9+/]+=*)$/.exec(text)
  if (!match) return undefined
  const [storedKey, serverKey] = [Buffer.from(match[3]!, 'base64'), Buffer.from(match[4]!, 'base64')]
  const iterations = Number(match[1])
  if (iterations < 1 || storedKey.length !== KEY_BYTES || serverKey.length !== KEY_BYTES) return undefined
  return { iterations, salt: match[2]!, storedKey, serverKey }
}

/** As `rolpassword` has it. */
export function encodeScramVerifier({ iterations, salt, storedKey, serverKey }: ScramVerifier): string {
  return `SCRAM-SHA-256$${iterations}:${salt}$${storedKey.toString('base64')}:${serverKey.toString('base64')}`
}

/**
 * For a role that does not exist: the exchange runs in full and fails at the proof, so that nobody learns which names
 * exist. The salt is the same at every attempt.
 */
export function mockScramVerifier(secret: Uint8Array, endpointId: string, user: string): ScramVerifier {
  const derive = (use: string) => createHmac('sha256', secret).update(`${use}\0${endpointId}\0${user}`).digest()
  return {
    iterations: ITERATIONS_DEFAULT,
    salt: derive('salt').subarray(0, SALT_BYTES).toString('base64'),
    // No key hashes to this one as far as anybody can find out.
    storedKey: derive('stored key'),
    serverKey: derive('server key'),
  }
}

/** Body of AuthenticationSASL: mechanisms, strongest first. */
export function mechanismList(canBind: boolean): Buffer {
  return Buffer.from(`${canBind ? `${SCRAM_PLUS}\0` : ''}${SCRAM_PLAIN}\0\0`)
}

export interface ClientFirst {
  readonly isPlus: boolean
  /** "n,,", "y,," or "p=tls-server-end-point,,": part of what the client must repeat. */
  readonly gs2Header: string
  readonly bare: string
  readonly nonce: string
}

/** Body of SASLInitialResponse. `canBind`: PLUS was offered. Throws ProxyError 08P01 or 28000. */
export function decodeClientFirst(body: Buffer, canBind: boolean): ClientFirst {
  const end = body.indexOf(0)
  if (end < 0 || body.length < end + 5) throw malformed('the first message is cut short')
  const mechanism = body.toString('latin1', 0, end)
  if (mechanism !== SCRAM_PLAIN && !(mechanism === SCRAM_PLUS && canBind))
    throw new ProxyError(SQLSTATE.protocolViolation, 'client selected an invalid SASL authentication mechanism')
  if (body.readInt32BE(end + 1) !== body.length - end - 5) throw malformed('the length of the first message is wrong')
  const text = body.toString('utf8', end + 5)
  const match = /^(?:(n|y)|p=([A-Za-z0-9.-]+)),([^,]*),(n=[^,]*,r=([\x21-\x2b\x2d-\x7e]+))$/.exec(text)
  if (!match) throw malformed('the first message is not well-formed')
  if (match[3] !== '')
    throw new ProxyError(SQLSTATE.featureNotSupported, 'client uses authorization identity, but it is not supported')
  const isPlus = mechanism === SCRAM_PLUS
  const [flag, bindingType] = [match[1], match[2]]
  if (isPlus !== (bindingType !== undefined)) throw malformed('the channel binding flag does not fit the mechanism')
  if (bindingType !== undefined && bindingType !== 'tls-server-end-point')
    throw new ProxyError(SQLSTATE.protocolViolation, 'unsupported SCRAM channel-binding type')
  // The client can bind and was told that we cannot: somebody in between took PLUS out of our offer.
  if (flag === 'y' && canBind)
    throw new ProxyError(SQLSTATE.invalidAuthorization, 'SCRAM channel binding negotiation error', {
      detail:
        'The client supports SCRAM channel binding but thinks the server does not. However, this server does support channel binding.',
    })
  return { isPlus, gs2Header: text.slice(0, text.length - match[4]!.length), bare: match[4]!, nonce: match[5]! }
}

/** Both sides' view of the exchange so far. */
export interface ServerFirst {
  readonly text: string
  readonly nonce: string
}

export function serverFirst(clientFirst: ClientFirst, verifier: ScramVerifier, serverNonce: string): ServerFirst {
  const nonce = clientFirst.nonce + serverNonce
  return { nonce, text: `r=${nonce},s=${verifier.salt},i=${verifier.iterations}` }
}

export type ProofOutcome =
  | { readonly isAccepted: true; readonly clientKey: Buffer; readonly serverFinal: string }
  | { readonly isAccepted: false }

/**
 * Body of SASLResponse. A wrong proof is an outcome; a message that breaks the protocol, or a channel that is not the
 * one the client sees, throws ProxyError 08P01 or 28000.
 */
export function checkClientProof(options: {
  readonly body: Buffer
  readonly clientFirst: ClientFirst
  readonly serverFirst: ServerFirst
  readonly verifier: ScramVerifier
  /** tls-server-end-point data of our certificate; needed for PLUS. */
  readonly channelBinding: Buffer | undefined
}): ProofOutcome {
  const { clientFirst, verifier } = options
  const text = options.body.toString('utf8')
  const match = /^(c=([A-Za-z0-9+/=]*),r=([\x21-\x2b\x2d-\x7e]+)),p=([A-Za-z0-9+/]+={0,2})$/.exec(text)
  if (!match) throw malformed('the last message is not well-formed')
  if (match[3] !== options.serverFirst.nonce) throw malformed('the nonce does not match')
  const binding = clientFirst.isPlus ? (options.channelBinding ?? Buffer.alloc(0)) : Buffer.alloc(0)
  const expected = Buffer.concat([Buffer.from(clientFirst.gs2Header), binding]).toString('base64')
  if (match[2] !== expected) {
    if (clientFirst.isPlus)
      throw new ProxyError(SQLSTATE.invalidAuthorization, 'SCRAM channel binding check failed', {
        hint: 'The client is connected to something that shows another TLS certificate.',
      })
    throw malformed('the channel binding data is unexpected')
  }
  const proof = Buffer.from(match[4]!, 'base64')
  if (proof.length !== KEY_BYTES) throw malformed('the proof has the wrong length')
  const authMessage = `${clientFirst.bare},${options.serverFirst.text},${match[1]}`
  const clientKey = xor(proof, hmac(verifier.storedKey, authMessage))
  if (!timingSafeEqual(createHash('sha256').update(clientKey).digest(), verifier.storedKey))
    return { isAccepted: false }
  return {
    isAccepted: true,
    clientKey,
    serverFinal: `v=${hmac(verifier.serverKey, authMessage).toString('base64')}`,
  }
}

/** The client's half, towards a compute: without channel binding, with a key instead of a password. */
export class ScramKeyClient {
  readonly #bare: string
  readonly #nonce: string
  readonly #verifier: ScramVerifier
  readonly #clientKey: Buffer
  #authMessage = ''

  constructor(verifier: ScramVerifier, clientKey: Buffer, nonce: string) {
    this.#verifier = verifier
    this.#clientKey = clientKey
    this.#nonce = nonce
    // The server takes the name from the StartupMessage.
    this.#bare = `n=,r=${nonce}`
  }

  /** Body of SASLInitialResponse. */
  first(): Buffer {
    const text = Buffer.from(`n,,${this.#bare}`)
    const length = Buffer.allocUnsafe(4)
    length.writeInt32BE(text.length, 0)
    return Buffer.concat([Buffer.from(`${SCRAM_PLAIN}\0`), length, text])
  }

  /** Body of SASLResponse for the server's first message; undefined: the compute holds another verifier for the role. */
  final(serverFirstText: string): Buffer | undefined {
    const match = /^r=([\x21-\x2b\x2d-\x7e]+),s=([A-Za-z0-9+/=]+),i=(\d+)$/.exec(serverFirstText)
    if (!match?.[1]?.startsWith(this.#nonce) || match[1].length === this.#nonce.length)
      throw new ProxyError(SQLSTATE.connectionFailure, 'the compute sent a malformed SCRAM message')
    if (match[2] !== this.#verifier.salt || Number(match[3]) !== this.#verifier.iterations) return undefined
    const withoutProof = `c=biws,r=${match[1]}`
    this.#authMessage = `${this.#bare},${serverFirstText},${withoutProof}`
    const proof = xor(this.#clientKey, hmac(this.#verifier.storedKey, this.#authMessage))
    return Buffer.from(`${withoutProof},p=${proof.toString('base64')}`)
  }

  /** Whether the server knows the role's ServerKey. */
  isServerGenuine(serverFinalText: string): boolean {
    const match = /^v=([A-Za-z0-9+/=]+)$/.exec(serverFinalText)
    const signature = Buffer.from(match?.[1] ?? '', 'base64')
    const expected = hmac(this.#verifier.serverKey, this.#authMessage)
    return signature.length === expected.length && timingSafeEqual(signature, expected)
  }
}

function hmac(key: Uint8Array, data: string): Buffer {
  return createHmac('sha256', key).update(data).digest()
}

function xor(a: Buffer, b: Buffer): Buffer {
  const result = Buffer.allocUnsafe(KEY_BYTES)
  for (let i = 0; i < KEY_BYTES; i++) result[i] = a[i]! ^ b[i]!
  return result
}

function malformed(detail: string): ProxyError {
  return new ProxyError(SQLSTATE.protocolViolation, 'malformed SCRAM message', { detail })
}
