import { timingSafeEqual } from 'node:crypto'
import * as http from 'node:http'
import { StorageError, type StorageErrorCode } from '../base/errors.ts'
import type { Log } from './log.ts'
import { systemError } from './node-errors.ts'

/** Bytes of a request body, unless a server names its own bound. Admin calls are small. */
const BODY_BYTES_MAX = 1024 * 1024
/**
 * Longer than clients keep a connection that nothing goes over (Node's agents: 5 s), so that it is they who close it. The other
 * way round a request may go out just as the connection is closed, and fails without anybody having read it.
 */
const KEEP_ALIVE_MS = 30_000

/** One table for both directions: http-client.ts reads it backwards. */
export const statusByCode: Readonly<Record<StorageErrorCode, number>> = {
  'invalid-input': 400,
  'not-found': 404,
  conflict: 409,
  fenced: 412,
  exhausted: 429,
  aborted: 499,
  corruption: 500,
  unsupported: 501,
  unavailable: 503,
}

export interface HttpRequest {
  readonly method: string
  readonly path: string
  /** Values of the `:name` parts of the route. */
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  readonly headers: http.IncomingHttpHeaders
  /** The parsed JSON body; undefined when there is none. Check it with a schema before use. */
  readonly body: unknown
  /** Fires when the caller goes away. */
  readonly signal: AbortSignal
}

/** What a handler returns: a value (sent as JSON), undefined (204), or a reply built by `bytesReply`. */
export type HttpHandler = (request: HttpRequest) => unknown

const rawReplyTag = Symbol('raw reply')

export interface RawReply {
  readonly [rawReplyTag]: true
  readonly contentType: string
  readonly bytes: Uint8Array | string
  readonly status: number
}

/** A reply that is not JSON. */
export function rawReply(contentType: string, bytes: Uint8Array | string, status = 200): RawReply {
  return { [rawReplyTag]: true, contentType, bytes, status }
}

export interface HttpServerOptions {
  readonly host: string
  /** 0 picks a free one. */
  readonly port: number
  readonly log: Log
  /** Served at GET /status. */
  readonly status: () => unknown
  /** Served at GET /metrics. */
  readonly metricsText?: () => Promise<string>
  /** 'METHOD /path/:param' -> handler. */
  readonly routes: Readonly<Record<string, HttpHandler>>
  /** When set, every request but GET /status and GET /metrics carries it as a bearer token. */
  readonly token?: string
  readonly bodyBytesMax?: number
}

export interface HttpServer {
  readonly port: number
  /** Stops listening and closes every connection. Idempotent. */
  close(): Promise<void>
}

/** A small JSON-over-HTTP server: exact paths with parameters, errors as `{ error: { code, message } }`. */
export async function openHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const routes = Object.entries(options.routes).map(([name, handle]) => compileRoute(name, handle))
  const server = http.createServer(
    { requestTimeout: 60_000, headersTimeout: 10_000, keepAliveTimeout: KEEP_ALIVE_MS },
    (request, response) => {
      void answer(options, routes, request, response)
    },
  )
  // Bytes that are not HTTP get a 400 and a closed connection.
  server.on('clientError', (_error, socket) => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n')
    else socket.destroy()
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(systemError('listen', error, { address: `${options.host}:${options.port}` })),
    )
    server.listen({ host: options.host, port: options.port }, () => {
      server.removeAllListeners('error')
      server.on('error', (error) => options.log.warn('http server error', { error: error.message }))
      resolve()
    })
  })
  const address = server.address()
  const port = address !== null && typeof address === 'object' ? address.port : options.port
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

interface Route {
  readonly method: string
  readonly parts: readonly string[]
  readonly handle: HttpHandler
}

function compileRoute(name: string, handle: HttpHandler): Route {
  const [method = '', path = ''] = name.split(' ')
  return { method, parts: path.split('/').slice(1), handle }
}

/** Parameters when the path fits the route, else undefined. */
function matchRoute(route: Route, parts: readonly string[]): Record<string, string> | undefined {
  if (route.parts.length !== parts.length) return undefined
  const params: Record<string, string> = {}
  for (const [index, pattern] of route.parts.entries()) {
    const part = parts[index] ?? ''
    if (pattern.startsWith(':')) {
      if (part === '') return undefined
      params[pattern.slice(1)] = part
    } else if (pattern !== part) return undefined
  }
  return params
}

