import { type Stack, startStack } from '../test/stack-fixture.ts'
import { type BenchContext, type BenchReport, median, rounded } from './bench-report.ts'
import { PeakMemory } from './peak-memory.ts'
import { pgbenchInit, pgbenchRun, requirePgbench } from './pgbench.ts'
import { startStockQuorum } from './stock-postgres.ts'

const clientCounts = [1, 8, 32] as const

/** Commits per second, tpcb-like, against stock Postgres with two stock synchronous standbys. Turns alternate. */
export async function bench({ say, isQuick }: BenchContext): Promise<BenchReport> {
  await requirePgbench()
  const [scale, seconds, rounds] = isQuick ? [5, 5, 1] : [50, 20, 3]
  const stack = await startStack()
  try {
    const ours = { uri: await computeUri(stack) }
    const shared = await stack.query<{ shared_buffers: string }>('show shared_buffers')
    const peer = await startStockQuorum({ port: 21690, sharedBuffers: shared[0]?.shared_buffers ?? '128MB' })
    try {
      say(`loading scale ${scale} on both sides`)
      await pgbenchInit(ours, scale)
      await pgbenchInit(peer, scale)
      const memory = new PeakMemory(stack)
      const figures: Record<string, number> = {}
      const ratios: Record<string, number> = {}
      for (const clients of clientCounts) {
        const [oursTps, peerTps]: [number[], number[]] = [[], []]
        for (let round = 0; round < rounds; round++) {
          oursTps.push(await pgbenchRun(ours, { clients, seconds }))
          peerTps.push(await pgbenchRun(peer, { clients, seconds }))
          say(
            `c${clients} round ${round + 1}: ours ${oursTps.at(-1)?.toFixed(0)} tps, stock ${peerTps.at(-1)?.toFixed(0)} tps`,
          )
        }
        figures[`oursTpsC${clients}`] = rounded(median(oursTps))
        figures[`stockTpsC${clients}`] = rounded(median(peerTps))
        ratios[`c${clients}`] = rounded(median(oursTps) / median(peerTps))
      }
      return { bench: 'commit', figures: { ...figures, peakMemoryMb: await memory.stop() }, ratios }
    } finally {
      await peer.cleanup()
    }
  } finally {
    await stack.cleanup()
  }
}

/** Of the compute itself: the front door is no part of what is compared. */
export async function computeUri(stack: Stack, branch = 'main'): Promise<string> {
  const { compute } = await stack.branch(branch)
  if (!compute) throw new Error('no compute runs')
  return stack.uri.replace(/:\d+\//, `:${compute.postgresPort}/`)
}
