import { expect, test } from 'vitest'
import { WalStream } from '../../src/pageserver/wal-stream.ts'
import { Lsn } from '../../src/postgres/lsn.ts'
import { ABSENT_MS } from '../../src/safekeeper/ingest-throttle.ts'
import { Cluster, identity, type SimWriter } from '../cluster.ts'
import { CommitChecker } from '../commit-checker.ts'
import { SimVolume } from '../sim-disk.ts'
import { SimNetwork } from '../sim-network.ts'
import { SimLife, simEnv } from '../sim-node.ts'
import { SimObjectStore } from '../sim-object-store.ts'
import { World } from '../world.ts'

/** The writer makes some four times as much. */
const INGEST_BYTES_PER_SECOND = 100_000
const LAG_BYTES_MAX = 500_000
const FEEDBACK_INTERVAL_MS = 1000

test('the lag of a slow PageServer stays bounded, and the writer goes on with the pace of it', async () => {
  const { world, writer, ingest } = await runningCluster({ ingestLagBytesMax: LAG_BYTES_MAX })
  await runFor(world, 8000)
  let lagMax = 0
  const committedBefore = writer.proposer!.commitLsn
  for (let i = 0; i < 200; i++) {
    await runFor(world, 100)
    lagMax = Math.max(lagMax, writer.proposer!.commitLsn - ingest.lsn)
  }
  expect(lagMax).toBeGreaterThan(LAG_BYTES_MAX)
  expect(lagMax).toBeLessThan(2 * LAG_BYTES_MAX)
  const bytesPerSecond = (writer.proposer!.commitLsn - committedBefore) / 20
  expect(bytesPerSecond).toBeGreaterThan(0.8 * INGEST_BYTES_PER_SECOND)
  expect(writer.proposer!.ingestLag.throttledMs).toBeGreaterThan(1000)
})

test('the same load without a limit leaves the PageServer further and further behind', async () => {
  const { world, writer, ingest } = await runningCluster({})
  await runFor(world, 12_000)
  expect(writer.proposer!.commitLsn - ingest.lsn).toBeGreaterThan(4 * LAG_BYTES_MAX)
})

test('a dead PageServer stops no commit: soon they are as fast as ever, also when it died while they were held back', async () => {
  const { world, writer, ingest } = await runningCluster({ ingestLagBytesMax: LAG_BYTES_MAX })
  await runFor(world, 8000)
  const heldBack = await committedIn(world, writer, 8000)
  expect(heldBack).toBeLessThan(2 * INGEST_BYTES_PER_SECOND * 8)
  ingest.life.kill()
  const afterDeath = await committedIn(world, writer, ABSENT_MS + 2 * FEEDBACK_INTERVAL_MS)
  expect(afterDeath).toBeGreaterThan(0)
  const { throttledMs } = writer.proposer!.ingestLag
  const alone = await committedIn(world, writer, 8000)
  expect(alone).toBeGreaterThan(3 * heldBack)
  expect(writer.proposer!.ingestLag.throttledMs).toBe(throttledMs)
})

async function runningCluster(options: {
  ingestLagBytesMax?: number
}): Promise<{ world: World; writer: SimWriter; ingest: SlowIngest }> {
  const world = new World(7)
  const network = new SimNetwork(world)
  const cluster = new Cluster({
    world,
    network,
    objectStore: new SimObjectStore(world),
    checker: new CommitChecker(identity.startLsn),
    mutant: {},
    workload: 'no-op',
  })
  const started = Promise.all([0, 1, 2].map((index) => cluster.boot(index))).then(() => cluster.createTimelines())
  let isStarted = false
  void started.then(() => {
    isStarted = true
  })
  await world.run(10_000, () => isStarted)
  const writer = cluster.startWriter(options)
  const ingest = new SlowIngest(world, network)
  await world.run(20_000, () => (writer.proposer?.commitLsn ?? 0) > identity.startLsn)
  return { world, writer, ingest }
}

/** Virtual time stands at the last event: without one of its own it would not move past a pause. */
async function runFor(world: World, ms: number): Promise<void> {
  let isOver = false
  world.schedule(ms, 'observer', () => {
    isOver = true
  })
  await world.run(world.nowMs + ms, () => isOver)
}

async function committedIn(world: World, writer: SimWriter, ms: number): Promise<number> {
  const before = writer.proposer!.commitLsn
  await runFor(world, ms)
  return writer.proposer!.commitLsn - before
}

/** Reads the WAL of one SafeKeeper as the PageServer does, takes its time with it, and reports how far it is. */
class SlowIngest {
  readonly life: SimLife
  lsn = identity.startLsn

  constructor(world: World, network: SimNetwork) {
    this.life = new SimLife(world, 'slow-pageserver')
    void this.#run(network)
  }

  async #run(network: SimNetwork): Promise<void> {
    const env = simEnv(this.life, new SimVolume(), network)
    const safekeeper = { id: 1, host: 'sk1', port: 1 }
    const { signal } = new AbortController()
    const stream = await WalStream.open({ env, safekeeper, ...identity, startLsn: this.lsn, signal })
    const report = () => {
      stream.sendFeedback({ lastRecordLsn: this.lsn, diskConsistentLsn: Lsn.zero, remoteConsistentLsn: Lsn.zero })
      env.clock.setTimer(FEEDBACK_INTERVAL_MS, report)
    }
    env.clock.setTimer(FEEDBACK_INTERVAL_MS, report)
    for await (const { lsn, bytes } of stream) {
      await env.clock.sleep((bytes.length * 1000) / INGEST_BYTES_PER_SECOND)
      this.lsn = Lsn.of(lsn + bytes.length)
    }
  }
}
