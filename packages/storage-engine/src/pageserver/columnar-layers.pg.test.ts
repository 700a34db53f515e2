/** Columnar layers inside a PageServer: what stock Postgres wrote goes into columns and is served as pages again. */
import fs from 'node:fs'
import path from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { parquetReadObjects } from 'hyparquet'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { LakeFixture, newTimelineId } from '../../test/lake-fixture.ts'
import { CorruptionError, isStorageError, StorageError } from '../base/errors.ts'
import { decompress } from '../base/zstd.ts'
import { canonicalizePage } from '../columnar/canonical-page.ts'
import type { Disk } from '../io/disk.ts'
import { silentLog } from '../io/log.ts'
import { noMetrics } from '../io/metrics.ts'
import { nodeClock } from '../io/node-clock.ts'
import { nodeDisk } from '../io/node-disk.ts'
import { nodeNetwork } from '../io/node-network.ts'
import { PAGE_SIZE } from '../postgres/constants.ts'
import { Lsn } from '../postgres/lsn.ts'
import type { RelationLocator } from '../postgres/two-phase.ts'
import { PageServiceClient } from '../query/page-service-client.ts'
import { remoteSnapshot } from '../query/remote-snapshot.ts'
import { maskPage } from '../redo/page-mask.ts'
import { decodeKey } from './key.ts'
import { parseLayerName } from './layer/layer-name.ts'
import { openPageService } from './page-service.ts'

let lake: LakeFixture
let isDiskFull = false
/** The node's disk, which has no room for columns while it is full. */
const disk: Disk = {
  ...nodeDisk,
  openNow(file, mode) {
    const opened = nodeDisk.openNow(file, mode)
    if (!file.includes('/scratch/columns')) return opened
    const writeNow: typeof opened.writeNow = (bytes, position) => {
      if (isDiskFull && position > 0) throw new StorageError('exhausted', 'no space left on device', { path: file })
      opened.writeNow(bytes, position)
    }
    return new Proxy(opened, {
      get: (target, name) => {
        if (name === 'writeNow') return writeNow
        const member = Reflect.get(target, name) as unknown
        return typeof member === 'function' ? member.bind(target) : member
      },
    })
  },
}
beforeAll(async () => {
  lake = await LakeFixture.open({ disk })
})
afterAll(() => lake?.close())

const TABLES = ['churn', 'zoo', 'toasted', 'part_a', 'tiny', 'mat']

const WORKLOAD = [
  `create table churn (id int primary key, n numeric(15,2), d date, t text, v varchar(20), k char(5), b bool)`,
  `insert into churn select i, (i * 7919 % 100000) / 100.0, date '1992-01-01' + i % 2500, repeat('x', i % 90) || i, 'v' || i % 7, 'c', i % 3 = 0 from generate_series(1, 30000) i`,
  `update churn set n = n + 1 where id % 5 = 0`,
  `delete from churn where id % 11 = 0`,
  `begin; update churn set t = t || '!' where id % 7 = 0; rollback`,
  `alter table churn add column added int default 42, drop column v`,
  `vacuum churn`,
  `update churn set t = 'again' where id % 17 = 0`,
  `create type mood as enum ('sad', 'happy')`,
  `create table zoo (id int, i8 int8, f4 float4, n numeric, ts timestamptz, iv interval, u uuid, j jsonb, a int[], m mood, r int4range, ip inet, by bytea)`,
  `insert into zoo select i, i * 1000000007::int8, i / 3.0, i / 7.0, '2020-01-01'::timestamptz + i * interval '1 hour', i * interval '1 minute',
     md5(i::text)::uuid, jsonb_build_object('k', i), array[i, null, i + 1], (case when i % 2 = 0 then 'sad' else 'happy' end)::mood, int4range(i, i + 5), '10.0.0.1', decode(md5(i::text), 'hex')
   from generate_series(1, 4000) i`,
  `insert into zoo (id, n, f4, ts) values (-1, 'NaN', 'Infinity', 'infinity'), (-2, 1e300, '-0', '0044-03-15 BC')`,
  `create table toasted (id int, v text, w text)`,
  `alter table toasted alter v set storage external`,
  `insert into toasted select i, repeat(md5(i::text), 200), repeat('a', 100000) from generate_series(1, 300) i`,
  `update toasted set v = repeat(md5(id::text), 300) where id % 3 = 0`,
  `create table part (id int, v text) partition by range (id)`,
  `create table part_a partition of part for values from (0) to (1000)`,
  `insert into part select i, 'p' || i from generate_series(0, 999) i`,
  `create table tiny (id int)`,
  `insert into tiny values (1), (2)`,
  `create materialized view mat as select id, t from churn where id < 2000`,
  `create unlogged table scratch as select i from generate_series(1, 1000) i`,
  `create table unkeyed (v text)`,
]

