import { type Stack, startStack } from '../test/stack-fixture.ts'
import { type BenchContext, type BenchReport, rounded } from './bench-report.ts'
import { computeUri } from './commit.bench.ts'
import { cpuTime } from './cpu-time.ts'
import { ingestedLsn, waitCaughtUp } from './get-page.bench.ts'
import { PeakMemory } from './peak-memory.ts'
import { pgbenchInit, pgbenchRun, requirePgbench } from './pgbench.ts'

/**
 * How fast the PageServer takes in WAL. WAL is made while the PageServer is held still, so that making it is no part of
 * the time; then it is let go and has to catch up from the SafeKeepers: first COPY, then pgbench WAL.
 */
export async function bench({ say, isQuick }: BenchContext): Promise<BenchReport> {
  await requirePgbench()
  const [copyMb, scale, seconds] = isQuick ? [64, 5, 10] : [1024, 20, 60]
  const stack = await startStack()
  try {
    const uri = await computeUri(stack)
    await pgbenchInit({ uri }, scale)
    await stack.query('create table c (i int, filler text)')
    await waitCaughtUp(stack)
    const memory = new PeakMemory(stack)

    // What the workloads read must lie in the compute's caches: a held PageServer answers no reads.
    await stack.query(insertRows(100))
    await pgbenchRun({ uri }, { clients: 16, seconds: 3 })
    await stack.query('select sum(abalance) from pgbench_accounts')
    await waitCaughtUp(stack)

    const copy = await measure(stack, say, 'copy', async () => {
      const client = await stack.client()
      try {
        for (let done = 0; done < copyMb; done += 64) {
          await client.query(insertRows((64 * 1024 * 1024 * 7) / 8192))
        }
      } finally {
        await client.end()
      }
    })
    const pgbench = await measure(stack, say, 'pgbench', async () => {
      await pgbenchRun({ uri }, { clients: 16, seconds })
    })
    const peakMemoryMb = await memory.stop()
    return {
      bench: 'ingest',
      figures: {
        mbPerSecond: rounded((copy.mb + pgbench.mb) / (copy.seconds + pgbench.seconds)),
        copyMbPerSecond: rounded(copy.mb / copy.seconds),
        pgbenchMbPerSecond: rounded(pgbench.mb / pgbench.seconds),
        copyMainCpuMsPerMb: rounded(copy.mainCpuMs / copy.mb),
        copyWorkersCpuMsPerMb: rounded(copy.workersCpuMs / copy.mb),
        pgbenchMainCpuMsPerMb: rounded(pgbench.mainCpuMs / pgbench.mb),
        pgbenchWorkersCpuMsPerMb: rounded(pgbench.workersCpuMs / pgbench.mb),
        walMb: rounded(copy.mb + pgbench.mb),
        pageserverRssMb: peakMemoryMb['pageserver'] ?? 0,
        peakMemoryMb,
      },
      ratios: {},
    }
  } finally {
    await stack.cleanup()
  }
}

function insertRows(count: number): string {
  return `insert into c select i, repeat(md5(i::text), 35) from generate_series(1, ${count}) i`
}

/** A workload that waits for the held PageServer would wait for ever: after this it is let go, and the run fails. */
const HELD_MS_MAX = 180_000

async function measure(
  stack: Stack,
  say: (line: string) => void,
  name: string,
  makeWal: () => Promise<void>,
): Promise<{ mb: number; seconds: number; mainCpuMs: number; workersCpuMs: number }> {
  await waitCaughtUp(stack)
  const from = await ingestedLsn(stack)
  await stack.kill('pageserver', 'SIGSTOP')
  let isVoid = false
  const timer = setTimeout(() => {
    isVoid = true
    void stack.kill('pageserver', 'SIGCONT')
  }, HELD_MS_MAX)
  try {
    await makeWal()
  } finally {
    clearTimeout(timer)
    await stack.kill('pageserver', 'SIGCONT')
  }
  if (isVoid) throw new Error(`${name}: the workload waited for the held pageserver`)
  const cpuBefore = await cpuTime(stack, 'pageserver')
  const startedMs = performance.now()
  const to = await waitCaughtUp(stack)
  const seconds = (performance.now() - startedMs) / 1000
  const mb = (to - from) / 1e6
  const cpu = await cpuTime(stack, 'pageserver')
  const mainCpuMs = cpu.mainMs - cpuBefore.mainMs
  const workersCpuMs = cpu.othersMs - cpuBefore.othersMs
  say(
    `${name}: ${mb.toFixed(0)} MB of WAL in ${seconds.toFixed(1)} s, ${(mb / seconds).toFixed(1)} MB/s; CPU a MB: ${(mainCpuMs / mb).toFixed(1)} ms of the main thread, ${(workersCpuMs / mb).toFixed(1)} ms of the others`,
  )
  return { mb, seconds, mainCpuMs, workersCpuMs }
}
