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

export interface ManagedProcessOptions {
  /** "safekeeper-1". */
  readonly name: string
  /** "main/safekeeper". */
  readonly program: string
  readonly configPath: string
  readonly statusUrl: string
  readonly logFile: LogFile
  readonly log: Log
  readonly stopGraceMs: number
  /** Called on an exit that nobody asked for. Without it the process is started again, ever more slowly. */
  readonly onDeath?: (exit: ProcessExit) => void
}

/** One child of the supervisor: started, watched, started again when it dies, stopped. */
export class ManagedProcess {
  readonly options: ManagedProcessOptions
  #process: RunningProcess | undefined
  #isWanted = false
  #startedMs = 0
  #restartDelayMs = RESTART_DELAY_MS_FIRST
  #restartCount = 0
  #lastLines: string[] = []

  constructor(options: ManagedProcessOptions) {
    this.options = options
  }

  get pid(): number | undefined {
    return this.#process?.isRunning() ? this.#process.pid : undefined
  }

  describe(): { name: string; pid: number | null; isWanted: boolean; restartCount: number; statusUrl: string } {
    return {
      name: this.options.name,
      pid: this.pid ?? null,
      isWanted: this.#isWanted,
      restartCount: this.#restartCount,
      statusUrl: this.options.statusUrl,
    }
  }

  async start(): Promise<void> {
    if (this.#isWanted && this.#process?.isRunning()) return
    this.#isWanted = true
    await this.#spawn()
  }

  /** Polls the status page until `state` is ready; rejects when the process dies for good or `timeoutMs` is over. */
  async waitReady(timeoutMs: number): Promise<unknown> {
    const { name, statusUrl } = this.options
    const deadlineMs = nodeClock.monotonicMs() + timeoutMs
    for (;;) {
      const status = await readStatus(statusUrl)
      const state = stateOf(status)
      if (state === 'ready') return status
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
  }

  async #spawn(): Promise<void> {
    const { name, program, configPath, logFile, log } = this.options
    const { file, execArgv } = programOf(program)
    this.#startedMs = nodeClock.monotonicMs()
    const child = await spawnProcess({
      command: process.execPath,
      args: ['--enable-source-maps', ...execArgv, file],
      env: { ...process.env, TRIBUTARY_CONFIG: configPath, NODE_NO_WARNINGS: '1' },
      endsWithParent: true,
      onLine: (line) => {
        logFile.write(line)
        this.#lastLines.push(messageOf(line))
        if (this.#lastLines.length > 5) this.#lastLines.shift()
      },
    })
    this.#process = child
    log.info('process started', { process: name, pid: child.pid })
    void child.exited.then((exit) => this.#onExit(child, exit))
  }

  #onExit(child: RunningProcess, exit: ProcessExit): void {
    if (this.#process !== child) return
    const { name, log, onDeath } = this.options
    if (!this.#isWanted) return
    const last = this.#lastLines.at(-1)
    log.warn('process died', { process: name, code: exit.code ?? undefined, signal: exit.signal ?? undefined, last })
    if (onDeath) {
      this.#isWanted = false
      onDeath(exit)
      return
    }
    const livedMs = nodeClock.monotonicMs() - this.#startedMs
    if (livedMs > HEALTHY_MS) this.#restartDelayMs = RESTART_DELAY_MS_FIRST
    const delayMs = this.#restartDelayMs
    this.#restartDelayMs = Math.min(delayMs * 2, RESTART_DELAY_MS_MAX)
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

/** The words of a JSON log line, for error messages. */
function messageOf(line: string): string {
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value !== 'object' || value === null) return line
    const message = 'msg' in value ? String(value.msg) : line
    return 'error' in value ? `${message}: ${String(value.error)}` : message
  } catch {
    return line
  }
}
