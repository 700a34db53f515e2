import { WalWriter } from '../fixtures/wal-writer.ts'
import { WAL_TIMELINE } from '../src/postgres/constants.ts'
import { openMemoryObjectStore } from '../src/object-store/memory-object-store.ts'
import { ProjectId, TimelineId } from '../src/postgres/ids.ts'
import { Lsn } from '../src/postgres/lsn.ts'
import type { AcceptorStepFunction } from '../src/safekeeper/acceptor.ts'
import type { ProposerStepFunction } from '../src/safekeeper/proposer.ts'
import { openProposer, type Proposer } from '../src/safekeeper/proposer-service.ts'
import { SafekeeperService } from '../src/safekeeper/safekeeper-service.ts'
import { readWal } from '../src/safekeeper/wal-reader-client.ts'
import { WalStreamReader } from '../src/wal/wal-stream-reader.ts'
import { type CommitChecker, WrittenTerm } from './commit-checker.ts'
import { SimVolume } from './sim-disk.ts'
import type { SimNetwork } from './sim-network.ts'
import { SimLife, simEnv } from './sim-node.ts'
import type { World } from './world.ts'

export const identity = {
  projectId: ProjectId.parse('0'.repeat(31) + '1'),
  timelineId: TimelineId.parse('0'.repeat(31) + '2'),
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
  readonly volume: SimVolume
  life: SimLife | undefined
  service: SafekeeperService | undefined
}

/** Three real SafeKeepers and any number of real proposers over simulated seams. */
export class Cluster {
  readonly world: World
  readonly network: SimNetwork
  readonly safekeepers: Safekeeper[]
  readonly #checker: CommitChecker
  readonly #mutant: Mutant
  #proposerCount = 0
  #writers: SimWriter[] = []

  constructor(world: World, network: SimNetwork, checker: CommitChecker, mutant: Mutant) {
    this.world = world
    this.network = network
    this.#checker = checker
    this.#mutant = mutant
    this.safekeepers = [1, 2, 3].map((id) => ({
      name: `sk${id}`,
      volume: new SimVolume(),
      life: undefined,
      service: undefined,
    }))
  }

  get writers(): readonly SimWriter[] {
    return this.#writers
  }

  async boot(index: number): Promise<void> {
    const safekeeper = this.safekeepers[index]!
    const life = new SimLife(this.world, safekeeper.name)
    safekeeper.life = life
    const env = simEnv(life, safekeeper.volume, this.network)
    const service = await SafekeeperService.open({
      env,
      nodeId: index + 1,
      dataDirectory: '/data',
      address: { host: safekeeper.name, port: 1 },
      objectStore: openMemoryObjectStore({ disk: env.disk }),
      allocation: 'sparse',
      ...(this.#mutant.acceptor === undefined ? {} : { step: this.#mutant.acceptor }),
    })
    if (life.isAlive) safekeeper.service = service
  }

  async createTimelines(): Promise<void> {
    for (const { service } of this.safekeepers) await service!.registry.create(identity)
  }

  crash(index: number): void {
    const safekeeper = this.safekeepers[index]!
    if (!safekeeper.life?.isAlive) return
    this.world.note(`crash ${safekeeper.name}`)
    safekeeper.life.kill()
    safekeeper.service = undefined
    safekeeper.volume.crash(this.world.random)
  }

  isUp(index: number): boolean {
    return this.safekeepers[index]!.life?.isAlive ?? false
  }

  /** A new compute: it campaigns, then writes records for as long as it lives. */
  startWriter(options: { recordsMax?: number } = {}): SimWriter {
    const life = new SimLife(this.world, `compute${++this.#proposerCount}`)
    const writer = new SimWriter(
      this,
      life,
      this.#checker,
      this.#mutant,
      options.recordsMax ?? Number.POSITIVE_INFINITY,
    )
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
      timeline.readNow(identity.startLsn, bytes)
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

/** One compute's life: the real proposer, and records of odd sizes for it. */
export class SimWriter {
  readonly life: SimLife
  readonly #cluster: Cluster
  readonly #checker: CommitChecker
  readonly #mutant: Mutant
  readonly #recordsMax: number
  proposer: Proposer | undefined
  isFenced = false
  term = 0
  writtenCount = 0
  endLsn: Lsn = Lsn.zero

  constructor(cluster: Cluster, life: SimLife, checker: CommitChecker, mutant: Mutant, recordsMax: number) {
    this.#cluster = cluster
    this.life = life
    this.#checker = checker
    this.#mutant = mutant
    this.#recordsMax = recordsMax
  }

  get hasCommittedAll(): boolean {
    return this.writtenCount >= this.#recordsMax && this.proposer!.commitLsn >= this.endLsn
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
    const proposer = openProposer({
      env,
      peers: safekeepers.map(({ name }, index) => ({ id: index + 1, address: { host: name, port: 1 } })),
      ...identity,
      onCommit: (commitLsn) => written.committed(commitLsn),
      onFenced: () => {
        this.isFenced = true
        world.note(`${this.life.name} is fenced`)
      },
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
    const wal = new WalWriter(identity.systemIdentifier, startLsn, log.lastRecordLsn)
    this.endLsn = startLsn
    while (!this.isFenced && this.writtenCount < this.#recordsMax) {
      const lsn = wal.endLsn
      const size = random.chance(0.05) ? 8000 + random.below(30_000) : random.below(400)
      const bytes = wal.write(filled(size, random.uint32()))
      written.wrote(lsn, bytes)
      this.writtenCount++
      this.endLsn = wal.endLsn
      if (!proposer.append(lsn, bytes)) await proposer.hasRoom()
      await this.life.pause(random.between(0.1, 6), 'writes')
    }
  }
}

/** Bytes that differ by writer and record, so that another history never looks the same by chance. */
function filled(size: number, salt: number): Uint8Array {
  const bytes = new Uint8Array(size)
  for (let i = 0; i < size; i++) bytes[i] = (salt >>> ((i & 3) * 8)) ^ (i * 31)
  return bytes
}
