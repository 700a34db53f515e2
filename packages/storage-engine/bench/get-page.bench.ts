import { PageClient } from '../src/compute/page-client.ts'
import { callJson } from '../src/io/http-client.ts'
import { openNodeEnv } from '../src/io/node-env.ts'
import { ProjectId, TimelineId } from '../src/postgres/ids.ts'
import { Lsn } from '../src/postgres/lsn.ts'
import { Fork } from '../src/postgres/relation.ts'
import { type Stack, sleep, startStack } from '../test/stack-fixture.ts'
import { type BenchContext, type BenchReport, percentile, rounded } from './bench-report.ts'
import { cpuTime } from './cpu-time.ts'
import { PeakMemory } from './peak-memory.ts'

const recordCounts = [0, 10, 100] as const
/** Requests on the wire at once in the throughput part. */
const PIPELINE_DEPTH = 64

/**
 * Page reads over loopback, straight from the PageServer: latency of one request at a time, and pages per second with
 * pipelining, for pages with 0, 10 and 100 WAL records on top of their image. Every page is asked for once, so that the
 * PageServer's cache of finished pages never answers.
 */
export async function bench({ say, isQuick }: BenchContext): Promise<BenchReport> {
  const pages = isQuick ? 1000 : 8000
  const stack = await startStack()
  try {
    const figures: Record<string, number> = {}
    const memory = new PeakMemory(stack)
    await createTable(stack, 'warmup', isQuick ? 1000 : 3000)
    for (const records of recordCounts) {
      const count = records === 100 ? Math.floor(pages / 4) : pages
      await createTable(stack, `t${records}`, count)
    }
    await waitCaughtUp(stack)
    await upkeep(stack, ['flush', 'compact', 'images'])
    const client = await stack.client()
    try {
      for (const records of recordCounts) {
        for (let i = 0; i < records; i++) await client.query(`update t${records} set n = n + 1 where n >= 0`)
      }
    } finally {
      await client.end()
    }
    const lsn = await waitCaughtUp(stack)
    await upkeep(stack, ['flush'])
    // The first reads pay for compiling the code on both sides.
    await measure(stack, 'warmup', lsn)

    for (const records of recordCounts) {
      const result = await measure(stack, `t${records}`, lsn)
      const suffix = records === 0 ? '' : String(records)
      figures[`p50Ms${suffix}`] = rounded(result.p50Ms)
      figures[`p99Ms${suffix}`] = rounded(result.p99Ms)
      figures[`pagesPerSecond${suffix}`] = rounded(result.pagesPerSecond)
      figures[`cpuUsPerPage${suffix}`] = rounded(result.cpuUs)
      say(
        `${records} records: p50 ${result.p50Ms.toFixed(3)} ms, p99 ${result.p99Ms.toFixed(3)} ms, ${result.pagesPerSecond.toFixed(0)} pages/s, ${result.cpuUs.toFixed(0)} us of CPU a page`,
      )
    }
    return { bench: 'get-page', figures: { ...figures, peakMemoryMb: await memory.stop() }, ratios: {} }
  } finally {
    await stack.cleanup()
  }
}

/** One wide row per page: an update of every row is one heap record per page. */
async function createTable(stack: Stack, name: string, pages: number): Promise<void> {
  await stack.query(`create table ${name} (i int, n int, filler text) with (fillfactor = 10, autovacuum_enabled = off)`)
  await stack.query(`alter table ${name} alter column filler set storage plain`)
  await stack.query(`insert into ${name} select i, 0, repeat('x', 1000) from generate_series(1, ${pages}) i`)
  await stack.query(`vacuum ${name}`)
}

