import { once } from 'node:events'
import * as http from 'node:http'
import * as net from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { createGateway, isApiPath } from './gateway.ts'

const open: (http.Server | net.Server)[] = []

async function listen<Server extends http.Server | net.Server>(server: Server): Promise<{ server: Server; url: URL }> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  open.push(server)
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return { server, url: new URL(`http://127.0.0.1:${address.port}`) }
}

afterEach(() => {
  for (const server of open.splice(0)) {
    if (server instanceof http.Server) server.closeAllConnections()
    server.close()
  }
})

/** A server that answers with who it is and what it was asked. */
const named = (name: string) =>
  http.createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString()
    })
    request.on('end', () => {
      response.setHeader('set-cookie', ['a=1', 'b=2'])
      response.end(JSON.stringify({ name, url: request.url, body, forwarded: request.headers['x-forwarded-for'] }))
    })
  })

describe('the one origin of the console', () => {
  test.each([
    ['/graphql', true],
    ['/graphql?query=x', true],
    ['/api/v2/projects', true],
    ['/api/auth/sign-in/email', true],
    ['/graphql-docs', false],
    ['/api/version', false],
    ['/', false],
  ])('%s goes to the API: %s', (path, expected) => expect(isApiPath(path)).toBe(expected))

  test('API paths reach the API with body and both cookies, the rest reaches Next.js', async () => {
    const api = await listen(named('api'))
    const next = await listen(named('next'))
    const gateway = await listen(createGateway({ api: api.url, next: next.url }))
    const answer = await fetch(new URL('/graphql?x=1', gateway.url), { method: 'POST', body: '{"query":"{a}"}' })
    expect(await answer.json()).toMatchObject({ name: 'api', url: '/graphql?x=1', body: '{"query":"{a}"}' })
    expect(answer.headers.getSetCookie()).toEqual(['a=1', 'b=2'])
    expect(await (await fetch(new URL('/orgs/acme', gateway.url))).json()).toMatchObject({ name: 'next' })
  })

  test('a caller cannot claim another address', async () => {
    const api = await listen(named('api'))
    const gateway = await listen(createGateway({ api: api.url, next: api.url }))
    const answer = await fetch(new URL('/api/v2/x', gateway.url), { headers: { 'x-forwarded-for': '10.9.9.9' } })
    expect(await answer.json()).toMatchObject({ forwarded: '127.0.0.1' })
  })

  test('while the API is down a request gets 502 with a code that the console knows', async () => {
    const gone = await listen(net.createServer())
    gone.server.close()
    const next = await listen(named('next'))
    const gateway = await listen(createGateway({ api: gone.url, next: next.url }))
    const answer = await fetch(new URL('/graphql', gateway.url), { method: 'POST', body: '{}' })
    expect(answer.status).toBe(502)
    expect(await answer.json()).toMatchObject({ errors: [{ extensions: { code: 'API_UNAVAILABLE' } }] })
  })

  test('a server behind that closes connections between two requests costs no request, and the browser keeps its own', async () => {
    // As an idle timeout would have it at the worst moment: what comes second on a connection is cut.
    const used = new WeakSet<net.Socket>()
    const next = await listen(
      http.createServer(({ socket }, response) => {
        if (used.has(socket)) return void socket.destroy()
        used.add(socket)
        response.end('there')
      }),
    )
    const gateway = await listen(createGateway({ api: next.url, next: next.url }))
    for (const path of ['/page', '/_next/static/chunk.js', '/graphql']) {
      const answer = await fetch(new URL(path, gateway.url))
      expect([answer.status, await answer.text(), answer.headers.get('connection')]).toEqual([
        200,
        'there',
        'keep-alive',
      ])
    }
  })

  test('a WebSocket upgrade is carried to the API with its cookie, and bytes flow both ways', async () => {
    const api = http.createServer()
    api.on('upgrade', (request: http.IncomingMessage, socket: net.Socket, head: Buffer) => {
      socket.write(`HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\r\n`)
      socket.write(`hello ${request.headers.cookie} `)
      socket.write(head)
      socket.pipe(socket)
    })
    const upstream = await listen(api)
    const gateway = await listen(createGateway({ api: upstream.url, next: upstream.url }))
    const socket = net.connect(Number(gateway.url.port), '127.0.0.1')
    socket.write(
      'GET /graphql HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\ncookie: session=7\r\n\r\nping',
    )
    let received = ''
    for await (const chunk of socket) {
      received += String(chunk)
      if (received.endsWith('ping')) break
    }
    expect(received).toContain('101 Switching Protocols')
    expect(received).toContain('hello session=7 ')
  })

  test('an upgrade outside the API is refused', async () => {
    const next = await listen(named('next'))
    const gateway = await listen(createGateway({ api: next.url, next: next.url }))
    const socket = net.connect(Number(gateway.url.port), '127.0.0.1')
    socket.write('GET /_next/x HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n')
    let received = ''
    for await (const chunk of socket) received += String(chunk)
    expect(received).toMatch(/^HTTP\/1.1 404/)
  })
})