async function answer(
  options: HttpServerOptions,
  routes: readonly Route[],
  request: http.IncomingMessage,
  response: http.ServerResponse,
): Promise<void> {
  const method = request.method ?? 'GET'
  const caller = new AbortController()
  response.on('close', () => caller.abort())
  try {
    const url = parseUrl(request.url)
    if (method === 'GET' && url.pathname === '/status') return sendJson(response, 200, await options.status())
    if (method === 'GET' && url.pathname === '/metrics' && options.metricsText) {
      return send(response, 200, 'text/plain; version=0.0.4; charset=utf-8', await options.metricsText())
    }
    if (options.token !== undefined && !hasToken(request, options.token)) {
      return sendJson(response, 401, errorBody('invalid-input', 'missing or wrong bearer token'))
    }
    const parts = url.pathname.split('/').slice(1).map(decodePart)
    const fitting = routes.flatMap((route) => {
      const params = matchRoute(route, parts)
      return params ? [{ route, params }] : []
    })
    const match = fitting.find(({ route }) => route.method === method)
    if (!match) {
      if (fitting.length > 0)
        return sendJson(response, 405, errorBody('invalid-input', `${method} is not allowed here`))
      return sendJson(response, 404, errorBody('not-found', `no such path: ${method} ${url.pathname}`))
    }
    const body = await readBody(request, options.bodyBytesMax ?? BODY_BYTES_MAX)
    const result: unknown = await match.route.handle({
      method,
      path: url.pathname,
      params: match.params,
      query: url.searchParams,
      headers: request.headers,
      body,
      signal: caller.signal,
    })
    if (isRawReply(result)) send(response, result.status, result.contentType, result.bytes)
    else if (result === undefined) send(response, 204, undefined, '')
    else sendJson(response, 200, result)
  } catch (error) {
    sendError(options.log, request, response, error)
  }
}

function sendError(log: Log, request: http.IncomingMessage, response: http.ServerResponse, error: unknown): void {
  if (error instanceof StorageError) {
    sendJson(response, statusByCode[error.code], errorBody(error.code, error.message))
    return
  }
  // A bug: the caller learns that it happened, the log says what.
  log.error('request failed', {
    method: request.method,
    url: request.url,
    error: error instanceof Error ? (error.stack ?? error.message) : String(error),
  })
  sendJson(response, 500, errorBody('unavailable', 'internal error'))
}

function errorBody(code: StorageErrorCode, message: string): unknown {
  return { error: { code, message } }
}

function isRawReply(value: unknown): value is RawReply {
  return typeof value === 'object' && value !== null && rawReplyTag in value
}

function sendJson(response: http.ServerResponse, status: number, value: unknown): void {
  send(response, status, 'application/json', JSON.stringify(value))
}

function send(
  response: http.ServerResponse,
  status: number,
  contentType: string | undefined,
  bytes: Uint8Array | string,
): void {
  if (response.headersSent || response.destroyed) return
  response.statusCode = status
  if (contentType !== undefined) response.setHeader('content-type', contentType)
  if (status !== 204) response.setHeader('content-length', Buffer.byteLength(bytes))
  response.end(status === 204 ? undefined : bytes)
}

function parseUrl(text: string | undefined): URL {
  try {
    return new URL(text ?? '/', 'http://host')
  } catch (error) {
    throw new StorageError('invalid-input', 'not a url path', {}, { cause: error })
  }
}

function decodePart(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch (error) {
    throw new StorageError('invalid-input', 'not a url path', { part: part.slice(0, 64) }, { cause: error })
  }
}

function hasToken(request: http.IncomingMessage, token: string): boolean {
  const given = Buffer.from(request.headers.authorization ?? '')
  const wanted = Buffer.from(`Bearer ${token}`)
  return given.length === wanted.length && timingSafeEqual(given, wanted)
}

async function readBody(request: http.IncomingMessage, bytesMax: number): Promise<unknown> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) throw new StorageError('invalid-input', 'body is not bytes')
    sizeBytes += chunk.length
    if (sizeBytes > bytesMax) throw new StorageError('invalid-input', 'body is too large', { bytesMax })
    chunks.push(chunk)
  }
  if (sizeBytes === 0) return undefined
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch (error) {
    throw new StorageError('invalid-input', 'body is not json', {}, { cause: error })
  }
}
