import { isStorageError } from '../src/base/errors.ts'
import type { AttachedTimeline } from '../src/pageserver/open-project.ts'
import type { PageServerService } from '../src/pageserver/pageserver-service.ts'
import { recordPositionAt } from '../src/pageserver/timeline/record-position.ts'
import { TimelineId } from '../src/postgres/ids.ts'
import { Lsn } from '../src/postgres/lsn.ts'
import { identity } from './cluster.ts'
import { type CommitChecker, PromiseBroken } from './commit-checker.ts'
import { LogModel, SEED_TIME_MICROS } from './log-model.ts'
import { checkPages, isBelowHistory } from './page-checker.ts'
import { isExcused, type SimPageServer } from './sim-pageserver.ts'
import type { World } from './world.ts'

interface Lease {
  readonly lsn: Lsn
  readonly endMs: number
}

const BRANCHES_MAX = 6

/**
 * Uses a PageServer as the control plane and computes do, remembers what it was promised, and holds it to that:
 *
 *   page-at-lsn         every answer equals the replay of the whole committed log
 *   remote-consistent   what was reported as safe in object storage is there after any loss
 *   kept-history        an LSN within the window, at a branch point or under a lease stays readable
 *   branches            a branch that was acknowledged is there, and as it was
 */
export class StorageActor {
  readonly #world: World
  readonly #pageserver: SimPageServer
  readonly #checker: CommitChecker
  readonly #model: LogModel
  readonly #branches = new Map<TimelineId, Lsn>()
  readonly #leases: Lease[] = []
  #remoteConsistentLsn = identity.startLsn
  #branchCount = 0
  #leaseCount = 0
  #checkedService: PageServerService | undefined
  checkCount = 0
  upkeepCount = 0

  static async open(world: World, pageserver: SimPageServer, checker: CommitChecker): Promise<StorageActor> {
    const { timelineId, systemIdentifier, startLsn } = identity
    const model = await LogModel.open(timelineId, systemIdentifier, startLsn, SEED_TIME_MICROS)
    return new StorageActor(world, pageserver, checker, model)
  }

  private constructor(world: World, pageserver: SimPageServer, checker: CommitChecker, model: LogModel) {
    this.#world = world
    this.#pageserver = pageserver
    this.#checker = checker
    this.#model = model
  }

  get branchCount(): number {
    return this.#branches.size
  }

  get rootLsn(): Lsn {
    return this.#root()?.storage.lastRecordLsn ?? Lsn.zero
  }

