import { type ChildProcess, spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import pg from 'pg'
import { assertReachableBy, findPostgresBinaries } from '../src/io/postgres-binaries.ts'
import { makeTemporaryFolder } from './temporary-folder.ts'

/**
 * A stock Postgres server for tests, in its own directory below os.tmpdir(). Postgres refuses to run as root: under
 * root it runs as `POSTGRES_UID`, else as the current account. By default it listens on a Unix socket only.
 *
 *   const postgres = await startPostgres({ settings: { wal_compression: 'pglz' } })
 *   try { await postgres.query('select 1') } finally { await postgres.cleanup() }
 */
export type PostgresSettings = Readonly<Record<string, string | number | boolean>>

export interface PostgresFixtureOptions {
  /** Given to the server on its command line. */
  readonly settings?: PostgresSettings
  /** Extra arguments of initdb. */
  readonly initdbArgs?: readonly string[]
  /** Default false: the product runs without data checksums. */
  readonly dataChecksums?: boolean
  /** Listen on 127.0.0.1 at this port, besides the Unix socket. */
  readonly tcpPort?: number
  /** Use this data directory (made by the test, already owned by the server's account) instead of running initdb. */
  readonly dataDir?: string
}

/** Account that Postgres runs as when the tests run as root ("nobody"). */
export const POSTGRES_UID = 65534
const START_TIMEOUT_MS = 30_000
const STOP_TIMEOUT_MS = 60_000

/** Credentials for spawning a program that must not be root; empty when the tests are not root themselves. */
export function postgresAccount(): { uid?: number; gid?: number } {
  return process.getuid?.() === 0 ? { uid: POSTGRES_UID, gid: POSTGRES_UID } : {}
}

/** As makeTemporaryFolder, owned by the server's account, mode 0700. */
export function makePostgresTempDir(prefix: string): string {
  const directory = makeTemporaryFolder(prefix)
  const { uid, gid } = postgresAccount()
  if (uid !== undefined && gid !== undefined) fs.chownSync(directory, uid, gid)
  return directory
}

/** initdb into `dataDir` (must not exist), superuser `postgres`, trust authentication. */
export async function initDataDir(
  dataDir: string,
  options: Pick<PostgresFixtureOptions, 'initdbArgs' | 'dataChecksums'> = {},
): Promise<void> {
  const binaries = findPostgresBinaries()
  const checksums = options.dataChecksums ? '--data-checksums' : '--no-data-checksums'
  await runProgram(binaries.initdb, [
    ...['-D', dataDir, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync', checksums],
    ...(options.initdbArgs ?? []),
  ])
}

/** initdb (unless a data directory is given) and start; resolves when the server answers queries. */
export async function startPostgres(options: PostgresFixtureOptions = {}): Promise<PostgresFixture> {
  const fixture = await createPostgres(options)
  try {
    await fixture.start()
    return fixture
  } catch (error) {
    await fixture.cleanup()
    throw error
  }
}

/** As startPostgres, without starting the server. */
export async function createPostgres(options: PostgresFixtureOptions = {}): Promise<PostgresFixture> {
  const rootDir = makePostgresTempDir('tributary-pg-')
  const dataDir = options.dataDir ?? path.join(rootDir, 'data')
  if (options.dataDir === undefined) await initDataDir(dataDir, options)
  return new PostgresFixture(rootDir, dataDir, options)
}

export class PostgresFixture {
  /** Holds the socket, the log and, unless the test brought its own, the data directory. Removed by cleanup. */
  readonly rootDir: string
  readonly dataDir: string
  readonly logFile: string
  /** Names the socket file; also the TCP port when one was asked for. */
  readonly port: number
  readonly #options: PostgresFixtureOptions
  #child: ChildProcess | undefined
  #exited: Promise<void> = Promise.resolve()
  readonly #clients = new Set<pg.Client>()

  constructor(rootDir: string, dataDir: string, options: PostgresFixtureOptions) {
    this.rootDir = rootDir
    this.dataDir = dataDir
    this.logFile = path.join(rootDir, 'server.log')
    this.port = options.tcpPort ?? 5432
    this.#options = options
  }

  get socketDir(): string {
    return this.rootDir
  }

  get walDir(): string {
    return path.join(this.dataDir, 'pg_wal')
  }

  /** Process id of the postmaster, while it runs. */
  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** Starts the server; `settings` add to and override those given at creation. */
  async start(settings: PostgresSettings = {}): Promise<void> {
    if (this.#child !== undefined) throw new Error('postgres is already running')
    const { postgres } = findPostgresBinaries()
    const { uid } = postgresAccount()
    if (uid !== undefined) assertReachableBy(uid, postgres)
    const all: PostgresSettings = {
      listen_addresses: this.#options.tcpPort === undefined ? '' : '127.0.0.1',
      unix_socket_directories: this.socketDir,
      fsync: 'off',
      lc_messages: 'C',
      ...this.#options.settings,
      ...settings,
    }
    const args = ['-D', this.dataDir, '-p', String(this.port)]
    for (const [name, value] of Object.entries(all)) args.push('-c', `${name}=${value}`)
    const log = fs.openSync(this.logFile, 'a')
    const child = spawn(postgres, args, {
      cwd: this.rootDir,
      env: { LC_ALL: 'C', TZ: 'UTC' },
      stdio: ['ignore', log, log],
      ...postgresAccount(),
    })
    fs.closeSync(log)
    this.#child = child
    const killAtExit = (): void => {
      child.kill('SIGQUIT')
    }
    process.once('exit', killAtExit)
    this.#exited = new Promise((resolve) => {
      const ended = (): void => {
        process.off('exit', killAtExit)
        if (this.#child === child) this.#child = undefined
        resolve()
      }
      child.once('exit', ended)
      child.once('error', ended)
    })
    await this.#waitUntilReady(child)
  }

  /** 'fast' checkpoints and stops, 'immediate' stops as in a crash. Resolves when the postmaster has exited. */
  async stop(mode: 'smart' | 'fast' | 'immediate' = 'fast'): Promise<void> {
    await this.#closeClients()
    const child = this.#child
    if (child === undefined) return
    child.kill(mode === 'smart' ? 'SIGTERM' : mode === 'fast' ? 'SIGINT' : 'SIGQUIT')
    await this.#waitForExit(child)
  }

  /** SIGKILL to the postmaster; its children notice and go. */
  async kill(): Promise<void> {
    const child = this.#child
    if (child === undefined) return
    child.kill('SIGKILL')
    await this.#waitForExit(child)
    await this.#closeClients()
  }

  /** A connected client; closed by stop or cleanup at the latest. */
  async connect(database = 'postgres'): Promise<pg.Client> {
    const client = new pg.Client({ host: this.socketDir, port: this.port, user: 'postgres', database })
    // A server that stops under an idle client is the test's own doing.
    client.on('error', () => {})
    await client.connect()
    this.#clients.add(client)
    client.on('end', () => this.#clients.delete(client))
    return client
  }

  /** Runs one statement, or several without parameters, on a connection of its own; gives the rows (of the last). */
  async query<Row extends pg.QueryResultRow = pg.QueryResultRow>(
    sql: string,
    parameters?: unknown[],
    database = 'postgres',
  ): Promise<Row[]> {
    const client = await this.connect(database)
    try {
      const result = (await client.query<Row>(sql, parameters)) as pg.QueryResult<Row> | pg.QueryResult<Row>[]
      const last = Array.isArray(result) ? result.at(-1) : result
      return last?.rows ?? []
    } finally {
      await client.end()
    }
  }

  logText(): string {
    return fs.existsSync(this.logFile) ? fs.readFileSync(this.logFile, 'utf8') : ''
  }

  /** Stops the server at once and removes the fixture's directory. */
  async cleanup(): Promise<void> {
    try {
      await this.stop('immediate')
    } finally {
      fs.rmSync(this.rootDir, { recursive: true, force: true, maxRetries: 5 })
    }
  }

  async #waitUntilReady(child: ChildProcess): Promise<void> {
    const deadlineMs = Date.now() + START_TIMEOUT_MS
    for (;;) {
      if (this.#child !== child) throw new Error(`postgres did not start:\n${this.logText()}`)
      try {
        await this.query('select 1')
        return
      } catch (error) {
        if (Date.now() > deadlineMs) {
          child.kill('SIGQUIT')
          throw new Error(`postgres did not answer in time:\n${this.logText()}`, { cause: error })
        }
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }
  }

  async #waitForExit(child: ChildProcess): Promise<void> {
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
    try {
      await this.#exited
    } finally {
      clearTimeout(timer)
    }
  }

  async #closeClients(): Promise<void> {
    await Promise.all([...this.#clients].map((client) => client.end().catch(() => {})))
    this.#clients.clear()
  }
}

/** Runs a program as the server's account to its end; throws with its output when it fails. */
export async function runProgram(file: string, args: readonly string[]): Promise<string> {
  const { uid } = postgresAccount()
  if (uid !== undefined) assertReachableBy(uid, file)
  const child = spawn(file, [...args], {
    cwd: os.tmpdir(),
    env: { LC_ALL: 'C', TZ: 'UTC', PATH: process.env.PATH ?? '' },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...postgresAccount(),
  })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    output += chunk.toString()
  })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  if (code !== 0) throw new Error(`${path.basename(file)} exited with ${code}:\n${output}`)
  return output
}
