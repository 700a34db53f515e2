import * as fs from 'node:fs'
import * as net from 'node:net'
import * as path from 'node:path'
import { pathToFileURL } from 'node:url'
import { z } from 'zod'
import type { ProcessKind, StackAddresses } from '../admin/stack-client.ts'
import { StorageError } from '../base/errors.ts'
import { findProgram } from '../io/find-program.ts'
import type { Log } from '../io/log.ts'
import { nodeClock } from '../io/node-clock.ts'
import { nodeRandom } from '../io/node-random.ts'
import { programOf } from '../io/node-workers.ts'
import { objectStoreRoot } from '../object-store/object-store-config.ts'
import { hexId } from '../postgres/ids.ts'
import type { FreePorts } from './free-ports.ts'
import type { LocalStackConfig, ProductConfig } from './local-stack-config.ts'
import { LogFile } from './log-file.ts'
import { ManagedProcess, type NodeProgram } from './managed-process.ts'
import type { StorageProcesses } from './storage-processes.ts'

/** The first start makes a database cluster for the catalog. */
const READY_MS_MAX = 180_000
const DEMO_MS_MAX = 120_000
const POLL_MS = 50
const STOP_GRACE_MS = 15_000

export interface ProductOptions {
  readonly config: LocalStackConfig
  readonly product: ProductConfig
  readonly storage: StorageProcesses
  readonly ports: FreePorts
  readonly log: Log
  /** Of the supervisor's interface. */
  readonly adminToken: string
  readonly adminUrl: string
  /** Where the proxy finds the sockets of computes: compute-sockets.ts. */
  readonly socketsFolder: string
  readonly onChange: () => void
}

/** What the API tells of a first start: run/first-run.json. */
const firstRun = z.object({
  ownerApiKeyFile: z.string(),
  signInUrl: z.string().nullable(),
  demo: z.object({
    state: z.enum(['making', 'ready', 'failed', 'off']),
    postgresUri: z.string().nullable(),
    error: z.string().optional(),
  }),
})
export type FirstRun = z.infer<typeof firstRun>

/** API, proxy, console and query worker: started when storage is up, started again when they die. */
export class ProductProcesses {
  readonly processes = new Map<string, ManagedProcess>()
  readonly #options: ProductOptions
  /** PgBouncer. */
  readonly #pooler: string | undefined
  #queryWorkerPort: number | undefined

  constructor(options: ProductOptions) {
    this.#options = options
    const { pgbouncer } = options.product
    this.#pooler = pgbouncer === 'auto' ? findProgram('pgbouncer', process.env) : pgbouncer
  }

  /** Says which port is taken, by the name of its variable, before anything is started. */
  async checkPorts(): Promise<void> {
    const { config } = this.#options
    const wanted = {
      TRIBUTARY_WEB_PORT: config.webPort,
      TRIBUTARY_API_PORT: config.apiPort,
      TRIBUTARY_PG_PORT: config.postgresPort,
    }
    for (const [variable, port] of Object.entries(wanted)) {
      if (await isTaken(config.host, port)) {
        throw new StorageError('conflict', `port ${port} is taken; set ${variable} to a free port`)
      }
    }
  }

