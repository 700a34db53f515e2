import * as fs from 'node:fs'
import * as net from 'node:net'
import * as path from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { callJson } from '../src/io/http-client.ts'
import { isProcessAlive, type RunningProcess, spawnProcess } from '../src/io/node-process.ts'
import { makeTemporaryFolder } from './temporary-folder.ts'

/**
 * The real stack, as `npm start` runs it, on free ports and in a temporary home: built programs when the build is newer
 * than the sources, else the sources under tsx.
 *
 *   const stack = await startStack()
 *   try { await stack.query('select 1') } finally { await stack.cleanup() }
 */
export interface StackOptions {
  /** More TRIBUTARY_… variables. */
  readonly env?: Readonly<Record<string, string>>
  /** An existing home, kept by cleanup. */
  readonly home?: string
  /** Instead of free ports: the Postgres port, with the others after it. */
  readonly portBase?: number
  /** Everything runs under this account instead of this process's. */
  readonly account?: { readonly uid: number; readonly gid: number }
  /** Leaves the run files of a stack that runs in the same home. */
  readonly keepRunFiles?: boolean
}

export interface StackDescription {
  readonly pid: number
  readonly home: string
  readonly projectId: string
  readonly safekeepers: readonly NodeAddress[]
  readonly pageserver: NodeAddress
  readonly processes: readonly ProcessDescription[]
  readonly branches: readonly BranchDescription[]
}

export interface NodeAddress {
  readonly id: number
  readonly host: string
  readonly port: number
  readonly httpPort: number
}

export interface ProcessDescription {
  readonly name: string
  readonly pid: number | null
  readonly isWanted: boolean
  readonly restartCount: number
  readonly statusUrl: string
}

export interface BranchDescription {
  readonly name: string
  readonly timelineId: string
  readonly parent: string | null
  readonly state: string
  readonly lastError: string | null
  readonly frontPort: number | null
  readonly uri: string | null
  readonly compute: (ProcessDescription & { computeId: string; folder: string; postgresPort: number }) | null
}

const START_MS_MAX = 120_000
const CALL_MS_MAX = 150_000
const engineFolder = path.dirname(path.dirname(fileURLToPath(import.meta.url)))

export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const home = options.home ?? makeTemporaryFolder('tributary-stack-')
  // Postgres runs under another account when the tests run as root, and passes through here.
  fs.chmodSync(home, 0o755)
  if (options.account) fs.chownSync(home, options.account.uid, options.account.gid)
  const base = options.portBase ?? (await findPortBase())
  const stack = new Stack(
    home,
    options.home === undefined,
    {
      TRIBUTARY_HOME: home,
      TRIBUTARY_PG_PORT: String(base),
      TRIBUTARY_ADMIN_PORT: String(base + 1),
      TRIBUTARY_INTERNAL_PORT_FIRST: String(base + 2),
      ...options.env,
    },
    options.account,
  )
  try {
    await stack.start({ keepRunFiles: options.keepRunFiles ?? false })
    return stack
  } catch (error) {
    await stack.cleanup()
    throw error
  }
}

export class Stack {
  readonly home: string
  readonly #ownsHome: boolean
  readonly #env: Readonly<Record<string, string>>
  readonly #account: StackOptions['account']
  #supervisor: RunningProcess | undefined
  #output: string[] = []
  #file: { adminUrl: string; postgresUri: string } | undefined
  #token = ''

  constructor(
    home: string,
    ownsHome: boolean,
    env: Readonly<Record<string, string>>,
    account: StackOptions['account'] = undefined,
  ) {
    this.#account = account
    this.home = home
    this.#ownsHome = ownsHome
    this.#env = env
  }

