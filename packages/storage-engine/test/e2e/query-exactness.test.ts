/**
 * What the query worker answers at an LSN is what a Postgres that was started at that LSN answers: under a random workload
 * of several sessions, at random LSNs of several branches, with and without columnar layers, while the workload runs; and
 * with transactions, prepared ones too, that were in doubt when layers were made.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openHttpStorageAdmin } from '../../src/admin/http-storage-admin-client.ts'
import type { QueryResult } from '../../src/admin/query-client.ts'
import { DEFAULT_TABLESPACE_OID } from '../../src/postgres/constants.ts'
import { ProjectId, TimelineId } from '../../src/postgres/ids.ts'
import { Lsn } from '../../src/postgres/lsn.ts'
import { type QueryFixture, startQueryWorker } from '../query-fixture.ts'
import { type Stack, startStack } from '../stack-fixture.ts'
import { firstDifference, postgresRows, workerRows } from './compare-rows.ts'
import { currentLsn, HELD_SCHEMA, InDoubt } from './in-doubt.ts'
import { Random, WORKLOAD_QUERIES, WORKLOAD_SCHEMA, WORKLOAD_TABLES, Workload } from './query-workload.ts'

/** More rounds for a longer run: EXACTNESS_ROUNDS=200 npx vitest run --project e2e test/e2e/query-exactness.test.ts */
const ROUNDS = Number(process.env.EXACTNESS_ROUNDS ?? 10)
const SEED = Number(process.env.EXACTNESS_SEED ?? 20_261_125)
const SESSIONS = 3
const ROWS_MAX = 100_000
const TABLES = [...WORKLOAD_TABLES, 'held']

let stack: Stack
let worker: QueryFixture
let projectId: ProjectId
let mainId: TimelineId

beforeAll(async () => {
  stack = await startStack()
  worker = await startQueryWorker(stack)
  const { projectId: project } = await stack.describe()
  projectId = ProjectId.parse(project)
  mainId = TimelineId.parse((await stack.branch('main')).timelineId)
  await stack.withClient(async (client) => {
    for (const statement of [...WORKLOAD_SCHEMA, ...HELD_SCHEMA]) await client.query(statement)
  })
}, 180_000)

afterAll(async () => {
  await worker?.close()
  await stack?.cleanup()
})

async function ask(sql: string, timelineId: TimelineId, lsn: string): Promise<QueryResult | Error> {
  const request = { projectId, timelineId, sql, at: { lsn }, limits: { rowsMax: ROWS_MAX } }
  return worker.client.run(request).catch((error: Error) => error)
}

test('every table at random LSNs and branches equals what a Postgres started there holds', async () => {
  const random = new Random(SEED)
  const pageserver = (await stack.describe()).pageserver
  const admin = openHttpStorageAdmin({ url: `http://${pageserver.host}:${pageserver.httpPort}` })
  const startLsn = await currentLsn(stack)
  const inDoubt = new InDoubt(stack)
  const workload = new Workload(stack, SEED)
  const sessions = Array.from({ length: SESSIONS }, () => workload.run())
  const counts = { comparisons: 0, usingLayers: 0, rows: 0, freshRows: 0, columnRows: 0, reusedBlocks: 0 }
  const differences: string[] = []
  try {
    await sleep(3000)
    for (let round = 0; round < ROUNDS; round++) {
      let firstLsn = startLsn
      let lastLsn: Lsn
      if (round % 2 === 0) {
        // Waits until what the open transactions wrote is ingested, so that the layers have it.
        await ask('select count(*) from held', mainId, Lsn.format(await inDoubt.begin()))
        await admin.runUpkeep(projectId, mainId, ['flush', 'compact', 'images'])
        const layersLsn = await currentLsn(stack)
        const { openLsn, endedLsn } = await inDoubt.end()
        // In turns while those transactions are open, and after they have ended: soon after the layers, either way.
        firstLsn = round % 4 === 0 ? endedLsn : layersLsn
        lastLsn = round % 4 === 0 ? await currentLsn(stack) : openLsn
      } else lastLsn = await currentLsn(stack)
      const name = `at-${round}`
      const at = Lsn.of(firstLsn + random.below(lastLsn - firstLsn + 1))
      await stack.createBranch(name, { at: { lsn: Lsn.format(at) } })
      // The branch itself, or its parent at the point where it branched off: the same bytes by two ways.
      const branchId = TimelineId.parse((await stack.branch(name)).timelineId)
      const lsn = (await admin.getTimeline(projectId, branchId)).startLsn
      await stack.startBranch(name)
      const client = await stack.client(name)
      try {
        const filenode = await client.query<{ rel: string; db: string }>(
          "select pg_relation_filenode('held') as rel, oid as db from pg_database where datname = current_database()",
        )
        const { rel, db } = filenode.rows[0]!
        const heap = { spcOid: DEFAULT_TABLESPACE_OID, dbOid: Number(db), relNumber: Number(rel) }
        inDoubt.count(await admin.snapshotPlan({ projectId, timelineId: mainId, ...heap, lsn }), Lsn.parse(lsn))
        for (const sql of [...TABLES.map((table) => `select * from ${table}`), ...WORKLOAD_QUERIES]) {
          const expected = await postgresRows(client, sql)
          const isOnMain = random.below(2) === 0
          const got = await ask(sql, isOnMain ? mainId : branchId, lsn)
          counts.comparisons++
          const where = `${sql} at ${lsn} of ${isOnMain ? 'main' : name}`
          if (got instanceof Error) {
            differences.push(`${where}: ${String(got)} instead of ${expected.length} rows`)
            continue
          }
          const { receipt } = got
          counts.rows += got.rowCount
          counts.freshRows += receipt.freshRows
          counts.columnRows += receipt.columnRows
          for (const table of receipt.tables) counts.reusedBlocks += table.reusedBlocks
          counts.usingLayers += receipt.layersRead > 0 ? 1 : 0
          const ours = workerRows(got)
          if (ours.join('\n') !== expected.join('\n')) differences.push(`${where}: ${firstDifference(ours, expected)}`)
        }
      } finally {
        await client.end()
        await stack.stopBranch(name)
      }
    }
  } finally {
    workload.stop()
    await Promise.all(sessions)
    await inDoubt.close()
  }
  console.log(
    `${workload.count} transactions, ${JSON.stringify({ ...counts, ...workload.done, inDoubt: inDoubt.counts })}`,
  )
  expect(differences).toEqual([])
  expect(workload.errors.slice(0, 5)).toEqual([])
  expect(counts.comparisons).toBe(ROUNDS * (TABLES.length + WORKLOAD_QUERIES.length))
  expect(counts.usingLayers).toBeGreaterThan(ROUNDS)
  expect(counts.reusedBlocks).toBeGreaterThan(ROUNDS)
  expect(counts.rows).toBeGreaterThan(ROUNDS * 1000)
  for (const [what, count] of [...Object.entries(workload.done), ...Object.entries(inDoubt.counts)]) {
    expect(count, what).toBeGreaterThan(0)
  }
}, 3_600_000)

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