  /** Lets the model catch up and looks at what can be seen at once. */
  async observe(): Promise<void> {
    const from = this.#fedLsn
    const bytes = this.#checker.bytes().slice(from - identity.startLsn)
    this.#fedLsn = Lsn.of(from + bytes.length)
    if (bytes.length > 0) await this.#model.feed(from, bytes)
    if (this.#pageserver.failure !== undefined) this.#break(new PromiseBroken(this.#pageserver.failure))
    const root = this.#root()
    if (!root) return
    const { service } = this.#pageserver
    if (service !== this.#checkedService) {
      this.#checkedService = service
      if (root.storage.lastRecordLsn < this.#remoteConsistentLsn) {
        const fields = `${Lsn.format(root.storage.lastRecordLsn)}, but ${Lsn.format(this.#remoteConsistentLsn)} was`
        this.#break(new PromiseBroken(`remote-consistent: a new life knows ${fields} reported as safe`))
      }
      for (const timelineId of this.#branches.keys()) this.#branch(timelineId)
    }
    this.#remoteConsistentLsn = Lsn.max2(this.#remoteConsistentLsn, root.storage.remoteConsistentLsn)
  }

  #fedLsn = identity.startLsn

  /** One thing that somebody might ask for now. */
  act(): void {
    const { random } = this.#world
    const dice = random.below(100)
    if (dice < 40) this.#do('check', () => this.#checkAnywhere())
    else if (dice < 65) this.#do('upkeep', () => this.#upkeep())
    else if (dice < 75) this.#do('branch', () => this.#createBranch())
    else if (dice < 85) this.#do('lease', () => this.#takeLease())
    else if (dice < 88) this.#do('delete', () => this.#deleteBranch())
  }

  /** After the faults: everything that was promised, at many LSNs. Rejects at the first that does not hold. */
  async checkAll(): Promise<void> {
    const root = this.#root()!
    const tip = Lsn.min(root.storage.lastRecordLsn, this.#model.lsn)
    await checkPages(root, this.#model, tip)
    for (let i = 0; i < 8; i++) await this.#checkRoot(root, await this.#anyLsn(root, tip))
    for (const lease of this.#heldLeases()) await this.#checkRoot(root, lease.lsn)
    for (const [timelineId, lsn] of this.#branches) await checkPages(this.#branch(timelineId)!, this.#model, lsn)
  }

  async #checkAnywhere(): Promise<void> {
    const root = this.#root()
    if (!root) return
    const { random } = this.#world
    const branch = random.pick([...this.#branches.keys(), undefined, undefined])
    if (branch !== undefined) {
      const attached = this.#branch(branch)
      const lsn = this.#branches.get(branch)
      if (attached && lsn !== undefined) await checkPages(attached, this.#model, lsn)
    } else {
      const tip = Lsn.min(root.storage.lastRecordLsn, this.#model.lsn)
      await this.#checkRoot(root, random.chance(0.4) ? tip : await this.#anyLsn(root, tip))
    }
    this.checkCount++
  }

  /** A refusal is right only for an LSN that the cutoff has passed and that nobody holds. */
  async #checkRoot(root: AttachedTimeline, lsn: Lsn): Promise<void> {
    try {
      await checkPages(root, this.#model, lsn)
    } catch (error) {
      if (!isBelowHistory(error)) throw error
      const isHeld = this.#heldLeases().some((lease) => lease.lsn === lsn) || [...this.#branches.values()].includes(lsn)
      if (!isHeld && lsn < root.storage.gcCutoffLsn) return
      throw new PromiseBroken(`kept-history: ${Lsn.format(lsn)} is refused: ${String(error)}`)
    }
  }

  async #upkeep(): Promise<void> {
    const { service } = this.#pageserver
    if (!service) return
    const { random } = this.#world
    const step = random.pick(['flush', 'compact', 'images', 'gc', 'gc', 'scrub'] as const)
    const timelineId = random.pick([identity.timelineId, identity.timelineId, ...this.#branches.keys()])
    await service.runUpkeep(identity.projectId, timelineId, [step])
    this.upkeepCount++
  }

  async #createBranch(): Promise<void> {
    const { service } = this.#pageserver
    const root = this.#root()
    if (!service || !root || this.#branches.size >= BRANCHES_MAX) return
    const tip = Lsn.min(root.storage.lastRecordLsn, this.#model.lsn)
    const lsn = await this.#anyLsn(root, tip)
    const timelineId = TimelineId.parse((++this.#branchCount + 1000).toString(16).padStart(32, '0'))
    const ancestorTimelineId = this.#world.random.pick([identity.timelineId, ...this.#branches.keys()])
    if ((this.#branches.get(ancestorTimelineId) ?? lsn) < lsn) return
    const { projectId } = identity
    const at = { lsn: Lsn.format(lsn) }
    const { storage: parent } = service.attached(projectId, ancestorTimelineId)
    const created = service.createBranch({ projectId, timelineId, ancestorTimelineId, at })
    const isGone = () => ancestorTimelineId !== identity.timelineId && !this.#branches.has(ancestorTimelineId)
    if (await isGranted(created, () => lsn < parent.gcCutoffLsn || isGone())) this.#branches.set(timelineId, lsn)
  }

  async #deleteBranch(): Promise<void> {
    const { service } = this.#pageserver
    const timelineId = this.#world.random.pick([...this.#branches.keys(), undefined])
    if (!service || timelineId === undefined) return
    const lsn = this.#branches.get(timelineId)!
    // From here on until the answer it may be there or not.
    this.#branches.delete(timelineId)
    try {
      await service.deleteTimeline(identity.projectId, timelineId)
    } catch (error) {
      if (isStorageError(error, 'conflict')) this.#branches.set(timelineId, lsn)
      else throw error
    }
  }

  async #takeLease(): Promise<void> {
    const { service } = this.#pageserver
    const root = this.#root()
    if (!service || !root) return
    const lsn = await this.#anyLsn(root, Lsn.min(root.storage.lastRecordLsn, this.#model.lsn))
    const seconds = 1 + this.#world.random.below(8)
    const startMs = this.#world.nowMs
    const leaseId = `lease${++this.#leaseCount}`
    const { projectId, timelineId } = identity
    const granted = service.leaseLsn({ projectId, timelineId, lsn: Lsn.format(lsn), leaseId, seconds })
    if (!(await isGranted(granted, () => lsn < root.storage.gcCutoffLsn))) return
    this.#world.note(`lease ${leaseId} of ${Lsn.format(lsn)} for ${seconds} s`)
    this.#leases.push({ lsn, endMs: startMs + seconds * 1000 })
  }

  #heldLeases(): Lease[] {
    return this.#leases.filter((lease) => lease.endMs > this.#world.nowMs + 1)
  }

  /** The end of a record between the cutoff and the tip, or an LSN that somebody holds. */
  async #anyLsn(root: AttachedTimeline, tip: Lsn): Promise<Lsn> {
    const { random } = this.#world
    const held = this.#heldLeases()
    if (held.length > 0 && random.chance(0.3)) return random.pick(held).lsn
    const low = Math.max(root.storage.gcCutoffLsn, identity.startLsn)
    const lsn = Lsn.of(low + random.below(Math.max(1, tip - low + 1)))
    return (await recordPositionAt(this.#model.storage, Lsn.min(lsn, tip))).endLsn
  }

  #root(): AttachedTimeline | undefined {
    const { service } = this.#pageserver
    return service?.attached(identity.projectId, identity.timelineId)
  }

  #branch(timelineId: TimelineId): AttachedTimeline | undefined {
    const { service } = this.#pageserver
    if (!service) return undefined
    try {
      return service.attached(identity.projectId, timelineId)
    } catch (error) {
      return this.#break(new PromiseBroken(`branches: an acknowledged one is gone: ${String(error)}`))
    }
  }

  #do(what: string, run: () => Promise<void>): void {
    const { life } = this.#pageserver
    run().catch((error: unknown) => {
      // A life that was killed or replaced may say what it likes.
      if (this.#pageserver.life !== life || !life?.isAlive || isExcused(error)) return
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
      this.#world.note(`${what} failed: ${text}`)
      this.#break(error instanceof PromiseBroken ? error : new PromiseBroken(`${what}: ${text}`))
    })
  }

  #break(error: PromiseBroken): undefined {
    this.#checker.broken ??= error
    return undefined
  }
}

/** False for a refusal that the cutoff, or a deletion, explains. */
async function isGranted(asked: Promise<unknown>, mayBeRefused: () => boolean): Promise<boolean> {
  try {
    await asked
    return true
  } catch (error) {
    const isRefusal = isStorageError(error, 'not-found') || isStorageError(error, 'invalid-input')
    if (isRefusal && mayBeRefused()) return false
    throw error
  }
}
