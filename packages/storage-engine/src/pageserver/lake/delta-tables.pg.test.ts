/** Published Delta versions against what stock Postgres shows at their LSN; DuckDB reads the files, masked rows left out. */
import fs from 'node:fs'
import path from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { duckdbRows } from '../../../test/delta-rows.ts'
import { LakeFixture, newTimelineId } from '../../../test/lake-fixture.ts'
import { isStorageError } from '../../base/errors.ts'
import { DeltaTable } from '../../delta-log/delta-table.ts'
import type { DeltaSnapshot } from '../../delta-log/snapshot.ts'
import { resolvePath } from '../../delta-writer/data-path.ts'
import type { TimelineId } from '../../postgres/ids.ts'
import { Lsn } from '../../postgres/lsn.ts'

let lake: LakeFixture
beforeAll(async () => {
  lake = await LakeFixture.open({ settings: { max_prepared_transactions: 10 } })
})
afterAll(() => lake?.close())

async function publish(options: { table?: string; lsn?: Lsn; timelineId?: TimelineId } = {}) {
  const { table, lsn, timelineId = lake.rootId } = options
  return lake.service.publishTables({
    projectId: lake.projectId,
    timelineId,
    ...(table === undefined ? {} : { table: { database: 'postgres', schema: 'public', name: table } }),
    ...(lsn === undefined ? {} : { lsn: Lsn.format(lsn) }),
  })
}

async function publishOne(table: string, options: { lsn?: Lsn; timelineId?: TimelineId } = {}) {
  const { published, refused } = await publish({ table, ...options })
  expect(refused).toEqual([])
  expect(published.length).toBe(1)
  return published[0]!
}

interface Field {
  name: string
  type: unknown
  metadata: Record<string, unknown>
}

/** Rows of a version, by display name, as DuckDB reads the data files without the masked positions. */
function rowsOf(prefix: string, snapshot: DeltaSnapshot, select = '*'): Promise<Record<string, unknown>[]> {
  const version = { store: lake.objectStore, prefix, snapshot }
  return duckdbRows(version, async (key) => lake.objectPath(key), select)
}

async function openTable(table: { path: string }, version?: number): Promise<DeltaSnapshot> {
  return new DeltaTable(lake.objectStore, table.path).snapshot(version)
}

const CHECK = `count(*)::varchar as n, sum(id)::varchar as ids, md5(coalesce(string_agg(id || ':' || coalesce(v, '-'), ',' order by id), '')) as hash`
const CHECK_PG = CHECK.replaceAll('varchar', 'text')

async function serverCheck(table: string): Promise<Record<string, unknown>> {
  return (await lake.postgres.query(`select ${CHECK_PG} from ${table}`))[0]!
}

test('a version shows exactly the rows visible at its LSN: no dead, aborted, prepared or unfinished ones', async () => {
  await lake.run(
    'create table t (id int primary key, v text)',
    `insert into t select i, 'v' || i from generate_series(1, 20000) i`,
    "update t set v = v || '+' where id % 5 = 0",
    'delete from t where id % 7 = 0',
    "begin; insert into t select i, 'aborted' from generate_series(30000, 30500) i; rollback",
    "begin; savepoint a; insert into t values (40000, 'kept'); savepoint b; insert into t values (40001, 'undone'); rollback to b; commit",
    `begin; insert into t values (50000, 'prepared'); delete from t where id = 1; prepare transaction 'p'`,
  )
  const open = await lake.postgres.connect()
  await open.query(
    `begin; insert into t values (60000, 'unfinished'); delete from t where id = 2; select id from t where id between 3 and 6 for share`,
  )
  const other = await lake.postgres.connect()
  await other.query(
    `begin; select id from t where id between 3 and 6 for share; commit; update t set v = 'multi' where id = 8`,
  )
  await lake.ingest()
  const expected = await serverCheck('t')
  const table = await publishOne('t')
  expect(table).toMatchObject({ version: 0, isNewVersion: true })
  expect(await rowsOf(table.path, await openTable(table), CHECK)).toEqual([expected])
  expect(String(table.rowCount)).toBe(expected.n)
  await open.query('commit')
  await open.end()
  await other.end()
  await lake.run(`commit prepared 'p'`)
  await lake.ingest()
  const after = await serverCheck('t')
  const next = await publishOne('t')
  expect(next).toMatchObject({ version: 1, isNewVersion: true })
  expect(await rowsOf(next.path, await openTable(next), CHECK)).toEqual([after])
  expect(await rowsOf(next.path, await openTable(next, 0), CHECK)).toEqual([expected])
})

