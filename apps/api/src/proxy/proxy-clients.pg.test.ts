import { execFile } from 'node:child_process'
import { readFileSync, renameSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { promisify } from 'node:util'
import { PrismaPg } from '@prisma/adapter-pg'
import pg from 'pg'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { PostgresFixture } from '../../../../packages/storage-engine/test/postgres-fixture.ts'
import {
  requestCancel,
  startScramPostgres,
  startTestProxy,
  type TestProxy,
  TestRoutes,
} from '../../test/proxy-fixture.ts'
import { decodeNoticeFields, encodeStartupMessage } from './wire.ts'

const run = promisify(execFile)
const HOST = 'ep-a.db.localtest'

let server: PostgresFixture
let routes: TestRoutes
let proxy: TestProxy
let ca: string

beforeAll(async () => {
  server = await startScramPostgres(27110, { max_connections: 60 })
  routes = new TestRoutes()
  await routes.add('ep-a', server)
  proxy = await startTestProxy(routes)
  ca = readFileSync(proxy.tls.certificateFile, 'utf8')
})

afterAll(async () => {
  await proxy?.close()
  await server?.cleanup()
})

const base = () => ({ host: '127.0.0.1', port: proxy.port, user: 'app', password: 'secret', database: 'app' })

async function withPg<Result>(config: pg.ClientConfig, work: (client: pg.Client) => Promise<Result>): Promise<Result> {
  const client = new pg.Client({ ...base(), ...config })
  client.on('error', () => undefined)
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

async function psql(conninfo: string, sql: string, env: Record<string, string> = {}): Promise<string> {
  const { stdout } = await run(
    'psql',
    [`host=127.0.0.1 port=${proxy.port} user=app dbname=app ${conninfo}`, '-XAtc', sql],
    {
      env: { ...process.env, PGPASSWORD: 'secret', PGSSLROOTCERT: proxy.tls.certificateFile, ...env },
    },
  )
  return stdout.trim()
}

const hasPsql = await run('psql', ['--version']).then(
  () => true,
  () => false,
)

describe('clients', () => {
  test.skipIf(!hasPsql).each([
    ['in clear', 'sslmode=disable options=endpoint=ep-a'],
    ['over TLS', 'sslmode=require options=endpoint=ep-a'],
    ['with channel binding', 'sslmode=require channel_binding=require options=endpoint=ep-a'],
    ['that checks the certificate', `sslmode=verify-full channel_binding=require host=${HOST} hostaddr=127.0.0.1`],
    ['with the endpoint in the user name', 'user=app@ep-a sslmode=disable'],
    ['with a setting beside the endpoint', "options='-c geqo=off endpoint=ep-a'"],
  ])('psql %s', async (_how, conninfo) => {
    expect(await psql(conninfo, 'select current_user, 1 + 1')).toBe('app|2')
  })

  test.skipIf(!hasPsql)('psql: options that are not ours reach the compute', async () => {
    expect(await psql(`options='-c geqo=off endpoint=ep-a -c my.name=a\\\\ b'`, 'show geqo; show my.name')).toBe(
      'off\na b',
    )
  })

  test.each([
    ['in clear', () => ({ user: 'app@ep-a' })],
    ['over TLS', () => ({ ssl: { ca, servername: HOST } })],
    ['with channel binding', () => ({ ssl: { ca, servername: HOST }, enableChannelBinding: true })],
    ['direct TLS', () => ({ sslnegotiation: 'direct', ssl: { ca, servername: HOST, ALPNProtocols: ['postgresql'] } })],
  ])('pg %s: parameters, errors and prepared statements', async (_how, config) => {
    await withPg(config() as pg.ClientConfig, async (client) => {
      const { rows } = await client.query({ name: 'q', text: 'select $1::int + 1 as sum, current_user as who' }, [41])
      expect(rows).toEqual([{ sum: 42, who: 'app' }])
      await expect(client.query('select 1/0')).rejects.toMatchObject({ code: '22012' })
      expect((await client.query('select 7 as seven')).rows).toEqual([{ seven: 7 }])
    })
  })

  test.each([
    ['in clear', () => ({ connection: { options: 'endpoint=ep-a' } })],
    ['over TLS', () => ({ ssl: { ca, servername: HOST } })],
  ])('postgres.js %s: pipelined queries, transactions, COPY both ways', async (_how, config) => {
    const sql = postgres({ ...base(), ...config(), max: 3, onnotice: () => undefined })
    try {
      const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => sql`select ${i}::int as n`))
      expect(answers.map(([row]) => row?.n)).toEqual(Array.from({ length: 50 }, (_, i) => i))
      await sql`drop table if exists copied`
      await sql`create table copied (n int, t text)`
      const input = await sql`copied`.catch(() => undefined)
      expect(input).toBeUndefined()
      const writable = await sql`copy copied from stdin`.writable()
      for (let n = 0; n < 20_000; n++) writable.write(`${n}\t${'x'.repeat(100)}\n`)
      await new Promise<void>((resolve, reject) => {
        writable.on('error', reject)
        writable.end(() => resolve())
      })
      const [count] = await sql.begin((tx) => tx`select count(*)::int as n, sum(n)::int as s from copied`)
      expect(count).toEqual({ n: 20_000, s: 199_990_000 })
      let bytes = 0
      for await (const chunk of await sql`copy copied to stdout`.readable()) bytes += chunk.length
      expect(bytes).toBeGreaterThan(20_000 * 100)
    } finally {
      await sql.end({ timeout: 5 })
    }
  })

  test('Prisma’s adapter: queries and a transaction', async () => {
    const adapter = await new PrismaPg({
      connectionString: `postgresql://app:secret@127.0.0.1:${proxy.port}/app?options=endpoint%3Dep-a`,
    }).connect()
    try {
      const result = await adapter.queryRaw({
        sql: 'select 1 as one, $1::text as t',
        args: ['x'],
        argTypes: [{ scalarType: 'string', arity: 'scalar' }],
      })
      expect(result.rows).toEqual([[1, 'x']])
      const transaction = await adapter.startTransaction()
      await transaction.executeRaw({ sql: 'create table prisma_seen (n int)', args: [], argTypes: [] })
      await transaction.executeRaw({ sql: 'ROLLBACK', args: [], argTypes: [] })
      await transaction.rollback()
      await expect(adapter.queryRaw({ sql: 'select * from prisma_seen', args: [], argTypes: [] })).rejects.toThrow()
    } finally {
      await adapter.dispose()
    }
  })

  test.skipIf(!hasPsql)('pgbench: eight clients, prepared, TLS', async () => {
    const uri = `host=127.0.0.1 port=${proxy.port} user=app dbname=app sslmode=require options=endpoint=ep-a`
    const env = { ...process.env, PGPASSWORD: 'secret' }
    await run('pgbench', ['-i', '-q', '-s', '1', uri], { env })
    const { stdout } = await run('pgbench', ['-n', '-M', 'prepared', '-c', '8', '-j', '2', '-t', '100', uri], { env })
    expect(stdout).toContain('number of transactions actually processed: 800/800')
    expect(stdout).toContain('number of failed transactions: 0')
  })
})

