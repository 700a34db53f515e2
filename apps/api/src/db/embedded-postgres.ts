import { type ChildProcess, spawn } from 'node:child_process'
import * as fs from 'node:fs'
import * as net from 'node:net'
import * as path from 'node:path'
import { assertReachableBy, findPostgresBinaries } from '@tributary/storage-engine/admin'
import pg from 'pg'
import { unprivilegedAccount } from '../shared/unprivileged-account.ts'

const START_MS_MAX = 30_000
const STOP_MS_MAX = 10_000
const DATABASE = 'tributary_control'

export interface EmbeddedPostgres {
  readonly url: string
  /** Resolves with a message when the server ends without being asked to. */
  readonly died: Promise<string>
  stop(): Promise<void>
}

/**
 * The control plane's own Postgres, below `folder`: made by initdb at the first start. It listens on the loopback address
 * with a password kept in `passwordHex`; its files are durable (fsync is on, unlike in a compute). A server left over
 * from a killed API is ended first: two on one folder cannot be, its lock file sees to that.
 */
export async function startEmbeddedPostgres(options: {
  readonly folder: string
  readonly password: string
  readonly onLog: (line: string) => void
}): Promise<EmbeddedPostgres> {
  const binaries = findPostgresBinaries()
  const account = unprivilegedAccount()
  const data = path.join(options.folder, 'data')
  if (account) assertReachableBy(account.uid, binaries.postgres)
  fs.mkdirSync(options.folder, { recursive: true, mode: 0o700 })
  if (account) {
    fs.chownSync(options.folder, account.uid, account.gid)
    assertReachableBy(account.uid, options.folder)
  }
  await endLeftOver(data)
  if (!fs.existsSync(path.join(data, 'PG_VERSION'))) await initialize(binaries.initdb, options, data, account)

  const port = await freePort()
  const child = spawn(
    binaries.postgres,
    ['-D', data, '-p', String(port), '-h', '127.0.0.1', '-k', options.folder, ...settings()],
    { ...account, stdio: ['ignore', 'ignore', 'pipe'], cwd: options.folder },
  )
  let lastLine = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    for (const line of text.split('\n')) {
      if (line.trim() === '') continue
      lastLine = line
      options.onLog(line)
    }
  })
  let isStopping = false
  const exited = new Promise<void>((resolve) => child.on('exit', () => resolve()))
  const died = new Promise<string>((resolve) => {
    child.on('error', (error) => resolve(error.message))
    child.on('exit', (code, signal) => {
      if (!isStopping) resolve(`the catalog's postgres ended (${signal ?? code}): ${lastLine}`)
    })
  })
  const url = `postgresql://postgres:${options.password}@127.0.0.1:${port}/${DATABASE}`
  await waitUntilReady(url.replace(DATABASE, 'postgres'), died)
  return {
    url,
    died,
    async stop() {
      isStopping = true
      await endProcess(child, exited)
    },
  }
}

function settings(): string[] {
  return [
    'max_connections=120',
    'shared_buffers=64MB',
    'password_encryption=scram-sha-256',
    'log_min_messages=warning',
    'timezone=UTC',
  ].flatMap((setting) => ['-c', setting])
}

async function initialize(
  initdb: string,
  options: { folder: string; password: string },
  data: string,
  account: ReturnType<typeof unprivilegedAccount>,
): Promise<void> {
  const passwordFile = path.join(options.folder, 'password')
  fs.writeFileSync(passwordFile, `${options.password}\n`, { mode: 0o600 })
  if (account) fs.chownSync(passwordFile, account.uid, account.gid)
  // A half-made folder of an interrupted first start would be refused.
  const unfinished = `${data}.new`
  fs.rmSync(unfinished, { recursive: true, force: true })
  try {
    await run(
      initdb,
      [
        '-D',
        unfinished,
        '-U',
        'postgres',
        '--auth=scram-sha-256',
        `--pwfile=${passwordFile}`,
        '--encoding=UTF8',
        '--locale=C',
      ],
      account,
    )
    fs.renameSync(unfinished, data)
  } finally {
    fs.rmSync(passwordFile, { force: true })
  }
}

function run(program: string, args: string[], account: ReturnType<typeof unprivilegedAccount>): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { ...account, stdio: ['ignore', 'ignore', 'pipe'], cwd: '/' })
    let errors = ''
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      errors = `${errors}${text}`.slice(-2000)
    })
    child.on('error', reject)
    child.on('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`${path.basename(program)} failed: ${errors}`)),
    )
  })
}

async function waitUntilReady(url: string, died: Promise<string>): Promise<void> {
  const deadlineMs = performance.now() + START_MS_MAX
  let isDead: string | undefined
  void died.then((message) => {
    isDead = message
  })
  while (true) {
    if (isDead !== undefined) throw new Error(isDead)
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2000 })
    client.on('error', () => undefined)
    try {
      await client.connect()
      const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE])
      if (!rowCount) await client.query(`CREATE DATABASE ${DATABASE}`)
      return
    } catch (error) {
      if (performance.now() > deadlineMs) throw new Error('the catalog postgres did not start', { cause: error })
      await new Promise((resolve) => setTimeout(resolve, 50))
    } finally {
      await client.end().catch(() => undefined)
    }
  }
}

/** A kill of the API leaves its Postgres running; its number is the first line of postmaster.pid. */
async function endLeftOver(data: string): Promise<void> {
  const lockFile = path.join(data, 'postmaster.pid')
  if (!fs.existsSync(lockFile)) return
  const [pidText = '', folder] = fs.readFileSync(lockFile, 'utf8').split('\n')
  const pid = Number(pidText)
  if (!Number.isInteger(pid) || pid <= 1 || folder !== data || !isPostgresOf(pid, data)) return
  process.kill(pid, 'SIGINT')
  const deadlineMs = performance.now() + STOP_MS_MAX
  while (isPostgresOf(pid, data)) {
    if (performance.now() > deadlineMs) process.kill(pid, 'SIGQUIT')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Guards against a number that another program has by now. */
function isPostgresOf(pid: number, data: string): boolean {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(data)
  } catch {
    return false
  }
}

async function endProcess(child: ChildProcess, exited: Promise<void>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGINT')
  const timer = setTimeout(() => child.kill('SIGQUIT'), STOP_MS_MAX)
  await exited
  clearTimeout(timer)
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
