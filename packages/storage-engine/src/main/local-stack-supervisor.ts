import * as fs from 'node:fs'
import * as os from 'node:os'
import * as path from 'node:path'
import type { StorageAdmin, TimelineInfo } from '../admin/storage-admin.ts'
import { errorText, isStorageError, StorageError } from '../base/errors.ts'
import type { Log } from '../io/log.ts'
import { nodeClock } from '../io/node-clock.ts'
import { nodeDisk } from '../io/node-disk.ts'
import type { ProcessExit } from '../io/node-process.ts'
import { nodeRandom } from '../io/node-random.ts'
import { hexId } from '../postgres/ids.ts'
import { removeComputeFolder } from './compute-leftovers.ts'
import type { FreePorts } from './free-ports.ts'
import { type FrontDoor, openFrontDoor } from './front-door.ts'
import {
  checkNewBranchName,
  findBranch,
  type LocalBranch,
  type LocalCatalog,
  newTimelineId,
  openLocalCatalog,
  saveLocalCatalog,
} from './local-catalog.ts'
import type { LocalStackConfig } from './local-stack-config.ts'
import { LogFile } from './log-file.ts'
import { ManagedProcess } from './managed-process.ts'

const SAFEKEEPER_COUNT = 3
const STORAGE_READY_MS_MAX = 60_000
const COMPUTE_READY_MS_MAX = 120_000
const STOP_GRACE_MS = 15_000
const COMPUTE_RETRY_MS_FIRST = 200
const COMPUTE_RETRY_MS_MAX = 5000
/** A fenced compute ends with this code: another one has taken over, and starting it again would fence that one. */
const FENCED_EXIT_CODE = 3

interface Compute {
  readonly computeId: string
  readonly folder: string
  readonly postgresPort: number
  readonly process: ManagedProcess
}

interface BranchRuntime {
  readonly door: FrontDoor
  primary: Compute | undefined
  isWanted: boolean
  state: 'stopped' | 'starting' | 'running' | 'fenced' | 'failed'
  lastError: string | undefined
  /** Steps on one branch never overlap. */
  queue: Promise<unknown>
}

export interface NodeAddress {
  readonly id: number
  readonly host: string
  readonly port: number
  readonly httpPort: number
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

/** Starts, watches and stops every process of one machine; knows branches by name. */
export class LocalStackSupervisor {
  readonly config: LocalStackConfig
  readonly catalog: LocalCatalog
  readonly safekeepers: readonly NodeAddress[]
  readonly pageserver: NodeAddress
  readonly processes = new Map<string, ManagedProcess>()
  readonly #log: Log
  readonly #ports: FreePorts
  readonly #admin: StorageAdmin
  readonly #branches = new Map<string, BranchRuntime>()
  readonly #computesFolder: string
  #isStopping = false

  private constructor(parts: {
    config: LocalStackConfig
    catalog: LocalCatalog
    safekeepers: readonly NodeAddress[]
    pageserver: NodeAddress
    admin: StorageAdmin
    ports: FreePorts
    log: Log
  }) {
    this.config = parts.config
    this.catalog = parts.catalog
    this.safekeepers = parts.safekeepers
    this.pageserver = parts.pageserver
    this.#admin = parts.admin
    this.#ports = parts.ports
    this.#log = parts.log
    this.#computesFolder = computesFolderOf(parts.config.home)
  }

  /** Makes the folders, settles ports and identities; starts nothing yet. */
  static async open(options: {
    config: LocalStackConfig
    ports: FreePorts
    log: Log
    openAdmin: (pageserver: NodeAddress) => StorageAdmin
  }): Promise<LocalStackSupervisor> {
    const { config, ports, log } = options
    const catalog = await openLocalCatalog({
      path: path.join(config.home, 'catalog.json'),
      disk: nodeDisk,
      random: nodeRandom,
    })
    const takeAddress = async (id: number): Promise<NodeAddress> => ({
      id,
      host: config.host,
      port: await ports.take(),
      httpPort: await ports.take(),
    })
    const safekeepers: NodeAddress[] = []
    for (let id = 1; id <= SAFEKEEPER_COUNT; id++) safekeepers.push(await takeAddress(id))
    const pageserver = await takeAddress(1)
    const admin = options.openAdmin(pageserver)
    return new LocalStackSupervisor({ config, catalog, safekeepers, pageserver, admin, ports, log })
  }

  get admin(): StorageAdmin {
    return this.#admin
  }