/** Postgres's file of a table, after a checkpoint. */
async function serverPages(relation: RelationLocator): Promise<Uint8Array> {
  await lake.postgres.query('checkpoint')
  const file = path.join(lake.postgres.dataDir, 'base', String(relation.dbOid), String(relation.relNumber))
  return new Uint8Array(fs.readFileSync(file))
}

function eachPage(bytes: Uint8Array, visit: (page: Uint8Array, block: number) => void): void {
  for (let at = 0; at < bytes.length; at += PAGE_SIZE) visit(bytes.subarray(at, at + PAGE_SIZE), at / PAGE_SIZE)
}

/** The number of the first page that differs; -1: none. */
function firstDifference(a: Uint8Array, b: Uint8Array): number {
  expect(a.length).toBe(b.length)
  return Buffer.compare(a, b) === 0 ? -1 : Math.floor(a.findIndex((byte, i) => byte !== b[i]) / PAGE_SIZE)
}

async function duckdb(sql: string): Promise<Record<string, unknown>[]> {
  const connection = await (await DuckDBInstance.create(':memory:')).connect()
  try {
    return (await connection.runAndReadAll(sql)).getRowObjectsJson() as Record<string, unknown>[]
  } finally {
    connection.closeSync()
  }
}

async function userLayers(relation: RelationLocator) {
  const layers = await lake.service.layerMap(lake.projectId, lake.rootId)
  return layers
    .map((layer) => ({ ...layer, parsed: parseLayerName(layer.name)! }))
    .filter(({ parsed, kind }) => {
      const start = decodeKey(parsed.keyStart)
      return kind === 'columnar' && start.b === relation.dbOid && start.c === relation.relNumber
    })
}

async function layerNames(): Promise<string[]> {
  return (await lake.service.layerMap(lake.projectId, lake.rootId)).map(({ name }) => name)
}

let lsn: Lsn

test('every page of tables in columns equals what it was before, and the server’s own but for hint bits', async () => {
  await lake.run(...WORKLOAD)
  lsn = await lake.ingest()
  const relations = await Promise.all(TABLES.map((table) => lake.locate(table)))
  const before = await Promise.all(relations.map((relation) => lake.pages(relation, lsn)))
  await lake.upkeep('flush', 'images')
  await lake.restart()
  for (const [i, table] of TABLES.entries()) {
    const relation = relations[i]!
    expect((await userLayers(relation)).length, table).toBe(1)
    const after = await lake.pages(relation, lsn)
    eachPage(before[i]!, canonicalizePage)
    expect(firstDifference(after, before[i]!), table).toBe(-1)
    // Extending a table leaves empty pages behind that no record speaks of.
    const file = await serverPages(relation)
    const theirs = file.subarray(0, after.length)
    eachPage(file.subarray(after.length), (page) => expect(page[14]! | (page[15]! << 8)).toBeOneOf([0, PAGE_SIZE]))
    eachPage(after, (page, block) => maskPage(page, 'heap', block))
    eachPage(theirs, (page, block) => maskPage(page, 'heap', block))
    expect(firstDifference(after, theirs), table).toBe(-1)
  }
})

