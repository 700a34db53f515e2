import * as net from 'node:net'
import type { ProcessInfo, ProcessKind } from '../admin/stack-client.ts'
import { errorText, isStorageError, StorageError } from '../base/errors.ts'
import { callJson } from '../io/http-client.ts'
import type { Log } from '../io/log.ts'
import { nodeClock } from '../io/node-clock.ts'
import { type ProcessExit, type RunningProcess, spawnProcess } from '../io/node-process.ts'
import { programOf } from '../io/node-workers.ts'
import type { LogFile } from './log-file.ts'

const RESTART_DELAY_MS_FIRST = 100
const RESTART_DELAY_MS_MAX = 5000
/** A process that lived this long starts again at the shortest delay. */
const HEALTHY_MS = 10_000
const STATUS_POLL_MS = 10
const STATUS_TIMEOUT_MS = 1000
/** How often a process that nobody waits for is asked whether it is ready. */
const PROBE_MS = 100
const LAST_LINES_MAX = 5
/** Of libuv's pool. With its default of 4, the syncs of a few large uploads keep every small write of a process waiting. */
const FILE_CALLS_AT_ONCE = 16

export interface NodeProgram {
  readonly file: string
  /** Of Node.js itself. */
  readonly execArgv: readonly string[]
  readonly args: readonly string[]
  readonly cwd: string
}

export interface ManagedProcessOptions {
  /** "safekeeper-1". */
  readonly name: string
  readonly kind: ProcessKind
  /** A program of this package, "main/safekeeper", or the file of another Node.js program. */
  readonly program: string | NodeProgram
  /** Given as TRIBUTARY_CONFIG and as the first argument. */
  readonly configPath?: string
  readonly env?: Readonly<Record<string, string>>
  /** Its own page with `state`; without one, the process is ready when it accepts connections at `address`. */
  readonly statusUrl?: string
  readonly address?: { readonly host: string; readonly port: number }
  /** Serves /status and /metrics, when that is somewhere else. */
  readonly url?: string
  readonly logFile: LogFile
  readonly log: Log
  readonly stopGraceMs: number
  /** Called on an exit that nobody asked for. Without it the process is started again, ever more slowly. */
  readonly onDeath?: (exit: ProcessExit) => void
  /** Called after every change of what `info` says. */
  readonly onChange?: () => void
}

/** One child of the supervisor: started, watched, started again when it dies, stopped. */
export class ManagedProcess {
  readonly options: ManagedProcessOptions
  #process: RunningProcess | undefined
  #isWanted = false
  #state: ProcessInfo['state'] = 'stopped'
  #startedMs = 0
  #startedAt: string | null = null
  #restartDelayMs = RESTART_DELAY_MS_FIRST
  #restartCount = 0
  #lastLines: string[] = []
  #lastError: string | null = null

  constructor(options: ManagedProcessOptions) {
    this.options = options
  }

  get pid(): number | undefined {
    return this.#process?.isRunning() ? this.#process.pid : undefined
  }

  /** Why it died last. */
  get lastError(): string | null {
    return this.#lastError
  }

  describe(): { name: string; pid: number | null; isWanted: boolean; restartCount: number; statusUrl: string } {
    return {
      name: this.options.name,
      pid: this.pid ?? null,
      isWanted: this.#isWanted,
      restartCount: this.#restartCount,
      statusUrl: this.options.statusUrl ?? '',
    }
  }

  info(): ProcessInfo {
    const { name, kind, statusUrl, address } = this.options
    const url =
      this.options.url ??
      (address ? `http://${address.host}:${address.port}` : (statusUrl?.replace(/\/status$/, '') ?? null))
    return {
      name,
      kind,
      state: this.#state,
      pid: this.pid ?? null,
      startedAt: this.#startedAt,
      restartCount: this.#restartCount,
      url,
      lastError: this.#lastError,
    }
  }

