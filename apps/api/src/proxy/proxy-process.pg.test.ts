import { type ChildProcess, spawn } from 'node:child_process'
import { createHmac, pbkdf2Sync } from 'node:crypto'
import * as fs from 'node:fs'
import { createServer, type Server } from 'node:http'
import { connect } from 'node:net'
import * as os from 'node:os'
import * as path from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { PostgresFixture } from '../../../../packages/storage-engine/test/postgres-fixture.ts'
import { startScramPostgres, TestRoutes } from '../../test/proxy-fixture.ts'
import { connectCompute } from './compute-connection.ts'
import {
  connectionsReport,
  PROXY_CONNECTIONS_PATH,
  PROXY_ROUTE_PATH,
  routeQuery,
  wakeRequest,
} from './proxy-contract.ts'
import { parseScramVerifier } from './scram.ts'
import { encodeCancelRequest, encodeQuery, ProxyError } from './wire.ts'

/** The program as the supervisor starts it, with an API that answers by the contract. */
const program = fileURLToPath(new URL('../main/proxy.ts', import.meta.url))
const home = fs.mkdtempSync(path.join(os.tmpdir(), 'tributary-proxy-process-'))
const TOKEN = 'internal-token-of-the-test'

let server: PostgresFixture
let second: PostgresFixture
const routes = new TestRoutes()
let api: Server
let child: ChildProcess
let port: number
let statusPort: number
let isApiAway = false

beforeAll(async () => {
  ;[server, second] = await Promise.all([startScramPostgres(27130), startScramPostgres(27131)])
  const endpoint = await routes.add('ep-a', server)
  // Computes of one branch hold the same verifiers.
  await second.query(`alter role app password '${endpoint.verifiers.get('app')}'`)
  api = await serveContract()
  const address = api.address()
  if (address === null || typeof address === 'string') throw new Error('no address')
  const tokenFile = path.join(home, 'token')
  const config = {
    port: 0,
    publicHost: 'db.localtest',
    api: { url: `http://127.0.0.1:${address.port}`, tokenFile },
    home,
    limits: { reportMs: 100 },
    logLevel: 'silent',
  }
  fs.writeFileSync(path.join(home, 'proxy.json'), JSON.stringify(config))
  child = spawn(process.execPath, ['--import', 'tsx', program, path.join(home, 'proxy.json')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const line = await new Promise<string>((resolve) =>
    child.stdout?.once('data', (chunk: Buffer) => resolve(chunk.toString())),
  )
  ;({ port, statusPort } = JSON.parse(line))
  // The API may make the token after the proxy has started.
  fs.writeFileSync(tokenFile, `${TOKEN}\n`)
})

afterAll(async () => {
  child?.kill('SIGKILL')
  api?.closeAllConnections()
  api?.close()
  await Promise.all([server?.cleanup(), second?.cleanup()])
  fs.rmSync(home, { recursive: true, force: true })
})

async function serveContract(): Promise<Server> {
  const answer = async (url: URL, body: unknown): Promise<unknown> => {
    const signal = new AbortController().signal
    if (url.pathname === PROXY_ROUTE_PATH)
      return routes.route(routeQuery.parse(Object.fromEntries(url.searchParams)) as Parameters<TestRoutes['route']>[0])
    if (url.pathname === PROXY_CONNECTIONS_PATH) return routes.reportConnections(connectionsReport.parse(body))
    return routes.wake(wakeRequest.parse(body), { signal })
  }
  const http = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part) => parts.push(part))
    request.on('end', () => {
      if (isApiAway) return request.socket.destroy()
      const send = (status: number, value: unknown) => {
        response.writeHead(status, { 'content-type': 'application/json' })
        response.end(JSON.stringify(value))
      }
      if (request.headers.authorization !== `Bearer ${TOKEN}`) return send(401, { code: 'unauthorized', message: 'no' })
      const text = Buffer.concat(parts).toString()
      answer(new URL(request.url ?? '/', 'http://api'), text === '' ? undefined : JSON.parse(text)).then(
        (value) => send(200, value),
        (error: unknown) =>
          error instanceof ProxyError
            ? send(404, { code: 'endpoint_not_found', message: error.message })
            : send(500, { code: 'unavailable', message: String(error) }),
      )
    })
  })
  await new Promise<void>((resolve) => http.listen({ host: '127.0.0.1', port: 0 }, resolve))
  return http
}

async function connectPg(endpoint: string): Promise<pg.Client> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port,
    user: `app@${endpoint}`,
    password: 'secret',
    database: 'app',
  })
  client.on('error', () => undefined)
  await client.connect()
  return client
}