test('catalogs, TOAST relations, indexes and unlogged tables are in no columnar layer', async () => {
  const inColumns = (await lake.service.layerMap(lake.projectId, lake.rootId))
    .filter(({ kind }) => kind === 'columnar')
    .map(({ name }) => decodeKey(parseLayerName(name)!.keyStart).c)
  const expected = await Promise.all(TABLES.map(async (table) => (await lake.locate(table)).relNumber))
  expect(inColumns.sort()).toEqual(expected.sort())
})

test('no page image of a block that lies in columns is left in object storage after garbage collection', async () => {
  await lake.upkeep('compact', 'images', 'gc')
  const layers = await lake.service.layerMap(lake.projectId, lake.rootId)
  for (const table of TABLES) {
    const { dbOid, relNumber } = await lake.locate(table)
    const covering = layers.filter(({ name, kind }) => {
      const { keyStart, keyEnd } = parseLayerName(name)!
      const key = { kind: 0, a: 1663, b: dbOid, c: relNumber, d: 0, e: 0 }
      return (
        kind === 'page-image' &&
        compareFields(decodeKey(keyStart), key) <= 0 &&
        compareFields(key, decodeKey(keyEnd)) < 0
      )
    })
    expect(
      covering.map(({ name }) => name),
      table,
    ).toEqual([])
  }
})

function compareFields(a: ReturnType<typeof decodeKey>, b: ReturnType<typeof decodeKey>): number {
  return a.kind - b.kind || a.a - b.a || a.b - b.b || a.c - b.c || a.d - b.d || a.e - b.e
}

test('DuckDB and hyparquet read the files as plain Parquet, TOAST values among them', async () => {
  const plan = await lake.plan(await lake.locate('toasted'), lsn)
  expect(plan.dirtyBlocks).toEqual([])
  const file = lake.objectPath(plan.layers[0]!.objectKey)
  const [ours] = await duckdb(
    `select count(*)::varchar as n, sum(length(a2))::varchar as v, sum(length(a3))::varchar as w, md5(string_agg(md5(a2), '' order by a1)) as h
     from '${file}' where a1 % 3 <> 0`,
  )
  const [theirs] = await lake.postgres.query(
    `select count(*)::text as n, sum(length(v))::text as v, sum(length(w))::text as w, md5(string_agg(md5(v), '' order by id)) as h
     from toasted where id % 3 <> 0`,
  )
  expect(ours).toEqual(theirs)
  const tiny = await lake.plan(await lake.locate('tiny'), lsn)
  const bytes = fs.readFileSync(lake.objectPath(tiny.layers[0]!.objectKey))
  const file2 = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer
  const compressors = { ZSTD: (input: Uint8Array, length: number) => decompress(input, length) }
  const rows = await parquetReadObjects({ file: file2, columns: ['a1'], compressors })
  expect(rows).toEqual([{ a1: 1 }, { a1: 2 }])
})

