import { WalWriter } from '../fixtures/wal-writer.ts'
import { WAL_TIMELINE } from '../src/postgres/constants.ts'
import { ProjectId, TimelineId } from '../src/postgres/ids.ts'
import { Lsn } from '../src/postgres/lsn.ts'
import type { AcceptorStepFunction } from '../src/safekeeper/acceptor.ts'
import { PeerRecovery } from '../src/safekeeper/peer-recovery.ts'
import type { ProposerStepFunction } from '../src/safekeeper/proposer.ts'
import { openProposer, type Proposer } from '../src/safekeeper/proposer-service.ts'
import { SafekeeperService } from '../src/safekeeper/safekeeper-service.ts'
import { WalBackup } from '../src/safekeeper/wal-backup.ts'
import { readWal } from '../src/safekeeper/wal-reader-client.ts'
import { WalStreamReader } from '../src/wal/wal-stream-reader.ts'
import { type CommitChecker, WrittenTerm } from './commit-checker.ts'
import { LogModel, SEED_TIME_MICROS } from './log-model.ts'
import { PageWorkload } from './page-workload.ts'
import { SimVolume } from './sim-disk.ts'
import type { SimNetwork } from './sim-network.ts'
import { EPOCH_MS, SimLife, simEnv } from './sim-node.ts'
import type { SimObjectStore } from './sim-object-store.ts'
import type { SimRandom } from './sim-random.ts'
import type { World } from './world.ts'

export const identity = {
  projectId: ProjectId.parse(`${'0'.repeat(31)}1`),
  timelineId: TimelineId.parse(`${'0'.repeat(31)}2`),
  systemIdentifier: 7_000_000_000_000_000_001n,
  // Close below a page and a segment end, so that records straddle both early in a run.
  startLsn: Lsn.parse('0/1FFFF28'),
}

/** Steps other than the product's: the broken variants that the checkers must find. */
export interface Mutant {
  readonly acceptor?: AcceptorStepFunction
  readonly proposer?: ProposerStepFunction
}

interface Safekeeper {
  readonly name: string
  volume: SimVolume
  life: SimLife | undefined
  service: SafekeeperService | undefined
  recovery: PeerRecovery | undefined
}

export interface ClusterOptions {
  readonly world: World
  readonly network: SimNetwork
  readonly objectStore: SimObjectStore
  readonly checker: CommitChecker
  readonly mutant: Mutant
  /** What computes write: records of no meaning, or records that change pages. */
  readonly workload: 'no-op' | 'pages'
  /** SafeKeepers then rebuild what they lost from each other. */
  readonly losesDisks?: boolean
}

/** Three real SafeKeepers and any number of real proposers over simulated seams. */
export class Cluster {
  readonly world: World
  readonly network: SimNetwork
  readonly safekeepers: Safekeeper[]
  readonly #objectStore: SimObjectStore
  readonly #checker: CommitChecker
  readonly #mutant: Mutant
  readonly #workload: ClusterOptions['workload']
  readonly #losesDisks: boolean
  #proposerCount = 0
  #writers: SimWriter[] = []
  /** Syncs of SafeKeepers hold their thread up, so that they are moved to the background, where a crash can hit them. */
  slowDisks = false
  /** Of each sync of a SafeKeeper: it fails, and what it should have made durable is lost at the next loss of power. */
  syncFailureRate = 0

  constructor(options: ClusterOptions) {
    this.world = options.world
    this.network = options.network
    this.#objectStore = options.objectStore
    this.#checker = options.checker
    this.#mutant = options.mutant
    this.#workload = options.workload
    this.#losesDisks = options.losesDisks ?? false
    this.safekeepers = [1, 2, 3].map((id) => ({
      name: `sk${id}`,
      volume: new SimVolume(),
      life: undefined,
      service: undefined,
      recovery: undefined,
    }))
  }

  get writers(): readonly SimWriter[] {
    return this.#writers
  }

