import { type ChildProcess, spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import * as fs from 'node:fs'
import { createInterface } from 'node:readline'
import type { Logger } from 'pino'
import { connectCompute } from '../compute-connection.ts'
import type { ComputePlace } from '../dial-compute.ts'
import { encodeScramVerifier, type ScramVerifier } from '../scram.ts'
import { SocketReader } from '../socket-reader.ts'
import { decodeNoticeFields, encodeQuery, ProxyError, SQLSTATE } from '../wire.ts'
import { checkPooledRole, filesOf, type PgbouncerSettings, pgbouncerIni, userList } from './pgbouncer-files.ts'

const START_MS_MAX = 10_000
const POLL_MS = 20
const STOP_MS_MAX = 3_000
const ADMIN_MS_MAX = 5_000
const ADMIN_ANSWER_BYTES_MAX = 64 * 1024
/** Roles that one pooler knows; the one that logged in longest ago makes room, and is told anew at its next log-in. */
const ROLES_MAX = 1_000

export interface PgbouncerOptions extends Omit<PgbouncerSettings, 'adminName'> {
  readonly file: string
  /** Who it runs as, when we are root: it refuses to be that. */
  readonly account: { readonly uid: number; readonly gid: number } | undefined
  readonly log: Logger
}

/**
 * One PgBouncer in front of one compute, reached by its Unix socket alone. It learns of roles one by one: verifiers go to its
 * `auth_file`, and RELOAD on its console says when it has read them.
 */
export class PgbouncerProcess {
  readonly place: ComputePlace
  readonly #options: PgbouncerOptions
  readonly #child: ChildProcess
  readonly #admin: AdminKey
  readonly #verifiers = new Map<string, string>()
  #reloading: Promise<void> = Promise.resolve()
  #lastLine = ''
  readonly exited: Promise<void>
  #hasExited = false

  private constructor(options: PgbouncerOptions, admin: AdminKey) {
    this.#options = options
    this.#admin = admin
    const { folder, compute, account, file, log } = options
    this.place = { address: compute, socketPath: filesOf(folder).socket, isSocketOnly: true }
    this.#child = spawn(file, [filesOf(folder).ini], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { PATH: process.env.PATH ?? '' },
      ...(account ?? {}),
    })
    if (this.#child.stderr)
      createInterface({ input: this.#child.stderr }).on('line', (line) => {
        this.#lastLine = line.slice(0, 500)
        log.debug({ compute, line: this.#lastLine }, 'pgbouncer')
      })
    this.exited = new Promise((resolve) => {
      const onExit = (reason?: Error) => {
        if (reason) this.#lastLine = reason.message
        this.#hasExited = true
        resolve()
      }
      this.#child.once('error', onExit)
      this.#child.once('exit', () => onExit())
    })
  }

  /** Rejects with ProxyError 57P03 when it does not come up. */
  static async start(options: PgbouncerOptions): Promise<PgbouncerProcess> {
    const admin = makeAdminKey()
    makeOwned(options.folder, options.account)
    const { ini, users } = filesOf(options.folder)
    writeOwned(ini, pgbouncerIni({ ...options, adminName: admin.name }), options.account)
    writeOwned(users, userList(new Map([[admin.name, admin.verifierText]])), options.account)
    const pgbouncer = new PgbouncerProcess(options, admin)
    try {
      await pgbouncer.#waitReady()
      return pgbouncer
    } catch (error) {
      await pgbouncer.stop()
      throw error
    }
  }

  /** Resolves when it takes log-ins of this role with this verifier. */
  async admit(role: string, verifier: string): Promise<void> {
    checkPooledRole(role)
    const isKnown = this.#verifiers.get(role) === verifier
    this.#verifiers.delete(role)
    this.#verifiers.set(role, verifier)
    if (!isKnown) {
      for (const name of this.#verifiers.keys()) {
        if (this.#verifiers.size <= ROLES_MAX) break
        this.#verifiers.delete(name)
      }
      this.#reloading = this.#reloading.catch(() => undefined).then(() => this.#reload())
    }
    // Who comes while the role is being made known waits as well.
    await this.#reloading
  }

  async stop(): Promise<void> {
    if (!this.#hasExited) {
      this.#child.kill('SIGTERM')
      const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS_MAX)
      await this.exited
      clearTimeout(timer)
    }
    fs.rmSync(this.#options.folder, { recursive: true, force: true })
  }

  async #waitReady(): Promise<void> {
    const deadlineMs = performance.now() + START_MS_MAX
    for (;;) {
      if (this.#hasExited || performance.now() > deadlineMs)
        throw new ProxyError(SQLSTATE.cannotConnectNow, 'the pooler of this endpoint did not start', {
          detail: this.#lastLine,
          hint: 'Connect to the host without -pooler.',
        })
      if (fs.existsSync(filesOf(this.#options.folder).socket)) {
        const isUp = await this.#ask('SHOW VERSION').then(
          () => true,
          () => false,
        )
        if (isUp) return
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    }
  }

  async #reload(): Promise<void> {
    const users = new Map([...this.#verifiers, [this.#admin.name, this.#admin.verifierText]])
    writeOwned(filesOf(this.#options.folder).users, userList(users), this.#options.account)
    await this.#ask('RELOAD')
  }

  /** A command of its console. */
  async #ask(command: string): Promise<void> {
    const signal = AbortSignal.timeout(ADMIN_MS_MAX)
    const { name, verifier, clientKey } = this.#admin
    const parameters = new Map([
      ['user', name],
      ['database', 'pgbouncer'],
    ])
    const console = await connectCompute(
      { place: this.place, minorVersion: 0, parameters, verifier, clientKey },
      signal,
    )
    try {
      const reader = new SocketReader(console.socket, { isPushed: true })
      console.attach(reader.push)
      console.socket.resume()
      console.socket.write(encodeQuery(command))
      for (;;) {
        const { type, body } = await reader.readMessage(ADMIN_ANSWER_BYTES_MAX, signal)
        if (type === 'E') throw new Error(`pgbouncer: ${command}: ${decodeNoticeFields(body).get('M') ?? 'refused'}`)
        if (type === 'Z') return
      }
    } finally {
      console.socket.destroy()
    }
  }
}

interface AdminKey {
  readonly name: string
  readonly verifier: ScramVerifier
  readonly verifierText: string
  readonly clientKey: Buffer
}

/** For its console, known to nobody else and to no compute. */
function makeAdminKey(): AdminKey {
  const clientKey = randomBytes(32)
  const verifier = {
    iterations: 4096,
    salt: randomBytes(16).toString('base64'),
    storedKey: createHash('sha256').update(clientKey).digest(),
    serverKey: randomBytes(32),
  }
  const name = `console-${randomBytes(16).toString('hex')}`
  return { name, verifier, verifierText: encodeScramVerifier(verifier), clientKey }
}

type Account = PgbouncerOptions['account']

function makeOwned(folder: string, account: Account): void {
  fs.rmSync(folder, { recursive: true, force: true })
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
  if (account) fs.chownSync(folder, account.uid, account.gid)
}

/** Whole or not at all: it may be reading. */
function writeOwned(file: string, text: string, account: Account): void {
  const temporary = `${file}.new`
  fs.writeFileSync(temporary, text, { mode: 0o600 })
  if (account) fs.chownSync(temporary, account.uid, account.gid)
  fs.renameSync(temporary, file)
}