test('a plan names as dirty just the blocks with WAL after their layer, also on a branch', async () => {
  const relation = await lake.locate('churn')
  await lake.run(`update churn set n = 0 where id in (100, 20000)`, `insert into tiny values (3)`)
  const laterLsn = await lake.ingest()
  const changed = await lake.postgres.query<{ block: number }>(
    `select distinct (ctid::text::point)[0]::int as block from churn where xmin::text::int8 = (select max(xmin::text::int8) from churn)`,
  )
  const branchId = newTimelineId()
  await lake.service.createBranch({ projectId: lake.projectId, timelineId: branchId, ancestorTimelineId: lake.rootId })
  const before = await lake.pages(relation, lsn)
  const after = await lake.pages(relation, laterLsn)
  const expected = new Set<number>()
  eachPage(after, (page, block) => {
    const old = before.subarray(block * PAGE_SIZE, (block + 1) * PAGE_SIZE)
    if (Buffer.compare(page, old) !== 0) expected.add(block)
  })
  expect(changed.length).toBeGreaterThan(0)
  for (const timelineId of [lake.rootId, branchId]) {
    const plan = await lake.plan(relation, laterLsn, timelineId)
    const dirty = plan.dirtyBlocks.flatMap(([first, count]) => Array.from({ length: count }, (_, i) => first + i))
    expect(dirty).toEqual([...expected].sort((a, b) => a - b))
    expect(plan.layers.map(({ timelineId: owner }) => owner)).toEqual([lake.rootId])
    expect(plan.blockCount).toBe(after.length / PAGE_SIZE)
  }
  // What changed between any two LSNs holds every block that differs, wherever the changes lie.
  const lsns = [lsn, laterLsn]
  const pages = [before, after]
  for (const step of ['images', 'flush', 'compact'] as const) {
    await lake.run(`update churn set n = -1 where id between ${lsns.length * 900} and ${lsns.length * 900 + 40}`)
    lsns.push(await lake.ingest())
    pages.push(await lake.pages(relation, lsns.at(-1)!))
    await lake.upkeep(step)
  }
  for (let from = 0; from < lsns.length; from++) {
    for (let to = from; to < lsns.length; to++) {
      const { changedBlocks } = await lake.plan(relation, lsns[to]!, lake.rootId, lsns[from]!)
      const listed = new Set(
        changedBlocks?.flatMap(([first, count]) => Array.from({ length: count }, (_, i) => first + i)),
      )
      const differing = new Set<number>()
      eachPage(pages[to]!, (page, block) => {
        const old = pages[from]!.subarray(block * PAGE_SIZE, (block + 1) * PAGE_SIZE)
        if (Buffer.compare(page, old) !== 0) differing.add(block)
      })
      expect(differing.size > 0).toBe(to > from)
      expect([from, to, listed]).toEqual([from, to, differing])
    }
  }
  expect((await lake.plan(relation, laterLsn)).dirtyBlocks.length).toBeGreaterThan(0)
  expect((await lake.plan(relation, lsn)).dirtyBlocks).toEqual([])
})

test('blocks that lie scattered, asked for together, are the pages that each is by itself, past the end too', async () => {
  const relation = await lake.locate('churn')
  const tipLsn = lake.service.timeline(lake.projectId, lake.rootId).lastRecordLsn
  const service = await openPageService({
    env: { clock: nodeClock, log: silentLog, metrics: noMetrics, network: nodeNetwork },
    address: { host: '127.0.0.1', port: 0 },
    timeline: (projectId, timelineId) => lake.service.timeline(projectId, timelineId),
  })
  const client = new PageServiceClient({
    env: { network: nodeNetwork },
    address: service.address,
    projectId: lake.projectId,
    timelineId: lake.rootId,
  })
  try {
    for (const at of [lsn, tipLsn]) {
      const source = remoteSnapshot(client, at)
      const blockCount = (await source.blockCount(relation))!
      expect(blockCount).toBeGreaterThan(120)
      for (const step of [1, 3, 40]) {
        const blocks = Array.from({ length: Math.ceil(blockCount / step) }, (_, i) => i * step)
        blocks.push(blockCount + 1, blockCount + 7)
        const together = await source.readBlocks!(relation, blocks)
        const each = await Promise.all(blocks.map(async (block) => (await source.readPages(relation, block, 1))[0]))
        expect(together.length).toBe(blocks.length)
        together.forEach((page, i) => {
          expect(page === undefined, `block ${blocks[i]}`).toBe(each[i] === undefined)
          expect(page && Buffer.compare(page, each[i]!), `block ${blocks[i]}`).toBe(page && 0)
        })
        expect(together.slice(-2)).toEqual([undefined, undefined])
      }
    }
  } finally {
    client.close()
    await service.close()
  }
})

