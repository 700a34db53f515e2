import fs from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { createPostgres, makePostgresTempDir, type PostgresFixture } from '../../test/postgres-fixture.ts'
import { silentLog } from '../io/log.ts'
import { nodeClock } from '../io/node-clock.ts'
import { nodeDisk } from '../io/node-disk.ts'
import { PAGE_SIZE, WAL_SEGMENT_SIZE } from '../postgres/constants.ts'
import { ProjectId, TimelineId } from '../postgres/ids.ts'
import { Lsn } from '../postgres/lsn.ts'
import { Fork } from '../postgres/relation.ts'
import { formatRelationPath, parseRelationPath } from '../postgres/relation-path.ts'
import { PageStatus } from '../protocol/status-pages.ts'
import { maskPage, type PageMask } from '../redo/page-mask.ts'
import { formatSegmentName } from '../wal/segment.ts'
import { type InitialCluster, importDataDirectory, readInitialCluster } from './bootstrap.ts'
import { collectBootBundle } from './timeline/boot-bundle.ts'
import { MemoryTimelineStorage } from './timeline/memory-timeline-storage.ts'
import { parsePostgresTime } from './timeline/postgres-time.ts'
import { findCommitAtTime } from './timeline/time-index.ts'
import { Timeline } from './timeline/timeline.ts'

const SETTINGS = {
  full_page_writes: 'off',
  wal_level: 'replica',
  max_prepared_transactions: 20,
  wal_keep_size: '8GB',
  max_wal_size: '8GB',
  autovacuum: 'off',
  wal_consistency_checking: 'gin,gist,spgist,brin,hash,generic',
  hot_standby_feedback: 'off',
}
const CHUNK_BYTES = 100_001

async function openTimeline(postgres: PostgresFixture): Promise<{ timeline: Timeline; cluster: InitialCluster }> {
  const cluster = await readInitialCluster(nodeDisk, postgres.dataDir)
  const timelineId = TimelineId.parse('1'.repeat(32))
  const storage = new MemoryTimelineStorage(timelineId, Lsn.zero)
  await importDataDirectory(nodeDisk, postgres.dataDir, storage)
  const identity = {
    projectId: ProjectId.parse('2'.repeat(32)),
    timelineId,
    systemIdentifier: cluster.systemIdentifier,
    startLsn: cluster.startLsn,
    ancestor: undefined,
    controlFile: cluster.controlFile,
  }
  return { cluster, timeline: new Timeline({ clock: nodeClock, log: silentLog }, identity, storage) }
}

/** The server's WAL from `startLsn` on, cut at odd places. */
async function* walOf(postgres: PostgresFixture, startLsn: Lsn): AsyncGenerator<{ lsn: Lsn; bytes: Uint8Array }> {
  for (let lsn = startLsn; ; ) {
    const file = path.join(postgres.walDir, formatSegmentName(1, lsn))
    if (!fs.existsSync(file)) return
    const segment = fs.readFileSync(file)
    const start = lsn - (lsn % WAL_SEGMENT_SIZE)
    for (let at = lsn - start; at < segment.length; at += CHUNK_BYTES) {
      yield { lsn: Lsn.of(start + at), bytes: segment.subarray(at, at + CHUNK_BYTES) }
    }
    lsn = Lsn.of(start + WAL_SEGMENT_SIZE)
  }
}

/** Ingests up to the end of the last shutdown checkpoint; what follows in the files is no WAL yet. */
async function ingestTo(timeline: Timeline, postgres: PostgresFixture, endLsn: Lsn): Promise<void> {
  const source = (async function* () {
    for await (const { lsn, bytes } of walOf(postgres, timeline.lastRecordLsn)) {
      if (lsn >= endLsn) return
      yield { lsn, bytes: bytes.subarray(0, Math.min(bytes.length, endLsn - lsn)) }
    }
  })()
  await timeline.ingestFrom(source)
  expect(Lsn.format(timeline.lastRecordLsn)).toBe(Lsn.format(endLsn))
}

const MASK_BY_ACCESS_METHOD: Readonly<Record<string, PageMask>> = {
  heap: 'heap',
  btree: 'btree',
  hash: 'hash',
  gin: 'gin',
  gist: 'gist',
  spgist: 'spgist',
  brin: 'brin',
  bloom: 'generic',
}