  /** Resolves when all of them accept connections. */
  async start(): Promise<void> {
    const { config } = this.#options
    this.#writeSecrets()
    fs.rmSync(this.#firstRunFile, { force: true })
    if (programExists('main/query-worker')) await this.#addQueryWorker()
    const api = this.#appProgram('api', 'main/api')
    const proxy = this.#appProgram('api', 'main/proxy')
    const web = this.#webProgram()
    if (api) this.#addApi(api)
    if (proxy) await this.#addProxy(proxy)
    if (web) this.#addWeb(web)
    const all = [...this.processes.values()]
    await Promise.all(all.map((child) => child.start()))
    await Promise.all(all.map((child) => child.waitReady(READY_MS_MAX)))
    this.#options.log.info('product is up', { processes: all.length, home: config.home })
  }

  addresses(): Omit<StackAddresses, 'adminUrl' | 'pageserverUrl'> {
    const { config } = this.#options
    const hasApi = this.processes.has('api')
    const apiUrl = hasApi ? `http://${browserHost(config.host)}:${config.apiPort}` : null
    return {
      webUrl: this.processes.has('web') ? this.#webOrigin : null,
      apiUrl,
      graphqlUrl: apiUrl === null ? null : `${apiUrl}/graphql`,
      queryWorkerUrl: this.#queryWorkerPort === undefined ? null : `http://${config.host}:${this.#queryWorkerPort}`,
      postgres: this.processes.has('proxy') ? { host: config.host, port: config.postgresPort } : null,
    }
  }

  /** What the API says of the owner and the demo, once the demo is made; undefined without an API. */
  async firstRun(signal: AbortSignal): Promise<FirstRun | undefined> {
    if (!this.processes.has('api')) return undefined
    const deadlineMs = nodeClock.monotonicMs() + DEMO_MS_MAX
    for (;;) {
      const found = readFirstRun(this.#firstRunFile)
      if ((found && found.demo.state !== 'making') || nodeClock.monotonicMs() > deadlineMs || signal.aborted)
        return found
      await nodeClock.sleep(POLL_MS)
    }
  }

  /** Those that talk to people first; the API last, because the others ask it. */
  async stop(): Promise<void> {
    const others = [...this.processes.entries()].filter(([name]) => name !== 'api')
    await Promise.all(others.map(([, child]) => child.stop()))
    await this.processes.get('api')?.stop()
  }

  get #firstRunFile(): string {
    return path.join(this.#options.config.home, 'run', 'first-run.json')
  }

  get #secretsFolder(): string {
    return path.join(this.#options.config.home, 'secrets')
  }

  get #webOrigin(): string {
    return `http://${browserHost(this.#options.config.host)}:${this.#options.config.webPort}`
  }

  #writeSecrets(): void {
    const folder = this.#secretsFolder
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
    fs.writeFileSync(path.join(folder, 'supervisor-token'), `${this.#options.adminToken}\n`, { mode: 0o600 })
    const internal = path.join(folder, 'internal-token')
    if (!fs.existsSync(internal)) fs.writeFileSync(internal, `${hexId(nodeRandom.bytes(24))}\n`, { mode: 0o600 })
  }