test('publishing what did not change makes no version, and a version at an earlier LSN than the last is refused', async () => {
  const before = await publishOne('t')
  const again = await publishOne('t')
  expect(again.version).toBe(before.version)
  expect(again.isNewVersion).toBe(false)
  const { published, refused } = await publish({ table: 't', lsn: Lsn.of(Lsn.parse(before.lsn) - 8) })
  expect(published).toEqual([])
  expect(refused[0]?.reason).toContain('a later lsn is published already')
})

test('versions on the way, each at its own LSN, equal what the server showed there; checkpoints come of themselves', async () => {
  const seen: { version: number; expected: Record<string, unknown> }[] = []
  let path = ''
  for (let round = 0; round < 12; round++) {
    await lake.run(
      `insert into t select i, 'r${round}' from generate_series(${100_000 + round * 100}, ${100_000 + round * 100 + 50}) i`,
      `update t set v = 'u${round}' where id % 1000 = ${round}`,
      `delete from t where id % 997 = ${round}`,
      ...(round === 4 ? ['vacuum t'] : []),
    )
    await lake.ingest()
    const table = await publishOne('t')
    path = table.path
    seen.push({ version: table.version, expected: await serverCheck('t') })
  }
  expect(
    fs.readdirSync(lake.objectPath(`${path}_delta_log`)).some((name) => name.endsWith('.checkpoint.parquet')),
  ).toBe(true)
  for (const { version, expected } of seen) {
    expect(await rowsOf(path, await openTable({ path }, version), CHECK), `version ${version}`).toEqual([expected])
  }
})

test('renamed, added and dropped columns and an added default are seen without rewriting what is not needed', async () => {
  await lake.run(
    `create table s (id int, "V" text, v text, gone int)`,
    `insert into s select i, 'A' || i, 'a' || i, i from generate_series(1, 500) i`,
  )
  await lake.ingest()
  const first = await publishOne('s')
  expect(
    (JSON.parse((await openTable(first)).metadata.schemaString) as { fields: Field[] }).fields.map(({ name }) => name),
  ).toEqual(['id', 'V', 'v_3', 'gone'])
  await lake.run('alter table s rename "V" to w', 'alter table s drop gone')
  await lake.ingest()
  const renamed = await publishOne('s')
  expect(
    await rowsOf(renamed.path, await openTable(renamed), 'id, w, v').then((rows) => rows.find(({ id }) => id === 7)),
  ).toEqual({ id: 7, w: 'A7', v: 'a7' })
  await lake.run('alter table s add extra int default 42')
  await lake.ingest()
  const added = await publishOne('s')
  expect(await rowsOf(added.path, await openTable(added), 'count(*)::int as n, sum(extra)::int as total')).toEqual([
    { n: 500, total: 500 * 42 },
  ])
})

