import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type PostgresFixture, startPostgres } from '../postgres-fixture.ts'
import { type Stack, startStack } from '../stack-fixture.ts'
import { amcheckDatabase } from './amcheck.ts'
import { transcript } from './sql-transcript.ts'
import { contribExtensions, sqlZoo } from './sql-zoo.ts'

let stack: Stack
let stock: PostgresFixture

beforeAll(async () => {
  ;[stack, stock] = await Promise.all([startStack(), startPostgres({ settings: { max_prepared_transactions: 20 } })])
}, 180_000)

afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(stack.logTail())
})

afterAll(async () => {
  await Promise.all([stack?.cleanup(), stock?.cleanup()])
})

for (const script of sqlZoo) {
  test(`answers every statement as stock Postgres does: ${script.title}`, async () => {
    const reference = await stock.connect()
    const expected = await transcript(reference, script)
    const actual = await stack.withClient((client) => transcript(client, script))
    expect(actual).toEqual(expected)
  })
}

test('every contrib extension of the binaries can be created', async () => {
  await stack.withClient(async (client) => {
    for (const name of contribExtensions) await client.query(`create extension if not exists "${name}" cascade`)
  })
})

for (const strategy of ['wal_log', 'file_copy']) {
  test(`a database made with strategy ${strategy} holds what its template held, and can be dropped`, async () => {
    const name = `copy_${strategy}`
    await stack.withClient(async (client) => {
      await client.query('create table if not exists template_data as select generate_series(1, 5000) i')
      await client.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = 'postgres' and pid <> pg_backend_pid()",
      )
    })
    await stack.withClient(
      (client) => client.query(`create database ${name} template postgres strategy ${strategy}`),
      'main',
      'template1',
    )
    await stack.withClient(
      async (client) => {
        const { rows } = await client.query('select count(*)::int as n, sum(i)::int as s from template_data')
        expect(rows).toEqual([{ n: 5000, s: 12_502_500 }])
        expect(await amcheckDatabase(client)).toEqual([])
      },
      'main',
      name,
    )
    await stack.withClient((client) => client.query(`drop database ${name}`))
  })
}

test('everything is still there, and amcheck finds nothing, in a new compute at the final LSN', async () => {
  const before = await stack.withClient((client) => tableDigests(client))
  await stack.admin('POST', '/branches/main/stop')
  await stack.admin('POST', '/branches/main/start')
  await stack.withClient(async (client) => {
    expect(await tableDigests(client)).toEqual(before)
    expect(await amcheckDatabase(client)).toEqual([])
  })
})

async function tableDigests(client: { query(sql: string): Promise<{ rows: unknown[] }> }): Promise<unknown[]> {
  const { rows } = await client.query(
    `select c.oid::regclass::text as name, (xpath('/row/d/text()', query_to_xml(
       format('select count(*) || '':'' || coalesce(sum(hashtext(t::text)::bigint), 0) as d from %s t', c.oid::regclass), false, true, '')))[1]::text as digest
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'm') and c.relpersistence = 'p' and n.nspname = 'public' order by 1`,
  )
  expect(rows.length).toBeGreaterThan(5)
  return rows
}
