import * as fs from 'node:fs'
import * as path from 'node:path'
import type { ComputeActivity, ComputeInfo, ComputeSpec } from '../admin/compute-driver.ts'
import { errorText, StorageError } from '../base/errors.ts'
import { callJson } from '../io/http-client.ts'
import type { Log } from '../io/log.ts'
import { nodeClock } from '../io/node-clock.ts'
import type { ProcessExit } from '../io/node-process.ts'
import { ComputeExit } from '../protocol/compute-control.ts'
import { ChangeFeed } from './change-feed.ts'
import { socketFolderOf } from './compute-config.ts'
import { removeComputeFolder } from './compute-leftovers.ts'
import type { ComputeSockets } from './compute-sockets.ts'
import type { FreePorts } from './free-ports.ts'
import { LogFile } from './log-file.ts'
import { ManagedProcess } from './managed-process.ts'
import type { NodeAddress } from './storage-processes.ts'

const COMPUTE_READY_MS_MAX = 120_000
const STOP_GRACE_MS = 15_000
const CALL_TIMEOUT_MS = 5000
/** Computes that run at a time on one machine. */
const RUNNING_MAX = 500
/** Ended computes that are remembered, the newest. */
const ENDED_MAX = 1000
/** Logs of computes that are kept, the newest: one per timeline. */
const LOGS_MAX = 200

export interface NodeAgentOptions {
  readonly home: string
  readonly computesFolder: string
  readonly sockets: ComputeSockets
  readonly host: string
  readonly computeMode: 'auto' | 'fuse' | 'hydrate'
  readonly ingestLagBytesMax: number
  readonly logLevel: string
  readonly safekeepers: readonly NodeAddress[]
  readonly pageserver: NodeAddress
  readonly ports: FreePorts
  readonly log: Log
  /** Tells this run of the agent from others. */
  readonly epoch: string
}

interface AgentCompute {
  readonly spec: ComputeSpec
  readonly folder: string
  readonly logFile: LogFile
  readonly process: ManagedProcess
  info: ComputeInfo
  /** Of the newest change of `info`. */
  revision: number
  readonly ready: Promise<ComputeInfo>
  ending: Promise<void> | undefined
}

/** Runs computes of any project and timeline as children of this process; never starts one again by itself. */
export class NodeAgent {
  readonly feed: ChangeFeed
  /** The computes among the supervisor's processes. */
  readonly processes = new Map<string, ManagedProcess>()
  onChange: (info: ComputeInfo) => void = () => undefined
  readonly #options: NodeAgentOptions
  readonly #computes = new Map<string, AgentCompute>()
  /** Starts that have no entry in #computes yet. */
  readonly #opening = new Map<string, Promise<AgentCompute>>()
  readonly #ended = new Map<string, { readonly info: ComputeInfo; readonly revision: number }>()
  /** Folders of computes that have ended, on their way out. */
  readonly #removals = new Map<string, Promise<void>>()
  #isStopping = false

  private constructor(options: NodeAgentOptions) {
    this.#options = options
    this.feed = new ChangeFeed(options.epoch)
  }

  /** Removes what computes of an earlier run have left. */
  static async open(options: NodeAgentOptions): Promise<NodeAgent> {
    const agent = new NodeAgent(options)
    await agent.#removeOldComputes()
    return agent
  }