test('a branch publishes its own table over its parent’s files: nothing is copied', async () => {
  const rootLsn = await lake.ingest()
  const root = await publishOne('t', { lsn: rootLsn })
  const timelineId = newTimelineId()
  await lake.service.createBranch({ projectId: lake.projectId, timelineId, ancestorTimelineId: lake.rootId })
  const before = await lake.service.storageReport(lake.projectId)
  const branch = await publishOne('t', { timelineId })
  const after = await lake.service.storageReport(lake.projectId)
  const columnar = (report: typeof before) => report.byKind.find(({ kind }) => kind === 'columnar-layer')
  expect(columnar(after)).toEqual(columnar(before))
  expect(branch.path).not.toBe(root.path)
  expect(await rowsOf(branch.path, await openTable(branch), CHECK)).toEqual([await serverCheck('t')])
  expect([...(await openTable(branch)).files.values()].every(({ path: name }) => name.startsWith('../'))).toBe(true)
})

test('a partitioned table is one Delta table over its partitions’ files, and each partition is one of its own', async () => {
  await lake.run(
    'create table p (id int, v text) partition by range (id)',
    'create table p_low partition of p for values from (0) to (1000)',
    'create table p_high partition of p for values from (1000) to (maxvalue) partition by range (id)',
    'create table p_high_1 partition of p_high for values from (1000) to (2000)',
    'create table p_high_2 partition of p_high for values from (2000) to (maxvalue)',
    `insert into p select i, 'p' || i from generate_series(0, 2999) i`,
    'delete from p where id % 10 = 3',
  )
  await lake.ingest()
  for (const table of ['p', 'p_low', 'p_high_2']) {
    const published = await publishOne(table)
    expect(await rowsOf(published.path, await openTable(published), CHECK), table).toEqual([await serverCheck(table)])
  }
  expect((await openTable(await publishOne('p'))).files.size).toBe(3)
})

test('statistics of a file bound every value in it as DuckDB reads it, count its nulls, and are left out where they could mislead', async () => {
  await lake.run(
    `create table st (i int, l bigint, f real, d double precision, nan double precision, inf float8, n numeric(12, 2), big numeric(38, 4),
       dt date, forever date, ts timestamp, tz timestamptz, s text, long text, b bool, arr int[], j jsonb, empty int, u uuid)`,
    `insert into st select i, i * 1000000007::bigint, i / 3.0, -i / 7.0, case when i = 5 then float8 'NaN' else i end, case when i = 5 then float8 '-Infinity' else i end,
       (i - 500) / 100.0, i, date '2024-01-01' + i, case when i = 5 then date 'infinity' else date '2024-01-01' + i end, timestamp '2024-01-01' + i * interval '1.000001 s',
       timestamptz '2024-01-01 00:00:00+00' - i * interval '1.000001 s', case when i % 3 = 0 then null else 'é' || i end, repeat('x', i), i % 2 = 0, array[i], '{}', null, md5(i::text)::uuid
     from generate_series(1, 1000) i`,
    'delete from st where i > 900',
  )
  await lake.ingest()
  const table = await publishOne('st')
  const [file] = [...(await openTable(table)).files.values()]
  const stats = JSON.parse(file!.stats!) as Record<'minValues' | 'maxValues' | 'nullCount', Record<string, unknown>> & {
    numRecords: number
    tightBounds: boolean
  }
  expect([stats.numRecords, stats.tightBounds]).toEqual([1000, false])
  const bounded = ['a1', 'a2', 'a3', 'a4', 'a7', 'a8', 'a9', 'a10', 'a11', 'a12', 'a13', 'a17', 'a19']
  expect(Object.keys(stats.minValues)).toEqual(bounded)
  expect(Object.keys(stats.maxValues)).toEqual([...bounded.slice(0, 4), 'a6', ...bounded.slice(4)])
  const connection = await (await DuckDBInstance.create(':memory:')).connect()
  try {
    await connection.run(`set TimeZone = 'UTC'`)
    const from = `from read_parquet('${lake.objectPath(resolvePath(table.path, file!.path))}')`
    const count = async (condition: string) => {
      return Number((await connection.runAndReadAll(`select count(*) ${from} where ${condition}`)).getRows()[0]![0])
    }
    for (const [column, nulls] of Object.entries(stats.nullCount)) {
      expect([column, await count(`${column} is null`)]).toEqual([column, nulls])
    }
    for (const [column, bound] of Object.entries(stats.minValues)) {
      expect([column, await count(`${column} < '${String(bound)}'`)]).toEqual([column, 0])
    }
    for (const [column, bound] of Object.entries(stats.maxValues)) {
      expect([column, await count(`${column} > '${String(bound)}'`)]).toEqual([column, 0])
    }
    // And not wider than a value's neighbours: a bound that bounds nothing would pass what is above.
    expect(await count(`a1 <= ${String(stats.minValues.a1)} or a1 >= ${String(stats.maxValues.a1)}`)).toBe(2)
    expect(await count(`a13 <= '${String(stats.minValues.a13)}' or a13 >= '${String(stats.maxValues.a13)}'`)).toBe(2)
  } finally {
    connection.closeSync()
  }
})