describe('back pressure', () => {
  test('a client that does not read makes the compute wait, not the proxy grow', async () => {
    await withPg({ user: 'app@ep-a' }, async (client) => {
      const stream = (client as unknown as { connection: { stream: Socket } }).connection.stream
      const before = process.memoryUsage().rss
      const answer = client.query('select repeat(md5(n::text), 1000) as t from generate_series(1, 10000) n')
      stream.pause()
      await new Promise((resolve) => setTimeout(resolve, 1500))
      const grown = process.memoryUsage().rss - before
      stream.resume()
      const { rows } = await answer
      expect(rows).toHaveLength(10_000)
      // The answer has 320 MB.
      expect(grown).toBeLessThan(100 * 1024 * 1024)
    })
  })
})

describe('refusals', () => {
  const refusal = (config: pg.ClientConfig) =>
    withPg(config, async () => undefined).then(
      () => ({ code: 'accepted' }),
      (error: { code?: string; message: string; hint?: string }) => error,
    )

  test('a wrong password and an unknown role get the same answer', async () => {
    const wrong = await refusal({ user: 'app@ep-a', password: 'wrong' })
    const unknown = await refusal({ user: 'nobody@ep-a', password: 'wrong' })
    expect(wrong).toMatchObject({ code: '28P01', message: 'password authentication failed for user "app"' })
    expect(unknown).toMatchObject({ code: '28P01', message: 'password authentication failed for user "nobody"' })
  })

  test('nobody without the password wakes a compute', async () => {
    const endpoint = await routes.add('ep-asleep', server, { isAsleep: true })
    const before = routes.wakes.length
    await refusal({ user: 'app@ep-asleep', password: 'wrong' })
    await refusal({ user: 'nobody@ep-asleep' })
    expect(routes.wakes).toHaveLength(before)
    await withPg({ user: 'app@ep-asleep' }, (client) => client.query('select 1'))
    expect(routes.wakes.at(-1)).toMatchObject({
      endpointId: 'ep-asleep',
      cause: { kind: 'connect', user: 'app', database: 'app' },
    })
    endpoint.isDisabled = true
    expect(await refusal({ user: 'app@ep-asleep' })).toMatchObject({
      code: '57P03',
      message: 'the endpoint is disabled',
    })
  })

  test.each([
    [{ user: 'app@ep-none' }, '08004'],
    [{ user: 'app' }, '08004'],
    [{ user: 'app@ep-a', database: 'none' }, '3D000'],
    [{ user: 'app@ep-a-pooler' }, '0A000'],
    [{ user: 'app@ep-a', replication: 'database' }, '0A000'],
  ])('%j is refused with %s', async (config, code) => {
    expect(await refusal(config as pg.ClientConfig)).toMatchObject({ code })
  })

  test('a certificate that is not ours breaks channel binding', async () => {
    const other = await startTestProxy(routes)
    try {
      // The client sees the other proxy's certificate and is led to ours in the middle of nothing: its data differs.
      const own = readFileSync(other.tls.certificateFile, 'utf8')
      expect(own).not.toBe(ca)
      await expect(
        withPg({ ssl: { ca: own, servername: HOST }, enableChannelBinding: true }, async () => undefined),
      ).rejects.toThrow(/certificate/)
    } finally {
      await other.close()
    }
  })

  test('a role whose password at the compute is another than the route says is told so', async () => {
    const endpoint = await routes.add('ep-old', server)
    await server.query(`create role later login password 'new'`)
    const [row] = await server.query<{ rolpassword: string }>(
      `select rolpassword from pg_authid where rolname = 'later'`,
    )
    endpoint.verifiers.set('later', row?.rolpassword ?? '')
    await server.query(`alter role later password 'newer'`)
    expect(await refusal({ user: 'later@ep-old', password: 'new' })).toMatchObject({
      code: '28P01',
      message: 'the role has another password in this database than it has now',
    })
  })

  test('connections beyond the endpoint’s limit get 53300, and a closed one makes room', async () => {
    await routes.add('ep-few', server, { connectionsMax: 2 })
    await withPg({ user: 'app@ep-few' }, async () => {
      await withPg({ user: 'app@ep-few' }, async () => {
        expect(await refusal({ user: 'app@ep-few' })).toMatchObject({ code: '53300', detail: 'The limit is 2.' })
      })
      await expect.poll(() => refusal({ user: 'app@ep-few' })).toMatchObject({ code: 'accepted' })
    })
  })
})