/** Masks by path of the relation's main fork, from the catalogs of every database. */
async function masksOf(postgres: PostgresFixture): Promise<Map<string, PageMask>> {
  const masks = new Map<string, PageMask>()
  const databases = await postgres.query<{ datname: string }>(`select datname from pg_database where datallowconn`)
  for (const { datname } of databases) {
    const rows = await postgres.query<{ path: string; am: string | null; kind: string }>(
      `select pg_relation_filepath(c.oid) as path, a.amname as am, c.relkind as kind
       from pg_class c left join pg_am a on a.oid = c.relam where pg_relation_filepath(c.oid) is not null`,
      [],
      datname,
    )
    for (const { path: file, am, kind } of rows) {
      masks.set(file, kind === 'S' ? 'sequence' : (MASK_BY_ACCESS_METHOD[am ?? ''] ?? 'heap'))
    }
  }
  return masks
}

interface Comparison {
  readonly problems: string[]
  pageCount: number
  vmPageCount: number
  fileCount: number
}

/** Every page of every fork in the directory of a cleanly stopped server against the timeline at `lsn`, both ways. */
async function comparePages(
  timeline: Timeline,
  lsn: Lsn,
  dataDir: string,
  masks: ReadonlyMap<string, PageMask>,
): Promise<Comparison> {
  const result: Comparison = { problems: [], pageCount: 0, vmPageCount: 0, fileCount: 0 }
  const bundle = await collectBootBundle(timeline, lsn)
  const ours = new Map<string, number>()
  for (const [spcOid, dbOid, relNumber, ...forks] of bundle.header.relations) {
    forks.forEach((blockCount, fork) => {
      if (blockCount >= 0) ours.set(formatRelationPath({ spcOid, dbOid, relNumber, fork: fork as Fork }), blockCount)
    })
  }
  for (const [name, blockCount] of ours) {
    const relation = parseRelationPath(name)!
    if (relation.fork === Fork.fsm) continue
    const file = path.join(dataDir, name)
    if (!fs.existsSync(file)) {
      result.problems.push(`${name}: not among the server's files`)
      continue
    }
    result.fileCount++
    const bytes = fs.readFileSync(file)
    const known =
      relation.fork === Fork.vm ? 'visibility-map' : (masks.get(name) ?? masks.get(name.replace('_init', '')))
    for (let first = 0; first < Math.max(blockCount, bytes.length / PAGE_SIZE); first += 128) {
      const count = Math.min(128, Math.max(blockCount, bytes.length / PAGE_SIZE) - first)
      const { statuses, pages } = await timeline.getPages({ ...relation, firstBlock: first, blockCount: count }, lsn)
      for (let i = 0; i < count; i++) {
        const block = first + i
        const theirs = bytes.subarray(block * PAGE_SIZE, (block + 1) * PAGE_SIZE).slice()
        const mine = pages[i]?.slice() ?? new Uint8Array(PAGE_SIZE)
        if (statuses[i] === PageStatus.beyondEnd && isUnused(theirs, relation.fork)) continue
        if (theirs.length === 0) {
          if (!isUnused(mine, relation.fork)) result.problems.push(`${name} block ${block}: beyond the server's file`)
          continue
        }
        const mask = known ?? maskByLayout(theirs)
        if (mask === 'sequence' || (mask === 'spgist' && block === 0)) continue
        if (isUnused(mine, relation.fork) && isUnused(theirs, relation.fork)) continue
        if (relation.fork === Fork.vm) result.vmPageCount++
        else result.pageCount++
        maskPage(mine, mask, block)
        maskPage(theirs, mask, block)
        if (Buffer.compare(mine, theirs) !== 0) {
          const at = mine.findIndex((byte, j) => byte !== theirs[j])
          result.problems.push(`${name} block ${block} (${mask}): byte ${at} is ${mine[at]}, not ${theirs[at]}`)
        }
      }
    }
  }
  const unlogged = new Set(
    bundle.header.unlogged.map((relation) => formatRelationPath({ ...relation, fork: Fork.main })),
  )
  for (const name of relationFiles(dataDir)) {
    const relation = parseRelationPath(name)
    if (!relation || relation.fork === Fork.fsm || relation.segment > 0 || ours.has(name)) continue
    const main = formatRelationPath({ ...relation, fork: Fork.main })
    if (unlogged.has(main) || fs.statSync(path.join(dataDir, name)).size === 0) continue
    result.problems.push(`${name}: not in the timeline`)
  }
  for (const { path: name, bytes } of bundle.files) {
    if (name.startsWith('base/') && name.endsWith('_init')) continue
    const theirs = fs.readFileSync(path.join(dataDir, name))
    const isSlru = name.startsWith('pg_xact') || name.startsWith('pg_multixact')
    // The server writes SLRU pages lazily: pages beyond the end of its file are zeros.
    const same = isSlru
      ? Buffer.compare(bytes.subarray(0, theirs.length), theirs.subarray(0, bytes.length)) === 0 &&
        bytes.subarray(theirs.length).every((byte) => byte === 0)
      : Buffer.compare(bytes, theirs) === 0
    if (!same) result.problems.push(`${name}: differs from the server's file`)
  }
  return result
}

