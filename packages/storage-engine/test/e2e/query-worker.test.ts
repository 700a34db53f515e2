/** The query worker as its users meet it: same answers as Postgres, two moments in one statement, bounds, refusals. */
import * as fs from 'node:fs'
import * as path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parquetReadObjects } from 'hyparquet'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { tpchLikeQueries } from '../../demo/tpch-like-queries.ts'
import { openHttpStorageAdmin } from '../../src/admin/http-storage-admin-client.ts'
import type { QueryRequest, QueryResult } from '../../src/admin/query-client.ts'
import { isStorageError, type StorageErrorCode } from '../../src/base/errors.ts'
import { decompress } from '../../src/base/zstd.ts'
import { ProjectId, TimelineId } from '../../src/postgres/ids.ts'
import { type QueryFixture, startQueryWorker } from '../query-fixture.ts'
import { type Stack, startStack } from '../stack-fixture.ts'
import { postgresRows, workerRows } from './compare-rows.ts'

const SCALE = 0.01

let stack: Stack
let worker: QueryFixture
let base: Pick<QueryRequest, 'projectId' | 'timelineId'>

beforeAll(async () => {
  stack = await startStack()
  worker = await startQueryWorker(stack, { queryTimeoutMs: 60_000 })
  const { projectId } = await stack.describe()
  base = {
    projectId: ProjectId.parse(projectId),
    timelineId: TimelineId.parse((await stack.branch('main')).timelineId),
  }
  const demo = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../demo/tpch-like.sql')
  await stack.withClient(async (client) => {
    await client.query(fs.readFileSync(demo, 'utf8'))
    await client.query(`select tpch_like(${SCALE})`)
  })
}, 240_000)

afterAll(async () => {
  await worker?.close()
  await stack?.cleanup()
})

function run(sql: string, more: Partial<QueryRequest> = {}): Promise<QueryResult> {
  return worker.client.run({ ...base, sql, ...more })
}

async function failure(
  sql: string,
  more: Partial<QueryRequest> = {},
): Promise<{ code: StorageErrorCode; message: string }> {
  const error = await run(sql, more).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!isStorageError(error)) throw new Error(`not refused: ${sql}: ${String(error)}`)
  return { code: error.code, message: error.message }
}

async function upkeep(): Promise<void> {
  const { pageserver } = await stack.describe()
  const admin = openHttpStorageAdmin({ url: `http://${pageserver.host}:${pageserver.httpPort}` })
  await admin.runUpkeep(base.projectId, base.timelineId, ['flush', 'compact', 'images'])
}

/** Averages and shares are doubles here and numerics there: the same to nine digits. */
function roughly(rows: readonly string[]): string[] {
  return rows.map((row) => row.replace(/-?\d+\.\d{5,}/g, (text) => Number(text).toPrecision(9))).sort()
}

test('22 TPC-H-like questions are answered as Postgres does, from pages and again from columns', async () => {
  const client = await stack.client()
  try {
    const expected = new Map<string, string[]>()
    for (const [name, sql] of Object.entries(tpchLikeQueries))
      expected.set(name, roughly(await postgresRows(client, sql)))
    const nonEmpty = [...expected.values()].filter((rows) => rows.length > 0).length
    expect(nonEmpty).toBeGreaterThanOrEqual(20)
    for (const name of ['q1', 'q3', 'q9', 'q18']) {
      expect([name, roughly(workerRows(await run(tpchLikeQueries[name]!)))]).toEqual([name, expected.get(name)])
    }
    await upkeep()
    let layersRead = 0
    for (const [name, sql] of Object.entries(tpchLikeQueries)) {
      const result = await run(sql)
      layersRead += result.receipt.layersRead
      expect([name, roughly(workerRows(result))]).toEqual([name, expected.get(name)])
    }
    expect(layersRead).toBeGreaterThan(22)
  } finally {
    await client.end()
  }
})

