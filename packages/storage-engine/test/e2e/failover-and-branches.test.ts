import pg from 'pg'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type Stack, startStack } from '../stack-fixture.ts'
import { amcheckDatabase } from './amcheck.ts'
import { Ledger } from './ledger.ts'
import { expectPromisesKept } from './promises.ts'

let stack: Stack
let uri = ''

beforeAll(async () => {
  stack = await startStack()
  uri = (await stack.branch()).uri!
}, 180_000)

afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(stack.logTail())
})

afterAll(async () => {
  await stack?.cleanup()
})

test('a second compute fences the first while it is under load: nothing acknowledged is lost, the first kills its Postgres', async () => {
  const ledger = new Ledger({ clientCount: 4, connection: () => ({ connectionString: uri }) })
  await ledger.createTables()
  ledger.start()
  await ledger.progress(100)
  const old = (await stack.branch()).compute!
  await stack.admin('POST', '/branches/main/failover', { keepOld: true })
  await ledger.progress(100)
  await ledger.stop()
  const now = (await stack.branch()).compute!
  expect(now.computeId).not.toBe(old.computeId)
  await expect.poll(() => canConnect(old.postgresPort), { timeout: 20_000 }).toBe(false)
  await expectPromisesKept(stack, ledger)
})

test('three failovers in a row, the old primary killed each time, keep every acknowledged row', async () => {
  const ledger = new Ledger({ clientCount: 2, connection: () => ({ connectionString: uri }), accountCount: 100 })
  await stack.withClient((client) => client.query('drop table ledger; drop table account'))
  await ledger.createTables()
  ledger.start()
  for (let round = 0; round < 3; round++) {
    await ledger.progress(50)
    await stack.admin('POST', '/branches/main/failover', {})
  }
  await ledger.progress(50)
  await ledger.stop()
  const findings = await ledger.findings()
  expect(findings.lost).toEqual([])
  expect(findings.invented).toEqual([])
})

test('a branch at the tip, at an LSN and at a time shows exactly what was committed then; parent and child go their own ways', async () => {
  const moments: { lsn: string; time: string; rows: number }[] = []
  await stack.withClient(async (client) => {
    await client.query('create table branch_rows (i int primary key)')
    for (let step = 1; step <= 3; step++) {
      await client.query('insert into branch_rows select generate_series($1::int, $2::int)', [
        step * 100,
        step * 100 + 49,
      ])
      const { rows } = await client.query(
        `select pg_current_wal_insert_lsn()::text as lsn, clock_timestamp()::text as time`,
      )
      moments.push({ lsn: rows[0].lsn, time: new Date(rows[0].time).toISOString(), rows: step * 50 })
      await new Promise((resolve) => setTimeout(resolve, 30))
    }
  })
  const cases: { name: string; at?: unknown; rows: number }[] = [
    { name: 'tip', rows: 150 },
    { name: 'by-lsn', at: { lsn: moments[0]!.lsn }, rows: 50 },
    { name: 'by-time', at: { time: moments[1]!.time }, rows: 100 },
  ]
  for (const { name, at, rows } of cases) {
    await stack.admin('POST', '/branches', { name, ...(at === undefined ? {} : { at }) })
    await stack.admin('POST', `/branches/${name}/start`)
    await stack.withClient(async (client) => {
      expect((await client.query('select count(*)::int as n from branch_rows')).rows).toEqual([{ n: rows }])
      await client.query('insert into branch_rows select generate_series(10000, 10000 + 9)')
      await client.query('delete from branch_rows where i < 110')
      expect(await amcheckDatabase(client)).toEqual([])
    }, name)
  }
  await stack.withClient(async (client) => {
    expect((await client.query('select count(*)::int as n from branch_rows')).rows).toEqual([{ n: 150 }])
  })
  await stack.admin('POST', '/branches', { name: 'grandchild', parent: 'by-time' })
  await stack.admin('POST', '/branches/grandchild/start')
  await stack.withClient(async (client) => {
    expect((await client.query('select count(*)::int as n from branch_rows')).rows).toEqual([{ n: 100 }])
  }, 'grandchild')
  await expect(stack.admin('DELETE', '/branches/by-time')).rejects.toThrow(/child/)
  for (const name of ['grandchild', 'by-time', 'by-lsn', 'tip']) await stack.admin('DELETE', `/branches/${name}`)
  await stack.withClient(async (client) => {
    expect((await client.query('select count(*)::int as n from branch_rows')).rows).toEqual([{ n: 150 }])
  })
})