  #appProgram(app: string, name: string): NodeProgram | undefined {
    return this.#nodeProgram(app, path.join('dist', `${name}.mjs`), path.join('src', `${name}.ts`))
  }

  /** From source it runs with reload. */
  #webProgram(): NodeProgram | undefined {
    return this.#nodeProgram('web', path.join('dist', 'main.mjs'), path.join('server', 'main.ts'), ['--dev'])
  }

  /** The bundle of a build, or the source under tsx when this program runs from source itself; undefined without it. */
  #nodeProgram(app: string, bundle: string, source: string, sourceArgs: string[] = []): NodeProgram | undefined {
    const cwd = path.join(this.#options.product.appsFolder, app)
    const preload = programOf('main/end-with-parent')
    const isFromSource = preload.file.endsWith('.ts')
    const file = path.join(cwd, isFromSource ? source : bundle)
    if (!fs.existsSync(file)) return undefined
    const execArgv = [...preload.execArgv, '--import', pathToFileURL(preload.file).href]
    return { file, execArgv, cwd, args: isFromSource ? sourceArgs : [] }
  }

  async #addQueryWorker(): Promise<void> {
    const { config, storage, ports } = this.#options
    const port = await ports.take()
    this.#queryWorkerPort = port
    const { host, port: pagePort, httpPort } = storage.pageserver
    this.#add('query-worker', 'query-worker', 'main/query-worker', {
      config: {
        dataDirectory: path.join(config.home, 'query-worker'),
        host: config.host,
        httpPort: port,
        pageserver: { host, port: pagePort, httpPort },
        safekeepers: storage.safekeepers.map((node) => ({ id: node.id, host: node.host, httpPort: node.httpPort })),
        objectStore: config.objectStore,
        logLevel: config.logLevel,
      },
      address: { host: config.host, port },
    })
  }

  #addApi(program: NodeProgram): void {
    const { config, product, storage, adminUrl } = this.#options
    this.#add('api', 'api', program, {
      config: {
        home: config.home,
        host: config.host,
        port: config.apiPort,
        webOrigin: this.#webOrigin,
        ...(product.databaseUrl === undefined ? {} : { databaseUrl: product.databaseUrl }),
        supervisor: { url: adminUrl, tokenFile: path.join(this.#secretsFolder, 'supervisor-token') },
        pageserver: { url: `http://${storage.pageserver.host}:${storage.pageserver.httpPort}` },
        ...(this.#queryWorkerPort === undefined
          ? {}
          : { queryWorker: { url: `http://${config.host}:${this.#queryWorkerPort}` } }),
        proxy: {
          host: config.host,
          port: config.postgresPort,
          publicHost: product.publicHost,
          hasPooler: this.#pooler !== undefined,
        },
        secretsFolder: this.#secretsFolder,
        objectStoreRoot: objectStoreRoot(config.objectStore),
        makeDemo: product.makeDemo,
        logLevel: config.logLevel === 'silent' ? 'fatal' : config.logLevel,
      },
      address: { host: config.host, port: config.apiPort },
    })
  }

  async #addProxy(program: NodeProgram): Promise<void> {
    const { config, product, ports } = this.#options
    const status = { host: config.host, port: await ports.take() }
    this.#add('proxy', 'proxy', program, {
      config: {
        host: config.host,
        port: config.postgresPort,
        publicHost: product.publicHost,
        status,
        api: {
          url: `http://${config.host}:${config.apiPort}`,
          tokenFile: path.join(this.#secretsFolder, 'internal-token'),
        },
        ...(product.tls === undefined ? {} : { tls: product.tls }),
        computeSockets: { host: config.host, folder: this.#options.socketsFolder },
        ...(this.#pooler === undefined ? {} : { pooler: { file: this.#pooler } }),
        home: config.home,
        logLevel: config.logLevel,
      },
      address: { host: config.host, port: config.postgresPort },
      url: `http://${status.host}:${status.port}`,
    })
  }

  #addWeb(program: NodeProgram): void {
    const { config } = this.#options
    this.#add('web', 'web', program, {
      address: { host: config.host, port: config.webPort },
      env: {
        TRIBUTARY_WEB_HOST: config.host,
        TRIBUTARY_WEB_PORT: String(config.webPort),
        TRIBUTARY_API_URL: `http://${config.host}:${config.apiPort}`,
      },
    })
  }

  #add(
    name: string,
    kind: ProcessKind,
    program: string | NodeProgram,
    more: {
      config?: object
      address: { host: string; port: number }
      url?: string
      env?: Readonly<Record<string, string>>
    },
  ): void {
    const { config, log, onChange } = this.#options
    const configPath = path.join(config.home, 'run', `${name}.json`)
    if (more.config) fs.writeFileSync(configPath, `${JSON.stringify(more.config, null, 2)}\n`, { mode: 0o600 })
    const child = new ManagedProcess({
      name,
      kind,
      program,
      ...(more.config ? { configPath } : {}),
      ...(more.env ? { env: more.env } : {}),
      address: more.address,
      ...(more.url ? { url: more.url } : {}),
      logFile: new LogFile(path.join(config.home, 'logs', `${name}.log`)),
      log,
      stopGraceMs: STOP_GRACE_MS,
      onChange,
    })
    this.processes.set(name, child)
  }
}

function programExists(name: string): boolean {
  try {
    return fs.existsSync(programOf(name).file)
  } catch {
    return false
  }
}

function readFirstRun(file: string): FirstRun | undefined {
  try {
    return firstRun.parse(JSON.parse(fs.readFileSync(file, 'utf8')))
  } catch {
    return undefined
  }
}

/** Cookies and WebAuthn want a name: a browser takes `localhost` for the loopback address. */
function browserHost(host: string): string {
  return host === '127.0.0.1' || host === '0.0.0.0' ? 'localhost' : host
}

function isTaken(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = net.createServer()
    probe.once('error', () => resolve(true))
    probe.listen({ host, port }, () => probe.close(() => resolve(false)))
  })
}
