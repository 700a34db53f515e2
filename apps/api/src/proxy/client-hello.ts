import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { SocketReader } from './socket-reader.ts'
import { checkStartupLength, decodeFirstPacket, type StartupMessage } from './startup-message.ts'
import type { TlsMaterial } from './tls-material.ts'
import { ProxyError, SQLSTATE } from './wire.ts'

/** A client up to its first real packet: TLS is up when it asked for it. */
export interface ClientHello {
  readonly socket: Socket
  readonly reader: SocketReader
  readonly isTls: boolean
  /** TLS server name. */
  readonly serverName: string | undefined
  readonly packet:
    | StartupMessage
    | { readonly kind: 'cancel-request'; readonly processId: number; readonly key: Buffer }
}

/** First byte of a TLS handshake record: no startup packet begins with it, its length would be too large. */
const TLS_HANDSHAKE = 0x16
const ALPN = 'postgresql'

/**
 * Answers SSLRequest and GSSENCRequest, accepts direct TLS (with ALPN, as Postgres 17 and later), and reads the startup or
 * cancel packet. `onSocket` learns of the socket to talk to as soon as it changes, so that errors reach the client.
 */
export async function readClientHello(
  raw: Socket,
  options: { readonly tls: TlsMaterial; readonly signal: AbortSignal; onSocket(socket: Socket): void },
): Promise<ClientHello> {
  const { signal } = options
  let socket = raw
  let reader = new SocketReader(raw)
  let serverName: string | undefined
  let isTls = false

  const startTls = async (): Promise<TLSSocket> => {
    const ahead = reader.detach()
    if (ahead.length > 0) raw.unshift(ahead)
    const secured = await secure(raw, options.tls, signal)
    serverName = secured.serverName
    isTls = true
    socket = secured.socket
    options.onSocket(socket)
    reader = new SocketReader(socket)
    return secured.socket
  }

  if ((await reader.peek(signal)) === TLS_HANDSHAKE) {
    const secured = await startTls()
    if (secured.alpnProtocol !== ALPN)
      throw new ProxyError(
        SQLSTATE.protocolViolation,
        'received direct SSL connection request without ALPN protocol negotiation extension',
      )
  }
  let askedGss = false
  for (;;) {
    const length = checkStartupLength((await reader.read(4, signal)).readUInt32BE(0))
    const packet = decodeFirstPacket(Buffer.from(await reader.read(length - 4, signal)))
    if (packet.kind === 'ssl-request') {
      if (isTls) throw new ProxyError(SQLSTATE.protocolViolation, 'received SSLRequest inside a TLS connection')
      // Bytes in clear that came before the handshake would be taken for bytes inside it.
      if (reader.buffered > 0)
        throw new ProxyError(SQLSTATE.protocolViolation, 'received unencrypted data after SSL request', {
          detail: 'This could be either a client-software bug or evidence of an attempted man-in-the-middle attack.',
        })
      socket.write('S')
      await startTls()
    } else if (packet.kind === 'gss-request') {
      if (askedGss) throw new ProxyError(SQLSTATE.protocolViolation, 'received GSSENCRequest twice')
      askedGss = true
      socket.write('N')
    } else return { socket, reader, isTls, serverName, packet }
  }
}

/** The server's half of the handshake over an accepted socket. */
function secure(
  raw: Socket,
  tls: TlsMaterial,
  signal: AbortSignal,
): Promise<{ socket: TLSSocket; serverName: string | undefined }> {
  return new Promise((resolve, reject) => {
    let serverName: string | undefined
    const socket = new TLSSocket(raw, {
      isServer: true,
      secureContext: tls.context,
      ALPNProtocols: [ALPN],
      SNICallback: (name, done) => {
        serverName = name
        done(null, tls.context)
      },
    })
    // Also afterwards: an error of a socket that nobody listens to would end the process.
    socket.on('error', (error) => reject(error))
    const onAbort = () => {
      reject(signal.reason)
      socket.destroy()
    }
    signal.addEventListener('abort', onAbort, { once: true })
    socket.once('close', () => reject(new Error('closed during the TLS handshake')))
    // "secure" is emitted for both sides; types of Node.js name it for neither.
    ;(socket as NodeJS.EventEmitter).once('secure', () => {
      signal.removeEventListener('abort', onAbort)
      resolve({ socket, serverName })
    })
  })
}
