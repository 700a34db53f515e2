import * as fs from 'node:fs'
import * as path from 'node:path'
import { type Stack, startStack } from '../test/stack-fixture.ts'
import { type BenchContext, type BenchReport, medianPhases, percentile, rounded } from './bench-report.ts'
import { PeakMemory } from './peak-memory.ts'

/**
 * The time of the call that creates a branch at the tip, on a small and on a large database. The first call after the inserts
 * also waits until the PageServer has ingested the last of them: that depends on what was just written, not on the size of
 * the database, and is a figure of its own.
 */
export async function bench({ say, isQuick }: BenchContext): Promise<BenchReport> {
  const [runs, largeMb] = isQuick ? [5, 50] : [30, 5 * 1024]
  const stack = await startStack()
  try {
    await fill(stack, 'small', 10)
    const memory = new PeakMemory(stack)
    await createBranches(stack, 'small', 1)
    const small = await createBranches(stack, 'small-again', runs)
    say(`10 MB: p50 ${percentile(small, 0.5).toFixed(1)} ms, p99 ${percentile(small, 0.99).toFixed(1)} ms`)
    await fill(stack, 'large', largeMb)
    const afterFill = await createBranches(stack, 'large', 1)
    const afterFillPhases = phasesOf(stack, afterFill)[0] ?? {}
    const large = await createBranches(stack, 'large-again', runs)
    say(`${largeMb} MB: p50 ${percentile(large, 0.5).toFixed(1)} ms, p99 ${percentile(large, 0.99).toFixed(1)} ms`)
    const largePhases = phasesOf(stack, large)
    return {
      bench: 'branch',
      figures: {
        p50Ms: rounded(percentile(large, 0.5)),
        p99Ms: rounded(percentile(large, 0.99)),
        smallP50Ms: rounded(percentile(small, 0.5)),
        smallP99Ms: rounded(percentile(small, 0.99)),
        largeMb,
        phases: medianPhases(largePhases),
        afterFillMs: rounded(afterFill[0] ?? Number.NaN),
        afterFillPhases,
        slowestPhases: largePhases[large.indexOf(Math.max(...large))] ?? {},
        peakMemoryMb: await memory.stop(),
      },
      ratios: { largeOverSmall: rounded(percentile(large, 0.5) / percentile(small, 0.5)) },
    }
  } finally {
    await stack.cleanup()
  }
}

/**
 * Of each run on the large database: the PageServer makes sure that it has the WAL up to the branch point (resolve) and
 * writes the branch's metadata (publish), as their logs say. Name is what the file of the branches' names, written
 * meanwhile, took longer than that. The rest is the calls.
 */
function phasesOf(stack: Stack, times: readonly number[]): Record<string, number>[] {
  const named = logged(stack, 'supervisor', 'branch named').slice(-times.length)
  const created = logged(stack, 'pageserver', 'branch created').slice(-times.length)
  return created.map(({ resolveMs = 0, publishMs = 0 }, i) => {
    const { nameMs = 0 } = named[i] ?? {}
    const calls = rounded((times[i] ?? 0) - resolveMs - publishMs - nameMs)
    return { resolve: resolveMs, publish: publishMs, name: rounded(nameMs), calls }
  })
}

function logged(stack: Stack, process: string, message: string): Record<string, number>[] {
  const log = fs.readFileSync(path.join(stack.home, 'logs', `${process}.log`), 'utf8')
  const lines = log.split('\n').filter((line) => line.includes(`"${message}"`))
  return lines.map((line) => JSON.parse(line) as Record<string, number>)
}

async function createBranches(stack: Stack, name: string, runs: number): Promise<number[]> {
  const times: number[] = []
  for (let run = 0; run < runs; run++) {
    const startedMs = performance.now()
    await stack.createBranch(`${name}-${run}`)
    times.push(performance.now() - startedMs)
  }
  return times
}

/** About `mb` MiB of heap, in steps, so that no statement runs for minutes. */
async function fill(stack: Stack, table: string, mb: number): Promise<void> {
  const client = await stack.client()
  try {
    await client.query(`create table ${table} (i int, filler text)`)
    const stepMb = 64
    for (let done = 0; done < mb; done += stepMb) {
      const rows = Math.round((Math.min(stepMb, mb - done) * 1024 * 1024) / 8192) * 7
      await client.query(`insert into ${table} select i, repeat(md5(i::text), 35) from generate_series(1, $1) i`, [
        rows,
      ])
    }
  } finally {
    await client.end()
  }
}
