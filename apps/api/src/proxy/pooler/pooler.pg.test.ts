import { execFileSync, spawn } from 'node:child_process'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findProgram } from '../../../../../packages/storage-engine/src/io/find-program.ts'
import type { PostgresFixture } from '../../../../../packages/storage-engine/test/postgres-fixture.ts'
import {
  requestCancel,
  startScramPostgres,
  startTestProxy,
  type TestProxy,
  TestRoutes,
} from '../../../test/proxy-fixture.ts'

const pgbouncer = findProgram('pgbouncer', process.env)

describe.skipIf(pgbouncer === undefined)('pooled names, where PgBouncer is installed', () => {
  let server: PostgresFixture
  let routes: TestRoutes
  let proxy: TestProxy

  beforeAll(async () => {
    server = await startScramPostgres(27190, { max_connections: 30 })
    routes = new TestRoutes()
    await routes.add('ep-a', server, { connectionsMax: 5 })
    proxy = await startTestProxy(routes, { pooler: pgbouncer ?? '' })
  })
  afterAll(async () => {
    await proxy?.close()
    await server?.cleanup()
  })

  const open = async (more: pg.ClientConfig = {}) => {
    const client = new pg.Client({
      host: '127.0.0.1',
      port: proxy.port,
      user: 'app@ep-a-pooler',
      password: 'secret',
      database: 'app',
      ...more,
    })
    client.on('error', () => undefined)
    await client.connect()
    return client
  }
  const refusal = (more: pg.ClientConfig) =>
    open(more).then(
      () => ({ code: 'accepted' }),
      (error: { code?: string; message: string }) => error,
    )
  const backends = async () =>
    Number((await server.query(`select count(*) as n from pg_stat_activity where usename = 'app'`))[0]?.n)

  test('more clients than the endpoint has connections share its connections, and their transactions stay whole', async () => {
    const clients = await Promise.all(Array.from({ length: 40 }, () => open()))
    try {
      await clients[0]!.query('create table counted (n int)')
      await Promise.all(
        clients.map(async (client, n) => {
          await client.query('begin')
          await client.query(`insert into counted values (${n})`)
          await client.query(n % 2 === 0 ? 'commit' : 'rollback')
        }),
      )
      const { rows } = await clients[7]!.query('select count(*)::int as n, sum(n)::int as sum from counted')
      expect(rows).toEqual([{ n: 20, sum: 380 }])
      expect(await backends()).toBeLessThanOrEqual(4)
    } finally {
      await Promise.all(clients.map((client) => client.end()))
    }
  })

  test('pooled clients do not use up the places of the others', async () => {
    const pooled = await Promise.all(Array.from({ length: 6 }, () => open()))
    const direct = await open({ user: 'app@ep-a' })
    expect((await direct.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    await Promise.all([direct, ...pooled].map((client) => client.end()))
  })

  test('roles that come later, and passwords that change, are known at once', async () => {
    const keep = await open()
    const endpoint = routes.endpoints.get('ep-a')
    const learn = async (role: string) => {
      const [row] = await server.query<{ rolpassword: string }>(
        `select rolpassword from pg_authid where rolname = '${role}'`,
      )
      endpoint?.verifiers.set(role, row?.rolpassword ?? '')
    }
    await server.query(`create role "an""other" login password 'first'`)
    await learn('an"other')
    const user = 'an"other@ep-a-pooler'
    const first = await open({ user, password: 'first' })
    expect((await first.query('select current_user as who')).rows).toEqual([{ who: 'an"other' }])
    await server.query(`alter role "an""other" password 'second'`)
    await learn('an"other')
    expect(await refusal({ user, password: 'first' })).toMatchObject({ code: '28P01' })
    const second = await open({ user, password: 'second' })
    expect((await second.query('select current_user as who')).rows).toEqual([{ who: 'an"other' }])
    expect((await keep.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    await Promise.all([keep, first, second].map((client) => client.end()))
  })

  test('a cancel request reaches the statement, and no other', async () => {
    const [victim, other] = await Promise.all([open(), open()])
    const sleeping = victim.query('select pg_sleep(60)').catch((error: { code?: string }) => error.code)
    const alsoSleeping = other.query(`select pg_sleep(1), 'whole' as answer`)
    await expect
      .poll(async () => (await server.query(`select 1 from pg_stat_activity where wait_event = 'PgSleep'`)).length)
      .toBeGreaterThan(0)
    requestCancel(proxy.port, victim)
    expect(await sleeping).toBe('57014')
    expect((await alsoSleeping).rows[0]).toMatchObject({ answer: 'whole' })
    await Promise.all([victim.end(), other.end()])
  })

  test('the console of PgBouncer is closed to clients', async () => {
    expect(await refusal({ database: 'pgbouncer' })).not.toMatchObject({ code: 'accepted' })
  })

  test('settings of the start-up packet are refused by name, a look at the past too', async () => {
    expect(await refusal({ options: '-c geqo=off' })).toMatchObject({ code: '0A000' })
    expect(await refusal({ user: 'app', options: 'endpoint=ep-a-pooler neon_lsn:0/1' })).toMatchObject({
      code: '0A000',
    })
  })

  test('a client that speaks protocol 3.2 is answered with 3.0', async () => {
    const conninfo = `host=127.0.0.1 port=${proxy.port} user=app dbname=app max_protocol_version=latest options=endpoint=ep-a-pooler`
    const child = spawn('psql', [conninfo, '-XAtc', 'select 1 + 1'], { env: { ...process.env, PGPASSWORD: 'secret' } })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
    child.stderr.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
    const code = await new Promise((resolve) => {
      child.once('error', () => resolve('no psql here'))
      child.once('close', resolve)
    })
    // A psql older than 18 does not know the parameter.
    if (code === 0) expect(output.trim()).toBe('2')
    else expect(String(code) + output).toMatch(/no psql here|invalid connection option/)
  })

  test('when the compute moves, sessions of the old pool end and new ones find the new compute', async () => {
    const other = await startScramPostgres(27191)
    try {
      const endpoint = await routes.add('ep-moving', server)
      const before = await open({ user: 'app@ep-moving-pooler' })
      endpoint.server = { host: '127.0.0.1', port: other.port }
      const [row] = await other.query<{ rolpassword: string }>(
        `select rolpassword from pg_authid where rolname = 'app'`,
      )
      endpoint.verifiers.set('app', row?.rolpassword ?? '')
      const after = await open({ user: 'app@ep-moving-pooler' })
      expect((await after.query('select inet_server_port() as port')).rows).toEqual([{ port: other.port }])
      await expect(before.query('select 1')).rejects.toThrow()
      await after.end()
    } finally {
      await other.cleanup()
    }
  })

  test('a commit whose wait for the quorum is cancelled is of unknown outcome, as without a pool', async () => {
    const client = await open()
    await client.query('create table waited (n int)')
    await server.query(`alter system set synchronous_standby_names = 'nobody'`)
    await server.query('select pg_reload_conf()')
    try {
      const inserting = client.query('insert into waited values (1)').catch((error: { code?: string }) => error.code)
      await expect
        .poll(async () => (await server.query(`select 1 from pg_stat_activity where wait_event = 'SyncRep'`)).length)
        .toBe(1)
      requestCancel(proxy.port, client)
      expect(await inserting).toBe('40003')
      await client.end()
    } finally {
      await server.query('alter system reset synchronous_standby_names')
      await server.query('select pg_reload_conf()')
    }
  })

  test('a pooler that is killed is replaced at the next log-in', async () => {
    const before = await open()
    const pids = execFileSync('pgrep', ['-f', 'tributary-poolers-.*pgbouncer.ini']).toString().trim().split('\n')
    expect(pids.length).toBeGreaterThan(0)
    for (const pid of pids) process.kill(Number(pid), 'SIGKILL')
    await expect(before.query('select 1')).rejects.toThrow()
    const after = await open()
    expect((await after.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    await after.end()
  })
})
