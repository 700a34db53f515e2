import * as fs from 'node:fs'
import { connect } from 'node:net'
import * as path from 'node:path'
import { buildSchema, parse, validate } from 'graphql'
import { createClient } from 'graphql-ws'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import WebSocket from 'ws'
import { BODY_BYTES_MAX } from '../src/http/server.ts'
import { ProjectUnderTest } from './support/project-under-test.ts'

/** What comes over the wire and should not: the API as a process over a real catalog, with a stand-in for the engine. */
let project: ProjectUnderTest

beforeAll(async () => {
  project = await ProjectUnderTest.start()
}, 180_000)
afterAll(() => project.stack.stop(), 60_000)

describe('requests that nobody means well', () => {
  const post = (target: string, body: string, headers: Record<string, string> = {}) =>
    fetch(`${project.stack.url}${target}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${project.stack.ownerKey}`, ...headers },
      body,
    })

  /** The refusal comes before the body: a client that sends it anyway may not live to read the answer. */
  const answerToHead = (target: string, bodyBytes: number) =>
    new Promise<string>((resolve, reject) => {
      const { hostname, port } = new URL(project.stack.url)
      const socket = connect(Number(port), hostname)
      const lines = [
        `POST ${target} HTTP/1.1`,
        `host: ${hostname}`,
        `authorization: Bearer ${project.stack.ownerKey}`,
        'content-type: application/json',
        `content-length: ${bodyBytes}`,
        'connection: close',
      ]
      socket.write(`${lines.join('\r\n')}\r\n\r\n`)
      let answer = ''
      socket.setEncoding('utf8').on('data', (text: string) => {
        answer += text
        if (/^content-length: (\d+)[\s\S]*\r\n\r\n[\s\S]+$/im.test(answer)) socket.destroy()
      })
      socket.on('error', reject)
      socket.on('close', () => resolve(answer))
    })

  test('a body that is too large is refused on both interfaces, and by a socket', async () => {
    expect(await answerToHead('/graphql', BODY_BYTES_MAX + 1)).toMatch(/^HTTP\/1\.1 413 /)
    const answer = await answerToHead('/api/v2/projects', BODY_BYTES_MAX + 1)
    expect(answer).toMatch(/^HTTP\/1\.1 413 /)
    expect(answer).toMatch(/\{"request_id":"[\w-]+","code":"INVALID_INPUT","message":"[^"]+"\}/)
    const socket = new WebSocket(`${project.stack.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws')
    await new Promise((resolve) => socket.once('open', resolve))
    const closed = new Promise<number>((resolve) => socket.once('close', resolve))
    socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: 'x'.repeat(300_000) } }))
    expect(await closed).toBe(1009)
  })

  test('bodies that are not what they say get 400, never 500', async () => {
    for (const body of [
      '',
      '{',
      '[]',
      'null',
      '"x"',
      '{"query":5}',
      '{"query":"{"}',
      '{"query":"{ viewer }","variables":[]}',
    ])
      expect((await post('/graphql', body)).status, body).toBe(400)
    const long = JSON.stringify({ query: `{ ${'viewer { __typename } '.repeat(1001)} }` })
    const reply = await post('/graphql', long)
    expect([reply.status, await reply.text()]).toEqual([400, expect.stringContaining('more that 4000 tokens')])
    for (const body of ['{', '[]', '"x"', '{"project":[]}', '{"project":{"name":{}}}'])
      expect((await post('/api/v2/projects', body)).status, body).toBe(400)
    expect((await post('/api/v2/projects', 'x', { 'content-type': 'application/xml' })).status).toBe(415)
  })

  test('tokens that are none get 401 on every interface', async () => {
    const tokens = ['', 'trb_', `trb_${'x'.repeat(4000)}`, 'trb_é', "trb_' OR 1=1 --", 'eyJhbGciOiJub25lIn0.e30.']
    for (const token of tokens) {
      const authorization = { authorization: `Bearer ${token}` }
      expect((await post('/graphql', '{"query":"{ project(id: \\"x\\") { id } }"}', authorization)).status, token).toBe(
        401,
      )
      expect((await post('/api/v2/projects', '{}', authorization)).status, token).toBe(401)
      const internal = await fetch(`${project.stack.url}/internal/proxy/route?endpoint=x&user=x&database=x`, {
        headers: authorization,
      })
      expect(internal.status, token).toBe(401)
    }
    const socket = new WebSocket(`${project.stack.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws')
    await new Promise((resolve) => socket.once('open', resolve))
    const closed = new Promise<number>((resolve) => socket.once('close', resolve))
    socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: 'Bearer trb_x' } }))
    expect(await closed).toBe(4403)
  })

  test('a key is kept as a hash alone, and ends with its time', async () => {
    const { createApiKey } = await project.stack.ask(
      'mutation { createApiKey(input: { name: "short", expiresInDays: 1 }) { secret apiKey { id } } }',
    )
    const { secret, apiKey } = createApiKey
    const rows = await project.stack.sql('SELECT to_jsonb(k)::text AS row FROM apikey k')
    expect(rows.filter(({ row }) => String(row).includes(secret))).toEqual([])
    const status = async () => (await project.stack.graphql('{ project(id: "x") { id } }', {}, secret)).status
    expect(await status()).toBe(200)
    await project.stack.sql(`UPDATE apikey SET "expiresAt" = now() - interval '1 second' WHERE id = $1`, [apiKey.id])
    expect(await status()).toBe(401)
  })

  test('a deep document is refused over a socket as well', async () => {
    const client = createClient({
      url: `${project.stack.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { authorization: `Bearer ${project.stack.ownerKey}` },
      retryAttempts: 0,
    })
    const deep = `{ viewer { organizations ${'{ projects { nodes { organization '.repeat(6)} { id } ${'} } }'.repeat(6)} } }`
    const answer = await new Promise<string>((resolve) => {
      client.subscribe(
        { query: deep },
        {
          next: (value) => resolve(`answered ${JSON.stringify(value)}`),
          error: (error) => resolve(JSON.stringify(error)),
          complete: () => resolve('complete'),
        },
      )
    })
    expect(answer).toMatch(/depth/i)
    await client.dispose()
  })

  test('every document of docs/api.md is valid', () => {
    const folder = import.meta.dirname
    const schema = buildSchema(fs.readFileSync(path.resolve(folder, '..', 'schema.graphql'), 'utf8'))
    const text = fs.readFileSync(path.resolve(folder, '../../../docs/api.md'), 'utf8')
    const documents = [...text.matchAll(/```graphql\n([\s\S]*?)```/g)].map(([, document]) => document ?? '')
    expect(documents.length).toBeGreaterThan(5)
    for (const document of documents) expect(validate(schema, parse(document)), document).toEqual([])
  })

  test('who asks too fast gets 429 and when to come again, on both interfaces', async () => {
    await project.stack.killApi()
    await project.stack.startApi({ config: { rateLimit: { perSecond: 0.01, burst: 1 } } })
    await post('/graphql', '{"query":"{ viewer { user { id } } }"}')
    for (const target of ['/graphql', '/api/v2/projects']) {
      const reply = await post(target, '{"query":"{ viewer { user { id } } }"}')
      expect([reply.status, Number(reply.headers.get('retry-after')) > 0]).toEqual([429, true])
      expect(JSON.stringify(await reply.json())).toContain('RATE_LIMITED')
    }
  })
})
