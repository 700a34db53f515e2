import { Lsn } from '../src/postgres/lsn.ts'
import { Cluster, identity, type Mutant } from './cluster.ts'
import { CommitChecker, PromiseBroken } from './commit-checker.ts'
import { SimNetwork } from './sim-network.ts'
import { SimPageServer, type StoreMutant } from './sim-pageserver.ts'
import { StorageActor } from './storage-actor.ts'
import { World } from './world.ts'

export interface ClusterRunOptions {
  readonly seed: number
  readonly mutant?: Mutant
  /** With a PageServer, object storage and their faults; computes then write records that change pages. */
  readonly pageserver?: boolean
  readonly storeMutant?: StoreMutant
  /** More of one kind of trouble than chance would give: for a mutant that only that kind can show. */
  readonly stress?: 'power' | 'rivals' | 'sync' | 'takeover' | 'disk'
  /** Virtual time with faults. */
  readonly faultMs?: number
  readonly log?: (line: string) => void
}

export interface ClusterRunResult {
  readonly traceHash: number
  readonly eventCount: number
  readonly committedBytes: number
  readonly nextRandom: number
  readonly crashes: number
  readonly elections: number
  /** Page checks made while things failed. */
  readonly checks: number
  readonly upkeeps: number
  readonly branches: number
}

/** After the faults a majority must be able to elect and commit within this much virtual time. */
const RECOVERY_MS_MAX = 120_000

/**
 * One seed: three SafeKeepers and competing computes under crashes, torn writes, partitions, lost, doubled and late messages;
 * then calm, in which everything must come back. Throws PromiseBroken, or an Error when the cluster stands still.
 */