async function measure(stack: Stack, table: string, lsn: Lsn) {
  const found = await stack.query<{ db: number; rel: number; blocks: number }>(
    `select (select oid::int from pg_database where datname = current_database()) as db,
       pg_relation_filenode('${table}')::int as rel, (pg_relation_size('${table}') / 8192)::int as blocks`,
  )
  const { db, rel, blocks } = found[0] ?? { db: 0, rel: 0, blocks: 0 }
  const relation = { spcOid: 1663, dbOid: db, relNumber: rel, fork: Fork.main }
  const { pageserver, projectId, branches } = await stack.describe()
  const client = new PageClient({
    env: openNodeEnv({ name: 'bench', logLevel: 'error' }),
    address: { host: pageserver.host, port: pageserver.port },
    projectId: ProjectId.parse(projectId),
    timelineId: TimelineId.parse(branches.find((branch) => branch.name === 'main')?.timelineId ?? ''),
    lsn,
    giveUpMs: 60_000,
  })
  try {
    const order = shuffled(blocks)
    const latencies: number[] = []
    const half = Math.floor(blocks / 2)
    for (const block of order.slice(0, half)) {
      const startedMs = performance.now()
      await client.readPages(relation, block, 1)
      latencies.push(performance.now() - startedMs)
    }
    const rest = order.slice(half)
    const cpuBefore = await cpuTime(stack, 'pageserver')
    const startedMs = performance.now()
    let next = 0
    const lane = async () => {
      while (next < rest.length) await client.readPages(relation, rest[next++] ?? 0, 1)
    }
    await Promise.all(Array.from({ length: PIPELINE_DEPTH }, lane))
    const seconds = (performance.now() - startedMs) / 1000
    const cpu = await cpuTime(stack, 'pageserver')
    const cpuMs = cpu.mainMs + cpu.othersMs - cpuBefore.mainMs - cpuBefore.othersMs
    return {
      p50Ms: percentile(latencies, 0.5),
      p99Ms: percentile(latencies, 0.99),
      pagesPerSecond: rest.length / seconds,
      cpuUs: (1000 * cpuMs) / rest.length,
    }
  } finally {
    client.close()
  }
}

/** 0 … count - 1 in an order that is the same in every run. */
function shuffled(count: number): number[] {
  const order = Array.from({ length: count }, (_, i) => i)
  let state = 12345
  for (let i = count - 1; i > 0; i--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    const j = state % (i + 1)
    ;[order[i], order[j]] = [order[j] ?? 0, order[i] ?? 0]
  }
  return order
}

/** Waits until the PageServer has what the compute has written by now; returns that LSN. */
export async function waitCaughtUp(stack: Stack): Promise<Lsn> {
  const rows = await stack.query<{ lsn: string }>('select pg_current_wal_flush_lsn()::text as lsn')
  const target = Lsn.parse(rows[0]?.lsn ?? '')
  for (let attempt = 0; attempt < 60_000; attempt++) {
    // The flush LSN may lie past the last whole record by a page header.
    const ingested = await ingestedLsn(stack)
    if (ingested + 64 >= target) return ingested
    await sleep(10)
  }
  throw new Error('the pageserver does not catch up')
}

export async function ingestedLsn(stack: Stack): Promise<Lsn> {
  const info = await callJson(await timelineUrl(stack), { timeoutMs: 60_000 })
  const found = typeof info === 'object' && info !== null && 'lastRecordLsn' in info ? info.lastRecordLsn : undefined
  if (typeof found !== 'string') throw new Error('the pageserver does not tell its last record lsn')
  return Lsn.parse(found)
}

async function upkeep(stack: Stack, steps: string[]): Promise<void> {
  await callJson(`${await timelineUrl(stack)}/upkeep`, { body: { steps }, timeoutMs: 600_000 })
}

async function timelineUrl(stack: Stack): Promise<string> {
  const { pageserver, projectId, branches } = await stack.describe()
  const timelineId = branches.find((branch) => branch.name === 'main')?.timelineId
  return `http://${pageserver.host}:${pageserver.httpPort}/projects/${projectId}/timelines/${timelineId}`
}
