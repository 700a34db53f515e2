import { createServer, type Server } from 'node:http'
import type { Registry } from 'prom-client'

/** `/status` (JSON) and `/metrics` (Prometheus) of the proxy, on an address of its own. */
export async function openStatusServer(options: {
  readonly host: string
  readonly port: number
  status(): object
  readonly registry: Registry
}): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer({ requestTimeout: 10_000, maxHeaderSize: 8192 }, (request, response) => {
    const send = (code: number, type: string, body: string) => {
      response.writeHead(code, { 'content-type': type })
      response.end(request.method === 'HEAD' ? undefined : body)
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') return send(405, 'text/plain', 'method not allowed\n')
    if (request.url === '/status') return send(200, 'application/json', `${JSON.stringify(options.status())}\n`)
    if (request.url !== '/metrics') return send(404, 'text/plain', 'not found\n')
    options.registry.metrics().then(
      (text) => send(200, options.registry.contentType, text),
      () => send(500, 'text/plain', 'metrics failed\n'),
    )
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: options.host, port: options.port }, resolve)
  })
  const address = server.address()
  return { server, port: address !== null && typeof address === 'object' ? address.port : options.port }
}
