import * as path from 'node:path'
import type { ComputeInfo } from '../admin/compute-driver.ts'
import type { StorageAdmin, TimelineInfo } from '../admin/storage-admin.ts'
import { errorText, isStorageError, StorageError } from '../base/errors.ts'
import { SerialLock } from '../base/serial-lock.ts'
import type { Timer } from '../io/clock.ts'
import type { Log } from '../io/log.ts'
import { nodeClock } from '../io/node-clock.ts'
import { nodeDisk } from '../io/node-disk.ts'
import { nodeRandom } from '../io/node-random.ts'
import { hexId } from '../postgres/ids.ts'
import type { FreePorts } from './free-ports.ts'
import { type FrontDoor, openFrontDoor } from './front-door.ts'
import {
  checkNewBranchName,
  findBranch,
  type LocalBranch,
  type LocalCatalog,
  newTimelineId,
  saveLocalCatalog,
} from './local-catalog.ts'
import type { LocalStackConfig } from './local-stack-config.ts'
import type { NodeAgent } from './node-agent.ts'

const COMPUTE_RETRY_MS_FIRST = 200
const COMPUTE_RETRY_MS_MAX = 5000
/** From a branch's creation to the write that says it is no longer being made, unless another write comes first. */
const SETTLE_MS = 1000

interface BranchRuntime {
  readonly door: FrontDoor
  /** The compute that the front door points to. */
  primaryId: string | undefined
  isWanted: boolean
  state: 'stopped' | 'starting' | 'running' | 'fenced' | 'failed'
  lastError: string | undefined
  /** Steps on one branch never overlap. */
  queue: Promise<unknown>
}

export interface ComputeStart {
  readonly branch: string
  readonly computeId: string
  readonly host: string
  readonly postgresPort: number
  readonly frontPort: number
  /** The compute's own status page at the moment it was ready. */
  readonly status: unknown
  readonly totalMs: number
}

export interface LocalBranchesOptions {
  readonly config: LocalStackConfig
  readonly catalog: LocalCatalog
  readonly agent: NodeAgent
  readonly admin: StorageAdmin
  readonly ports: FreePorts
  readonly log: Log
}

/**
 * The engine alone, without a control plane: branches of one project by name, a fixed address for each, and a compute
 * that is started again when it dies. A thin layer over the node agent.
 */
export class LocalBranches {
  readonly #options: LocalBranchesOptions
  readonly #runtimes = new Map<string, BranchRuntime>()
  readonly #catalogLock = new SerialLock()
  #settling: Timer | undefined
  #isStopping = false

  constructor(options: LocalBranchesOptions) {
    this.#options = options
    options.agent.onChange = (info) => this.#onComputeChange(info)
  }

  /** Makes the project when it is new, and finds out which of the branches that were being made at the last end there are. */
  async createProject(): Promise<void> {
    const { admin, catalog } = this.#options
    const [first] = catalog.branches
    if (first) await admin.createProject({ projectId: catalog.projectId, timelineId: first.timelineId })
    const pending = catalog.branches.filter(({ isPending }) => isPending)
    if (pending.length === 0) return
    const made = new Set((await admin.listTimelines(catalog.projectId)).map(({ timelineId }) => timelineId))
    catalog.branches = catalog.branches.filter(({ isPending, timelineId }) => !isPending || made.has(timelineId))
    for (const branch of pending) delete branch.isPending
    await this.#saveCatalog()
  }

