/** The whole lake over an S3-compatible server: columns, queries and published tables against what Postgres says. */
import { createHash } from 'node:crypto'
import * as fs from 'node:fs'
import * as os from 'node:os'
import * as path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openHttpStorageAdmin } from '../src/admin/http-storage-admin-client.ts'
import type { QueryRequest } from '../src/admin/query-client.ts'
import { DeltaTable } from '../src/delta-log/delta-table.ts'
import { silentLog } from '../src/io/log.ts'
import { nodeClock } from '../src/io/node-clock.ts'
import { nodeRandom } from '../src/io/node-random.ts'
import { objectStoreConfig } from '../src/object-store/object-store-config.ts'
import { retryObjectStore } from '../src/object-store/retrying-object-store.ts'
import { openS3ObjectStore } from '../src/object-store/s3-object-store.ts'
import { ProjectId, TimelineId } from '../src/postgres/ids.ts'
import { duckdbRows, hyparquetRows } from './delta-rows.ts'
import { postgresRows, workerRows } from './e2e/compare-rows.ts'
import { type QueryFixture, startQueryWorker } from './query-fixture.ts'
import { createBucket } from './s3-bucket.ts'
import { type Stack, startStack } from './stack-fixture.ts'

export interface S3Server {
  readonly endpoint: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  close(): Promise<void>
}

const BUCKET = 'tributary-lake'

export interface PublishedOnS3 {
  readonly path: string
  /** Files of partitions or of an ancestor, named by `../`. */
  readonly hasFilesOutside: boolean
  /** What Postgres has in it: count, sum of ids, hash, as `read_delta.py` prints them. */
  readonly expected: Record<string, unknown>
}

/** Called with all published tables at the end: for readers that are programs of their own. */
export type ReadPublished = (config: ReturnType<typeof s3ConfigOf>, tables: readonly PublishedOnS3[]) => void

function s3ConfigOf({ endpoint, accessKeyId, secretAccessKey }: S3Server) {
  const prefix = `lake-${process.pid}`
  const config = objectStoreConfig.parse({ kind: 's3', bucket: BUCKET, prefix, endpoint, accessKeyId, secretAccessKey })
  if (config.kind !== 's3') throw new Error('not an s3 configuration')
  return { ...config, endpoint, accessKeyId, secretAccessKey }
}

const WORKLOAD = [
  `create table t (id int primary key, v text, n numeric(12, 2), d date, tz timestamptz, j jsonb, a int[], f float8)`,
  `insert into t select i, 'v' || i, i / 100.0, date '1500-01-01' + i, timestamptz '2024-01-01 00:00:00+00' + i * interval '1 s', jsonb_build_object('k', i), array[i, null], i / 7.0
     from generate_series(1, 20000) i`,
  `update t set v = v || '+' where id % 5 = 0`,
  `delete from t where id % 7 = 0`,
  `create table p (id int, v text) partition by range (id)`,
  `create table p_low partition of p for values from (0) to (1000)`,
  `create table p_high partition of p for values from (1000) to (maxvalue)`,
  `insert into p select i, 'p' || i from generate_series(0, 2999) i`,
]
const LATER = [
  `update t set v = 'late', j = null where id between 500 and 540`,
  `insert into t (id, v) select i, repeat(md5(i::text), 400) from generate_series(30001, 30040) i`,
  `delete from p where id % 100 = 3`,
]
const QUESTIONS = [
  'select * from t where id < 700',
  'select count(*), sum(n), min(d), max(tz), sum(length(v)) from t',
  'select p.v, t.v from p join t using (id) where id % 50 = 0',
]
const CHECK = `select count(*)::text as n, sum(id)::text as ids, md5(coalesce(string_agg(id || ':' || coalesce(v, '-'), ',' order by id), '')) as hash from `