test('a layer that reads come back to gets local pages; a damaged file of them is made again', async () => {
  const relation = await lake.locate('churn')
  const wanted = await lake.pages(relation, lsn)
  await lake.restart()
  const folder = path.join(lake.folder, 'cache', lake.projectId, 'timelines', lake.rootId, 'layers')
  const localPages = () =>
    fs
      .readdirSync(folder)
      .filter((name) => name.includes('.pages') && fs.statSync(path.join(folder, name)).size > 100_000)
  expect(localPages()).toEqual([])
  expect(firstDifference(await lake.pages(relation, lsn), wanted)).toBe(-1)
  await lake.service.settle(lake.projectId)
  expect(localPages().length).toBe(1)
  const file = path.join(folder, localPages()[0]!)
  await lake.restart({ keepCache: true })
  expect(firstDifference(await lake.pages(relation, lsn), wanted)).toBe(-1)
  const bytes = fs.readFileSync(file)
  bytes[Math.floor(bytes.length / 2)]! ^= 1
  fs.writeFileSync(file, bytes)
  await lake.restart({ keepCache: true })
  expect(firstDifference(await lake.pages(relation, lsn), wanted)).toBe(-1)
})

test('a full disk while columns are made leaves the table as it was and no file behind; later it works', async () => {
  const relation = await lake.locate('tiny')
  await lake.run(`insert into tiny values (4)`)
  const laterLsn = await lake.ingest()
  await lake.upkeep('flush')
  const layersBefore = await layerNames()
  isDiskFull = true
  const failure = await lake.upkeep('images').then(
    () => undefined,
    (error: unknown) => error,
  )
  isDiskFull = false
  expect(isStorageError(failure, 'exhausted')).toBe(true)
  const scratch = path.join(lake.folder, 'cache', lake.projectId, 'timelines', lake.rootId, 'scratch')
  expect(fs.readdirSync(scratch).filter((name) => name.startsWith('columns'))).toEqual([])
  expect(await layerNames()).toEqual(layersBefore)
  expect((await lake.plan(relation, laterLsn)).dirtyBlocks).toEqual([[0, 1]])
  await lake.upkeep('images')
  expect((await lake.plan(relation, laterLsn)).dirtyBlocks).toEqual([])
})

test('columns that the PageServer makes of itself fail on a full disk with the reason in its status, lose nothing, and are made once there is room', async () => {
  const relation = await lake.locate('tiny')
  await lake.restart({
    storageSettings: {
      automaticUpkeep: true,
      upkeepRetryMs: 50,
      level0LayersMax: 1,
      imageDeltaLayersMax: 1,
      imageDeltaShareMin: 0,
    },
  })
  const failures = () => {
    const { timelines } = lake.service.status() as {
      timelines: { upkeepFailures?: { step: string; error: string }[] }[]
    }
    return timelines.flatMap(({ upkeepFailures = [] }) => upkeepFailures)
  }
  const publish = async () => {
    const table = { database: 'postgres', schema: 'public', name: 'tiny' }
    return lake.service.publishTables({ projectId: lake.projectId, timelineId: lake.rootId, table })
  }
  isDiskFull = true
  try {
    await lake.run('insert into tiny values (5)')
    const laterLsn = await lake.ingest()
    const wanted = await lake.pages(relation, laterLsn)
    await lake.upkeep('flush')
    await expect
      .poll(failures, { timeout: 60_000 })
      .toEqual([{ step: 'images', error: expect.stringMatching(/no space left on device.*columns/) }])
    expect(firstDifference(await lake.pages(relation, laterLsn), wanted)).toBe(-1)
    expect((await publish()).refused).toMatchObject([{ name: 'tiny', code: 'exhausted' }])
    isDiskFull = false
    // Nothing is written meanwhile.
    await expect.poll(async () => (await lake.plan(relation, laterLsn)).dirtyBlocks, { timeout: 60_000 }).toEqual([])
    await expect.poll(failures, { timeout: 60_000 }).toEqual([])
    expect((await publish()).published).toMatchObject([{ name: 'tiny', rowCount: 5 }])
    const pages = await lake.pages(relation, laterLsn)
    for (const each of [pages, wanted]) eachPage(each, canonicalizePage)
    expect(firstDifference(pages, wanted)).toBe(-1)
  } finally {
    isDiskFull = false
    await lake.restart()
  }
})

