import pg from 'pg'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { PostgresFixture } from '../../../../packages/storage-engine/test/postgres-fixture.ts'
import { startScramPostgres, startTestProxy, type TestProxy, TestRoutes } from '../../test/proxy-fixture.ts'

/** A stock Postgres whose commits wait for a standby that never comes: what a compute is without its quorum. */
let server: PostgresFixture
let proxy: TestProxy

beforeAll(async () => {
  server = await startScramPostgres(27120)
  await server.query('create table t (n int)', [], 'app')
  await server.query('alter table t owner to app', [], 'app')
  await server.query(
    `create procedure p() language plpgsql as 'begin insert into t values (100); commit; insert into t values (101); end'`,
    [],
    'app',
  )
  const routes = new TestRoutes()
  await routes.add('ep-a', server)
  proxy = await startTestProxy(routes)
  await setQuorum(false)
})

afterAll(async () => {
  await proxy?.close()
  await server?.cleanup()
})

async function setQuorum(isThere: boolean): Promise<void> {
  await server.query(`alter system set synchronous_standby_names = '${isThere ? '' : 'quorum'}'`)
  await server.query('select pg_reload_conf()')
  const wanted = isThere ? '' : 'quorum'
  while ((await server.query('show synchronous_standby_names'))[0]?.synchronous_standby_names !== wanted)
    await new Promise((resolve) => setTimeout(resolve, 20))
}

/** Resolves when this client's backend, and no other, waits for the quorum. */
async function untilWaiting(): Promise<void> {
  const waiting = async () =>
    (await server.query(`select query from pg_stat_activity where wait_event = 'SyncRep'`)).map((row) => row.query)
  await expect.poll(waiting, { timeout: 20_000 }).toEqual([expect.stringMatching(/./)])
}

async function connectPg(): Promise<pg.Client> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port: proxy.port,
    user: 'app@ep-a',
    password: 'secret',
    database: 'app',
  })
  client.on('error', () => undefined)
  await client.connect()
  return client
}

/** Through the proxy, with the key the proxy gave. */
async function cancel(client: pg.Client): Promise<void> {
  const { processID, secretKey } = client as unknown as { processID: number; secretKey: number }
  const canceller = new pg.Client({ host: '127.0.0.1', port: proxy.port }) as unknown as {
    connection: {
      connect(port: number, host: string): void
      cancel(processId: number, secretKey: number): void
      on(event: string, listener: () => void): void
    }
  }
  await new Promise<void>((resolve) => {
    const { connection } = canceller
    connection.on('connect', () => connection.cancel(processID, secretKey))
    connection.on('end', () => resolve())
    connection.on('error', () => resolve())
    connection.connect(proxy.port, '127.0.0.1')
  })
}

const UNKNOWN = { code: '40003', message: expect.stringContaining('outcome unknown') }

describe('a commit whose wait is cancelled', () => {
  test.each([
    ['simple query', (client: pg.Client) => client.query('insert into t values (1)')],
    ['extended query', (client: pg.Client) => client.query('insert into t values ($1)', [2])],
    ['create table as', (client: pg.Client) => client.query('create table c as select * from t', [])],
    ['several statements', (client: pg.Client) => client.query('insert into t values (3); insert into t values (4)')],
    [
      'explicit commit',
      async (client: pg.Client) => {
        await client.query('begin')
        await client.query('insert into t values (5)')
        await client.query('commit')
      },
    ],
  ])('%s: the client sees 40003, and its session goes on', async (_how, work) => {
    const client = await connectPg()
    try {
      const outcome = expect(work(client)).rejects.toMatchObject(UNKNOWN)
      await untilWaiting()
      await cancel(client)
      await outcome
      expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    } finally {
      await client.end()
    }
  })

  test.each([
    ['simple query', (client: pg.Client) => client.query('insert into t values (11)')],
    ['extended query', (client: pg.Client) => client.query('insert into t values ($1)', [12])],
  ])('%s: also when the client hides warnings from itself', async (_how, work) => {
    const client = await connectPg()
    try {
      await client.query('set client_min_messages = error')
      const outcome = expect(work(client)).rejects.toMatchObject(UNKNOWN)
      await untilWaiting()
      await cancel(client)
      await outcome
      expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    } finally {
      await client.end()
    }
  })

  test('postgres.js: the cancelled insert rejects', async () => {
    const sql = postgres({
      host: '127.0.0.1',
      port: proxy.port,
      user: 'app@ep-a',
      password: 'secret',
      database: 'app',
      max: 1,
    })
    try {
      const insert = sql`insert into t values (21)`
      const outcome = expect(insert).rejects.toMatchObject(UNKNOWN)
      await untilWaiting()
      insert.cancel()
      await outcome
    } finally {
      await sql.end({ timeout: 5 })
    }
  })

  test('a backend told to end while it waits', async () => {
    const client = await connectPg()
    const outcome = expect(client.query('insert into t values ($1)', [31])).rejects.toMatchObject(UNKNOWN)
    await untilWaiting()
    await server.query(`select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'SyncRep'`)
    await outcome
    await client.end().catch(() => undefined)
  })

  test('a procedure that commits inside itself, broken by its own timeout', async () => {
    const client = await connectPg()
    try {
      await client.query(`set statement_timeout = '300ms'`)
      const logBytes = server.logText().length
      const outcome = expect(client.query('call p()')).rejects.toMatchObject(UNKNOWN)
      // The timeout breaks the first commit's wait; the second commit waits on.
      await expect.poll(() => server.logText().length).toBeGreaterThan(logBytes)
      await untilWaiting()
      await cancel(client)
      await outcome
    } finally {
      await client.end()
    }
  })

  test('a session that dies while it waits gets no CommandComplete', async () => {
    const client = await connectPg()
    const insert = client.query('insert into t values ($1)', [41])
    const outcome = expect(insert).rejects.toMatchObject({ code: '57P01' })
    await untilWaiting()
    proxy.proxy.sessions.endElsewhere('ep-a', null)
    await outcome
    await client.end().catch(() => undefined)
    await setQuorum(true)
    await setQuorum(false)
  })
})

describe('cancel requests that break no commit', () => {
  test('a running query ends with 57014', async () => {
    const client = await connectPg()
    try {
      const outcome = expect(client.query('select pg_sleep(60)')).rejects.toMatchObject({ code: '57014' })
      await expect
        .poll(
          async () =>
            (await server.query(`select count(*)::int as n from pg_stat_activity where wait_event = 'PgSleep'`))[0]?.n,
        )
        .toBe(1)
      await cancel(client)
      await outcome
      expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    } finally {
      await client.end()
    }
  })

  test('one that comes between two queries changes nothing', async () => {
    const client = await connectPg()
    try {
      await cancel(client)
      // The first may be hit by the request itself.
      await client.query('select 1').catch(() => undefined)
      for (let n = 0; n < 5; n++) expect((await client.query('select $1::int as n', [n])).rows).toEqual([{ n }])
    } finally {
      await client.end()
    }
  })

  test('one with a key that nobody has is closed without an answer', async () => {
    await cancel({ processID: 1, secretKey: 1 } as unknown as pg.Client)
  })
})