  /** Starts storage, makes the project when it is new, opens the front doors. */
  async startStorage(): Promise<void> {
    const { config, catalog } = this
    this.#removeOldComputes()
    for (const own of this.safekeepers) {
      this.#addProcess(`safekeeper-${own.id}`, 'main/safekeeper', own.httpPort, {
        id: own.id,
        dataDirectory: path.join(config.home, `safekeeper-${own.id}`),
        host: own.host,
        port: own.port,
        httpPort: own.httpPort,
        objectStore: config.objectStore,
        peers: this.safekeepers.filter((peer) => peer.id !== own.id),
        logLevel: config.logLevel,
      })
    }
    this.#addProcess('pageserver', 'main/pageserver', this.pageserver.httpPort, {
      dataDirectory: path.join(config.home, 'pageserver'),
      host: this.pageserver.host,
      port: this.pageserver.port,
      httpPort: this.pageserver.httpPort,
      objectStore: config.objectStore,
      safekeepers: this.safekeepers,
      logLevel: config.logLevel,
    })
    const storage = [...this.processes.values()]
    await Promise.all(storage.map((child) => child.start()))
    await Promise.all(storage.map((child) => child.waitReady(STORAGE_READY_MS_MAX)))
    const [first] = catalog.branches
    if (first) await this.#admin.createProject({ projectId: catalog.projectId, timelineId: first.timelineId })
  }

  #addProcess(name: string, program: string, httpPort: number, config: object): void {
    const child = new ManagedProcess({
      name,
      program,
      configPath: this.#writeConfig(name, config),
      statusUrl: `http://${this.config.host}:${httpPort}/status`,
      logFile: new LogFile(path.join(this.config.home, 'logs', `${name}.log`)),
      log: this.#log,
      stopGraceMs: STOP_GRACE_MS,
    })
    this.processes.set(name, child)
  }

  #writeConfig(name: string, config: object): string {
    const file = path.join(this.config.home, 'run', `${name}.json`)
    fs.writeFileSync(file, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 })
    return file
  }

  /** Starts the branch's compute (also while one runs: see failover) and opens its front door. */
  async startBranch(name: string): Promise<ComputeStart> {
    const runtime = await this.#runtimeOf(name)
    return this.#inOrder(runtime, async () => {
      if (runtime.state === 'running' && runtime.primary) {
        throw new StorageError('conflict', 'branch is running', { name })
      }
      runtime.isWanted = true
      return this.#startCompute(name, runtime)
    })
  }

  async stopBranch(name: string): Promise<void> {
    const runtime = await this.#runtimeOf(name)
    runtime.isWanted = false
    await this.#inOrder(runtime, async () => {
      const compute = runtime.primary
      runtime.primary = undefined
      runtime.state = 'stopped'
      runtime.door.setTarget(undefined)
      if (compute) await this.#dropCompute(compute, 'stop')
    })
  }

  /** Starts a second compute, which fences the first; then points the front door to it. `keepOld` leaves the first running. */
  async failoverBranch(name: string, options: { keepOld?: boolean } = {}): Promise<ComputeStart> {
    const runtime = await this.#runtimeOf(name)
    runtime.isWanted = true
    return this.#inOrder(runtime, async () => {
      const old = runtime.primary
      const started = await this.#startCompute(name, runtime)
      // The old primary has been fenced by now, which by itself would mean that the branch stays down.
      runtime.isWanted = true
      if (old && !options.keepOld) await this.#dropCompute(old, 'kill')
      return started
    })
  }

  async createBranch(input: {
    name: string
    parent: string
    at?: { lsn: string } | { time: string }
  }): Promise<{ branch: LocalBranch; timeline: TimelineInfo }> {
    const { catalog } = this
    checkNewBranchName(catalog, input.name)
    const parent = findBranch(catalog, input.parent)
    const timelineId = newTimelineId(nodeRandom)
    const timeline = await this.#admin.createBranch({
      projectId: catalog.projectId,
      timelineId,
      ancestorTimelineId: parent.timelineId,
      ...(input.at === undefined ? {} : { at: input.at }),
    })
    const branch = { name: input.name, timelineId, parent: parent.name }
    catalog.branches.push(branch)
    await this.#saveCatalog()
    return { branch, timeline }
  }

  /** The branch continues from `at`; what it was until now stays as the branch `keptAs`. */
  async restoreBranch(input: {
    name: string
    keptAs: string
    at: { lsn: string } | { time: string }
  }): Promise<{ branch: LocalBranch; timeline: TimelineInfo }> {
    const { catalog } = this
    checkNewBranchName(catalog, input.keptAs)
    const branch = findBranch(catalog, input.name)
    const runtime = this.#branches.get(input.name)
    const wasWanted = runtime?.isWanted ?? false
    if (runtime) await this.stopBranch(input.name)
    const timelineId = newTimelineId(nodeRandom)
    const timeline = await this.#admin.createBranch({
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
    if (wasWanted) await this.startBranch(input.name)
    return { branch, timeline }
  }

  async deleteBranch(name: string): Promise<void> {
    const { catalog } = this
    const branch = findBranch(catalog, name)
    if (name === 'main') throw new StorageError('invalid-input', 'name: main cannot be deleted')
    const runtime = this.#branches.get(name)
    if (runtime) {
      await this.stopBranch(name)
      await runtime.door.close()
      this.#branches.delete(name)
    }
    try {
      await this.#admin.deleteTimeline(catalog.projectId, branch.timelineId)
    } catch (error) {
      if (!isStorageError(error, 'not-found')) throw error
    }
    catalog.branches = catalog.branches.filter((other) => other !== branch)
    await this.#saveCatalog()
  }

  describe(): unknown {
    return {
      pid: process.pid,
      home: this.config.home,
      projectId: this.catalog.projectId,
      safekeepers: this.safekeepers,
      pageserver: this.pageserver,
      processes: [...this.processes.values()].map((child) => child.describe()),
      branches: this.catalog.branches.map((branch) => this.#describeBranch(branch)),
    }
  }

  #describeBranch(branch: LocalBranch): unknown {
    const runtime = this.#branches.get(branch.name)
    const compute = runtime?.primary
    return {
      ...branch,
      state: runtime?.state ?? 'stopped',
      lastError: runtime?.lastError ?? null,
      frontPort: runtime?.door.port ?? null,
      uri: runtime ? this.postgresUri(runtime.door.port) : null,
      compute: compute
        ? {
            computeId: compute.computeId,
            folder: compute.folder,
            postgresPort: compute.postgresPort,
            ...compute.process.describe(),
          }
        : null,
    }
  }

  postgresUri(port: number): string {
    return `postgresql://postgres:${this.catalog.postgresPassword}@${this.config.host}:${port}/postgres`
  }

  /** Computes first, so that they hand over their last WAL; then storage. */
  async stop(): Promise<void> {
    this.#isStopping = true
    await Promise.allSettled([...this.#branches.keys()].map((name) => this.stopBranch(name)))
    await Promise.allSettled([...this.#branches.values()].map((runtime) => runtime.door.close()))
    await this.processes.get('pageserver')?.stop()
    await Promise.all([...this.processes.values()].map((child) => child.stop()))
  }

  async #startCompute(name: string, runtime: BranchRuntime): Promise<ComputeStart> {
    const startedMs = nodeClock.monotonicMs()
    runtime.state = 'starting'
    const compute = await this.#launchCompute(name, runtime)
    try {
      const status = await compute.process.waitReady(COMPUTE_READY_MS_MAX)
      runtime.primary = compute
      runtime.state = 'running'
      runtime.lastError = undefined
      runtime.door.setTarget({ host: this.config.host, port: compute.postgresPort })
      return {
        branch: name,
        computeId: compute.computeId,
        host: this.config.host,
        postgresPort: compute.postgresPort,
        frontPort: runtime.door.port,
        status,
        totalMs: nodeClock.monotonicMs() - startedMs,
      }
    } catch (error) {
      runtime.state = runtime.primary?.process.pid === undefined ? 'failed' : 'running'
      runtime.lastError = errorText(error)
      await this.#dropCompute(compute, 'kill')
      throw error
    }
  }

  async #launchCompute(name: string, runtime: BranchRuntime): Promise<Compute> {
    const branch = findBranch(this.catalog, name)
    const computeId = hexId(nodeRandom.bytes(8))
    const folder = path.join(this.#computesFolder, computeId)
    const [postgresPort, httpPort] = [await this.#ports.take(), await this.#ports.take()]
    const processName = `compute-${name}-${computeId.slice(0, 6)}`
    const configPath = this.#writeConfig(processName, {
      computeId,
      projectId: this.catalog.projectId,
      timelineId: branch.timelineId,
      dataDirectory: folder,
      host: this.config.host,
      httpPort,
      postgresPort,
      postgresPassword: this.catalog.postgresPassword,
      mode: this.config.computeMode,
      pageserver: { host: this.pageserver.host, port: this.pageserver.port, httpPort: this.pageserver.httpPort },
      safekeepers: this.safekeepers,
      logLevel: this.config.logLevel,
    })
    const child = new ManagedProcess({
      name: processName,
      program: 'main/compute',
      configPath,
      statusUrl: `http://${this.config.host}:${httpPort}/status`,
      logFile: new LogFile(path.join(this.config.home, 'logs', `compute-${name}.log`)),
      log: this.#log,
      stopGraceMs: STOP_GRACE_MS,
      onDeath: (exit) => this.#onComputeDeath(name, runtime, compute, exit),
    })
    const compute: Compute = { computeId, folder, postgresPort, process: child }
    this.processes.set(processName, child)
    await child.start()
    return compute
  }

  #onComputeDeath(name: string, runtime: BranchRuntime, compute: Compute, exit: ProcessExit): void {
    this.processes.delete(compute.process.options.name)
    removeComputeFolder(compute.folder)
    if (runtime.primary !== compute) return
    runtime.primary = undefined
    runtime.door.setTarget(undefined)
    if (exit.code === FENCED_EXIT_CODE) {
      runtime.state = 'fenced'
      runtime.isWanted = false
      this.#log.warn('compute was fenced by another one, it stays down', { branch: name })
      return
    }
    runtime.state = 'failed'
    void this.#inOrder(runtime, () => this.#startAgain(name, runtime))
  }

  /** Until it runs or nobody wants it any more. */
  async #startAgain(name: string, runtime: BranchRuntime): Promise<void> {
    for (let delayMs = COMPUTE_RETRY_MS_FIRST; ; delayMs = Math.min(delayMs * 2, COMPUTE_RETRY_MS_MAX)) {
      if (!runtime.isWanted || this.#isStopping || runtime.primary) return
      try {
        await this.#startCompute(name, runtime)
        return
      } catch (error) {
        this.#log.warn('compute did not start, will retry', { branch: name, delayMs, error: errorText(error) })
        await nodeClock.sleep(delayMs)
      }
    }
  }

  async #dropCompute(compute: Compute, how: 'stop' | 'kill'): Promise<void> {
    if (how === 'stop') await compute.process.stop()
    else await compute.process.abandon()
    this.processes.delete(compute.process.options.name)
    fs.rmSync(compute.process.options.configPath, { force: true })
    removeComputeFolder(compute.folder)
  }

  async #runtimeOf(name: string): Promise<BranchRuntime> {
    findBranch(this.catalog, name)
    const known = this.#branches.get(name)
    if (known) return known
    const port = name === 'main' ? this.config.postgresPort : await this.#ports.take()
    const door = await openFrontDoor({ host: this.config.host, port, log: this.#log })
    const runtime: BranchRuntime = {
      door,
      primary: undefined,
      isWanted: false,
      state: 'stopped',
      lastError: undefined,
      queue: Promise.resolve(),
    }
    this.#branches.set(name, runtime)
    return runtime
  }

  #inOrder<T>(runtime: BranchRuntime, run: () => Promise<T>): Promise<T> {
    const result = runtime.queue.then(run, run)
    runtime.queue = result.catch(() => undefined)
    return result
  }

  async #saveCatalog(): Promise<void> {
    await saveLocalCatalog({ path: path.join(this.config.home, 'catalog.json'), disk: nodeDisk }, this.catalog)
  }

  /** Computes of an earlier run: their processes end with it, their files are of no use to anybody. */
  #removeOldComputes(): void {
    fs.mkdirSync(this.#computesFolder, { recursive: true, mode: 0o711 })
    for (const name of fs.readdirSync(this.#computesFolder)) removeComputeFolder(path.join(this.#computesFolder, name))
  }
}

/**
 * Postgres runs as an unprivileged account when the stack runs as root, and then needs a way into its folder. Where an
 * ancestor of home is closed to others (a checkout below /root), computes live in the system's temporary folder.
 */
function computesFolderOf(home: string): string {
  const inHome = path.join(home, 'computes')
  if (process.getuid?.() !== 0) return inHome
  for (let folder = home; folder !== path.dirname(folder); folder = path.dirname(folder)) {
    if ((fs.statSync(folder).mode & 0o001) !== 0) continue
    return path.join(os.tmpdir(), `tributary-${Buffer.from(home).toString('base64url').slice(-40)}`)
  }
  return inHome
}

/** Opens the folders of home, with an error that says what to do when it cannot be written. */
export function makeHome(home: string): void {
  try {
    for (const name of ['', 'run', 'logs']) fs.mkdirSync(path.join(home, name), { recursive: true })
    const probe = path.join(home, 'run', `.probe-${process.pid}`)
    fs.writeFileSync(probe, 'x'.repeat(4096))
    fs.rmSync(probe)
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error)
    throw new StorageError('invalid-input', `TRIBUTARY_HOME cannot be written: ${text}`, { home }, { cause: error })
  }
}