  async start(): Promise<void> {
    if (this.#isWanted && this.#process?.isRunning()) return
    this.#isWanted = true
    await this.#spawn()
  }

  /** Waits until it is ready; rejects when the process dies for good or `timeoutMs` is over. Returns its status page. */
  async waitReady(timeoutMs: number): Promise<unknown> {
    const { name } = this.options
    const deadlineMs = nodeClock.monotonicMs() + timeoutMs
    for (;;) {
      const child = this.#process
      const { state, status } = await this.#ask()
      if (state === 'ready') {
        this.#becameReady(child)
        return status
      }
      const isDead = !this.#isWanted || (this.options.onDeath !== undefined && !this.#process?.isRunning())
      if (isDead || state === 'failed' || state === 'fenced') {
        throw new StorageError('unavailable', `${name} did not start: ${this.#lastLines.slice(-3).join(' | ')}`, {
          state,
        })
      }
      if (nodeClock.monotonicMs() > deadlineMs) {
        const last = this.#lastLines.at(-1)
        throw new StorageError('unavailable', `${name} is not ready in time`, { timeoutMs, state, last })
      }
      await nodeClock.sleep(STATUS_POLL_MS)
    }
  }

  /** Asks it to stop, and keeps it stopped. */
  async stop(): Promise<void> {
    this.#isWanted = false
    await this.#process?.stop({ graceMs: this.options.stopGraceMs })
    this.#setState('stopped')
  }

  /** Sends a signal; what follows is as if it had come from outside. */
  kill(signal: NodeJS.Signals): void {
    this.#process?.kill(signal)
  }

  /** Kills it for good, at once. */
  async abandon(): Promise<void> {
    this.#isWanted = false
    this.#process?.kill('SIGKILL')
    await this.#process?.exited
    this.#setState('stopped')
  }

  async #spawn(): Promise<void> {
    const { name, program, configPath, logFile, log } = this.options
    const { file, execArgv, args, cwd } =
      typeof program === 'string' ? { ...programOf(program), args: [], cwd: undefined } : program
    this.#startedMs = nodeClock.monotonicMs()
    this.#startedAt = new Date(nodeClock.nowMs()).toISOString()
    const child = await spawnProcess({
      command: process.execPath,
      args: ['--enable-source-maps', ...execArgv, file, ...(configPath === undefined ? [] : [configPath]), ...args],
      env: {
        UV_THREADPOOL_SIZE: String(FILE_CALLS_AT_ONCE),
        ...process.env,
        ...this.options.env,
        ...(configPath === undefined ? {} : { TRIBUTARY_CONFIG: configPath }),
        NODE_NO_WARNINGS: '1',
      },
      ...(cwd === undefined ? {} : { cwd }),
      endsWithParent: true,
      onLine: (line) => {
        logFile.write(line)
        this.#lastLines.push(messageOf(line))
        if (this.#lastLines.length > LAST_LINES_MAX) this.#lastLines.shift()
      },
    })
    this.#process = child
    log.info('process started', { process: name, pid: child.pid })
    this.#setState('starting')
    void child.exited.then((exit) => this.#onExit(child, exit))
    void this.#probe(child)
  }

  async #probe(child: RunningProcess): Promise<void> {
    for (;;) {
      await nodeClock.sleep(PROBE_MS)
      if (this.#process !== child || !child.isRunning() || this.#state !== 'starting') return
      if ((await this.#ask()).state === 'ready') this.#becameReady(child)
    }
  }

  #becameReady(child: RunningProcess | undefined): void {
    if (child && this.#process === child && child.isRunning()) this.#setState('running')
  }

  async #ask(): Promise<{ state: string | undefined; status: unknown }> {
    const { statusUrl, address } = this.options
    if (statusUrl !== undefined) {
      const status = await readStatus(statusUrl)
      return { state: stateOf(status), status }
    }
    const isReady = this.#process?.isRunning() === true && (address === undefined || (await accepts(address)))
    return { state: isReady ? 'ready' : undefined, status: undefined }
  }

  #setState(state: ProcessInfo['state']): void {
    if (this.#state === state) return
    this.#state = state
    this.options.onChange?.()
  }

  #onExit(child: RunningProcess, exit: ProcessExit): void {
    if (this.#process !== child) return
    const { name, log, onDeath } = this.options
    if (!this.#isWanted) return this.#setState('stopped')
    const last = this.#lastLines.at(-1)
    this.#lastError = `${exit.signal ?? `exit code ${exit.code}`}${last === undefined ? '' : `: ${last}`}`
    log.warn('process died', { process: name, code: exit.code ?? undefined, signal: exit.signal ?? undefined, last })
    if (onDeath) {
      this.#isWanted = false
      this.#setState('stopped')
      onDeath(exit)
      return
    }
    const livedMs = nodeClock.monotonicMs() - this.#startedMs
    if (livedMs > HEALTHY_MS) this.#restartDelayMs = RESTART_DELAY_MS_FIRST
    const delayMs = this.#restartDelayMs
    this.#restartDelayMs = Math.min(delayMs * 2, RESTART_DELAY_MS_MAX)
    this.#setState('restarting')
    nodeClock.setTimer(delayMs, () => {
      if (!this.#isWanted || this.#process !== child) return
      this.#restartCount++
      this.#spawn().catch((error: unknown) =>
        log.error('process start failed', { process: name, error: errorText(error) }),
      )
    })
  }
}

/** The status page, or undefined while the process does not answer. */
export async function readStatus(statusUrl: string): Promise<unknown> {
  try {
    return await callJson(statusUrl, { timeoutMs: STATUS_TIMEOUT_MS })
  } catch (error) {
    if (isStorageError(error)) return undefined
    throw error
  }
}

export function stateOf(status: unknown): string | undefined {
  if (typeof status !== 'object' || status === null || !('state' in status)) return undefined
  return typeof status.state === 'string' ? status.state : undefined
}

function accepts(address: { host: string; port: number }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ ...address, timeout: STATUS_TIMEOUT_MS })
    const done = (isOpen: boolean) => {
      socket.destroy()
      resolve(isOpen)
    }
    socket.once('connect', () => done(true))
    socket.once('timeout', () => done(false))
    socket.once('error', () => done(false))
  })
}

/** The words of a JSON log line, for error messages. */
function messageOf(line: string): string {
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value !== 'object' || value === null) return line
    const message = 'msg' in value ? String(value.msg) : line
    const reason = 'error' in value ? value.error : 'reason' in value ? value.reason : undefined
    return typeof reason === 'string' ? `${message}: ${reason}` : message
  } catch {
    return line
  }
}