  async boot(index: number): Promise<void> {
    const safekeeper = this.safekeepers[index]!
    const life = new SimLife(this.world, safekeeper.name)
    life.syncStallMs = () => (this.slowDisks ? this.world.random.between(1, 8) : 0)
    life.syncFailureRate = () => this.syncFailureRate
    safekeeper.life = life
    const env = simEnv(life, safekeeper.volume, this.network)
    const objectStore = this.#objectStore.of(life, env.disk)
    let recovery: PeerRecovery | undefined
    const service = await SafekeeperService.open({
      env,
      nodeId: index + 1,
      dataDirectory: '/data',
      address: { host: safekeeper.name, port: 1 },
      objectStore,
      allocation: 'sparse',
      ...(this.#mutant.acceptor === undefined ? {} : { step: this.#mutant.acceptor }),
      ...(this.#losesDisks ? { mayVote: () => recovery?.mayVote() ?? false } : {}),
    })
    if (!life.isAlive) return
    safekeeper.service = service
    if (this.#losesDisks) {
      const peers = this.safekeepers.map(({ name }, at) => ({ id: at + 1, address: { host: name, port: 1 } }))
      recovery = await PeerRecovery.open({
        env,
        nodeId: index + 1,
        dataDirectory: '/data',
        peers: peers.filter(({ id }) => id !== index + 1),
        registry: service.registry,
      })
      if (!life.isAlive) return
      safekeeper.recovery = recovery
    }
    if (this.#workload !== 'pages') return
    const { registry } = service
    // Nobody hears of the others here, so each archives: the bytes are the same.
    new WalBackup({
      env,
      nodeId: index + 1,
      registry,
      objectStore,
      peerStatuses: () => [],
      intervalMs: 900,
      partialIdleMs: 3000,
    })
  }

  async createTimelines(): Promise<void> {
    for (const { service } of this.safekeepers) await service!.registry.create(identity)
  }

  /** Loss of power, kill -9, after which the system still writes what it was given, or loss of the disk. */
  crash(index: number, kind: 'power' | 'process' | 'disk'): void {
    const safekeeper = this.safekeepers[index]!
    if (!safekeeper.life?.isAlive) return
    this.world.note(`crash ${safekeeper.name} ${kind}`)
    safekeeper.life.kill()
    safekeeper.service = undefined
    safekeeper.recovery = undefined
    if (kind === 'power') safekeeper.volume.crash(this.world.random)
    if (kind === 'disk') safekeeper.volume = new SimVolume()
  }

  get hasJoined(): boolean {
    return this.safekeepers.every(({ recovery }) => recovery?.hasJoined)
  }

  /** True when every member has all that it ever promised: then one of them may lose it. */
  get isWhole(): boolean {
    return this.safekeepers.every(({ life, service, recovery }) => {
      const isUp = life?.isAlive && service?.registry.list().length === 1
      return isUp && recovery?.hasJoined && recovery.mayVote()
    })
  }

  isUp(index: number): boolean {
    return this.safekeepers[index]!.life?.isAlive ?? false
  }

  hasDamage(index: number): boolean {
    return (this.safekeepers[index]!.service?.registry.damaged().length ?? 0) > 0
  }

  /** A new compute: it campaigns, then writes records for as long as it lives. */
  startWriter(options: { recordsMax?: number; ingestLagBytesMax?: number } = {}): SimWriter {
    const life = new SimLife(this.world, `compute${++this.#proposerCount}`)
    const writer = new SimWriter(this, life, this.#checker, this.#mutant, {
      recordsMax: options.recordsMax ?? Number.POSITIVE_INFINITY,
      workload: this.#workload,
      ...(options.ingestLagBytesMax === undefined ? {} : { ingestLagBytesMax: options.ingestLagBytesMax }),
    })
    this.#writers = [...this.#writers.filter((each) => each.life.isAlive), writer]
    writer.run()
    return writer
  }

  /**
   * The log up to `lsn` as a member of term `term` holds it, and where its last record starts. What lies between the last
   * commit anybody was told of and the start of a term was written, not acknowledged, and is committed by the election.
   */
  settledLog(term: number, lsn: Lsn): { bytes: Uint8Array; lastRecordLsn: Lsn } | undefined {
    for (const { service } of this.safekeepers) {
      const timeline = service?.registry.get(identity.timelineId)
      if (timeline === undefined || timeline.state.flushLsn < lsn) continue
      if ((timeline.state.history.at(-1)?.term ?? 0) < term) continue
      const bytes = new Uint8Array(lsn - identity.startLsn)
      // Only committed WAL is trimmed.
      const trimmed = this.#checker.bytes().subarray(0, timeline.oldestLocalLsn - identity.startLsn)
      if (identity.startLsn + trimmed.length < timeline.oldestLocalLsn) continue
      bytes.set(trimmed)
      timeline.readNow(timeline.oldestLocalLsn, bytes.subarray(trimmed.length))
      const { systemIdentifier, startLsn } = identity
      const reader = new WalStreamReader({ startLsn, systemIdentifier, timeline: WAL_TIMELINE })
      reader.push(startLsn, bytes)
      while (reader.next() !== undefined);
      if (reader.endLsn !== lsn) this.#checker.fail(`record-boundaries: term ${term} starts inside a record`)
      return { bytes, lastRecordLsn: reader.lastRecordLsn ?? Lsn.zero }
    }
    return undefined
  }

  /** What a reader gets as committed WAL of one SafeKeeper, up to its own commit LSN. */
  async readCommitted(index: number): Promise<Uint8Array> {
    const safekeeper = this.safekeepers[index]!
    const commitLsn = safekeeper.service!.registry.get(identity.timelineId)!.state.commitLsn
    const life = new SimLife(this.world, 'reader')
    const env = simEnv(life, new SimVolume(), this.network)
    const chunks: Uint8Array[] = []
    await readWal(
      env,
      { host: safekeeper.name, port: 1 },
      { kind: 'start-wal', ...identity, upTo: 'commit', term: 0 },
      commitLsn,
      (_lsn, bytes) => void chunks.push(bytes.slice()),
    )
    return Buffer.concat(chunks)
  }
}

interface WriterOptions {
  readonly recordsMax: number
  readonly workload: ClusterOptions['workload']
  readonly ingestLagBytesMax?: number
}

/** One compute's life: the real proposer, and records of odd sizes for it. */
export class SimWriter {
  readonly life: SimLife
  readonly #cluster: Cluster
  readonly #checker: CommitChecker
  readonly #mutant: Mutant
  readonly #options: WriterOptions
  proposer: Proposer | undefined
  isFenced = false
  term = 0
  writtenCount = 0
  endLsn: Lsn = Lsn.zero

  constructor(cluster: Cluster, life: SimLife, checker: CommitChecker, mutant: Mutant, options: WriterOptions) {
    this.#cluster = cluster
    this.life = life
    this.#checker = checker
    this.#mutant = mutant
    this.#options = options
  }

  get hasCommittedAll(): boolean {
    return this.writtenCount >= this.#options.recordsMax && this.proposer!.commitLsn >= this.endLsn
  }

  run(): void {
    this.#write().catch((error: unknown) => {
      this.#cluster.world.note(`${this.life.name} ends: ${error instanceof Error ? error.message : String(error)}`)
    })
  }