test('a layer whose object is damaged answers from older layers and WAL, which stay until another is in its place, and fails naming object and offset when they are gone', async () => {
  const relation = await lake.locate('zoo')
  // Layers in between that have nothing of this table are no gap in its history.
  await lake.run('insert into tiny values (6)')
  await lake.ingest()
  await lake.upkeep('flush')
  await lake.run(`update zoo set i8 = 7 where id = 3`)
  const laterLsn = await lake.ingest()
  const wanted = await lake.pages(relation, laterLsn)
  eachPage(wanted, canonicalizePage)
  await lake.upkeep('flush', 'images')
  const { layers } = await lake.plan(relation, laterLsn)
  const key = layers[0]!.objectKey
  expect(Lsn.parse(layers[0]!.lsn)).toBeGreaterThan(lsn)
  const good = fs.readFileSync(lake.objectPath(key))
  const flipped = (at: number) => good.map((byte, i) => (i === at ? byte ^ 4 : byte))
  for (const at of [5, Math.floor(good.length / 2), good.length - 200, good.length - 3]) {
    fs.writeFileSync(lake.objectPath(key), flipped(at))
    await lake.restart()
    const found = await lake.pages(relation, laterLsn)
    eachPage(found, canonicalizePage)
    expect(firstDifference(found, wanted), `byte ${at}`).toBe(-1)
  }
  await lake.service.setPitrWindow(lake.projectId, 0)
  await lake.run(`select txid_current()`)
  const tipLsn = await lake.ingest()
  // Collects what is older once the damaged one is made anew, at its own LSN.
  await lake.upkeep('flush', 'gc')
  expect(lake.service.attached(lake.projectId, lake.rootId).storage.gcCutoffLsn).toBeGreaterThan(laterLsn)
  const remade = (await lake.plan(relation, tipLsn)).layers[0]!
  expect(remade.lsn).toBe(layers[0]!.lsn)
  expect(remade.objectKey).not.toBe(key)
  expect(firstDifference(await lake.pages(relation, tipLsn), wanted)).toBe(-1)

  // Of one that nothing below can replace any more, the pages are still in the local cache: it is made anew from them.
  const folder = path.join(lake.folder, 'cache', lake.projectId, 'timelines', lake.rootId, 'layers')
  const flip = (objectKey: string) => {
    const bytes = fs.readFileSync(lake.objectPath(objectKey))
    fs.writeFileSync(
      lake.objectPath(objectKey),
      bytes.map((byte, i) => (i === Math.floor(bytes.length / 3) ? byte ^ 4 : byte)),
    )
  }
  fs.rmSync(path.join(folder, path.basename(remade.objectKey)))
  flip(remade.objectKey)
  await lake.restart({ keepCache: true })
  await lake.upkeep('scrub')
  expect(firstDifference(await lake.pages(relation, tipLsn), wanted)).toBe(-1)
  const last = (await lake.plan(relation, tipLsn)).layers[0]!.objectKey
  expect(last).not.toBe(remade.objectKey)
  await lake.restart()
  expect(firstDifference(await lake.pages(relation, tipLsn), wanted)).toBe(-1)

  const whole = fs.readFileSync(lake.objectPath(last))
  flip(last)
  await lake.restart()
  const failure = await lake.pages(relation, tipLsn).then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(failure).toBeInstanceOf(CorruptionError)
  expect((failure as CorruptionError).fields.object).toBe(last)
  expect((failure as CorruptionError).fields.offsetBytes).toBeTypeOf('number')
  fs.writeFileSync(lake.objectPath(last), whole)
  await lake.restart()
  expect(firstDifference(await lake.pages(relation, tipLsn), wanted)).toBe(-1)
})