/** For databases that take no connections: all they hold are heaps and B-trees. */
function maskByLayout(page: Uint8Array): PageMask {
  return new DataView(page.buffer, page.byteOffset).getUint16(16, true) === PAGE_SIZE ? 'heap' : 'btree'
}

function isUnused(page: Uint8Array, fork: Fork): boolean {
  if (page.every((byte) => byte === 0)) return true
  if (fork !== Fork.main) return false
  // Extending a relation initialises pages in memory that no record speaks of until their first item.
  const view = new DataView(page.buffer, page.byteOffset)
  return view.getUint16(12, true) === 24 && view.getUint16(14, true) === view.getUint16(16, true)
}

function relationFiles(dataDir: string): string[] {
  const directories = ['global', ...fs.readdirSync(path.join(dataDir, 'base')).map((name) => `base/${name}`)]
  return directories.flatMap((directory) =>
    fs.readdirSync(path.join(dataDir, directory)).map((name) => `${directory}/${name}`),
  )
}

const FIRST_PHASE = [
  `create table t (id int primary key, k int, v text) with (fillfactor = 80)`,
  `create index t_k on t (k)`,
  `insert into t select i, i % 100, repeat('x', i % 200) from generate_series(1, 20000) i`,
  `vacuum (freeze) t`,
  `update t set k = k + 1 where id % 7 = 0`,
  `create sequence s`,
  `select nextval('s')`,
  `create table prepared (id int)`,
  `create unlogged table u (id int primary key, v text)`,
  `insert into u select i, 'x' from generate_series(1, 100) i`,
  `begin; insert into prepared values (1); savepoint a; insert into prepared values (2); prepare transaction 'p1'`,
  `begin; insert into prepared values (3); prepare transaction 'p2'`,
  `commit prepared 'p2'`,
  `create extension bloom`,
  `create table g (id int, a int[], p point, s int, t text)`,
  `create index on g using gin (a)`,
  `create index on g using gist (p)`,
  `create index on g using spgist (t)`,
  `create index on g using brin (s)`,
  `create index on g using hash (id)`,
  `create index on g using bloom (id)`,
  `insert into g select i, array[i, i + 1], point(i, i), i, md5(i::text) from generate_series(1, 5000) i`,
]

const SECOND_PHASE = [
  `create database copied strategy file_copy`,
  `create database logged strategy wal_log`,
  `delete from t where id > 9000`,
  `vacuum t`,
  `insert into t select i, i % 100, 'again' from generate_series(30000, 45000) i`,
  `vacuum (freeze) t`,
  `delete from t where id > 31000`,
  `vacuum (truncate) t`,
  `insert into t select i, i % 100, 'grown' from generate_series(50000, 52000) i`,
  `truncate g`,
  `insert into g select i, array[i, i + 1], point(i, i), i, md5(i::text) from generate_series(1, 3000) i`,
  `begin; create table rolled_back (id int); insert into rolled_back select generate_series(1, 1000); rollback`,
  `vacuum full pg_class`,
  `vacuum full pg_proc`,
  `reindex table t`,
  `alter table t set tablespace pg_default`,
  `cluster t using t_pkey`,
  `create table toasted (id int, v text); alter table toasted alter v set storage external`,
  `insert into toasted select i, repeat(md5(i::text), 300) from generate_series(1, 200) i`,
  `drop database logged`,
  `create table dropped (id int primary key)`,
  `insert into dropped select generate_series(1, 5000)`,
  `drop table dropped`,
  `do $$ begin for i in 1..300 loop begin insert into t values (100000 + i, i, 'sub'); exception when others then null; end; end loop; end $$`,
  `select lo_from_bytea(0, 'large object')`,
]

