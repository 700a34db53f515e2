import { execFile } from 'node:child_process'
import * as fs from 'node:fs'
import * as os from 'node:os'
import * as path from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { tpchLikeQueries } from '../demo/tpch-like-queries.ts'
import { type Stack, startStack } from '../test/stack-fixture.ts'
import { loadTpchLike } from './analytics.bench.ts'
import { type BenchContext, type BenchReport, median, percentile, rounded } from './bench-report.ts'
import { computeUri } from './commit.bench.ts'
import { PageProbe } from './page-probe.ts'
import { pgbenchInit, requirePgbench } from './pgbench.ts'
import { startQueryWorkerProcess } from './query-worker-process.ts'

const WORKER_PORT = 24_692
const QUERIES = ['q1', 'q5', 'q9', 'q18'] as const
const run = promisify(execFile)

interface Sample {
  readonly tps: number
  readonly p99Ms: number
  readonly getPageP99Ms: number
}

/**
 * OLTP with nothing beside it, with our analytics, with the same questions asked of Postgres, and with columnar compaction
 * without a pause, in turns. Page reads straight from the PageServer are timed all along.
 */
export async function bench({ say, isQuick }: BenchContext): Promise<BenchReport> {
  await requirePgbench()
  const [scale, seconds, rounds] = isQuick ? [0.02, 5, 1] : [0.3, 15, 3]
  const stack = await startStack()
  const worker = await startQueryWorkerProcess(stack, WORKER_PORT)
  try {
    const uri = await computeUri(stack)
    const client = new pg.Client({ connectionString: uri })
    await client.connect()
    await loadTpchLike(client, scale)
    await pgbenchInit({ uri }, 10)
    await worker.upkeep()
    const beside = {
      none: undefined,
      ours: async (name: string) => void (await worker.client.run({ ...worker.target, sql: tpchLikeQueries[name]! })),
      inPostgres: async (name: string) => void (await client.query(tpchLikeQueries[name]!)),
      compaction: () => worker.upkeep(),
    }
    // Both sides have what they need in memory before anything is timed.
    for (const name of QUERIES) for (const ask of [beside.ours, beside.inPostgres]) await ask(name)
    await (await PageProbe.start(stack, 'pgbench_accounts')).stop()
    type Kind = keyof typeof beside
    const kinds = Object.keys(beside) as Kind[]
    const samples = new Map<Kind, Sample[]>(kinds.map((kind) => [kind, []]))
    const turns = new Map<Kind, number>(kinds.map((kind) => [kind, 0]))
    let columnarPages = 0
    for (let round = 0; round < rounds; round++) {
      for (const kind of kinds) {
        const work = beside[kind]
        const pagesBefore = await columnarPagesOf(stack)
        let isOver = false
        const load = (async () => {
          for (let i = 0; work && !isOver; i++) {
            await work(QUERIES[i % QUERIES.length]!)
            turns.set(kind, turns.get(kind)! + 1)
          }
        })()
        const probe = await PageProbe.start(stack, 'pgbench_accounts')
        const oltp = await pgbenchWithLatencies(uri, seconds)
        const getPageP99Ms = percentile(await probe.stop(), 0.99)
        isOver = true
        await load
        if (kind === 'compaction') columnarPages += (await columnarPagesOf(stack)) - pagesBefore
        samples.get(kind)!.push({ ...oltp, getPageP99Ms })
        say(
          `round ${round + 1}, ${kind}: ${oltp.tps.toFixed(0)} tps, p99 ${oltp.p99Ms.toFixed(1)} ms, getPage p99 ${getPageP99Ms.toFixed(2)} ms`,
        )
      }
    }
    await client.end()
    const figures: Record<string, number> = { columnarPages }
    for (const kind of kinds) {
      figures[`${kind}Tps`] = rounded(median(samples.get(kind)!.map(({ tps }) => tps)))
      figures[`${kind}P99Ms`] = rounded(median(samples.get(kind)!.map(({ p99Ms }) => p99Ms)))
      figures[`${kind}GetPageP99Ms`] = rounded(median(samples.get(kind)!.map(({ getPageP99Ms }) => getPageP99Ms)))
      if (kind !== 'none') figures[`${kind}Turns`] = turns.get(kind)!
    }
    const share = (kind: Kind, what: 'Tps' | 'P99Ms' | 'GetPageP99Ms'): number =>
      rounded(figures[`${kind}${what}`]! / figures[`none${what}`]!)
    return {
      bench: 'isolation',
      figures,
      // Over nothing beside it: tps below 1 and p99 above 1 are what it costs.
      ratios: {
        tpsOurs: share('ours', 'Tps'),
        tpsInPostgres: share('inPostgres', 'Tps'),
        tpsCompaction: share('compaction', 'Tps'),
        p99Ours: share('ours', 'P99Ms'),
        p99InPostgres: share('inPostgres', 'P99Ms'),
        p99Compaction: share('compaction', 'P99Ms'),
        getPageP99Ours: share('ours', 'GetPageP99Ms'),
        getPageP99InPostgres: share('inPostgres', 'GetPageP99Ms'),
        getPageP99Compaction: share('compaction', 'GetPageP99Ms'),
      },
    }
  } finally {
    await worker.stop()
    await stack.cleanup()
  }
}

/** Heap pages that were put into columns so far. */
async function columnarPagesOf(stack: Stack): Promise<number> {
  const { pageserver } = await stack.describe()
  const text = await (await fetch(`http://${pageserver.host}:${pageserver.httpPort}/metrics`)).text()
  return Number(/^tributary_pageserver_columnar_pages_total ([\d.e+]+)$/m.exec(text)?.[1] ?? 0)
}

async function pgbenchWithLatencies(uri: string, seconds: number): Promise<Omit<Sample, 'getPageP99Ms'>> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tributary-pgbench-'))
  try {
    const args = [
      '-n',
      '-M',
      'prepared',
      '-c',
      '8',
      '-j',
      '2',
      '-T',
      String(seconds),
      '-l',
      '--log-prefix',
      path.join(folder, 'log'),
      uri,
    ]
    const { stdout } = await run('pgbench', args, { maxBuffer: 64 * 1024 * 1024 })
    const tps = Number(/tps = ([\d.]+)/.exec(stdout)?.[1])
    if (!Number.isFinite(tps)) throw new Error(`pgbench printed no tps:\n${stdout}`)
    // client, transaction, time in microseconds, …
    const latencies = fs
      .readdirSync(folder)
      .flatMap((name) => fs.readFileSync(path.join(folder, name), 'utf8').trim().split('\n'))
      .map((line) => Number(line.split(' ')[2]) / 1000)
    return { tps, p99Ms: percentile(latencies, 0.99) }
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}