describe('a compute on this machine', () => {
  let near: TestProxy
  beforeAll(async () => {
    near = await startTestProxy(routes, { computeSockets: { host: '127.0.0.1', folder: server.socketDir } })
  })
  afterAll(() => near?.close())
  const session = (config: pg.ClientConfig = {}) => ({ port: near.port, user: 'app@ep-a', ...config })
  /** Of the compute's side: null over a Unix socket. */
  const portOf = async (client: pg.Client) => (await client.query('select inet_server_port() as port')).rows[0].port

  test('is reached by its Unix socket, where it asks for the same proof, and a cancel request too', async () => {
    await withPg(session(), async (client) => {
      expect(await portOf(client)).toBeNull()
      const sleeping = client.query('select pg_sleep(60)').catch((error: { code?: string }) => error.code)
      await expect
        .poll(async () => (await server.query(`select 1 from pg_stat_activity where wait_event = 'PgSleep'`)).length)
        .toBe(1)
      requestCancel(near.port, client)
      expect(await sleeping).toBe('57014')
    })
    await server.query(`create role moved login password 'secret'`)
    await routes.add('ep-moved', server)
    await server.query(`alter role moved password 'another'`)
    const moved = withPg(session({ user: 'moved@ep-moved' }), async () => 'accepted')
    await expect(moved).rejects.toMatchObject({ code: '28P01' })
  })

  test('is reached over TCP when its socket is gone, and by a superuser', async () => {
    await server.query(`alter role postgres password 'secret'`)
    await routes.add('ep-super', server)
    expect(await withPg(session({ user: 'postgres@ep-super', database: 'postgres' }), portOf)).toBe(server.port)
    const socketFile = `${server.socketDir}/.s.PGSQL.${server.port}`
    renameSync(socketFile, `${socketFile}.away`)
    try {
      expect(await withPg(session(), portOf)).toBe(server.port)
    } finally {
      renameSync(`${socketFile}.away`, socketFile)
    }
  })
})