test('every page, size and small file of a server equals its data directory, at the end of its WAL and at an earlier stop', async () => {
  const postgres = await createPostgres({ settings: SETTINGS })
  const earlier = makePostgresTempDir('tributary-pages-')
  try {
    const { timeline } = await openTimeline(postgres)
    await postgres.start()
    const run = async (statements: readonly string[]) => {
      const client = await postgres.connect()
      for (const statement of statements) await client.query(statement)
      await client.end()
    }
    await run(FIRST_PHASE)
    const [timed] = await postgres.query<{ now: string }>(
      `select to_char(clock_timestamp() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as now`,
    )
    const [position] = await postgres.query<{ lsn: string }>(`select pg_current_wal_insert_lsn()::text as lsn`)
    const firstMasks = await masksOf(postgres)
    await postgres.stop()
    const firstLsn = (await readInitialCluster(nodeDisk, postgres.dataDir)).startLsn
    fs.cpSync(postgres.dataDir, path.join(earlier, 'data'), { recursive: true })

    await postgres.start()
    await run(SECOND_PHASE)
    // Multixacts and row locks by several sessions at once.
    const clients = await Promise.all([1, 2, 3].map(() => postgres.connect()))
    for (let round = 0; round < 40; round++) {
      for (const client of clients)
        await client.query(`begin; select id from t where id between ${round} and ${round + 5} for share`)
      for (const client of clients) await client.query('commit')
    }
    for (const client of clients) await client.end()
    const masks = await masksOf(postgres)
    await postgres.stop()
    const lastLsn = (await readInitialCluster(nodeDisk, postgres.dataDir)).startLsn

    await ingestTo(timeline, postgres, firstLsn)
    await ingestTo(timeline, postgres, lastLsn)

    const atEnd = await comparePages(timeline, lastLsn, postgres.dataDir, masks)
    expect(atEnd.problems.slice(0, 20)).toEqual([])
    expect(atEnd.pageCount).toBeGreaterThan(3000)
    expect(atEnd.vmPageCount).toBeGreaterThan(1)
    const atFirst = await comparePages(timeline, firstLsn, path.join(earlier, 'data'), firstMasks)
    expect(atFirst.problems.slice(0, 20)).toEqual([])
    expect(atFirst.pageCount).toBeGreaterThan(2000)

    const found = await findCommitAtTime(timeline.storage, lastLsn, parsePostgresTime(timed!.now))
    expect(found.kind).toBe('exact')
    if (found.kind === 'exact') expect(found.commit.endLsn).toBeLessThanOrEqual(Lsn.parse(position!.lsn))

    const { header, files } = await collectBootBundle(timeline, lastLsn)
    expect(header.unlogged.length).toBeGreaterThanOrEqual(2)
    expect(files.some(({ path: name }) => name.startsWith('pg_twophase/'))).toBe(true)
    const control = (await import('../postgres/control-file.ts')).decodeControlFile(
      fs.readFileSync(path.join(postgres.dataDir, 'global/pg_control')),
    )
    expect(header.checkpoint).toMatchObject({
      nextXid: control.checkpoint.nextFullXid.toString(),
      nextOid: control.checkpoint.nextOid,
      nextMulti: control.checkpoint.nextMultixact,
      nextMultiOffset: control.checkpoint.nextMultixactOffset,
      oldestXid: control.checkpoint.oldestXid,
      oldestMulti: control.checkpoint.oldestMultixact,
      isShutdown: true,
    })
    expect(Lsn.parse(header.prevRecordLsn)).toBe(control.checkpointLsn)
  } finally {
    await postgres.cleanup()
    fs.rmSync(earlier, { recursive: true, force: true })
  }
})