  /** See ComputeDriver. */
  async start(spec: ComputeSpec): Promise<ComputeInfo> {
    const { computeId } = spec
    const known = this.#computes.get(computeId) ?? (await this.#opening.get(computeId))
    if (known) {
      if (!isSameSpec(known.spec, spec)) {
        throw new StorageError('conflict', 'computeId: in use with another spec', { computeId })
      }
      return known.ready
    }
    if (this.#ended.has(computeId))
      throw new StorageError('conflict', 'computeId: that compute has ended', { computeId })
    if (this.#isStopping) throw new StorageError('unavailable', 'the supervisor is stopping')
    if (this.#computes.size + this.#opening.size >= RUNNING_MAX) {
      throw new StorageError('exhausted', 'too many computes on this machine', { max: RUNNING_MAX })
    }
    const opening = this.#open(spec)
    this.#opening.set(computeId, opening)
    try {
      return (await opening).ready
    } finally {
      this.#opening.delete(computeId)
    }
  }

  /** See ComputeDriver. */
  async stop(computeId: string, how: 'graceful' | 'immediate'): Promise<void> {
    const compute = this.#computes.get(computeId) ?? (await this.#opening.get(computeId)?.catch(() => undefined))
    if (!compute) return
    // A graceful stop that takes too long is cut short by an immediate one.
    if (compute.ending && how === 'immediate') await compute.process.abandon()
    compute.ending ??= this.#end(compute, how)
    await compute.ending
  }

  get(computeId: string): ComputeInfo {
    const info = this.#computes.get(computeId)?.info ?? this.#ended.get(computeId)?.info
    if (!info) throw new StorageError('not-found', 'no such compute', { computeId })
    return info
  }

  list(): ComputeInfo[] {
    return [...this.#ended.values(), ...this.#computes.values()].map(({ info }) => info)
  }

  changedSince(revision: number): ComputeInfo[] {
    return [...this.#ended.values(), ...this.#computes.values()]
      .filter((compute) => compute.revision > revision)
      .sort((a, b) => a.revision - b.revision)
      .map(({ info }) => info)
  }

  /** The compute's own status page. */
  status(computeId: string): Promise<unknown> {
    return this.#call(computeId, 'GET', '/status')
  }

  async activity(computeId: string): Promise<ComputeActivity> {
    const activity = (await this.#call(computeId, 'GET', '/activity')) as Omit<ComputeActivity, 'computeId'>
    return { computeId, ...activity }
  }

  async cutLinks(computeId: string, safekeeperIds: readonly number[] | 'all', cut: 'on' | 'off'): Promise<void> {
    const ids = safekeeperIds === 'all' ? this.#options.safekeepers.map(({ id }) => id) : safekeeperIds
    await this.#call(computeId, 'POST', '/links', { safekeeperIds: ids, cut })
  }

  folderOf(computeId: string): string | undefined {
    return this.#computes.get(computeId)?.folder
  }

  processOf(computeId: string): ManagedProcess | undefined {
    return this.#computes.get(computeId)?.process
  }

  /** All computes hand over their last WAL. */
  async close(): Promise<void> {
    this.#isStopping = true
    await Promise.allSettled([...this.#opening.values()])
    await Promise.allSettled([...this.#computes.keys()].map((computeId) => this.stop(computeId, 'graceful')))
    await Promise.all(this.#removals.values())
  }

  #call(computeId: string, method: string, callPath: string, body?: unknown): Promise<unknown> {
    const { host, httpPort, state } = this.get(computeId)
    if (!this.#computes.has(computeId)) throw new StorageError('conflict', 'compute has ended', { computeId, state })
    return callJson(`http://${host}:${httpPort}${callPath}`, {
      method,
      timeoutMs: CALL_TIMEOUT_MS,
      ...(body === undefined ? {} : { body }),
    })
  }

  async #open(spec: ComputeSpec): Promise<AgentCompute> {
    const { home, host, ports, log, pageserver, safekeepers } = this.#options
    const { computeId } = spec
    const folder = path.join(this.#options.computesFolder, computeId)
    const [postgresPort, httpPort] = [await ports.take(), await ports.take()]
    const name = `compute-${computeId}`
    const configPath = path.join(home, 'run', `${name}.json`)
    const config = {
      computeId,
      projectId: spec.projectId,
      timelineId: spec.timelineId,
      dataDirectory: folder,
      host,
      httpPort,
      postgresPort,
      postgresPassword: spec.superuserPassword,
      mode: this.#options.computeMode,
      pageserver: { host: pageserver.host, port: pageserver.port, httpPort: pageserver.httpPort },
      safekeepers: spec.kind === 'primary' ? safekeepers : [],
      ...(spec.lsn === undefined ? {} : { readOnlyLsn: spec.lsn }),
      ...(spec.roleVerifiers === undefined ? {} : { roleVerifiers: spec.roleVerifiers }),
      settings: spec.settings,
      ingestLagBytesMax: this.#options.ingestLagBytesMax,
      logLevel: this.#options.logLevel,
    }
    fs.writeFileSync(configPath, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 })
    this.#pruneLogs()
    const logFile = new LogFile(path.join(home, 'logs', `compute-${spec.timelineId.slice(0, 12)}.log`))
    const child = new ManagedProcess({
      name,
      kind: 'compute',
      program: 'main/compute',
      configPath,
      statusUrl: `http://${host}:${httpPort}/status`,
      logFile,
      log,
      stopGraceMs: STOP_GRACE_MS,
      onDeath: (exit) => this.#onDeath(compute, exit),
    })
    const compute: AgentCompute = {
      spec,
      folder,
      logFile,
      process: child,
      revision: 0,
      ending: undefined,
      info: {
        computeId,
        projectId: spec.projectId,
        timelineId: spec.timelineId,
        kind: spec.kind,
        state: 'starting',
        host,
        postgresPort,
        httpPort,
        pid: null,
        term: null,
        startLsn: null,
        mode: null,
        startedAt: isoTime(),
        readyAt: null,
        endedAt: null,
        phases: [],
        lastError: null,
        labels: spec.labels ?? {},
      },
      ready: Promise.resolve().then(() => this.#waitReady(compute)),
    }
    compute.ready.catch(() => undefined)
    this.#computes.set(computeId, compute)
    this.processes.set(name, child)
    this.#change(compute, {})
    return compute
  }

  async #waitReady(compute: AgentCompute): Promise<ComputeInfo> {
    const { process: child } = compute
    try {
      await child.start()
      this.#change(compute, { pid: child.pid ?? null })
      const facts = factsOf(await child.waitReady(COMPUTE_READY_MS_MAX))
      if (compute.info.state !== 'starting') throw new StorageError('aborted', 'compute was stopped while it started')
      const { computeId } = compute.spec
      this.#options.sockets.add(socketFolderOf({ computeId, dataDirectory: compute.folder }), compute.info.postgresPort)
      this.#change(compute, { ...facts, state: 'running', readyAt: isoTime() })
      return compute.info
    } catch (error) {
      if (this.#computes.get(compute.spec.computeId) === compute && !compute.ending) {
        await child.abandon()
        this.#forget(compute, { state: 'failed', lastError: errorText(error) })
      }
      const { state, lastError } = compute.info
      if (state === 'fenced') throw new StorageError('fenced', lastError ?? 'another compute has taken over')
      throw new StorageError('unavailable', lastError ?? errorText(error), {}, { cause: error })
    }
  }

  #onDeath(compute: AgentCompute, exit: ProcessExit): void {
    if (compute.ending) return
    const reason = compute.process.lastError ?? `exit code ${exit.code ?? exit.signal}`
    // Another one has taken over: starting it again would fence that one in turn.
    const isFenced = exit.code === ComputeExit.fenced
    this.#options.log.warn('compute died', { compute: compute.spec.computeId, isFenced, reason })
    this.#forget(compute, { state: isFenced ? 'fenced' : 'failed', lastError: reason })
  }

  async #end(compute: AgentCompute, how: 'graceful' | 'immediate'): Promise<void> {
    if (!this.#computes.has(compute.spec.computeId)) return
    this.#change(compute, { state: 'stopping' })
    if (how === 'graceful') await compute.process.stop()
    else await compute.process.abandon()
    this.#forget(compute, { state: 'stopped' })
    await this.#removals.get(compute.spec.computeId)
  }

  /** Its process is gone: nothing of it stays but what is remembered. */
  #forget(compute: AgentCompute, change: Partial<ComputeInfo>): void {
    const { computeId } = compute.spec
    if (!this.#computes.delete(computeId)) return
    this.processes.delete(compute.process.options.name)
    fs.rmSync(compute.process.options.configPath ?? '', { force: true })
    this.#removals.set(computeId, this.#removeLeftovers(compute))
    compute.logFile.close()
    this.#options.sockets.remove(compute.info.postgresPort)
    this.#change(compute, { ...change, pid: null, endedAt: isoTime() })
    this.#ended.set(computeId, { info: compute.info, revision: compute.revision })
    for (const [oldest] of this.#ended) {
      if (this.#ended.size <= ENDED_MAX) break
      this.#ended.delete(oldest)
    }
  }

  #change(compute: AgentCompute, change: Partial<ComputeInfo>): void {
    compute.info = { ...compute.info, ...change }
    compute.revision = this.feed.changed()
    this.onChange(compute.info)
  }

  #pruneLogs(): void {
    const folder = path.join(this.#options.home, 'logs')
    const logs = fs.readdirSync(folder).filter((name) => /^compute-[0-9a-f]{12}\.log$/.test(name))
    if (logs.length < LOGS_MAX) return
    const byAge = logs
      .map((name) => ({ file: path.join(folder, name), ms: fs.statSync(path.join(folder, name)).mtimeMs }))
      .sort((a, b) => a.ms - b.ms)
    for (const { file } of byAge.slice(0, logs.length - LOGS_MAX + 1)) {
      fs.rmSync(file, { force: true })
      fs.rmSync(`${file}.1`, { force: true })
    }
  }

  /** Its ports are free only when no Postgres of it listens there any more. */
  async #removeLeftovers(compute: AgentCompute): Promise<void> {
    await removeComputeFolder(compute.folder)
    this.#options.ports.giveBack(compute.info.postgresPort)
    this.#options.ports.giveBack(compute.info.httpPort)
    this.#removals.delete(compute.spec.computeId)
  }

  /** Computes of an earlier run: their processes end with it, their files are of no use to anybody. */
  async #removeOldComputes(): Promise<void> {
    const { computesFolder, home } = this.#options
    fs.mkdirSync(computesFolder, { recursive: true, mode: 0o711 })
    await Promise.all(
      fs.readdirSync(computesFolder).map((name) => removeComputeFolder(path.join(computesFolder, name))),
    )
    for (const name of fs.readdirSync(path.join(home, 'run'))) {
      if (/^compute-.*\.json$/.test(name)) fs.rmSync(path.join(home, 'run', name), { force: true })
    }
  }
}

function isoTime(): string {
  return new Date(nodeClock.nowMs()).toISOString()
}

/** Labels may differ: they say nothing about what runs. */
function isSameSpec(a: ComputeSpec, b: ComputeSpec): boolean {
  const essence = ({ labels: _labels, settings, roleVerifiers = {}, ...rest }: ComputeSpec) =>
    JSON.stringify([Object.entries(rest).sort(), Object.entries(settings).sort(), Object.entries(roleVerifiers).sort()])
  return essence(a) === essence(b)
}

/** What the compute's status page says that is kept in its info. */
function factsOf(status: unknown): Pick<ComputeInfo, 'term' | 'startLsn' | 'mode' | 'phases'> {
  const fields = typeof status === 'object' && status !== null ? (status as Readonly<Record<string, unknown>>) : {}
  const { term, bootLsn, mode, phases } = fields
  return {
    term: typeof term === 'number' ? term : null,
    startLsn: typeof bootLsn === 'string' ? bootLsn : null,
    mode: mode === 'fuse' || mode === 'hydrate' ? mode : null,
    phases:
      typeof phases === 'object' && phases !== null
        ? Object.entries(phases).map(([name, ms]) => ({ name, ms: Number(ms) }))
        : [],
  }
}