test('a damaged layer is noticed, and its blocks are read as pages', async () => {
  const sql = 'select count(*), sum(l_quantity), max(l_comment) from lineitem'
  const whole = await run(sql)
  expect(whole.receipt.layersRead).toBeGreaterThan(0)
  const lake = (await filesBelow(path.join(stack.home, 'objects'))).filter((file) => file.endsWith('.parquet'))
  const originals = lake.map((file) => fs.readFileSync(file))
  lake.forEach((file, i) => {
    const damaged = Buffer.from(originals[i]!)
    damaged[Math.floor(damaged.length / 3)]! ^= 1
    fs.writeFileSync(file, damaged)
  })
  const other = await startQueryWorker(stack)
  try {
    const result = await other.client.run({ ...base, sql })
    expect(result.rows).toEqual(whole.rows)
    expect(result.receipt.layersRead).toBe(0)
    expect(result.notes.join()).toMatch(/layer of lineitem is damaged/)
  } finally {
    await other.close()
    lake.forEach((file, i) => {
      fs.writeFileSync(file, originals[i]!)
    })
  }
})

test('rows of pages that a layer keeps whole, since a tuple has more columns than the table, are in the answer', async () => {
  await stack.query(
    `create table whole_pages (id int primary key, note text); insert into whole_pages select i, rpad('n' || i, 600, 'x') from generate_series(1, 500) i`,
  )
  const [undone, open] = [await stack.client(), await stack.client()]
  try {
    for (const statement of [
      'begin',
      'alter table whole_pages add column extra int default 7',
      `insert into whole_pages select i, 'undone', 8 from generate_series(1001, 1020) i`,
      'rollback',
    ]) {
      await undone.query(statement)
    }
    await open.query('begin')
    await open.query('alter table whole_pages add column more numeric')
    await open.query(`insert into whole_pages select i, 'open', i / 4.0 from generate_series(2001, 2300) i`)
    // A commit of another session, and a question after it: everything before it has been ingested.
    await stack.query('create table after_whole_pages ()')
    await run('select count(*) from whole_pages')
    await upkeep()
    const before = await run('select count(*), sum(id), max(substr(note, 1, 3)) from whole_pages')
    expect(before.rows).toEqual([['500', '125250', 'n9x']])
    expect(before.receipt.layersRead).toBe(1)
    expect(before.receipt.dirtyBlocks).toBeLessThan(before.receipt.tables[0]!.blocks)
    await open.query('commit')
    const after = await run('select * from whole_pages')
    expect(after.receipt.layersRead).toBe(1)
    expect(workerRows(after)).toEqual(await postgresRows(open, 'select * from whole_pages'))
    expect((await run('select count(*) from whole_pages', { at: { lsn: before.receipt.lsn } })).rows).toEqual([['500']])
  } finally {
    await Promise.all([undone.end(), open.end()])
  }
})

test('a row is in the answer as soon as its commit is acknowledged', async () => {
  await stack.query('create table fresh (id int primary key, at timestamptz default clock_timestamp())')
  await stack.withClient(async (client) => {
    for (let id = 1; id <= 40; id++) {
      await client.query(`insert into fresh values (${id})`)
      const { rows, receipt } = await run('select count(*), max(id) from fresh')
      expect(rows).toEqual([[String(id), id]])
      expect(receipt.lagBytes).toBe(0)
      expect(receipt.commitTime).not.toBeNull()
    }
  })
})

