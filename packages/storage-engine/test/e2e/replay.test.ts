import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { PageClient } from '../../src/compute/page-client.ts'
import { readBootBundle } from '../../src/compute/storage-calls.ts'
import { callJson } from '../../src/io/http-client.ts'
import { openNodeEnv } from '../../src/io/node-env.ts'
import { PAGE_SIZE, RELATION_SEGMENT_BLOCKS } from '../../src/postgres/constants.ts'
import { ProjectId, TimelineId } from '../../src/postgres/ids.ts'
import { Lsn } from '../../src/postgres/lsn.ts'
import { Fork, type RelationFork } from '../../src/postgres/relation.ts'
import { formatRelationPath } from '../../src/postgres/relation-path.ts'
import { maskPage, type PageMask } from '../../src/redo/page-mask.ts'
import { createPostgres, makePostgresTempDir, postgresAccount } from '../postgres-fixture.ts'
import { type Stack, startStack } from '../stack-fixture.ts'
import { amcheckDatabase } from './amcheck.ts'
import { Ledger } from './ledger.ts'
import { transcript } from './sql-transcript.ts'
import { sqlZoo } from './sql-zoo.ts'

/**
 * The strongest oracle there is for pages: stock Postgres replays the very WAL that the quorum holds, from initdb on, across
 * every failover, and its data directory is compared with the PageServer's pages at the same LSN.
 */
let stack: Stack
/** Of the stock server. */
let replayFolder: string | undefined

beforeAll(async () => {
  stack = await startStack()
}, 180_000)

afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(stack.logTail())
})

afterAll(async () => {
  await stack?.cleanup()
  if (replayFolder !== undefined) fs.rmSync(replayFolder, { recursive: true, force: true })
})

test('after a mixed workload with failovers, every page equals that of a stock Postgres that replayed the same WAL', async () => {
  for (const script of sqlZoo) await stack.withClient((client) => transcript(client, script))
  const ledger = new Ledger({ clientCount: 4, connection: () => ({ connectionString: stack.uri }) })
  await ledger.createTables()
  ledger.start()
  await ledger.progress(100)
  await stack.failover()
  await ledger.progress(100)
  await ledger.stop()
  await stack.query('vacuum ledger')
  await stack.query('create index on account (balance)')
  const masks = await stack.withClient(masksOf)
  await stack.stopBranch('main')

  const { timeline, lsn } = await settledTimeline()
  const pageserver = (await stack.describe()).pageserver
  const bundle = await readBootBundle(pageserver, timeline.projectId, timeline.timelineId, lsn)
  const dataDir = await replayWithStockPostgres(timeline, lsn, Lsn.parse(bundle.header.prevRecordLsn))

  const env = openNodeEnv({ name: 'replay-test', logLevel: 'error' })
  const client = new PageClient({ env, address: pageserver, ...timeline, lsn, giveUpMs: 30_000 })
  const problems: string[] = []
  let pageCount = 0
  try {
    for (const [spcOid, dbOid, relNumber, mainBlocks, , vmBlocks] of bundle.header.relations) {
      for (const [fork, blockCount] of [
        [Fork.main, mainBlocks],
        [Fork.vm, vmBlocks],
      ] as const) {
        if (blockCount <= 0) continue
        const relation: RelationFork = { spcOid, dbOid, relNumber, fork }
        const name = formatRelationPath(relation)
        const mask = fork === Fork.vm ? 'visibility-map' : (masks.get(`${dbOid}/${relNumber}`) ?? undefined)
        for (let first = 0; first < blockCount; first += 128) {
          const pages = await client.readPages(relation, first, Math.min(128, blockCount - first))
          pages.forEach((page, i) => {
            pageCount++
            const difference = comparePage(dataDir, relation, first + i, page, mask)
            if (difference) problems.push(`${name} block ${first + i}: ${difference}`)
          })
        }
      }
    }
  } finally {
    client.close()
  }
  expect(problems.slice(0, 20)).toEqual([])
  expect(pageCount).toBeGreaterThan(3000)

  await stack.startBranch('main')
  await stack.withClient(async (connection) => expect(await amcheckDatabase(connection)).toEqual([]))
})

