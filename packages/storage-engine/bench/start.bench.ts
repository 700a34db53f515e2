import { startStack } from '../test/stack-fixture.ts'
import { type BenchContext, type BenchReport, medianPhases, percentile, rounded } from './bench-report.ts'
import { PeakMemory } from './peak-memory.ts'

/** From the order to start a compute to its first answered query, with a database that has seen some use. */
export async function bench({ say, isQuick }: BenchContext): Promise<BenchReport> {
  const runs = isQuick ? 3 : 30
  const stack = await startStack()
  try {
    await stack.query('create table t as select i, md5(i::text) from generate_series(1, 200000) i')
    const memory = new PeakMemory(stack)
    const totals: number[] = []
    const phases: Record<string, number>[] = []
    for (let run = 0; run < runs; run++) {
      await stack.stopBranch('main')
      const startedMs = performance.now()
      const started = await stack.startBranch('main')
      await stack.query('select 1')
      totals.push(performance.now() - startedMs)
      phases.push(phasesOf(started))
      say(`start ${run + 1}: ${totals.at(-1)?.toFixed(0)} ms ${JSON.stringify(phases.at(-1))}`)
    }
    return {
      bench: 'start',
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

/** `status.phases` of the answer to a start. */
export function phasesOf(started: unknown): Record<string, number> {
  const status = fieldOf(started, 'status')
  const phases = fieldOf(status, 'phases')
  const entries = typeof phases === 'object' && phases !== null ? Object.entries(phases) : []
  return Object.fromEntries(
    entries.flatMap(([name, value]) => (typeof value === 'number' ? [[name, Math.round(value * 10) / 10]] : [])),
  )
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? Object.entries(value).find(([key]) => key === name)?.[1]
    : undefined
}