test('two moments and two branches are read in one statement', async () => {
  await stack.query(
    `create table ledger (id int primary key, amount int); insert into ledger select i, 10 from generate_series(1, 100) i`,
  )
  const [before] = await stack.query<{ lsn: string; now: string }>(
    `select pg_current_wal_insert_lsn()::text as lsn, to_char(clock_timestamp() at time zone 'utc', 'YYYY-MM-DD HH24:MI:SS.US') || 'Z' as now`,
  )
  await stack.createBranch('dev')
  await stack.startBranch('dev')
  await stack.query('update ledger set amount = 99 where id <= 5', [], 'dev')
  await stack.query('update ledger set amount = 20 where id <= 3; delete from ledger where id = 100')
  const branches = { dev: TimelineId.parse((await stack.branch('dev')).timelineId) }
  const ask = async (sql: string): Promise<unknown> => (await run(sql, { branches })).rows
  const at = `AT (LSN => '${before!.lsn}')`
  expect(
    await ask(
      `select count(*), sum(now.amount), sum(old.amount) from ledger now right join ledger ${at} old using (id)`,
    ),
  ).toEqual([['100', '1020', '1000']])
  expect(await ask(`select id from ledger AT (TIME => '${before!.now}') except select id from ledger`)).toEqual([[100]])
  expect(
    await ask(
      `select l.id, l.amount, d.amount from ledger l join public.ledger AT (BRANCH => 'dev') d on l.id = d.id where l.amount <> d.amount order by 1`,
    ),
  ).toEqual([
    [1, 20, 99],
    [2, 20, 99],
    [3, 20, 99],
    [4, 10, 99],
    [5, 10, 99],
  ])
  expect(await ask(`select sum(amount) from ledger AT (BRANCH => 'dev', LSN => '${before!.lsn}')`)).toEqual([['1000']])
  const whole = await run('select sum(amount) from ledger', { at: { lsn: before!.lsn } })
  expect(whole.rows).toEqual([['1000']])
  expect(whole.receipt.lagBytes).toBeGreaterThan(0)
  expect(whole.receipt.lsn).toBe(before!.lsn)
  await stack.stopBranch('dev')
  expect((await run('select max(amount) from ledger', { timelineId: branches.dev })).rows).toEqual([[99]])
})

test('names are found as Postgres finds them: schemas, quotes, partitions, catalogs; what cannot be read says why', async () => {
  await stack.query(`create schema "Big"; create table "Big"."T" ("Id" int, "id" int); insert into "Big"."T" values (1, 2);
    create table parted (k int, v text) partition by list (k); create table parted_1 partition of parted for values in (1); create table parted_2 partition of parted default;
    insert into parted values (1, 'a'), (2, 'b'), (3, 'c'); create view vw as select 1; create sequence sq; create unlogged table ul (x int)`)
  const result = await run('select * from "Big"."T"')
  expect([result.columns.map(({ name }) => name), result.rows]).toEqual([['Id', 'id_1'], [[1, 2]]])
  expect(result.notes.join()).toMatch(/differs from it in case alone/)
  expect((await run('select count(*), max(v) from PARTED')).rows).toEqual([['3', 'c']])
  expect((await run('select count(*) from parted_2')).rows).toEqual([['2']])
  // A partition may number its columns in another way than its parent.
  await stack.query(`create table parted_3 (gone int, v text, k int); alter table parted_3 drop column gone;
    insert into parted_3 values ('odd', 30), ('order', 31); alter table parted detach partition parted_2; alter table parted attach partition parted_3 for values in (30, 31)`)
  expect((await run('select k, v from parted order by k')).rows).toEqual([
    [1, 'a'],
    [30, 'odd'],
    [31, 'order'],
  ])
  expect((await run(`select relname from pg_catalog.pg_class where relname = 'parted_1'`)).rows).toEqual([['parted_1']])
  expect((await run(`with parted as (select 7 as x) select * from parted`)).rows).toEqual([[7]])
  expect(await failure('select * from partd')).toMatchObject({
    code: 'not-found',
    message: expect.stringMatching(/"public.parted".*position=15/),
  })
  expect(await failure('select * frm parted')).toMatchObject({
    code: 'invalid-input',
    message: expect.stringMatching(/syntax error.*position=/),
  })
  expect(await failure('select nme from parted')).toMatchObject({
    code: 'invalid-input',
    message: expect.stringMatching(/nme/),
  })
  for (const [sql, why] of [
    ['select * from vw', /is a view.*use the tables/],
    ['select * from sq', /sequence/],
    ['select * from ul', /unlogged/],
    ['select * from pg_authid', /not readable/],
  ] as const) {
    expect(await failure(sql)).toMatchObject({ code: 'unsupported', message: expect.stringMatching(why) })
  }
  expect(await failure('select 1', { database: 'nowhere' })).toMatchObject({ code: 'not-found' })
  expect(await failure('select * from parted', { at: { lsn: 'F/0' } })).toMatchObject({
    code: 'invalid-input',
    message: expect.stringMatching(/beyond the end/),
  })
  expect(await failure('select * from parted', { at: { lsn: 'zzz' } })).toMatchObject({ code: 'invalid-input' })
  expect((await failure('select * from parted', { at: { lsn: '0/1' } })).code).toMatch(/not-found/)
  expect(await failure(`select * from parted AT (BRANCH => 'none')`)).toMatchObject({ code: 'not-found' })
  expect(await failure('select 1', { timelineId: TimelineId.parse('e'.repeat(32)) })).toMatchObject({
    code: 'not-found',
  })
})

