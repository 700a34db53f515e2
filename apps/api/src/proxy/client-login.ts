import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import {
  checkClientProof,
  decodeClientFirst,
  mechanismList,
  mockScramVerifier,
  parseScramVerifier,
  type ScramVerifier,
  serverFirst,
} from './scram.ts'
import type { SocketReader } from './socket-reader.ts'
import { AUTHENTICATION, encodeAuthentication, ProxyError, SQLSTATE } from './wire.ts'

/** PG_MAX_SASL_MESSAGE_LENGTH */
const SASL_MESSAGE_BYTES_MAX = 1024

export interface ClientProof {
  readonly verifier: ScramVerifier
  /** As good as the password: kept for the log-in at the compute, never logged. */
  readonly clientKey: Buffer
  /** AuthenticationSASLFinal: sent when the proof is accepted. */
  readonly isChannelBound: boolean
}

/**
 * The server's half of the log-in. A role without a verifier gets the whole exchange with a made-up one. Throws ProxyError
 * 28P01 for a wrong password and for an unknown role, with the same words; ends before AuthenticationOk.
 */
export async function logInClient(options: {
  readonly socket: Socket
  readonly reader: SocketReader
  /** tls-server-end-point data, over TLS. */
  readonly channelBinding: Buffer | undefined
  readonly verifierText: string | null
  readonly mockSecret: Uint8Array
  readonly endpointId: string
  readonly user: string
  readonly signal: AbortSignal
}): Promise<ClientProof> {
  const { socket, reader, channelBinding, signal } = options
  const known = options.verifierText === null ? undefined : parseScramVerifier(options.verifierText)
  const verifier = known ?? mockScramVerifier(options.mockSecret, options.endpointId, options.user)
  const canBind = channelBinding !== undefined

  const readAnswer = async (): Promise<Buffer> => {
    const { type, body } = await reader.readMessage(SASL_MESSAGE_BYTES_MAX, signal)
    if (type !== 'p') throw new ProxyError(SQLSTATE.protocolViolation, 'expected SASL response, got another message')
    return Buffer.from(body)
  }

  socket.write(encodeAuthentication(AUTHENTICATION.sasl, mechanismList(canBind)))
  const clientFirst = decodeClientFirst(await readAnswer(), canBind)
  const first = serverFirst(clientFirst, verifier, randomBytes(18).toString('base64'))
  socket.write(encodeAuthentication(AUTHENTICATION.saslContinue, Buffer.from(first.text)))
  const outcome = checkClientProof({
    body: await readAnswer(),
    clientFirst,
    serverFirst: first,
    verifier,
    channelBinding,
  })
  if (!outcome.isAccepted || known === undefined)
    throw new ProxyError(SQLSTATE.invalidPassword, `password authentication failed for user "${options.user}"`)
  socket.write(encodeAuthentication(AUTHENTICATION.saslFinal, Buffer.from(outcome.serverFinal)))
  return { verifier, clientKey: outcome.clientKey, isChannelBound: clientFirst.isPlus }
}