  /** Of the branch main, through its front door. */
  get uri(): string {
    if (!this.#file) throw new Error('stack is not running')
    return this.#file.postgresUri
  }

  get adminUrl(): string {
    if (!this.#file) throw new Error('stack is not running')
    return this.#file.adminUrl
  }

  get adminToken(): string {
    return this.#token
  }

  get supervisorPid(): number {
    return this.#supervisor?.pid ?? 0
  }

  /** What the supervisor printed. */
  get output(): string {
    return this.#output.join('\n')
  }

  async start(options: { keepRunFiles?: boolean } = {}): Promise<void> {
    const stackFile = path.join(this.home, 'run', 'stack.json')
    if (!options.keepRunFiles) fs.rmSync(stackFile, { force: true })
    this.#output = []
    const supervisor = await spawnProcess({
      command: process.execPath,
      args: localStackArgs(),
      env: { ...process.env, ...this.#env, NODE_NO_WARNINGS: '1' },
      ...this.#account,
      endsWithParent: true,
      onLine: (line) => this.#output.push(line),
    })
    this.#supervisor = supervisor
    const deadline = performance.now() + START_MS_MAX
    while (options.keepRunFiles || !fs.existsSync(stackFile)) {
      if (!supervisor.isRunning()) throw new Error(`stack ended while starting:\n${this.output}\n${this.logTail()}`)
      if (performance.now() > deadline) {
        await this.stop()
        throw new Error(`stack did not start in time:\n${this.output}\n${this.logTail()}`)
      }
      await sleep(20)
    }
    this.#file = JSON.parse(fs.readFileSync(stackFile, 'utf8'))
    this.#token = fs.readFileSync(path.join(this.home, 'run', 'admin-token'), 'utf8').trim()
  }

  /** As Ctrl-C. */
  async stop(): Promise<void> {
    await this.#supervisor?.stop({ signal: 'SIGINT', graceMs: 60_000 })
    this.#supervisor = undefined
  }

  /** kill -9 of the supervisor; resolves when all its processes have noticed and ended. */
  async killSupervisor(): Promise<void> {
    const { processes } = await this.describe()
    const pids = processes.flatMap(({ pid }) => (pid === null ? [] : [pid]))
    this.#supervisor?.kill('SIGKILL')
    await this.#supervisor?.exited
    this.#supervisor = undefined
    const deadline = performance.now() + 30_000
    while (pids.some(isProcessAlive)) {
      if (performance.now() > deadline)
        throw new Error(`processes outlive their supervisor: ${pids.filter(isProcessAlive)}`)
      await sleep(50)
    }
  }

  /** kill -9 of the supervisor and, in the same moment, of every process it started. */
  async killEverything(): Promise<void> {
    const { processes } = await this.describe()
    const pids = processes.flatMap(({ pid }) => (pid === null ? [] : [pid]))
    this.#supervisor?.kill('SIGKILL')
    for (const pid of pids) if (isProcessAlive(pid)) process.kill(pid, 'SIGKILL')
    await this.#supervisor?.exited
    this.#supervisor = undefined
  }

  async cleanup(): Promise<void> {
    await this.stop()
    if (this.#ownsHome) fs.rmSync(this.home, { recursive: true, force: true, maxRetries: 3 })
  }

  /** A call of the supervisor's admin interface; rejects with the StorageError it answers. */
  admin(method: string, callPath: string, body?: unknown): Promise<unknown> {
    if (!this.#file) throw new Error('stack is not running')
    return callJson(`${this.#file.adminUrl}${callPath}`, {
      method,
      ...(body === undefined ? {} : { body }),
      timeoutMs: CALL_MS_MAX,
      token: this.#token,
    })
  }

  async describe(): Promise<StackDescription> {
    return (await this.admin('GET', '/stack')) as StackDescription
  }

  async branch(name = 'main'): Promise<BranchDescription> {
    const found = (await this.describe()).branches.find((branch) => branch.name === name)
    if (!found) throw new Error(`no such branch: ${name}`)
    return found
  }

  async createBranch(
    name: string,
    options: { parent?: string; at?: { lsn: string } | { time: string } } = {},
  ): Promise<unknown> {
    return this.admin('POST', '/branches', { name, ...options })
  }

  startBranch(name: string): Promise<unknown> {
    return this.admin('POST', `/branches/${name}/start`)
  }

  stopBranch(name: string): Promise<unknown> {
    return this.admin('POST', `/branches/${name}/stop`)
  }

  failover(name = 'main', options: { keepOld?: boolean } = {}): Promise<unknown> {
    return this.admin('POST', `/branches/${name}/failover`, options)
  }

  /** Sends a signal to "safekeeper-2", "pageserver", or the compute of a branch ("compute:main"). */
  async kill(processName: string, signal: 'SIGKILL' | 'SIGTERM' | 'SIGSTOP' | 'SIGCONT' = 'SIGKILL'): Promise<void> {
    const [kind, branch] = processName.split(':')
    const name = kind === 'compute' ? (await this.branch(branch)).compute?.name : processName
    if (name === undefined) throw new Error(`not running: ${processName}`)
    await this.admin('POST', `/processes/${name}/kill`, { signal })
  }

  async stopProcess(name: string): Promise<void> {
    await this.admin('POST', `/processes/${name}/stop`)
  }

  async startProcess(name: string): Promise<void> {
    await this.admin('POST', `/processes/${name}/start`)
  }

  /** A connected client of a branch; end it yourself. */
  async client(branchName = 'main', options: pg.ClientConfig = {}): Promise<pg.Client> {
    const uri = branchName === 'main' ? this.uri : (await this.branch(branchName)).uri
    if (!uri) throw new Error(`branch is not running: ${branchName}`)
    const client = new pg.Client({ connectionString: uri, connectionTimeoutMillis: 30_000, ...options })
    // A server that is killed on purpose must not end the test's process.
    client.on('error', () => undefined)
    await client.connect()
    return client
  }

  // biome-ignore lint/suspicious/noExplicitAny: rows have the columns that the statement names
  async query<Row extends pg.QueryResultRow = any>(
    sql: string,
    values: unknown[] = [],
    branchName = 'main',
  ): Promise<Row[]> {
    const client = await this.client(branchName)
    try {
      return (await client.query<Row>(sql, values)).rows
    } finally {
      await client.end()
    }
  }

  /** Opens a connection, runs the work, closes it. */
  async withClient<Result>(
    work: (client: pg.Client) => Promise<Result>,
    branchName = 'main',
    database?: string,
  ): Promise<Result> {
    const address = new URL((await this.branch(branchName)).uri ?? this.uri)
    if (database !== undefined) address.pathname = `/${database}`
    const client = await this.client(branchName, { connectionString: address.href })
    try {
      return await work(client)
    } finally {
      await client.end().catch(() => undefined)
    }
  }

  /** Repeats until it succeeds: for the moments after a kill. */
  async queryEventually<Row extends pg.QueryResultRow>(
    sql: string,
    timeoutMs = 60_000,
    branchName = 'main',
  ): Promise<Row[]> {
    const deadline = performance.now() + timeoutMs
    for (;;) {
      try {
        return await this.query<Row>(sql, [], branchName)
      } catch (error) {
        if (performance.now() > deadline) throw error
        await sleep(50)
      }
    }
  }

  /** The last lines of every log, for messages of failed tests. */
  logTail(lineCount = 15): string {
    const folder = path.join(this.home, 'logs')
    if (!fs.existsSync(folder)) return ''
    return fs
      .readdirSync(folder)
      .map((name) => {
        const lines = fs.readFileSync(path.join(folder, name), 'utf8').trimEnd().split('\n')
        return `--- ${name}\n${lines.slice(-lineCount).join('\n')}`
      })
      .join('\n')
  }
}

function localStackArgs(): string[] {
  const built = path.join(engineFolder, 'dist', 'main', 'local-stack.mjs')
  const isBuilt = fs.existsSync(built) && fs.statSync(built).mtimeMs >= newestMs(path.join(engineFolder, 'src'))
  return isBuilt
    ? ['--enable-source-maps', built]
    : ['--import', 'tsx', path.join(engineFolder, 'src', 'main', 'local-stack.ts')]
}

function newestMs(folder: string): number {
  let newest = 0
  for (const entry of fs.readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || entry.name.includes('.test.')) continue
    newest = Math.max(newest, fs.statSync(path.join(entry.parentPath, entry.name)).mtimeMs)
  }
  return newest
}

/** Below the range of outgoing connections, so that none of those sits on a port of ours. */
async function findPortBase(): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const base = 22_000 + 100 * Math.floor(Math.random() * 90)
    if ((await isFree(base)) && (await isFree(base + 1))) return base
  }
  throw new Error('no free ports for a stack')
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = net.createServer()
    probe.once('error', () => resolve(false))
    probe.listen({ host: '127.0.0.1', port }, () => probe.close(() => resolve(true)))
  })
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