test('an empty table, and one without a key, are published like any other; unlogged ones are not', async () => {
  await lake.run(
    'create table empty (id int, v text)',
    'create table unkeyed (id int, v text)',
    `insert into unkeyed values (1, 'x'), (1, 'x')`,
    'create unlogged table scratch (id int, v text)',
  )
  await lake.ingest()
  const { published, refused } = await publish()
  expect(refused).toEqual([])
  const names = published.map(({ name }) => name)
  expect(names).toContain('empty')
  expect(names).not.toContain('scratch')
  const unkeyed = published.find(({ name }) => name === 'unkeyed')!
  expect(await rowsOf(unkeyed.path, await openTable(unkeyed), CHECK)).toEqual([await serverCheck('unkeyed')])
  const listed = await lake.service.deltaTables(lake.projectId, lake.rootId)
  expect(listed.map(({ name }) => name).sort()).toEqual(published.map(({ schema, name }) => `${schema}.${name}`).sort())
  const failure = await publish({ table: 'scratch' }).then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(isStorageError(failure, 'not-found')).toBe(true)
})

test('vacuum removes data files that no index and no version inside the retention names, and no other', async () => {
  await lake.service.setPitrWindow(lake.projectId, 0)
  await lake.run("update t set v = 'last'", 'select txid_current()')
  await lake.ingest()
  const table = await publishOne('t')
  const folder = lake.objectPath(table.path)
  await lake.upkeep('flush', 'gc')
  // Replaced versions are younger than the retention: their files stay.
  expect(await rowsOf(table.path, await openTable(table, table.version - 1), CHECK)).not.toEqual([
    await serverCheck('t'),
  ])
  const expected = await serverCheck('t')
  lake.clockAheadMs = 40 * 24 * 3_600_000
  const before = fs.readdirSync(folder).length
  await lake.upkeep('gc')
  expect(fs.readdirSync(folder).length).toBeLessThan(before)
  expect(await rowsOf(table.path, await openTable(table), CHECK)).toEqual([expected])
  const [branch] = (await lake.service.listTimelines(lake.projectId)).filter(
    ({ ancestorTimelineId }) => ancestorTimelineId,
  )
  const [branchTable] = await lake.service.deltaTables(lake.projectId, branch!.timelineId)
  const ofBranch = await rowsOf(branchTable!.path, await openTable(branchTable!), 'count(*)::int as n')
  expect(Number(ofBranch[0]!.n)).toBe(branchTable!.physicalRows - branchTable!.maskedRows)
})