  kill(): void {
    this.#cluster.world.note(`kill ${this.life.name}`)
    this.life.kill()
  }

  async #write(): Promise<void> {
    const { world, network, safekeepers } = this.#cluster
    const env = simEnv(this.life, new SimVolume(), network)
    const checker = this.#checker
    const written = new WrittenTerm(this.life.name, checker)
    const { ingestLagBytesMax } = this.#options
    const proposer = openProposer({
      env,
      peers: safekeepers.map(({ name }, index) => ({ id: index + 1, address: { host: name, port: 1 } })),
      ...identity,
      onCommit: (commitLsn) => written.committed(commitLsn),
      onFenced: () => {
        this.isFenced = true
        world.note(`${this.life.name} is fenced`)
      },
      ...(ingestLagBytesMax === undefined ? {} : { ingestLagBytesMax }),
      ...(this.#mutant.proposer === undefined ? {} : { step: this.#mutant.proposer }),
    })
    this.proposer = proposer
    const { term, startLsn } = await proposer.elect()
    this.term = term
    world.note(`${this.life.name} leads term ${term} from ${Lsn.format(startLsn)}`)
    checker.won(this.life.name, term, startLsn)
    let log = this.#cluster.settledLog(term, startLsn)
    while (log === undefined) {
      // Those who hold it have just crashed.
      await this.life.pause(20, 'waits for a member')
      log = this.#cluster.settledLog(term, startLsn)
    }
    checker.add(this.life.name, identity.startLsn, log.bytes)
    const random = world.random.fork()
    const next =
      this.#options.workload === 'no-op' ? noOps(startLsn, log, random) : await this.#pages(startLsn, log, random)
    this.endLsn = startLsn
    while (!this.isFenced && this.writtenCount < this.#options.recordsMax) {
      const lsn = this.endLsn
      const bytes = await next()
      written.wrote(lsn, bytes)
      this.writtenCount++
      this.endLsn = Lsn.of(lsn + bytes.length)
      if (!proposer.append(lsn, bytes)) await proposer.hasRoom()
      await this.life.pause(random.between(0.1, this.#options.workload === 'no-op' ? 6 : 25), 'writes')
    }
  }

  async #pages(startLsn: Lsn, log: { bytes: Uint8Array; lastRecordLsn: Lsn }, random: SimRandom) {
    const { timelineId, systemIdentifier } = identity
    const model = await LogModel.open(timelineId, systemIdentifier, identity.startLsn, SEED_TIME_MICROS)
    await model.feed(identity.startLsn, log.bytes)
    const nowUnixMs = () => EPOCH_MS + this.#cluster.world.nowMs
    const prevLsn = log.lastRecordLsn
    const workload = new PageWorkload({ model, systemIdentifier, startLsn, prevLsn, random, nowUnixMs })
    return () => workload.next()
  }
}

function noOps(startLsn: Lsn, log: { lastRecordLsn: Lsn }, random: SimRandom): () => Promise<Uint8Array> {
  const wal = new WalWriter(identity.systemIdentifier, startLsn, log.lastRecordLsn)
  return async () => {
    const size = random.chance(0.05) ? 8000 + random.below(30_000) : random.below(400)
    return wal.write(filled(size, random.uint32()))
  }
}

/** Bytes that differ by writer and record, so that another history never looks the same by chance. */
function filled(size: number, salt: number): Uint8Array {
  const bytes = new Uint8Array(size)
  for (let i = 0; i < size; i++) bytes[i] = (salt >>> ((i & 3) * 8)) ^ (i * 31)
  return bytes
}