describe('the proxy process', () => {
  test('answers a query, and /status and /metrics tell of it', async () => {
    const client = await connectPg('ep-a')
    expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    const status = await fetch(`http://127.0.0.1:${statusPort}/status`)
    expect(await status.json()).toMatchObject({ process: 'proxy', port, sessions: 1, connections: 1 })
    const metrics = await (await fetch(`http://127.0.0.1:${statusPort}/metrics`)).text()
    expect(metrics).toContain('tributary_proxy_sessions 1')
    expect(metrics).toContain('tributary_proxy_logged_in_total{security="plain"} 1')
    await client.end()
  })

  test('twenty connections at once to a sleeping endpoint make one wake', async () => {
    await routes.add('ep-sleeper', server, { isAsleep: true })
    const before = routes.wakes.length
    const address = { host: '127.0.0.1', port: server.port }
    const waiting = async () => {
      const status = await fetch(`http://127.0.0.1:${statusPort}/status`)
      return ((await status.json()) as { waiting: number }).waiting
    }
    // However long the log-ins take, the compute is not up before all of them wait for it.
    routes.onWake = async () => {
      while ((await waiting()) < 20) await new Promise((resolve) => setTimeout(resolve, 10))
      return address
    }
    const clients = await Promise.all(Array.from({ length: 20 }, () => connectPg('ep-sleeper')))
    expect(routes.wakes).toHaveLength(before + 1)
    await Promise.all(clients.map((client) => client.end()))
  })

  test('an endpoint that is said to run where nobody answers is woken, and the dead address is named', async () => {
    const dead = { host: '127.0.0.1', port: 27139 }
    const endpoint = await routes.add('ep-dead', server, { server: dead })
    routes.onWake = async () => {
      endpoint.server = { host: '127.0.0.1', port: server.port }
      return endpoint.server
    }
    const client = await connectPg('ep-dead')
    expect(routes.wakes.at(-1)).toMatchObject({ endpointId: 'ep-dead', deadAddress: dead })
    await client.end()
  })

  test('live connections are reported, and those of a replaced compute are closed', async () => {
    const endpoint = await routes.add('ep-moved', server)
    const client = await connectPg('ep-moved')
    const ended = new Promise<Error>((resolve) => client.once('error', resolve))
    await expect
      .poll(() => routes.reports.flatMap((report) => report.endpoints).find((one) => one.endpointId === 'ep-moved'))
      .toMatchObject({ connections: 1 })
    endpoint.server = { host: '127.0.0.1', port: second.port }
    expect(await ended).toMatchObject({ code: '57P01' })
    const next = await connectPg('ep-moved')
    expect((await next.query('show port')).rows).toEqual([{ port: String(second.port) }])
    await next.end()
  })

  test('while the API is away, endpoints that run still take connections; others say so', async () => {
    await (await connectPg('ep-a')).end()
    isApiAway = true
    try {
      const client = await connectPg('ep-a')
      expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
      await client.end()
      await expect(connectPg('ep-other')).rejects.toMatchObject({
        code: '57P03',
        message: 'the control plane does not answer',
      })
    } finally {
      isApiAway = false
    }
  })

  test('protocol 3.2: a cancel request with a 32-byte key reaches the query', async () => {
    const verifier = parseScramVerifier(routes.endpoints.get('ep-a')?.verifiers.get('app') ?? '')
    if (!verifier) throw new Error('no verifier')
    const salted = pbkdf2Sync('secret', Buffer.from(verifier.salt, 'base64'), verifier.iterations, 32, 'sha256')
    const session = await connectCompute(
      {
        place: { address: { host: '127.0.0.1', port }, socketPath: undefined },
        minorVersion: 2,
        parameters: new Map([
          ['user', 'app@ep-a'],
          ['database', 'app'],
        ]),
        verifier,
        clientKey: createHmac('sha256', salted).update('Client Key').digest(),
      },
      new AbortController().signal,
    )
    expect(session.key).toHaveLength(32)
    const answer = new Promise<string>((resolve) => {
      let text = ''
      session.attach((chunk) => {
        text += chunk.toString('latin1')
        if (text.includes('Z\0\0\0\x05')) resolve(text)
      })
    })
    session.socket.resume()
    session.socket.write(encodeQuery('select pg_sleep(60)'))
    await expect
      .poll(
        async () =>
          (await server.query(`select count(*)::int as n from pg_stat_activity where wait_event = 'PgSleep'`))[0]?.n,
      )
      .toBe(1)
    await new Promise<void>((resolve) => {
      const canceller = connect({ host: '127.0.0.1', port }, () =>
        canceller.write(encodeCancelRequest(session.processId, session.key)),
      )
      canceller.resume()
      canceller.on('close', () => resolve())
    })
    expect(await answer).toContain('C57014\0')
    session.socket.destroy()
  })

  test('SIGTERM ends sessions with 57P01 and the process with 0', async () => {
    const client = await connectPg('ep-a')
    const ended = new Promise<Error>((resolve) => client.once('error', resolve))
    const exit = new Promise<number | null>((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    expect(await ended).toMatchObject({ code: '57P01' })
    expect(await exit).toBe(0)
  })
})

describe('a wrong configuration', () => {
  const start = (text: string) =>
    new Promise<{ code: number | null; output: string }>((resolve) => {
      const file = path.join(home, 'wrong.json')
      fs.writeFileSync(file, text)
      const process_ = spawn(process.execPath, ['--import', 'tsx', program, file], {
        stdio: ['ignore', 'ignore', 'pipe'],
      })
      let output = ''
      process_.stderr.on('data', (chunk) => {
        output += chunk
      })
      process_.once('close', (code) => resolve({ code, output }))
    })

  test('is refused by file and field, and a taken port by its address', async () => {
    const good = { port: 0, api: { url: 'http://127.0.0.1:1', tokenFile: 'x' }, home }
    expect(await start('{')).toMatchObject({ code: 1, output: expect.stringContaining('wrong.json') })
    expect(await start(JSON.stringify({ ...good, port: 70_000 }))).toMatchObject({
      code: 1,
      output: expect.stringContaining('port'),
    })
    expect(await start(JSON.stringify({ ...good, port: server.port }))).toMatchObject({
      code: 1,
      output: expect.stringContaining(String(server.port)),
    })
  })
})