test('a plan that is drawn with its figures names no file of the worker', async () => {
  for (const sql of [
    'explain analyze select count(*), max(l_comment) from lineitem join orders on l_orderkey = o_orderkey',
    // Not a count of rows, which the figures of the files may answer without a scan.
    'explain select max(l_comment) from lineitem',
  ]) {
    const text = JSON.stringify((await run(sql)).rows)
    expect(text).toMatch(/AGGREGATE/)
    // Names are broken over several lines of a box.
    expect(text.replace(/[^A-Za-z0-9/.]/g, '')).not.toMatch(/Filename|[.]parquet|tributaryquery|objects/)
  }
})

test('nothing but the data of the branch can be reached', async () => {
  const secret = path.join(worker.directory, 'secret.csv')
  fs.writeFileSync(secret, 'a\n1\n')
  for (const sql of [
    `select * from '${secret}'`,
    `select * from "${secret}"`,
    `select * from read_csv('${secret}')`,
    `select content from read_text('${secret}')`,
    `copy (select 1) to '${secret}'`,
    'select * from duckdb_settings()',
    `select current_setting('temp_directory')`,
    `set memory_limit = '10GB'`,
    `attach '${secret}' as x`,
    'install httpfs',
    'select 1; drop view public.parted',
    'create table x as select 1',
    `select * from main.x`,
    `select * from information_schema.tables`,
    `select * from sqlite_master`,
    `select * from duckdb_tables`,
  ]) {
    expect([sql, (await failure(sql)).code]).toEqual([
      sql,
      expect.stringMatching(/invalid-input|not-found|unsupported/),
    ])
  }
})

test('limits end a query and leave nothing behind: rows, time, memory, cancel, queue', async () => {
  const rows = await run('select * from generate_series(1, 100) t(i)', { limits: { rowsMax: 7 } })
  expect([rows.rows.length, rows.isTruncated]).toEqual([7, true])
  const heavy = 'select count(*) from lineitem a, lineitem b where a.l_comment < b.l_comment'
  expect(await failure(heavy, { limits: { timeoutMs: 600 } })).toMatchObject({
    code: 'exhausted',
    message: expect.stringMatching(/time limit/),
  })
  const greedy =
    'select max(c), max(n) from (select l_comment || i as c, row_number() over (order by l_comment || i) as n from lineitem, generate_series(1, 200) t(i)) x'
  const small = await startQueryWorker(stack, { queryMemoryMb: 128, querySpillMb: 64 })
  try {
    const error = await small.client.run({ ...base, sql: greedy }).catch((reason: unknown) => reason)
    expect(isStorageError(error, 'exhausted') && error.message).toMatch(/memory or disk/)
  } finally {
    await small.close()
  }
  const running = [1, 2].map((i) => failure(heavy, { queryId: `heavy-${i}` }))
  const queued = failure(heavy, { queryId: 'queued' })
  await until(async () => (await worker.client.list()).length === 3)
  const listed = await worker.client.list()
  expect(listed.map(({ queryId, state }) => [queryId, state]).sort()).toEqual([
    ['heavy-1', 'running'],
    ['heavy-2', 'running'],
    ['queued', 'queued'],
  ])
  for (const queryId of ['queued', 'heavy-1', 'heavy-2', 'never-there']) await worker.client.cancel(queryId)
  for (const ended of [...running, queued]) expect((await ended).code).toBe('aborted')
  expect(await worker.client.list()).toEqual([])
  await until(async () => fs.readdirSync(path.join(worker.directory, 'queries')).length === 0)
  expect((await run('select 1 as one')).rows).toEqual([[1]])
})