  /** Starts the branch's compute and opens its front door. */
  async start(name: string): Promise<ComputeStart> {
    const runtime = await this.#runtimeOf(name)
    return this.#inOrder(runtime, async () => {
      if (runtime.state === 'running' && runtime.primaryId) {
        throw new StorageError('conflict', 'branch is running', { name })
      }
      runtime.isWanted = true
      return this.#startCompute(name, runtime)
    })
  }

  async stop(name: string): Promise<void> {
    const runtime = await this.#runtimeOf(name)
    runtime.isWanted = false
    await this.#inOrder(runtime, async () => {
      const { primaryId } = runtime
      runtime.primaryId = undefined
      runtime.state = 'stopped'
      runtime.door.setTarget(undefined)
      if (primaryId) await this.#options.agent.stop(primaryId, 'graceful')
    })
  }

  /** Starts a second compute, which fences the first; then points the front door to it. `keepOld` leaves the first running. */
  async failover(name: string, options: { keepOld?: boolean } = {}): Promise<ComputeStart> {
    const runtime = await this.#runtimeOf(name)
    runtime.isWanted = true
    return this.#inOrder(runtime, async () => {
      const oldId = runtime.primaryId
      const started = await this.#startCompute(name, runtime)
      // The old primary has been fenced by now, which by itself would mean that the branch stays down.
      runtime.isWanted = true
      if (oldId && !options.keepOld) await this.#options.agent.stop(oldId, 'immediate')
      return started
    })
  }

  async create(input: {
    name: string
    parent: string
    at?: { lsn: string } | { time: string }
  }): Promise<{ branch: LocalBranch; timeline: TimelineInfo }> {
    const { admin, catalog } = this.#options
    checkNewBranchName(catalog, input.name)
    const parent = findBranch(catalog, input.parent)
    const timelineId = newTimelineId(nodeRandom)
    const startedMs = nodeClock.monotonicMs()
    const branch: LocalBranch = { name: input.name, timelineId, parent: parent.name, isPending: true }
    catalog.branches.push(branch)
    // The name and what it names become durable side by side: a file system that syncs both does so in one go.
    const saving = this.#saveCatalog()
    saving.catch(() => undefined)
    let timeline: TimelineInfo
    let calledMs: number
    try {
      timeline = await admin.createBranch({
        projectId: catalog.projectId,
        timelineId,
        ancestorTimelineId: parent.timelineId,
        ...(input.at === undefined ? {} : { at: input.at }),
      })
      calledMs = nodeClock.monotonicMs()
      await saving
    } catch (error) {
      catalog.branches = catalog.branches.filter((other) => other !== branch)
      await this.#saveCatalog()
      throw error
    }
    delete branch.isPending
    this.#saveSoon()
    const namedMs = nodeClock.monotonicMs()
    this.#options.log.info('branch named', {
      name: input.name,
      callMs: calledMs - startedMs,
      nameMs: namedMs - calledMs,
    })
    return { branch, timeline }
  }

  /** The branch continues from `at`; what it was until now stays as the branch `keptAs`. */
  async restore(input: {
    name: string
    keptAs: string
    at: { lsn: string } | { time: string }
  }): Promise<{ branch: LocalBranch; timeline: TimelineInfo }> {
    const { admin, catalog } = this.#options
    checkNewBranchName(catalog, input.keptAs)
    const branch = findBranch(catalog, input.name)
    const runtime = this.#runtimes.get(input.name)
    const wasWanted = runtime?.isWanted ?? false
    if (runtime) await this.stop(input.name)
    const timelineId = newTimelineId(nodeRandom)
    const timeline = await admin.createBranch({
      projectId: catalog.projectId,
      timelineId,
      ancestorTimelineId: branch.timelineId,
      at: input.at,
    })
    const kept = { name: input.keptAs, timelineId: branch.timelineId, parent: branch.parent }
    branch.timelineId = timelineId
    branch.parent = kept.name
    catalog.branches.push(kept)
    await this.#saveCatalog()
    if (wasWanted) await this.start(input.name)
    return { branch, timeline }
  }

  async delete(name: string): Promise<void> {
    const { admin, catalog } = this.#options
    const branch = findBranch(catalog, name)
    if (name === 'main') throw new StorageError('invalid-input', 'name: main cannot be deleted')
    const runtime = this.#runtimes.get(name)
    if (runtime) {
      await this.stop(name)
      await runtime.door.close()
      this.#runtimes.delete(name)
    }
    try {
      await admin.deleteTimeline(catalog.projectId, branch.timelineId)
    } catch (error) {
      if (!isStorageError(error, 'not-found')) throw error
    }
    catalog.branches = catalog.branches.filter((other) => other !== branch)
    await this.#saveCatalog()
  }

  describe(): unknown[] {
    return this.#options.catalog.branches.filter(({ isPending }) => !isPending).map((branch) => this.#describe(branch))
  }

  postgresUri(port: number): string {
    const { catalog, config } = this.#options
    return `postgresql://postgres:${catalog.postgresPassword}@${config.host}:${port}/postgres`
  }

  async close(): Promise<void> {
    this.#isStopping = true
    if (this.#settling) await this.#saveCatalog()
    await Promise.allSettled([...this.#runtimes.keys()].map((name) => this.stop(name)))
    await Promise.allSettled([...this.#runtimes.values()].map((runtime) => runtime.door.close()))
  }

  #describe(branch: LocalBranch): unknown {
    const { agent } = this.#options
    const runtime = this.#runtimes.get(branch.name)
    const computeId = runtime?.primaryId
    const child = computeId === undefined ? undefined : agent.processOf(computeId)
    return {
      ...branch,
      state: runtime?.state ?? 'stopped',
      lastError: runtime?.lastError ?? null,
      frontPort: runtime?.door.port ?? null,
      uri: runtime ? this.postgresUri(runtime.door.port) : null,
      compute:
        computeId !== undefined && child
          ? {
              computeId,
              folder: agent.folderOf(computeId),
              postgresPort: agent.get(computeId).postgresPort,
              ...child.describe(),
            }
          : null,
    }
  }

  async #startCompute(name: string, runtime: BranchRuntime): Promise<ComputeStart> {
    const { agent, catalog, config } = this.#options
    const startedMs = nodeClock.monotonicMs()
    runtime.state = 'starting'
    try {
      const info = await agent.start({
        computeId: hexId(nodeRandom.bytes(8)),
        projectId: catalog.projectId,
        timelineId: findBranch(catalog, name).timelineId,
        kind: 'primary',
        settings: {},
        superuserPassword: catalog.postgresPassword,
        labels: { branch: name },
      })
      runtime.primaryId = info.computeId
      runtime.state = 'running'
      runtime.lastError = undefined
      runtime.door.setTarget({ host: info.host, port: info.postgresPort })
      const totalMs = nodeClock.monotonicMs() - startedMs
      return {
        branch: name,
        computeId: info.computeId,
        host: config.host,
        postgresPort: info.postgresPort,
        frontPort: runtime.door.port,
        status: await agent.status(info.computeId),
        totalMs,
      }
    } catch (error) {
      runtime.state = runtime.primaryId === undefined ? 'failed' : 'running'
      runtime.lastError = errorText(error)
      throw error
    }
  }

  #onComputeChange(info: ComputeInfo): void {
    if (info.state !== 'failed' && info.state !== 'fenced') return
    for (const [name, runtime] of this.#runtimes) {
      if (runtime.primaryId !== info.computeId) continue
      runtime.primaryId = undefined
      runtime.door.setTarget(undefined)
      runtime.state = info.state
      runtime.lastError = info.lastError ?? undefined
      if (info.state === 'fenced') {
        runtime.isWanted = false
        this.#options.log.warn('compute was fenced by another one, it stays down', { branch: name })
      } else void this.#inOrder(runtime, () => this.#startAgain(name, runtime))
    }
  }

  /** Until it runs or nobody wants it any more. */
  async #startAgain(name: string, runtime: BranchRuntime): Promise<void> {
    for (let delayMs = COMPUTE_RETRY_MS_FIRST; ; delayMs = Math.min(delayMs * 2, COMPUTE_RETRY_MS_MAX)) {
      if (!runtime.isWanted || this.#isStopping || runtime.primaryId) return
      try {
        await this.#startCompute(name, runtime)
        return
      } catch (error) {
        this.#options.log.warn('compute did not start, will retry', { branch: name, delayMs, error: errorText(error) })
        await nodeClock.sleep(delayMs)
      }
    }
  }

  async #runtimeOf(name: string): Promise<BranchRuntime> {
    const { catalog, config, log, ports } = this.#options
    findBranch(catalog, name)
    const known = this.#runtimes.get(name)
    if (known) return known
    const port = name === 'main' ? config.postgresPort : await ports.take()
    const door = await openFrontDoor({ host: config.host, port, log })
    const runtime: BranchRuntime = {
      door,
      primaryId: undefined,
      isWanted: false,
      state: 'stopped',
      lastError: undefined,
      queue: Promise.resolve(),
    }
    this.#runtimes.set(name, runtime)
    return runtime
  }

  #inOrder<T>(runtime: BranchRuntime, run: () => Promise<T>): Promise<T> {
    const result = runtime.queue.then(run, run)
    runtime.queue = result.catch(() => undefined)
    return result
  }

  /** One write at a time, each of what is true when its turn comes. */
  #saveCatalog(): Promise<void> {
    const { catalog, config } = this.#options
    return this.#catalogLock.run(() => {
      this.#settling?.cancel()
      this.#settling = undefined
      return saveLocalCatalog({ path: path.join(config.home, 'catalog.json'), disk: nodeDisk }, catalog)
    })
  }

  /** For a change that need not be durable: a restart would find it out by itself. */
  #saveSoon(): void {
    this.#settling ??= nodeClock.setTimer(SETTLE_MS, () => {
      this.#saveCatalog().catch((error: unknown) =>
        this.#options.log.warn('catalog not saved', { error: errorText(error) }),
      )
    })
  }
}