describe('the first packets', () => {
  /** Sends bytes, gives what comes back until the end. */
  const exchange = (bytes: Buffer) =>
    new Promise<Buffer>((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port: proxy.port }, () => socket.write(bytes))
      const parts: Buffer[] = []
      socket.on('data', (part) => parts.push(part))
      socket.on('end', () => resolve(Buffer.concat(parts)))
      socket.on('error', reject)
    })
  const codeOf = (answer: Buffer) => decodeNoticeFields(answer.subarray(5)).get('C')
  const packet = (code: number, more: Buffer = Buffer.alloc(0)) => {
    const head = Buffer.alloc(8)
    head.writeUInt32BE(8 + more.length, 0)
    head.writeUInt32BE(code, 4)
    return Buffer.concat([head, more])
  }

  test.each([
    ['HTTP', '08P01', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['a length of four', '08P01', Buffer.from([0, 0, 0, 4])],
    ['protocol 2', '0A000', packet(0x20000)],
    ['a startup packet without terminator', '08P01', packet(0x30000, Buffer.from('user\0app'))],
    ['bytes behind the terminator', '08P01', packet(0x30000, Buffer.from('user\0app\0\0x'))],
    ['no user', '28000', packet(0x30000, Buffer.from('\0'))],
    ['text that is not UTF-8', '08P01', packet(0x30000, Buffer.from([0x75, 0, 0xff, 0, 0]))],
    ['clear bytes behind SSLRequest', '08P01', Buffer.concat([packet(80877103), packet(0x30000)])],
  ])('%s is refused with %s', async (_what, code, bytes) => {
    expect(codeOf(await exchange(bytes))).toBe(code)
  })

  test('a newer minor version and unknown extensions are negotiated down before the log-in', async () => {
    const parameters = new Map([
      ['user', 'app@ep-a'],
      ['_pq_.extra', '1'],
    ])
    const answer = await new Promise<Buffer>((resolve) => {
      const socket = connect({ host: '127.0.0.1', port: proxy.port }, () =>
        socket.write(encodeStartupMessage(9999, parameters)),
      )
      socket.once('data', (part) => {
        resolve(part)
        socket.destroy()
      })
    })
    expect(String.fromCharCode(answer[0]!)).toBe('v')
    expect(answer.readUInt32BE(5)).toBe(0x30002)
    expect(answer.readUInt32BE(9)).toBe(1)
    expect(answer.toString('latin1', 13, 24)).toBe('_pq_.extra\0')
  })

  test('direct TLS without ALPN is refused', async () => {
    const answer = await new Promise<Buffer>((resolve) => {
      const socket = connectTls({ host: '127.0.0.1', port: proxy.port, ca, servername: HOST })
      socket.on('error', () => undefined)
      socket.once('data', (part: Buffer) => resolve(part))
    })
    expect(codeOf(answer)).toBe('08P01')
  })

  test('a client that says nothing is closed when its time is over', async () => {
    const hasty = await startTestProxy(routes, { limits: { loginMsMax: 200 } })
    try {
      const ended = await new Promise<Buffer>((resolve) => {
        const parts: Buffer[] = []
        const socket = connect({ host: '127.0.0.1', port: hasty.port })
        socket.on('data', (part) => parts.push(part))
        socket.on('close', () => resolve(Buffer.concat(parts)))
      })
      expect(codeOf(ended)).toBe('08006')
    } finally {
      await hasty.close()
    }
  })
})