test('a whole result is exported as CSV and as Parquet that other readers read', async () => {
  const sql =
    'select o_orderkey, o_orderdate, o_totalprice, o_comment from orders where o_orderkey <= 500 order by o_orderkey'
  const csv = Buffer.from(await worker.client.export({ ...base, sql, format: 'csv' }))
    .toString('utf8')
    .trim()
    .split('\n')
  expect(csv[0]).toBe('o_orderkey,o_orderdate,o_totalprice,o_comment')
  const [count] = await stack.query<{ n: number }>('select count(*)::int as n from orders where o_orderkey <= 500')
  expect(csv.length - 1).toBe(count!.n)
  const bytes = await worker.client.export({ ...base, sql, format: 'parquet' })
  const compressors = { ZSTD: (input: Uint8Array, size: number) => decompress(input, size) }
  const file = await parquetReadObjects({ file: bytes.slice().buffer as ArrayBuffer, compressors })
  expect(file.length).toBe(count!.n)
})

test('a moment that the restore window has left behind is refused by name, and rows that no undamaged layer can give fail with object and offset', async () => {
  await stack.query(`create table kept as select i, md5(i::text) as v from generate_series(1, 20000) i`)
  const [before] = await stack.query<{ lsn: string }>('select pg_current_wal_insert_lsn()::text as lsn')
  await stack.query('update kept set v = upper(v) where i % 3 = 0')
  const sql = 'select count(*), count(distinct v), max(v) from kept'
  const whole = await run(sql)
  await upkeep()
  const { pageserver } = await stack.describe()
  const admin = openHttpStorageAdmin({ url: `http://${pageserver.host}:${pageserver.httpPort}` })
  await admin.setPitrWindow(base.projectId, 0)
  await admin.runUpkeep(base.projectId, base.timelineId, ['flush', 'gc'])
  expect(await failure(sql, { at: { lsn: before!.lsn } })).toMatchObject({
    code: 'not-found',
    message: expect.stringMatching(/older than the history kept.*oldestLsn=/),
  })
  // Columns, and the merged deltas that they could be made of again: the lease of the server keeps those.
  const objects = (await filesBelow(path.join(stack.home, 'objects'))).filter((file) => /-[cd]1-[^/]*$/.test(file))
  const originals = objects.map((file) => fs.readFileSync(file))
  await stack.admin('POST', '/processes/pageserver/stop')
  fs.rmSync(path.join(stack.home, 'pageserver'), { recursive: true })
  objects.forEach((file, i) => {
    const damaged = Buffer.from(originals[i]!)
    for (let at = 100; at < damaged.length - 8192; at += 1000) damaged[at]! ^= 1
    fs.writeFileSync(file, damaged)
  })
  await stack.admin('POST', '/processes/pageserver/start')
  const other = await startQueryWorker(stack)
  /** The answer or the failure, once the PageServer is up again. */
  const outcomeOf = async (client: typeof other.client): Promise<unknown> => {
    let outcome: unknown
    await until(async () => {
      outcome = await client.run({ ...base, sql }).catch((reason: unknown) => reason)
      return !isStorageError(outcome, 'unavailable')
    })
    return outcome
  }
  try {
    const error = await outcomeOf(other.client)
    expect(isStorageError(error, 'corruption') ? error.message : error).toMatch(
      /(damaged|checksum).*object=\S+.*offsetBytes=\d+/,
    )
  } finally {
    await other.close()
    await stack.admin('POST', '/processes/pageserver/stop')
    objects.forEach((file, i) => {
      fs.writeFileSync(file, originals[i]!)
    })
    await stack.admin('POST', '/processes/pageserver/start')
  }
  expect(await outcomeOf(worker.client)).toMatchObject({ rows: whole.rows })
})

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await fs.promises.readdir(folder, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name))
}

async function until(isDone: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 20_000
  while (!(await isDone())) {
    if (performance.now() > deadline) throw new Error('waited in vain')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