export async function runCluster(options: ClusterRunOptions): Promise<ClusterRunResult> {
  const world = new World(options.seed, options.log === undefined ? {} : { log: options.log })
  const { random } = world
  const network = new SimNetwork(world)
  const checker = new CommitChecker(identity.startLsn)
  const workload = options.pageserver === true ? 'pages' : 'no-op'
  const names = ['sk1', 'sk2', 'sk3']
  const pageserver = new SimPageServer(world, network, names, options.storeMutant ?? ((store) => store))
  const objectStore = pageserver.store
  const losesDisks = options.stress === 'disk'
  const mutant = options.mutant ?? {}
  const cluster = new Cluster({ world, network, objectStore, checker, mutant, workload, losesDisks })
  const step = async (work: Promise<unknown>, what: string): Promise<void> => {
    let isDone = false
    let failure: unknown
    work.then(
      () => {
        isDone = true
      },
      (error: unknown) => {
        isDone = true
        failure = error
      },
    )
    const ended = await world.run(world.nowMs + RECOVERY_MS_MAX, () => isDone || checker.broken !== undefined)
    if (checker.broken) throw checker.broken
    if (!ended) throw new Error(`stands still: ${what}`)
    if (failure !== undefined) throw failure
  }

  await step(Promise.all([0, 1, 2].map((index) => cluster.boot(index))), 'first start')
  if (losesDisks) await world.run(world.nowMs + RECOVERY_MS_MAX, () => cluster.hasJoined)
  await step(cluster.createTimelines(), 'creation')
  let actor: StorageActor | undefined
  if (options.pageserver === true) {
    await step(pageserver.create(random.between(0.3, 4)), 'project creation')
    await step(pageserver.boot(), 'first start of the PageServer')
    actor = await StorageActor.open(world, pageserver, checker)
  }
  let elections = 1
  let crashes = 0
  cluster.startWriter()

  // A swarm: each seed has its own mix of faults, and some have none of a kind.
  const rates = {
    crash: random.chance(0.8) ? random.between(0, 0.25) : 0,
    allDown: random.chance(0.4) ? random.between(0, 0.06) : 0,
    partition: random.chance(0.6) ? random.between(0, 0.3) : 0,
    newWriter: random.between(0.02, 0.3),
    killWriter: random.between(0, 0.2),
    rivals: random.chance(0.3) ? random.between(0, 0.2) : 0,
    pageserverCrash: random.chance(0.8) ? random.between(0, 0.25) : 0,
    takeover: random.chance(0.4) ? random.between(0, 0.1) : 0,
  }
  cluster.slowDisks = random.chance(0.4)
  if (options.stress === 'power') {
    rates.allDown = 0.2
    cluster.slowDisks = true
  }
  if (options.stress === 'rivals') rates.rivals = 0.4
  if (options.stress === 'takeover') rates.takeover = 0.25
  cluster.syncFailureRate = random.chance(0.3) ? 0.002 : 0
  if (options.stress === 'sync') {
    cluster.syncFailureRate = 0.01
    rates.allDown = 0.1
  }
  if (actor) {
    objectStore.faults = {
      failBeforeRate: random.chance(0.6) ? random.between(0, 0.1) : 0,
      failAfterRate: random.chance(0.6) ? random.between(0, 0.1) : 0,
      slowRate: random.chance(0.5) ? random.between(0, 0.1) : 0,
      slowMsMax: random.between(50, 1500),
      orphanRate: random.chance(0.5) ? 0.5 : 0,
      lateRate: random.chance(0.5) ? random.between(0, 0.15) : 0,
      lateMsMax: random.between(50, 3000),
    }
  }
  network.faults = {
    lossRate: random.chance(0.5) ? random.between(0, 0.02) : 0,
    duplicateRate: random.chance(0.5) ? random.between(0, 0.02) : 0,
    reorderRate: random.chance(0.5) ? random.between(0, 0.02) : 0,
    resetRate: random.chance(0.5) ? random.between(0, 0.01) : 0,
    delayMsMax: random.between(1, 30),
  }
  const noteFailure = (error: unknown) => world.note(`a start failed: ${String(error)}`)
  const endOfFaultsMs = world.nowMs + (options.faultMs ?? 12_000)
  while (world.nowMs < endOfFaultsMs) {
    await world.run(world.nowMs + random.between(20, 400), () => checker.broken !== undefined)
    if (checker.broken) throw checker.broken
    if (random.chance(rates.crash)) {
      cluster.crash(random.below(3), random.pick(['power', 'power', 'process']))
      crashes++
    }
    if (losesDisks && cluster.isWhole && random.chance(0.2)) {
      cluster.crash(random.below(3), 'disk')
      crashes++
    }
    if (random.chance(rates.allDown)) {
      for (const index of [0, 1, 2]) cluster.crash(index, 'power')
      crashes++
    }
    for (const index of [0, 1, 2]) {
      if (!cluster.isUp(index) && random.chance(0.4)) void cluster.boot(index).catch(() => undefined)
    }
    if (random.chance(rates.partition)) {
      const others = actor ? [pageserver.life!.name] : []
      const from = random.pick([...names, ...others, ...cluster.writers.map(({ life }) => life.name)])
      const to = random.pick(names)
      network.cut(from, to)
      if (random.chance(0.5)) network.cut(to, from)
    } else if (random.chance(0.3)) network.heal()
    if (random.chance(rates.newWriter) && cluster.writers.filter(({ life }) => life.isAlive).length < 3) {
      cluster.startWriter()
      elections++
    }
    if (random.chance(rates.rivals) && cluster.writers.filter(({ life }) => life.isAlive).length < 3) {
      // They greet the same members at the same time, so they ask for the same term.
      cluster.startWriter()
      cluster.startWriter()
      elections += 2
    }
    if (actor) {
      if (random.chance(rates.pageserverCrash)) {
        pageserver.crash(random.pick(['process', 'process', 'power', 'disk']))
        crashes++
      }
      const takesOver = pageserver.service !== undefined && random.chance(rates.takeover)
      if (takesOver || (!pageserver.isUp && random.chance(0.6))) void pageserver.boot().catch(noteFailure)
      if (random.chance(0.1)) pageserver.killZombies()
      for (let i = random.below(10); i > 0; i--) actor.act()
      await actor.observe()
    }
    const victim = random.pick(cluster.writers)
    if (victim && random.chance(rates.killWriter)) victim.kill()
  }

  world.note('calm')
  network.calm()
  objectStore.calm()
  cluster.slowDisks = false
  cluster.syncFailureRate = 0
  for (const index of [0, 1, 2]) {
    // As an operator does with one that reports a timeline which it could not open: a sync of its recovery may have failed.
    if (cluster.hasDamage(index)) cluster.crash(index, 'process')
    if (!cluster.isUp(index)) await step(cluster.boot(index), 'restart')
  }
  for (const { life } of cluster.writers) life.kill()
  const last = cluster.startWriter({ recordsMax: 20 })
  const recovered = await world.run(
    world.nowMs + RECOVERY_MS_MAX,
    () => checker.broken !== undefined || (last.proposer !== undefined && last.hasCommittedAll),
  )
  if (checker.broken) throw checker.broken
  if (!recovered) throw new Error(`liveness: no commit within ${RECOVERY_MS_MAX} ms after the faults`)

  const isEverywhere = () =>
    cluster.safekeepers.every(
      ({ service }) => service?.registry.get(identity.timelineId)?.state.commitLsn === last.endLsn,
    )
  if (!(await world.run(world.nowMs + RECOVERY_MS_MAX, isEverywhere)))
    throw new Error('liveness: a member does not catch up')
  for (const index of [0, 1, 2]) {
    let read: Uint8Array = new Uint8Array()
    await step(
      cluster.readCommitted(index).then((bytes) => {
        read = bytes
      }),
      'reading',
    )
    if (Buffer.compare(read, checker.bytes()) !== 0) {
      throw new PromiseBroken(`commit-durability: ${names[index]} serves another history than was committed`)
    }
  }
  if (actor) {
    pageserver.killZombies()
    pageserver.crash('process')
    await step(pageserver.boot(), 'last start of the PageServer')
    await actor.observe()
    const { rootLsn } = actor
    world.note(`the PageServer comes back at ${Lsn.format(rootLsn)}`)
    const hasCaughtUp = () => actor.rootLsn >= last.endLsn || checker.broken !== undefined
    const isCurrent = await world.run(world.nowMs + RECOVERY_MS_MAX, hasCaughtUp)
    if (!isCurrent) throw new Error(`liveness: the PageServer stays at ${Lsn.format(actor.rootLsn)}`)
    await actor.observe()
    await step(actor.checkAll(), 'last check')
  }
  if (last.endLsn !== checker.endLsn) throw new PromiseBroken(`single-history: ends at ${Lsn.format(checker.endLsn)}`)
  return {
    traceHash: world.traceHash,
    eventCount: world.eventCount,
    committedBytes: checker.endLsn - identity.startLsn,
    nextRandom: random.uint32(),
    crashes,
    elections,
    checks: actor?.checkCount ?? 0,
    upkeeps: actor?.upkeepCount ?? 0,
    branches: actor?.branchCount ?? 0,
  }
}
