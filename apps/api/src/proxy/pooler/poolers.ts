import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import * as fs from 'node:fs'
import * as os from 'node:os'
import * as path from 'node:path'
import { promisify } from 'node:util'
import type { Logger } from 'pino'
import { unprivilegedAccount } from '../../shared/unprivileged-account.ts'
import type { ComputePlace } from '../dial-compute.ts'
import type { ComputeAddress } from '../proxy-contract.ts'
import { filesOf, type PgbouncerVersion, parseVersion } from './pgbouncer-files.ts'
import { PgbouncerProcess } from './pgbouncer-process.ts'

/** A pooler that no client has used for so long ends. */
const IDLE_MS = 300_000
const SWEEP_MS = 30_000
/** Of the connections that an endpoint may have; the rest is for clients that come without a pool. */
const POOL_SHARE = 0.8

export interface PoolersOptions {
  /** The program. */
  readonly file: string
  /** Of the stack: leftovers of an earlier proxy of the same home are ended. */
  readonly home: string
  /** Clients of one endpoint's pool. */
  readonly clientsMax: number
  readonly log: Logger
  nowMs(): number
}

export interface PooledLogin {
  readonly endpointId: string
  readonly compute: ComputeAddress
  /** Of the endpoint. */
  readonly connectionsMax: number
  readonly role: string
  readonly verifier: string
}

interface Pooler {
  readonly key: string
  readonly process: Promise<PgbouncerProcess>
  users: number
  lastUsedMs: number
}

/**
 * A PgBouncer for each endpoint that somebody connects to as `<endpoint>-pooler`: started with the first client, ended when the
 * compute is another one or nobody uses it.
 */
export class Poolers {
  readonly #options: PoolersOptions
  readonly #version: PgbouncerVersion
  readonly #root: string
  readonly #byEndpoint = new Map<string, Pooler>()
  readonly #sweep: NodeJS.Timeout
  #made = 0

  private constructor(options: PoolersOptions, version: PgbouncerVersion) {
    this.#options = options
    this.#version = version
    this.#root = rootOf(options.home)
    this.#sweep = setInterval(() => this.#endIdle(), SWEEP_MS)
    this.#sweep.unref()
  }

  /** Rejects when the program is not PgBouncer. */
  static async open(options: PoolersOptions): Promise<Poolers> {
    const { stdout } = await promisify(execFile)(options.file, ['--version'])
    const version = parseVersion(stdout)
    if (!version) throw new Error(`${options.file} is not PgBouncer: ${stdout.slice(0, 100)}`)
    endLeftovers(rootOf(options.home))
    return new Poolers(options, version)
  }

  get count(): number {
    return this.#byEndpoint.size
  }

  /** Where this role logs in to its pool; call `leave` once, when the session is over or did not begin. */
  async join(login: PooledLogin): Promise<{ place: ComputePlace; leave: () => void }> {
    const pooler = this.#poolerOf(login)
    pooler.users++
    const leave = () => {
      pooler.users--
      pooler.lastUsedMs = this.#options.nowMs()
    }
    try {
      const pgbouncer = await pooler.process
      await pgbouncer.admit(login.role, login.verifier)
      return { place: pgbouncer.place, leave }
    } catch (error) {
      leave()
      throw error
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#sweep)
    await Promise.all([...this.#byEndpoint.keys()].map((endpointId) => this.#end(endpointId)))
    fs.rmSync(this.#root, { recursive: true, force: true })
  }

  #poolerOf({ endpointId, compute, connectionsMax }: PooledLogin): Pooler {
    const key = `${compute.host}:${compute.port} ${connectionsMax}`
    const running = this.#byEndpoint.get(endpointId)
    if (running?.key === key) return running
    if (running) void this.#end(endpointId)
    const process = PgbouncerProcess.start({
      file: this.#options.file,
      folder: path.join(this.#root, String(this.#made++)),
      version: this.#version,
      compute,
      poolSize: Math.max(1, Math.floor(connectionsMax * POOL_SHARE)),
      clientsMax: this.#options.clientsMax,
      account: unprivilegedAccount(),
      log: this.#options.log,
    })
    const pooler: Pooler = { key, process, users: 0, lastUsedMs: this.#options.nowMs() }
    this.#byEndpoint.set(endpointId, pooler)
    const forget = () => {
      if (this.#byEndpoint.get(endpointId) === pooler) this.#byEndpoint.delete(endpointId)
    }
    process.then(
      (pgbouncer) => {
        this.#options.log.info({ endpoint: endpointId, compute }, 'pooler started')
        pgbouncer.exited.then(forget, forget)
      },
      (error: Error) => {
        this.#options.log.warn({ endpoint: endpointId, error: error.message }, 'pooler did not start')
        forget()
      },
    )
    return pooler
  }

  #endIdle(): void {
    const before = this.#options.nowMs() - IDLE_MS
    for (const [endpointId, pooler] of this.#byEndpoint)
      if (pooler.users === 0 && pooler.lastUsedMs < before) void this.#end(endpointId)
  }

  async #end(endpointId: string): Promise<void> {
    const pooler = this.#byEndpoint.get(endpointId)
    this.#byEndpoint.delete(endpointId)
    const pgbouncer = await pooler?.process.catch(() => undefined)
    await pgbouncer?.stop()
  }
}

/** Short, since the path of a socket has 107 bytes; and open to an unprivileged account, which a home below /root is not. */
function rootOf(home: string): string {
  const digest = createHash('sha256').update(path.resolve(home)).digest('hex').slice(0, 12)
  return path.join(os.tmpdir(), `tributary-poolers-${digest}`)
}

/** Poolers whose proxy was killed. */
function endLeftovers(root: string): void {
  for (const name of fs.existsSync(root) ? fs.readdirSync(root) : []) {
    const { pid: pidFile, ini } = filesOf(path.join(root, name))
    try {
      const pid = Number.parseInt(fs.readFileSync(pidFile, 'utf8'), 10)
      // The number may be another process's by now.
      if (pid > 1 && fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(ini)) process.kill(pid, 'SIGKILL')
    } catch {
      // It is gone.
    }
  }
  fs.rmSync(root, { recursive: true, force: true })
  fs.mkdirSync(root, { mode: 0o711 })
}
