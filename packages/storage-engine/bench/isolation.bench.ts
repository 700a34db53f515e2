import { execFile } from 'node:child_process'
import * as fs from 'node:fs'
import * as os from 'node:os'
import * as path from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { tpchLikeQueries } from '../demo/tpch-like-queries.ts'
import { startStack } from '../test/stack-fixture.ts'
import { loadTpchLike } from './analytics.bench.ts'
import { type BenchContext, type BenchReport, median, percentile, rounded } from './bench-report.ts'
import { computeUri } from './commit.bench.ts'
import { pgbenchInit, requirePgbench } from './pgbench.ts'
import { startQueryWorkerProcess } from './query-worker-process.ts'

const WORKER_PORT = 24_692
const QUERIES = ['q1', 'q5', 'q9', 'q18'] as const
const run = promisify(execFile)

interface Oltp {
  readonly tps: number
  readonly p99Ms: number
}

/** OLTP with no analytics, with ours, and with the same questions asked of Postgres, in turns. */
export async function bench({ say, isQuick }: BenchContext): Promise<BenchReport> {
  await requirePgbench()
  const [scale, seconds, rounds] = isQuick ? [0.02, 5, 1] : [0.3, 20, 3]
  const stack = await startStack()
  const worker = await startQueryWorkerProcess(stack, WORKER_PORT)
  try {
    const uri = await computeUri(stack)
    const client = new pg.Client({ connectionString: uri })
    await client.connect()
    await loadTpchLike(client, scale)
    await pgbenchInit({ uri }, 10)
    await worker.upkeep()
    const analytics = {
      none: async () => undefined,
      ours: async (name: string) => void (await worker.client.run({ ...worker.target, sql: tpchLikeQueries[name]! })),
      inPostgres: async (name: string) => void (await client.query(tpchLikeQueries[name]!)),
    }
    // Both sides have what they need in memory before anything is timed.
    for (const name of QUERIES) for (const ask of [analytics.ours, analytics.inPostgres]) await ask(name)
    type Kind = keyof typeof analytics
    const kinds = Object.keys(analytics) as Kind[]
    const samples = new Map<Kind, Oltp[]>(kinds.map((kind) => [kind, []]))
    const answered = new Map<Kind, number>(kinds.map((kind) => [kind, 0]))
    for (let round = 0; round < rounds; round++) {
      for (const kind of kinds) {
        let isOver = false
        const load = (async () => {
          for (let i = 0; kind !== 'none' && !isOver; i++) {
            await analytics[kind](QUERIES[i % QUERIES.length]!)
            answered.set(kind, answered.get(kind)! + 1)
          }
        })()
        const oltp = await pgbenchWithLatencies(uri, seconds)
        isOver = true
        await load
        samples.get(kind)!.push(oltp)
        say(`round ${round + 1}, ${kind}: ${oltp.tps.toFixed(0)} tps, p99 ${oltp.p99Ms.toFixed(1)} ms`)
      }
    }
    await client.end()
    const figures: Record<string, number> = {}
    for (const kind of kinds) {
      figures[`${kind}Tps`] = rounded(median(samples.get(kind)!.map(({ tps }) => tps)))
      figures[`${kind}P99Ms`] = rounded(median(samples.get(kind)!.map(({ p99Ms }) => p99Ms)))
      figures[`${kind}Answers`] = answered.get(kind)!
    }
    const share = (kind: Kind, what: 'Tps' | 'P99Ms'): number =>
      rounded(figures[`${kind}${what}`]! / figures[`none${what}`]!)
    return {
      bench: 'isolation',
      figures,
      // Over no analytics at all: tps below 1 and p99 above 1 are what analytics cost.
      ratios: {
        tpsOurs: share('ours', 'Tps'),
        tpsInPostgres: share('inPostgres', 'Tps'),
        p99Ours: share('ours', 'P99Ms'),
        p99InPostgres: share('inPostgres', 'P99Ms'),
      },
    }
  } finally {
    await worker.stop()
    await stack.cleanup()
  }
}

async function pgbenchWithLatencies(uri: string, seconds: number): Promise<Oltp> {
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
