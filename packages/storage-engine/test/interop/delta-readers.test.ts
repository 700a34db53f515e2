/**
 * Published Delta tables as engines read them that nobody here wrote. `npm run interop` installs them and names their
 * Python in TRIBUTARY_DELTA_PYTHON and them in TRIBUTARY_DELTA_READERS (deltalake,duckdb,pyspark).
 */
import { execFileSync } from 'node:child_process'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DeltaTable } from '../../src/delta-log/delta-table.ts'
import { resolvePath } from '../../src/delta-writer/data-path.ts'
import { memorySource, ParquetFile } from '../../src/parquet/file-reader.ts'
import type { TimelineId } from '../../src/postgres/ids.ts'
import { LakeFixture, newTimelineId } from '../lake-fixture.ts'

const python = process.env.TRIBUTARY_DELTA_PYTHON
const readers = (process.env.TRIBUTARY_DELTA_READERS ?? '').split(',').filter((name) => name !== '')

/** Spark takes its time to start on a busy machine. */
const READER_MS_MAX = 900_000

interface Published {
  readonly name: string
  readonly path: string
  readonly condition: string
  readonly expected: Record<string, unknown>
}

let lake: LakeFixture
const tables: Published[] = []

const CHECK = `select count(*)::text as n, sum(id)::text as ids, md5(coalesce(string_agg(id || ':' || coalesce(v, '-'), ',' order by id), '')) as hash from `

/** All readers take it as it is; Postgres orders these texts as they do, by their bytes. */
const CONDITION = `id >= 1000 and v >= 'm' and v < 'w'`

async function publish(name: string, timelineId: TimelineId, condition = CONDITION): Promise<void> {
  const table = { database: 'postgres', schema: 'public', name }
  const { published, refused } = await lake.service.publishTables({ projectId: lake.projectId, timelineId, table })
  expect(refused).toEqual([])
  const [expected] = await lake.postgres.query(`${CHECK}${name}`)
  const [where] = await lake.postgres.query(`${CHECK}${name} where ${condition}`)
  tables.push({ name, path: published[0]!.path, condition, expected: { ...expected, where } })
}

describe.skipIf(python === undefined || readers.length === 0)('published tables', () => {
  beforeAll(async () => {
    lake = await LakeFixture.open()
    await lake.run(
      'create table masked (id int primary key, v text, n numeric(12, 2), d date, ts timestamp, tz timestamptz, a int[], j jsonb, u uuid)',
      `insert into masked select i, 'v' || i, i / 100.0, date '1500-01-01' + i, timestamp '2020-01-01' + i * interval '1 minute', now(), array[i, null], '{"k": 1}', md5(i::text)::uuid from generate_series(1, 20000) i`,
      `update masked set v = v || '+' where id % 5 = 0`,
      'delete from masked where id % 7 = 0',
      'begin; insert into masked (id) select i from generate_series(90000, 90100) i; rollback',
      'create table mapped (id int, gone int, old text)',
      `insert into mapped select i, i, 'm' || i from generate_series(1, 1000) i`,
      'create table parts (id int, v text) partition by range (id)',
      'create table parts_low partition of parts for values from (0) to (1000)',
      'create table parts_high partition of parts for values from (1000) to (maxvalue)',
      `insert into parts select i, 'p' || i from generate_series(0, 2999) i`,
      'create table nothing (id int, v text)',
      'create table few (id int, v text)',
      `insert into few values (1000, 'one'), (2000, 'two')`,
      `create table typed (id int, v text, n numeric(12, 2), d date, ts timestamp, tz timestamptz, f float8, r real, l bigint) partition by range (id)`,
      'create table typed_low partition of typed for values from (0) to (1000)',
      'create table typed_high partition of typed for values from (1000) to (maxvalue)',
      `insert into typed select i, 't' || i, i / 100.0, date '2024-01-01' + i, timestamp '2024-01-01' + i * interval '1.000001 s',
         timestamptz '2024-01-01 00:00:00+00' + i * interval '1.000001 s', i / 7.0, i / 7.0, i * 1000000007::bigint from generate_series(0, 2999) i`,
    )
    await lake.ingest()
    for (const name of ['masked', 'parts', 'parts_low', 'nothing', 'few']) await publish(name, lake.rootId)
    // One file of two can be left out by any of these.
    const at = `timestamp '2024-01-01 00:16:40'`
    for (const condition of [
      'n >= 10.01',
      `d > date '2026-09-27'`,
      `ts >= ${at}`,
      `tz >= ${at}`,
      'f > 142.9',
      'r > 142.9',
      'l > 1000000007000',
    ]) {
      await publish('typed', lake.rootId, condition)
    }
    // Some chunks are not worth compressing, and are read like the others.
    const few = tables.find(({ name }) => name === 'few')!
    const [file] = [...(await new DeltaTable(lake.objectStore, few.path).snapshot()).files.values()]
    const parquet = memorySource(await lake.objectStore.get(resolvePath(few.path, file!.path)))
    const { columns } = (await ParquetFile.open(parquet, { sealed: true })).metadata.rowGroups[0]!
    expect(columns.filter(({ path: [name] }) => /^a[12]$/.test(name!)).map(({ codec }) => codec)).toEqual([0, 0])
    await lake.service.publishTables({
      projectId: lake.projectId,
      timelineId: lake.rootId,
      table: { database: 'postgres', schema: 'public', name: 'mapped' },
    })
    await lake.run(
      'alter table mapped drop gone',
      'alter table mapped rename old to v',
      `insert into mapped values (5000, 'new')`,
    )
    await lake.ingest()
    await publish('mapped', lake.rootId)
    // Enough versions for a checkpoint that the readers begin with.
    for (let round = 0; round < 12; round++) {
      await lake.run(
        `insert into masked (id, v) values (${100_000 + round}, 'round')`,
        `delete from masked where id = ${round + 1}`,
      )
      await lake.ingest()
      tables.splice(
        tables.findIndex(({ name }) => name === 'masked'),
        1,
      )
      await publish('masked', lake.rootId)
    }
    const timelineId = newTimelineId()
    await lake.service.createBranch({ projectId: lake.projectId, timelineId, ancestorTimelineId: lake.rootId })
    await publish('masked', timelineId)
  }, 240_000)
  afterAll(() => lake?.close())

  test.each(readers)(
    '%s reads the rows that Postgres has',
    (reader) => {
      const script = path.join(import.meta.dirname, 'read_delta.py')
      const output = execFileSync(
        python!,
        [
          script,
          reader,
          path.join(lake.folder, 'objects'),
          ...tables.flatMap((table) => [table.path, table.condition]),
        ],
        {
          encoding: 'utf8',
          timeout: READER_MS_MAX,
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      )
      const seen = output
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as Record<string, unknown>)
      expect(seen).toEqual(tables.map((table) => ({ prefix: table.path, ...table.expected })))
    },
    READER_MS_MAX + 30_000,
  )
})
