import { type ChildProcess, spawn } from 'node:child_process'
import * as fs from 'node:fs'
import * as net from 'node:net'
import * as path from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import pg from 'pg'
import { makeTemporaryFolder } from '../../../../packages/storage-engine/test/temporary-folder.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/db/embedded-postgres.ts'
import { EngineDouble } from './engine-double.ts'

const apiFolder = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..')
const READY_MS_MAX = 60_000

export interface GraphReply {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: replies of many queries
  readonly data: any
  readonly errors?: readonly { readonly message: string; readonly extensions?: { readonly code?: string } }[]
}

/** A real catalog, a stand-in for the engine, and the API as a process of its own that may be killed and started again. */
export class TestStack {
  readonly engine: EngineDouble
  readonly databaseUrl: string
  readonly #postgres: EmbeddedPostgres
  readonly #folder: string
  readonly #program: string
  readonly #port: number
  #child: ChildProcess | undefined
  #log = ''

  private constructor(parts: {
    engine: EngineDouble
    postgres: EmbeddedPostgres
    folder: string
    program: string
    port: number
    databaseUrl: string
  }) {
    this.engine = parts.engine
    this.#postgres = parts.postgres
    this.#folder = parts.folder
    this.#program = parts.program
    this.#port = parts.port
    this.databaseUrl = parts.databaseUrl
  }