test('a restore window longer than tombstones live keeps what its versions need; versions that are older than it go from the log and say so', async () => {
  const DAY_MS = 24 * 3_600_000
  const startMs = 40 * DAY_MS
  await lake.service.setPitrWindow(lake.projectId, 60 * 24 * 3600)
  await lake.run('create table w (id int, v text)', `insert into w select i, 'a' || i from generate_series(1, 2000) i`)
  const publishRounds = async (count: number, letter: string) => {
    for (let round = 0; round < count; round++) {
      await lake.run(`update w set v = '${letter}' || id where id % ${round + 2} = 0`)
      await lake.ingest()
      await publishOne('w')
    }
  }
  lake.clockAheadMs = startMs
  await lake.ingest()
  const first = await publishOne('w')
  const expected = await serverCheck('w')
  // Replaced at once: 40 days later its files are needed by nothing but the window.
  await publishRounds(1, 'b')
  lake.clockAheadMs = startMs + 40 * DAY_MS
  await publishRounds(9, 'c')
  const checkpointed = await serverCheck('w')
  await lake.restart()
  await lake.upkeep('flush', 'gc')
  expect(await rowsOf(first.path, await openTable(first, 0), CHECK)).toEqual([expected])
  lake.clockAheadMs = startMs + 120 * DAY_MS
  await publishRounds(2, 'd')
  await lake.upkeep('flush', 'gc')
  const names = fs.readdirSync(lake.objectPath(`${first.path}_delta_log`)).sort()
  expect(names.map((name) => Number(name.slice(0, 20))).filter((version) => version < 10)).toEqual([])
  const gone = await openTable(first, 0).then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(isStorageError(gone, 'not-found') && gone.message).toMatch(/no longer kept.*oldestVersion=10/)
  // Version 10 was shown until a moment ago.
  expect(await rowsOf(first.path, await openTable(first, 10), CHECK)).toEqual([checkpointed])
  expect(await rowsOf(first.path, await openTable(first), CHECK)).toEqual([await serverCheck('w')])
  await lake.restart()
  expect((await publishOne('w')).version).toBe(12)
})

test('the storage report accounts for every object', async () => {
  const report = await lake.service.storageReport(lake.projectId)
  const onDisk = fs
    .readdirSync(lake.objectPath(`projects/${lake.projectId}`), { recursive: true, encoding: 'utf8' })
    .map((name) => fs.statSync(path.join(lake.objectPath(`projects/${lake.projectId}`), name)))
    .filter((stat) => stat.isFile())
  expect(report.objectCount).toBe(onDisk.length)
  expect(report.sizeBytes).toBe(onDisk.reduce((sum, { size }) => sum + size, 0))
  expect(report.byKind.reduce((sum, { objectCount }) => sum + objectCount, 0)).toBe(report.objectCount)
  expect(report.byKind.find(({ kind }) => kind === 'other')).toBeUndefined()
  expect(report.tables.length).toBeGreaterThan(3)
})

test('the storage report counts the values that are not in columns as they are', async () => {
  await lake.run(
    'create table odd (id int, day date, price numeric(10, 2))',
    `insert into odd select i, case when i % 100 = 0 then 'infinity'::date else date '2024-01-01' end, case when i = 7 then 'NaN'::numeric else i end
       from generate_series(1, 1000) i`,
  )
  await lake.ingest()
  const { tableOid } = await publishOne('odd')
  const { exceptions } = await lake.service.storageReport(lake.projectId)
  const ofTable = exceptions.filter((each) => each.tableOid === tableOid)
  expect(ofTable.find(({ what }) => what === 'values out of range')).toMatchObject({
    timelineId: lake.rootId,
    count: 11,
  })
  expect(ofTable.every(({ count, why }) => count > 0 && why !== '')).toBe(true)
})

test('a deleted branch leaves nothing of its tables in object storage, and its parent’s are as before', async () => {
  const timelineId = newTimelineId()
  await lake.service.createBranch({ projectId: lake.projectId, timelineId, ancestorTimelineId: lake.rootId })
  const { path: folder } = await publishOne('t', { timelineId })
  expect(fs.readdirSync(lake.objectPath(folder)).length).toBeGreaterThan(0)
  const parent = await publishOne('t')
  const before = await rowsOf(parent.path, await openTable(parent), CHECK)
  await lake.service.deleteTimeline(lake.projectId, timelineId)
  expect((await lake.objectStore.list(folder)).objects).toEqual([])
  expect(await rowsOf(parent.path, await openTable(parent), CHECK)).toEqual(before)
})
