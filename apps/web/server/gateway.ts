import * as http from 'node:http'
import * as net from 'node:net'
import type { Duplex } from 'node:stream'

/**
 * The one origin a browser talks to. Paths of the API go to the API, WebSocket upgrades included; everything else goes to
 * Next.js on a loopback port. Next.js rewrites could not do this: they are fixed at build time and do not carry upgrades.
 * Bodies are streamed both ways, never collected.
 */
export interface GatewayOptions {
  readonly api: URL
  readonly next: URL
  /** Only while developing: Next.js has a WebSocket of its own for reloads. */
  readonly isDevelopment?: boolean
}

const apiPaths = ['/graphql', '/api/auth', '/api/v2', '/api/first-run', '/openapi.json']

export function isApiPath(path: string): boolean {
  const pathname = path.split('?', 1)[0] ?? ''
  return apiPaths.some((prefix) => pathname === prefix || pathname.startsWith(`${prefix}/`))
}

export interface GatewayCounts {
  requestsToApi: number
  requestsToNext: number
  apiFailures: number
  openSockets: number
}

export function createGateway(options: GatewayOptions): http.Server {
  const counts: GatewayCounts = { requestsToApi: 0, requestsToNext: 0, apiFailures: 0, openSockets: 0 }
  // A connection for each request. One that was kept could be closed by the other side just as a request goes out on it, and
  // whether that request was worked on nobody could tell. The connections are local and cost less than a millisecond.
  const agent = new http.Agent({ keepAlive: false })

  const server = http.createServer((request, response) => {
    const path = request.url ?? '/'
    if (path === '/status') return void sendJson(response, 200, { process: 'web', api: options.api.href, ...counts })
    if (path === '/metrics') return void sendMetrics(response, counts)
    const isForApi = isApiPath(path)
    const target = isForApi ? options.api : options.next
    if (isForApi) counts.requestsToApi += 1
    else counts.requestsToNext += 1
    const upstream = http.request(
      {
        host: target.hostname,
        port: target.port,
        method: request.method,
        path,
        headers: { ...forwardedHeaders(request), connection: 'close' },
        agent,
      },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, endToEnd(answer.rawHeaders))
        answer.pipe(response)
        answer.on('error', () => response.destroy())
      },
    )
    upstream.on('error', (error) => {
      if (isForApi) counts.apiFailures += 1
      if (response.headersSent || response.destroyed) return void response.destroy()
      sendUnavailable(response, isForApi, error)
    })
    request.on('error', () => upstream.destroy())
    response.on('close', () => {
      if (!response.writableFinished) upstream.destroy()
    })
    request.pipe(upstream)
  })

  server.on('upgrade', (request: http.IncomingMessage, socket: Duplex, head: Buffer) => {
    const isForApi = isApiPath(request.url ?? '/')
    if (!isForApi && !options.isDevelopment)
      return void socket.end('HTTP/1.1 404 Not Found\r\nconnection: close\r\n\r\n')
    counts.openSockets += 1
    socket.on('close', () => {
      counts.openSockets -= 1
    })
    tunnel(request, socket, head, isForApi ? options.api : options.next)
  })
  // A statement of the SQL editor may run for long; its end is the user's choice, not ours.
  server.requestTimeout = 0
  return server
}

/** Sends the upgrade request on and then joins the two sockets. Either end closing closes the other. */
function tunnel(request: http.IncomingMessage, socket: Duplex, head: Buffer, target: URL): void {
  const upstream = net.connect({ host: target.hostname, port: Number(target.port) }, () => {
    const lines = [`${request.method} ${request.url} HTTP/1.1`]
    for (const [name, value] of Object.entries(forwardedHeaders(request))) {
      for (const each of Array.isArray(value) ? value : [value]) if (each !== undefined) lines.push(`${name}: ${each}`)
    }
    upstream.write(`${lines.join('\r\n')}\r\n\r\n`)
    if (head.length > 0) upstream.write(head)
    upstream.pipe(socket)
    socket.pipe(upstream)
  })
  upstream.setNoDelay(true)
  upstream.on('error', () => {
    if (upstream.bytesRead === 0 && socket.writable) {
      socket.end('HTTP/1.1 502 Bad Gateway\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
    } else socket.destroy()
  })
  upstream.on('close', () => socket.destroy())
  socket.on('error', () => upstream.destroy())
  socket.on('close', () => upstream.destroy())
}

/** The caller's headers with who called and under which name appended; what a caller claims of itself is not believed. */
function forwardedHeaders(request: http.IncomingMessage): http.OutgoingHttpHeaders {
  return {
    ...request.headers,
    'x-forwarded-for': request.socket.remoteAddress ?? '',
    'x-forwarded-host': request.headers.host ?? '',
    'x-forwarded-proto': 'encrypted' in request.socket ? 'https' : 'http',
  }
}

/** Names and values by turns, without what concerns the connection to the other side alone. */
function endToEnd(rawHeaders: readonly string[]): string[] {
  return rawHeaders.filter((_, index) => !/^(connection|keep-alive)$/i.test(rawHeaders[index - (index % 2)] ?? ''))
}

function sendUnavailable(response: http.ServerResponse, isForApi: boolean, error: Error): void {
  if (!isForApi)
    return sendJson(response, 502, { code: 'WEB_UNAVAILABLE', message: `console not ready: ${error.message}` })
  const message = 'the API does not answer; it may be restarting'
  sendJson(response, 502, {
    code: 'API_UNAVAILABLE',
    message,
    errors: [{ message, extensions: { code: 'API_UNAVAILABLE' } }],
  })
}

function sendJson(response: http.ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
  response.end(JSON.stringify(body))
}

function sendMetrics(response: http.ServerResponse, counts: GatewayCounts): void {
  response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' })
  response.end(
    [
      '# TYPE tributary_web_requests_total counter',
      `tributary_web_requests_total{target="api"} ${counts.requestsToApi}`,
      `tributary_web_requests_total{target="next"} ${counts.requestsToNext}`,
      '# TYPE tributary_web_api_failures_total counter',
      `tributary_web_api_failures_total ${counts.apiFailures}`,
      '# TYPE tributary_web_open_sockets gauge',
      `tributary_web_open_sockets ${counts.openSockets}`,
      '',
    ].join('\n'),
  )
}
