import { type Stack, startStack } from '../test/stack-fixture.ts'
import { type BenchContext, type BenchReport, median, rounded } from './bench-report.ts'
import { computeUri } from './commit.bench.ts'
import { PeakMemory } from './peak-memory.ts'
import { pgbenchInit, pgbenchRun, requirePgbench } from './pgbench.ts'
import { startStock } from './stock-postgres.ts'

const clientCounts = [1, 8] as const

/** Select-only on warm caches against stock Postgres on local disk. Our compute is a fresh one that has read its pages once. */
export async function bench({ say, isQuick }: BenchContext): Promise<BenchReport> {
  await requirePgbench()
  const [scale, seconds, rounds] = isQuick ? [5, 5, 1] : [20, 15, 3]
  const stack = await startStack()
  try {
    const shared = await stack.query<{ shared_buffers: string }>('show shared_buffers')
    const peer = await startStock({ port: 21691, sharedBuffers: shared[0]?.shared_buffers ?? '128MB' })
    try {
      say(`loading scale ${scale} on both sides`)
      await pgbenchInit({ uri: await computeUri(stack) }, scale)
      await pgbenchInit(peer, scale)
      await stack.failover()
      const ours = { uri: await computeUri(stack) }
      const memory = new PeakMemory(stack)
      for (const target of [ours, peer])
        await pgbenchRun(target, { clients: 8, seconds: isQuick ? 5 : 30, isSelectOnly: true })
      const warm = 'select sum(abalance) from pgbench_accounts'
      await stack.query(warm)
      await peer.primary.query(warm)
      const figures: Record<string, number> = {}
      const ratios: Record<string, number> = {}
      for (const clients of clientCounts) {
        const [oursTps, peerTps]: [number[], number[]] = [[], []]
        const requests = -(await mountRequests(stack))
        for (let round = 0; round < rounds; round++) {
          oursTps.push(await pgbenchRun(ours, { clients, seconds, isSelectOnly: true }))
          peerTps.push(await pgbenchRun(peer, { clients, seconds, isSelectOnly: true }))
          say(
            `c${clients} round ${round + 1}: ours ${oursTps.at(-1)?.toFixed(0)} tps, stock ${peerTps.at(-1)?.toFixed(0)} tps`,
          )
        }
        figures[`oursTpsC${clients}`] = rounded(median(oursTps))
        figures[`stockTpsC${clients}`] = rounded(median(peerTps))
        const transactions = oursTps.reduce((sum, tps) => sum + tps * seconds, 0)
        figures[`mountRequestsPerTxC${clients}`] = rounded((requests + (await mountRequests(stack))) / transactions)
        ratios[`c${clients}`] = rounded(median(oursTps) / median(peerTps))
      }
      return { bench: 'read-warm', figures: { ...figures, peakMemoryMb: await memory.stop() }, ratios }
    } finally {
      await peer.cleanup()
    }
  } finally {
    await stack.cleanup()
  }
}

/** Requests of the kernel to the compute's mount so far: warm reads that need none cost no more than those of a local file. */
async function mountRequests(stack: Stack): Promise<number> {
  const { compute } = await stack.branch()
  const metrics = await (await fetch(new URL('/metrics', compute?.statusUrl))).text()
  return Number(/^tributary_compute_mount_requests (\d+)/m.exec(metrics)?.[1] ?? Number.NaN)
}
