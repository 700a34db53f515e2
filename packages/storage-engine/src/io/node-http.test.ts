import * as http from 'node:http'
import * as net from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { StorageError } from '../base/errors.ts'
import { callBytes, callJson } from './http-client.ts'
import { type HttpServer, type HttpServerOptions, openHttpServer, rawReply } from './http-server.ts'
import { silentLog } from './log.ts'
import { openNodeMetrics } from './node-metrics.ts'

let server: HttpServer | undefined
afterEach(() => server?.close())

async function open(options: Partial<HttpServerOptions> = {}): Promise<string> {
  const metrics = openNodeMetrics({ isProcessIncluded: false })
  metrics.counter('tributary_selftest_calls_total', 'calls').add(2)
  server = await openHttpServer({
    host: '127.0.0.1',
    port: 0,
    log: silentLog,
    status: () => ({ state: 'ready' }),
    metricsText: () => metrics.text(),
    routes: {
      'GET /things/:id': ({ params, query }) => ({ id: params['id'], at: query.get('at') }),
      'POST /things': ({ body }) => ({ got: body }),
      'DELETE /things/:id': () => undefined,
      'GET /bytes': () => rawReply('application/octet-stream', Uint8Array.of(1, 2, 3)),
      'POST /fenced': () => {
        throw new StorageError('fenced', 'a higher term is known', { term: 7 })
      },
      'POST /bug': () => {
        throw new TypeError('oops')
      },
      'POST /slow': () => new Promise(() => undefined),
    },
    ...options,
  })
  return `http://127.0.0.1:${server.port}`
}

test('routes get parameters, query and body; replies are JSON, bytes or nothing', async () => {
  const url = await open()
  expect(await callJson(`${url}/things/a%2Fb?at=3`, { timeoutMs: 2000 })).toEqual({ id: 'a/b', at: '3' })
  expect(await callJson(`${url}/things`, { body: { n: 1 }, timeoutMs: 2000 })).toEqual({ got: { n: 1 } })
  expect(await callJson(`${url}/things/x`, { method: 'DELETE', timeoutMs: 2000 })).toBeUndefined()
  expect([...(await callBytes(`${url}/bytes`, { timeoutMs: 2000 }))]).toEqual([1, 2, 3])
  expect(await callJson(`${url}/status`, { timeoutMs: 2000 })).toEqual({ state: 'ready' })
  const metrics = Buffer.from(await callBytes(`${url}/metrics`, { timeoutMs: 2000 })).toString()
  expect(metrics).toContain('tributary_selftest_calls_total 2')
})

test('an error keeps its code and message from server to client; a bug says no more than that', async () => {
  const url = await open()
  await expect(callJson(`${url}/fenced`, { body: {}, timeoutMs: 2000 })).rejects.toMatchObject({
    code: 'fenced',
    message: 'a higher term is known (term=7)',
  })
  await expect(callJson(`${url}/bug`, { body: {}, timeoutMs: 2000 })).rejects.toMatchObject({
    message: 'internal error',
  })
  await expect(callJson(`${url}/none`, { timeoutMs: 2000 })).rejects.toMatchObject({ code: 'not-found' })
  await expect(callJson(`${url}/things`, { method: 'PUT', timeoutMs: 2000 })).rejects.toThrow(/PUT is not allowed/)
})

test('no answer in time, nobody there, and an abort are told apart', async () => {
  const url = await open()
  await expect(callJson(`${url}/slow`, { body: {}, timeoutMs: 50 })).rejects.toMatchObject({ code: 'unavailable' })
  const abort = new AbortController()
  const aborted = callJson(`${url}/slow`, { body: {}, timeoutMs: 5000, signal: abort.signal })
  abort.abort()
  await expect(aborted).rejects.toMatchObject({ code: 'aborted' })
  await server?.close()
  await expect(callJson(`${url}/status`, { timeoutMs: 500 })).rejects.toMatchObject({ code: 'unavailable' })
})

test('a body that is too large or not JSON is invalid-input', async () => {
  const url = await open({ bodyBytesMax: 100 })
  await expect(callJson(`${url}/things`, { body: 'x'.repeat(200), timeoutMs: 2000 })).rejects.toMatchObject({
    code: 'invalid-input',
  })
  const reply = await fetch(`${url}/things`, { method: 'POST', body: '{oops' })
  expect(reply.status).toBe(400)
  expect(await reply.text()).toContain('body is not json')
})

test('with a token set, only status and metrics are open', async () => {
  const url = await open({ token: 'secret' })
  await expect(callJson(`${url}/things/1`, { timeoutMs: 2000 })).rejects.toThrow(/bearer token/)
  await expect(callJson(`${url}/things/1`, { timeoutMs: 2000, token: 'Secret' })).rejects.toThrow(/bearer token/)
  expect(await callJson(`${url}/things/1`, { timeoutMs: 2000, token: 'secret' })).toMatchObject({ id: '1' })
  expect(await callJson(`${url}/status`, { timeoutMs: 2000 })).toEqual({ state: 'ready' })
})

test('garbage on the port gets a 400 and leaves the server serving', async () => {
  const url = await open()
  const port = server?.port ?? 0
  const reply = await new Promise<string>((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1', () => socket.write('\x00\x01garbage\r\n\r\n'))
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk.toString()
    })
    socket.on('close', () => resolve(text))
    socket.on('error', reject)
  })
  expect(reply).toContain('400')
  expect(await callJson(`${url}/status`, { timeoutMs: 2000 })).toEqual({ state: 'ready' })
})

test('a connection between two calls is kept longer by the server than by the client, so that none is closed under a call', async () => {
  const url = await open()
  const offered = await new Promise<string>((resolve, reject) => {
    http
      .get(`${url}/status`, (response) => {
        response.resume()
        resolve(String(response.headers['keep-alive']))
      })
      .on('error', reject)
  })
  const serverMs = Number(/timeout=(\d+)/.exec(offered)?.[1]) * 1000
  // After which Node's own agent, which callJson uses, closes an idle connection.
  const clientMs = 5_000
  expect(serverMs).toBeGreaterThan(2 * clientMs)
})

test('a taken port is a conflict that names the address', async () => {
  await open()
  const port = server?.port ?? 0
  const options = { host: '127.0.0.1', port, log: silentLog, status: () => ({}), routes: {} }
  await expect(openHttpServer(options)).rejects.toThrow(new RegExp(`already in use.*127.0.0.1:${port}`))
})