test('a restore to before a DROP TABLE brings the table back and keeps the old history as a branch', async () => {
  const before = await stack.withClient(async (client) => {
    await client.query('create table precious as select generate_series(1, 20000) i')
    const { rows } = await client.query('select pg_current_wal_insert_lsn()::text as lsn')
    await client.query('drop table precious')
    await client.query('create table after_drop as select 1 as i')
    return rows[0].lsn as string
  })
  await stack.admin('POST', '/branches/main/restore', { keptAs: 'main-before-restore', at: { lsn: before } })
  await stack.withClient(async (client) => {
    expect((await client.query('select count(*)::int as n from precious')).rows).toEqual([{ n: 20_000 }])
    expect((await client.query(`select to_regclass('after_drop') as t`)).rows).toEqual([{ t: null }])
  })
  await stack.admin('POST', '/branches/main-before-restore/start')
  await stack.withClient(async (client) => {
    expect((await client.query('select count(*)::int as n from after_drop')).rows).toEqual([{ n: 1 }])
  }, 'main-before-restore')
})

test('a branch made under load holds a consistent moment of its parent', async () => {
  await stack.withClient((client) => client.query('drop table if exists ledger; drop table if exists account'))
  const ledger = new Ledger({ clientCount: 4, connection: () => ({ connectionString: uri }) })
  await ledger.createTables()
  ledger.start()
  for (let round = 0; round < 2; round++) {
    await ledger.progress(60)
    const name = `load-${round}`
    await stack.admin('POST', '/branches', { name })
    await stack.admin('POST', `/branches/${name}/start`)
    await stack.withClient(async (client) => {
      const { rows } = await client.query(
        `select sum(balance)::int as b, sum(received)::int - (select coalesce(sum(amount), 0) from ledger)::int as d from account`,
      )
      expect(rows).toEqual([{ b: 0, d: 0 }])
      expect(await amcheckDatabase(client)).toEqual([])
    }, name)
    await stack.admin('POST', `/branches/${name}/stop`)
  }
  await ledger.stop()
  const findings = await ledger.findings()
  expect(findings.lost).toEqual([])
})

test('bad branch requests are refused with a message that names the field', async () => {
  await expect(stack.admin('POST', '/branches', { name: 'Bad Name!' })).rejects.toThrow(/name/)
  await expect(stack.admin('POST', '/branches', { name: 'x', at: { lsn: 'nonsense' } })).rejects.toThrow(/lsn/)
  await expect(stack.admin('POST', '/branches', { name: 'x', at: { lsn: 'FFFFF/0' } })).rejects.toThrow(/lsn/)
  await expect(stack.admin('POST', '/branches', { name: 'x', at: { lsn: '0/10' } })).rejects.toThrow(/lsn/)
  await expect(stack.admin('POST', '/branches', { name: 'x', parent: 'nobody' })).rejects.toThrow(/branch/)
  await expect(stack.admin('POST', '/branches', { name: 'main' })).rejects.toThrow(/name/)
})

async function canConnect(port: number): Promise<boolean> {
  const { uri: address } = await stack.branch()
  const url = new URL(address!)
  url.port = String(port)
  const client = new pg.Client({ connectionString: url.href, connectionTimeoutMillis: 2000 })
  client.on('error', () => {})
  try {
    await client.connect()
    return true
  } catch {
    return false
  } finally {
    await client.end().catch(() => {})
  }
}