  static async start(): Promise<TestStack> {
    const folder = makeTemporaryFolder('tributary-api-')
    fs.chmodSync(folder, 0o755)
    const postgres = await startEmbeddedPostgres({
      folder: path.join(folder, 'pg'),
      password: 'test',
      onLog: () => undefined,
    })
    const admin = new URL(postgres.url)
    // The computes of all projects are this server too, whatever password the control plane has for each.
    const hba = path.join(folder, 'pg', 'data', 'pg_hba.conf')
    fs.writeFileSync(hba, `host all all all trust\n${fs.readFileSync(hba, 'utf8')}`)
    const client = new pg.Client({ connectionString: postgres.url })
    await client.connect()
    await client.query('SELECT pg_reload_conf()')
    await client.query('CREATE DATABASE control')
    await client.end()
    const engine = await EngineDouble.start({ host: '127.0.0.1', port: Number(admin.port) })
    const port = await freePort()
    const databaseUrl = postgres.url.replace(/\/[^/]*$/, '/control')
    const stack = new TestStack({ engine, postgres, folder, program: await bundle(folder), port, databaseUrl })
    return stack
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  get secretsFolder(): string {
    return path.join(this.#folder, 'secrets')
  }

  get ownerKey(): string {
    return fs.readFileSync(path.join(this.secretsFolder, 'owner-api-key'), 'utf8').trim()
  }

  /** The link that signs the owner in, of the last start. */
  get signInUrl(): string {
    const file = path.join(this.#folder, 'run', 'first-run.json')
    return (JSON.parse(fs.readFileSync(file, 'utf8')) as { signInUrl: string }).signInUrl
  }

  #writeConfig(more: Readonly<Record<string, unknown>> = {}): void {
    fs.mkdirSync(this.secretsFolder, { recursive: true, mode: 0o700 })
    for (const name of ['supervisor-token', 'internal-token'])
      fs.writeFileSync(path.join(this.secretsFolder, name), 'test-token\n', { mode: 0o600 })
    const config = {
      home: this.#folder,
      host: '127.0.0.1',
      port: this.#port,
      webOrigin: `http://127.0.0.1:${this.#port}`,
      databaseUrl: this.databaseUrl,
      supervisor: { url: this.engine.supervisorUrl, tokenFile: path.join(this.secretsFolder, 'supervisor-token') },
      pageserver: { url: this.engine.pageserverUrl },
      proxy: { host: '127.0.0.1', port: 5433, publicHost: 'localhost', hasPooler: false },
      secretsFolder: this.secretsFolder,
      makeDemo: false,
      logLevel: 'warn',
      reconcileMs: 200,
      meteringMs: 500,
      ...more,
    }
    fs.writeFileSync(path.join(this.#folder, 'api.json'), JSON.stringify(config))
  }

  /** `failpoint`: the API kills itself there, see failpoint.ts. `config`: other values of its configuration file. */
  async startApi(
    options: {
      readonly failpoint?: string
      readonly config?: Readonly<Record<string, unknown>>
      readonly env?: NodeJS.ProcessEnv
    } = {},
  ): Promise<void> {
    this.#writeConfig(options.config)
    const child = spawn(
      process.execPath,
      ['--enable-source-maps', this.#program, path.join(this.#folder, 'api.json')],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          ...process.env,
          ...options.env,
          NODE_NO_WARNINGS: '1',
          TRIBUTARY_API_FAILPOINT: options.failpoint ?? '',
        },
      },
    )
    this.#child = child
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#log = `${this.#log}${text}`.slice(-20_000)
      })
    const deadline = Date.now() + READY_MS_MAX
    while (true) {
      // A failpoint may be reached by work that is taken up again, before the server listens.
      if (child.exitCode !== null || child.signalCode !== null) return
      const status = await fetch(`${this.url}/status`).catch(() => undefined)
      if (status?.ok) return
      if (Date.now() > deadline) throw new Error(`the API did not start: ${this.#log}`)
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
  }

  get isRunning(): boolean {
    const child = this.#child
    return child !== undefined && child.exitCode === null && child.signalCode === null
  }

  get log(): string {
    return this.#log
  }

  /** Resolves when the process has ended by itself. */
  async waitForDeath(ms = 30_000): Promise<void> {
    const deadline = Date.now() + ms
    while (this.isRunning) {
      if (Date.now() > deadline) throw new Error(`the API lives on: ${this.#log}`)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }

  async endApi(): Promise<void> {
    this.#child?.kill('SIGTERM')
    await this.waitForDeath()
  }

  async killApi(): Promise<void> {
    this.#child?.kill('SIGKILL')
    await this.waitForDeath()
  }

  async graphql(
    query: string,
    variables: Record<string, unknown> = {},
    key: string | null = this.ownerKey,
  ): Promise<GraphReply> {
    const response = await fetch(`${this.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(key === null ? {} : { authorization: `Bearer ${key}` }) },
      body: JSON.stringify({ query, variables }),
    })
    const reply = (await response.json()) as Pick<GraphReply, 'data' | 'errors'>
    return { status: response.status, ...reply }
  }

  /** As graphql, but any error fails the test. */
  // biome-ignore lint/suspicious/noExplicitAny: replies of many queries
  async ask(query: string, variables: Record<string, unknown> = {}, key?: string): Promise<any> {
    const reply = await this.graphql(query, variables, key ?? this.ownerKey)
    if (reply.errors) throw new Error(`${JSON.stringify(reply.errors)}\n${this.#log}`)
    return reply.data
  }

  async waitForOperations(): Promise<void> {
    const deadline = Date.now() + 60_000
    while (true) {
      const open = await this.sql(`SELECT kind, state FROM "Operation" WHERE state IN ('SCHEDULING', 'RUNNING')`)
      if (open.length === 0) return
      if (!this.isRunning) throw new Error(`the API died: ${this.#log}`)
      if (Date.now() > deadline) throw new Error(`operations do not end: ${JSON.stringify(open)}\n${this.#log}`)
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
  }

  /** Looks into the catalog. */
  async sql(text: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
    const client = new pg.Client({ connectionString: this.databaseUrl })
    await client.connect()
    try {
      return (await client.query(text, values)).rows
    } finally {
      await client.end()
    }
  }

  async stop(): Promise<void> {
    if (this.isRunning) await this.killApi()
    await this.engine.stop()
    await this.#postgres.stop()
    fs.rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** What npm run build makes, below the package so that node_modules are found. */
async function bundle(folder: string): Promise<string> {
  const outfile = path.join(apiFolder, 'dist', 'test', `${path.basename(folder)}.mjs`)
  await build({
    entryPoints: [path.join(apiFolder, 'src', 'main', 'api.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    sourcemap: true,
    logLevel: 'error',
    plugins: [
      {
        name: 'packages-outside',
        setup({ onResolve }) {
          onResolve({ filter: /^[^./]/ }, ({ path: name, kind }) =>
            kind === 'entry-point' || name.startsWith('@tributary/') ? undefined : { path: name, external: true },
          )
        },
      },
    ],
  })
  return outfile
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() =>
        typeof address === 'object' && address ? resolve(address.port) : reject(new Error('no port')),
      )
    })
  })
}
