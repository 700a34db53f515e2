import { Cluster, identity, type Mutant } from './cluster.ts'
import { CommitChecker } from './commit-checker.ts'
import { SimNetwork } from './sim-network.ts'
import { SimObjectStore } from './sim-object-store.ts'
import { World } from './world.ts'

const WAIT_MS_MAX = 60_000
const NAMES = ['sk1', 'sk2', 'sk3']

/**
 * A leader is cut off from all members but one, which alone flushes what the leader writes, and loses its disk. It is rebuilt from
 * the others, which do not have that. Then one of them comes within the leader's reach and takes it, and dies. Whatever
 * was acknowledged must be there for the next leader. Throws PromiseBroken when it is not.
 */
export async function loseDiskBehindPartition(options: { seed: number; mutant?: Mutant }): Promise<void> {
  const world = new World(options.seed, {})
  const network = new SimNetwork(world)
  const checker = new CommitChecker(identity.startLsn)
  const cluster = new Cluster({
    world,
    network,
    objectStore: new SimObjectStore(world),
    checker,
    mutant: options.mutant ?? {},
    workload: 'no-op',
    losesDisks: true,
  })
  const until = async (condition: () => boolean, what: string) => {
    const isReached = await world.run(world.nowMs + WAIT_MS_MAX, () => checker.broken !== undefined || condition())
    if (checker.broken) throw checker.broken
    if (!isReached) throw new Error(`stands still: ${what}`)
  }
  const boot = (index: number) => void cluster.boot(index).catch(() => undefined)
  const logOf = (index: number) => cluster.safekeepers[index]!.service?.registry.get(identity.timelineId)?.state
  for (const index of [0, 1, 2]) boot(index)
  await until(() => cluster.hasJoined, 'first start')
  await Promise.all([cluster.createTimelines(), until(() => cluster.isWhole, 'creation')])

  const first = cluster.startWriter()
  await until(() => (first.proposer?.commitLsn ?? 0) > identity.startLsn + 5000, 'the first commits')
  const cut = (index: number) => {
    network.cut(first.life.name, NAMES[index]!)
    network.cut(NAMES[index]!, first.life.name)
  }
  const { commitLsn } = first.proposer!
  for (const index of [1, 2]) cut(index)
  await until(() => (logOf(0)?.flushLsn ?? 0) > commitLsn + 5000, 'what one member has alone')
  cluster.crash(0, 'disk')
  cut(0)
  boot(0)
  await until(() => cluster.safekeepers[0]!.recovery?.hasJoined === true, 'rebuilt')
  const rebuiltLsn = logOf(0)!.flushLsn
  network.heal()
  for (const index of [0, 2]) cut(index)
  await until(() => (logOf(1)?.flushLsn ?? 0) > rebuiltLsn, 'what another member takes')
  await world.run(world.nowMs + 500, () => checker.broken !== undefined)
  cluster.crash(1, 'process')
  first.kill()
  network.heal()
  const next = cluster.startWriter({ recordsMax: 5 })
  await until(() => next.proposer !== undefined && next.hasCommittedAll, 'the next leader')
}
