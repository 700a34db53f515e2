import pg from 'pg'
import { callJson } from '../src/io/http-client.ts'
import { type Stack, sleep, startStack } from '../test/stack-fixture.ts'
import { type BenchContext, type BenchReport, medianPhases, percentile, rounded } from './bench-report.ts'
import { PeakMemory } from './peak-memory.ts'
import { phasesOf } from './start.bench.ts'

/** From kill -9 of the primary, under write load, to the first write that its successor has committed. */
export async function bench({ say, isQuick }: BenchContext): Promise<BenchReport> {
  const runs = isQuick ? 3 : 30
  const stack = await startStack()
  try {
    await stack.query('create table t (run int, at timestamptz default now())')
    await stack.query('create table filler as select i, md5(i::text) from generate_series(1, 200000) i')
    const memory = new PeakMemory(stack)
    const totals: number[] = []
    const phases: Record<string, number>[] = []
    for (let run = 0; run < runs; run++) {
      await insertUntilCommitted(stack, -1)
      const before = (await stack.branch()).compute?.computeId
      const killedMs = performance.now()
      await stack.kill('compute:main')
      await insertUntilCommitted(stack, run)
      totals.push(performance.now() - killedMs)
      const { compute } = await stack.branch()
      if (compute?.computeId === before) throw new Error('the primary was not replaced')
      const status = compute ? await callJson(compute.statusUrl, { timeoutMs: 5000 }) : undefined
      phases.push(phasesOf({ status }))
      say(`failover ${run + 1}: ${totals.at(-1)?.toFixed(0)} ms ${JSON.stringify(phases.at(-1))}`)
    }
    const found = await stack.query<{ count: string }>('select count(distinct run) from t where run >= 0')
    if (found[0]?.count !== String(runs)) throw new Error(`a committed write is missing: ${found[0]?.count} of ${runs}`)
    return {
      bench: 'failover',
      figures: {
        p50Ms: rounded(percentile(totals, 0.5)),
        p99Ms: rounded(percentile(totals, 0.99)),
        phases: medianPhases(phases),
        peakMemoryMb: await memory.stop(),
      },
      ratios: {},
    }
  } finally {
    await stack.cleanup()
  }
}

async function insertUntilCommitted(stack: Stack, run: number): Promise<void> {
  for (;;) {
    const client = new pg.Client({ connectionString: stack.uri, connectionTimeoutMillis: 30_000 })
    client.on('error', () => undefined)
    try {
      await client.connect()
      await client.query('insert into t (run) values ($1)', [run])
      return
    } catch {
      await sleep(2)
    } finally {
      await client.end().catch(() => undefined)
    }
  }
}