export function testLakeOnS3(openServer: () => Promise<S3Server>, read?: ReadPublished): void {
  let server: S3Server
  let stack: Stack
  let worker: QueryFixture
  let base: Pick<QueryRequest, 'projectId' | 'timelineId'>
  let folder: string

  beforeAll(async () => {
    server = await openServer()
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tributary-s3-'))
    const config = s3ConfigOf(server)
    const { endpoint, accessKeyId, secretAccessKey } = config
    await createBucket({ ...config, bucket: BUCKET })
    stack = await startStack({
      env: {
        TRIBUTARY_S3_BUCKET: BUCKET,
        TRIBUTARY_S3_ENDPOINT: endpoint,
        TRIBUTARY_S3_PREFIX: config.prefix,
        TRIBUTARY_S3_ACCESS_KEY_ID: accessKeyId,
        TRIBUTARY_S3_SECRET_ACCESS_KEY: secretAccessKey,
      },
    })
    worker = await startQueryWorker(stack, { objectStore: config })
    const { projectId } = await stack.describe()
    const { timelineId } = await stack.branch('main')
    base = { projectId: ProjectId.parse(projectId), timelineId: TimelineId.parse(timelineId) }
  }, 180_000)

  afterAll(async () => {
    await worker?.close()
    await stack?.cleanup()
    await server?.close()
    if (folder) fs.rmSync(folder, { recursive: true, force: true })
  })

  test('on S3, queries over columns and the files of published tables give what Postgres gives, on a branch too', async () => {
    const { pageserver } = await stack.describe()
    const admin = openHttpStorageAdmin({ url: `http://${pageserver.host}:${pageserver.httpPort}` })
    const config = s3ConfigOf(server)
    const env = { clock: nodeClock, random: nodeRandom, log: silentLog }
    const store = retryObjectStore(openS3ObjectStore(config), env)
    const published: PublishedOnS3[] = []
    const client = await stack.client()
    try {
      for (const statement of WORKLOAD) await client.query(statement)
      // The answer waits for all that is committed, so that upkeep has it too.
      await worker.client.run({ ...base, sql: 'select 1' })
      await admin.runUpkeep(base.projectId, base.timelineId, ['flush', 'compact', 'images'])
      for (const statement of LATER) await client.query(statement)
      for (const sql of QUESTIONS) {
        const result = await worker.client.run({ ...base, sql })
        expect([sql, workerRows(result)]).toEqual([sql, await postgresRows(client, sql)])
        expect(result.receipt.layersRead).toBeGreaterThan(0)
      }
      await stack.createBranch('side')
      await stack.startBranch('side')
      await stack.query(`update t set v = 'side' where id < 300`, [], 'side')
      const side = { ...base, timelineId: TimelineId.parse((await stack.branch('side')).timelineId) }
      for (const [target, branch] of [
        [base, 'main'],
        [side, 'side'],
      ] as const) {
        await worker.client.run({ ...target, sql: 'select 1' })
        for (const name of ['t', 'p']) {
          const table = { database: 'postgres', schema: 'public', name }
          const outcome = await admin.publishTables({ ...target, table })
          expect(outcome.refused).toEqual([])
          const { path: prefix } = outcome.published[0]!
          const [expected] = await stack.query<Record<string, unknown>>(`${CHECK}${name}`, [], branch)
          const version = { store, prefix, snapshot: await new DeltaTable(store, prefix).snapshot() }
          const hasFilesOutside = [...version.snapshot.files.values()].some((file) => file.path.startsWith('../'))
          published.push({ path: prefix, hasFilesOutside, expected: expected! })
          let serial = 0
          const fileOf = async (key: string) => {
            const file = path.join(folder, `${published.length}-${++serial}.parquet`)
            await store.getFile(key, file)
            return file
          }
          expect(await duckdbRows(version, fileOf, CHECK.slice(7, -6).replaceAll('::text', '::varchar'))).toEqual([
            expected,
          ])
          expect(summary(await hyparquetRows(version, ['id', 'v']))).toEqual(expected)
        }
      }
      expect(fs.existsSync(path.join(stack.home, 'objects'))).toBe(false)
    } catch (error) {
      throw new Error(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n${stack.logTail()}`)
    } finally {
      await client.end()
    }
    read?.(config, published)
  }, 300_000)
}

/** As the statement CHECK has it. */
function summary(rows: readonly Record<string, unknown>[]): Record<string, unknown> {
  const sorted = rows.map(({ id, v }) => [Number(id), v === null ? '-' : String(v)] as const).sort(([a], [b]) => a - b)
  const text = sorted.map(([id, v]) => `${id}:${v}`).join(',')
  return {
    n: String(rows.length),
    ids: String(sorted.reduce((sum, [id]) => sum + id, 0)),
    hash: createHash('md5').update(text).digest('hex'),
  }
}