interface TimelineRef {
  readonly projectId: ProjectId
  readonly timelineId: TimelineId
}

/** With the compute stopped: the quorum's commit LSN. */
async function settledTimeline(): Promise<{ timeline: TimelineRef; lsn: Lsn }> {
  const { projectId, safekeepers, branches } = await stack.describe()
  const timelineId = branches.find(({ name }) => name === 'main')!.timelineId
  let lsn = Lsn.zero
  for (const { host, httpPort } of safekeepers) {
    const status = (await callJson(`http://${host}:${httpPort}/status`, { timeoutMs: 5000 })) as {
      timelines: { timelineId: string; commitLsn: string }[]
    }
    const found = status.timelines.find((each) => each.timelineId === timelineId)
    if (found) lsn = Lsn.max2(lsn, Lsn.parse(found.commitLsn))
  }
  return { timeline: { projectId: ProjectId.parse(projectId), timelineId: TimelineId.parse(timelineId) }, lsn }
}

/** Unpacks the directory that initdb made, gives it the quorum's WAL as an archive, and lets it recover to exactly `lsn`. */
async function replayWithStockPostgres(timeline: TimelineRef, lsn: Lsn, lastRecordLsn: Lsn): Promise<string> {
  const root = makePostgresTempDir('tributary-replay-')
  replayFolder = root
  const dataDir = path.join(root, 'data')
  const archive = path.join(root, 'archive')
  fs.mkdirSync(dataDir, { mode: 0o700 })
  fs.mkdirSync(archive)
  const objects = path.join(stack.home, 'objects', 'projects', timeline.projectId, 'timelines', timeline.timelineId)
  run('tar', ['-xf', path.join(objects, 'initdb.bin'), '-C', dataDir])

  const local = path.join(stack.home, 'safekeeper-1', 'timelines', timeline.projectId, timeline.timelineId, 'wal')
  for (const folder of [path.join(objects, 'wal'), local]) {
    if (!fs.existsSync(folder)) continue
    for (const name of fs.readdirSync(folder).filter((each) => /^[0-9A-F]{24}$/.test(each)))
      fs.copyFileSync(path.join(folder, name), path.join(archive, name))
  }
  // WAL before the timeline's start is initdb's own, in the first segment of the directory it made.
  const initial = fs.readdirSync(path.join(dataDir, 'pg_wal')).filter((name) => /^[0-9A-F]{24}$/.test(name))
  for (const name of initial) {
    const merged = fs.readFileSync(path.join(dataDir, 'pg_wal', name))
    const ours = path.join(archive, name)
    if (fs.existsSync(ours)) {
      const bytes = fs.readFileSync(ours)
      const startLsn = Lsn.parse(
        ((await callJson(timelineUrl(await stack.describe(), timeline), { timeoutMs: 5000 })) as { startLsn: string })
          .startLsn,
      )
      bytes.copy(merged, startLsn % bytes.length, startLsn % bytes.length)
    }
    fs.writeFileSync(ours, merged)
    fs.rmSync(path.join(dataDir, 'pg_wal', name))
  }
  fs.writeFileSync(path.join(dataDir, 'recovery.signal'), '')
  const { uid, gid } = postgresAccount()
  if (uid !== undefined) run('chown', ['-R', `${uid}:${gid}`, root])

  const postgres = await createPostgres({
    dataDir,
    settings: {
      restore_command: `cp ${archive}/%f %p`,
      recovery_target_lsn: Lsn.format(lastRecordLsn),
      recovery_target_inclusive: 'on',
      // Pages are written out and the server waits, so nothing after the target touches them.
      recovery_target_action: 'pause',
      hot_standby: 'on',
      max_connections: 200,
      max_prepared_transactions: 200,
      max_wal_senders: 20,
      max_worker_processes: 32,
    },
  })
  try {
    await postgres.start()
    for (let attempt = 0; ; attempt++) {
      const [row] = await postgres.query<{ replayed: string; state: string }>(
        `select pg_last_wal_replay_lsn()::text as replayed, pg_get_wal_replay_pause_state() as state`,
      )
      if (row!.state === 'paused') {
        expect(Lsn.format(Lsn.parse(row!.replayed))).toBe(Lsn.format(lsn))
        break
      }
      if (attempt > 600) throw new Error(`stock postgres did not reach ${Lsn.format(lsn)}:\n${postgres.logText()}`)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    await postgres.query('checkpoint')
  } catch (error) {
    throw new Error(`${String(error)}\n${postgres.logText().slice(-4000)}`)
  } finally {
    await postgres.stop('immediate')
    fs.rmSync(postgres.rootDir, { recursive: true, force: true })
  }
  return dataDir
}

function timelineUrl(description: { pageserver: { host: string; httpPort: number } }, timeline: TimelineRef): string {
  const { host, httpPort } = description.pageserver
  return `http://${host}:${httpPort}/projects/${timeline.projectId}/timelines/${timeline.timelineId}`
}

function comparePage(
  dataDir: string,
  relation: RelationFork,
  block: number,
  page: Uint8Array | undefined,
  known: PageMask | undefined,
): string | undefined {
  const mine = page?.slice() ?? new Uint8Array(PAGE_SIZE)
  const theirs = readBlock(dataDir, relation, block)
  if (theirs === undefined) return isUnused(mine) ? undefined : 'beyond the end of the file that stock Postgres made'
  if (isUnused(mine) && isUnused(theirs)) return undefined
  const mask =
    known ?? (new DataView(theirs.buffer, theirs.byteOffset).getUint16(16, true) === PAGE_SIZE ? 'heap' : 'btree')
  maskPage(mine, mask, block)
  maskPage(theirs, mask, block)
  const at = mine.findIndex((byte, i) => byte !== theirs[i])
  return at < 0 ? undefined : `(${mask}) byte ${at} is ${mine[at]}, not ${theirs[at]}`
}

function readBlock(dataDir: string, relation: RelationFork, block: number): Uint8Array | undefined {
  const segment = Math.floor(block / RELATION_SEGMENT_BLOCKS)
  const file = path.join(dataDir, formatRelationPath(relation)) + (segment === 0 ? '' : `.${segment}`)
  if (!fs.existsSync(file)) return undefined
  const descriptor = fs.openSync(file, 'r')
  try {
    const bytes = new Uint8Array(PAGE_SIZE)
    const read = fs.readSync(descriptor, bytes, 0, PAGE_SIZE, (block % RELATION_SEGMENT_BLOCKS) * PAGE_SIZE)
    return read === PAGE_SIZE ? bytes : undefined
  } finally {
    fs.closeSync(descriptor)
  }
}

/** All zeros, or initialised and empty: extending a relation makes such pages in memory, with no record of their own. */
function isUnused(page: Uint8Array): boolean {
  if (page.every((byte) => byte === 0)) return true
  const view = new DataView(page.buffer, page.byteOffset)
  return view.getUint16(12, true) === 24 && view.getUint16(14, true) === view.getUint16(16, true)
}

const MASK_BY_ACCESS_METHOD: Readonly<Record<string, PageMask>> = {
  heap: 'heap',
  btree: 'btree',
  hash: 'hash',
  gin: 'gin',
  gist: 'gist',
  spgist: 'spgist',
  brin: 'brin',
}

/** Masks by `database/relation file number`, of the database that the workload used. */
async function masksOf(client: {
  query(sql: string): Promise<{ rows: { key: string; am: string | null; kind: string }[] }>
}): Promise<Map<string, PageMask>> {
  const { rows } = await client.query(
    `select (select oid from pg_database where datname = current_database()) || '/' || pg_relation_filenode(c.oid) as key,
            a.amname as am, c.relkind as kind
     from pg_class c left join pg_am a on a.oid = c.relam where pg_relation_filenode(c.oid) is not null`,
  )
  return new Map(
    rows.map(({ key, am, kind }) => [key, kind === 'S' ? 'sequence' : (MASK_BY_ACCESS_METHOD[am ?? ''] ?? 'heap')]),
  )
}

function run(command: string, args: readonly string[]): void {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} failed: ${stderr}`)
}
