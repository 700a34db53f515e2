import { type ChildProcess, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { StorageError } from '../base/errors.ts'
import { systemError } from './node-errors.ts'

/** Set by the parent of a process that must not outlive it: standard input is then a pipe that ends with the parent. */
export const PARENT_WATCH_VARIABLE = 'TRIBUTARY_PARENT_WATCH'

export interface SpawnOptions {
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly cwd?: string
  /** Runs as this account; only root may ask for it. */
  readonly uid?: number
  readonly gid?: number
  /** Each line of standard output and standard error. Without it both go to this process's own. */
  readonly onLine?: (line: string, stream: 'out' | 'err') => void
  /**
   * The child gets PARENT_WATCH_VARIABLE and ends when this process does, even by kill -9 (see watchParent). It is in a
   * process group of its own: Ctrl-C in a terminal reaches the parent alone, which ends its children in good order.
   */
  readonly endsWithParent?: boolean
}

export interface ProcessExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface RunningProcess {
  readonly pid: number
  /** Never rejects. */
  readonly exited: Promise<ProcessExit>
  isRunning(): boolean
  kill(signal: NodeJS.Signals): void
  /** Sends `signal`, waits up to `graceMs`, then SIGKILL. */
  stop(options: { signal?: NodeJS.Signals; graceMs: number }): Promise<ProcessExit>
}

/** Starts a program. Rejects with `not-found` when there is no such program. */
export function spawnProcess(options: SpawnOptions): Promise<RunningProcess> {
  return new Promise((resolve, reject) => {
    const child: ChildProcess = spawn(options.command, [...options.args], {
      stdio: [
        options.endsWithParent ? 'pipe' : 'ignore',
        options.onLine ? 'pipe' : 'inherit',
        options.onLine ? 'pipe' : 'inherit',
      ],
      env: { ...(options.env ?? process.env), ...(options.endsWithParent ? { [PARENT_WATCH_VARIABLE]: 'stdin' } : {}) },
      ...(options.endsWithParent ? { detached: true } : {}),
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.uid === undefined ? {} : { uid: options.uid }),
      ...(options.gid === undefined ? {} : { gid: options.gid }),
    })
    let isRunning = true
    const exited = new Promise<ProcessExit>((settle) => {
      child.once('exit', (code, signal) => {
        isRunning = false
        settle({ code, signal })
      })
    })
    child.stdin?.on('error', () => undefined)
    const { onLine } = options
    if (onLine) {
      forEachLine(child.stdout, (line) => onLine(line, 'out'))
      forEachLine(child.stderr, (line) => onLine(line, 'err'))
    }
    child.once('error', (error) => reject(systemError('start program', error, { command: options.command })))
    child.once('spawn', () => {
      const { pid } = child
      if (pid === undefined)
        return reject(new StorageError('unavailable', 'program has no pid', { command: options.command }))
      resolve({
        pid,
        exited,
        isRunning: () => isRunning,
        kill: (signal) => void child.kill(signal),
        async stop({ signal = 'SIGTERM', graceMs }) {
          if (!isRunning) return exited
          child.kill(signal)
          const timer = setTimeout(() => child.kill('SIGKILL'), graceMs)
          try {
            return await exited
          } finally {
            clearTimeout(timer)
          }
        },
      })
    })
  })
}

/** The longest line handed on whole; what follows becomes the next line. */
const LINE_LENGTH_MAX = 64 * 1024

function forEachLine(stream: Readable | null, onLine: (line: string) => void): void {
  if (!stream) return
  let rest = ''
  stream.setEncoding('utf8')
  stream.on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) onLine(line)
    if (rest.length > LINE_LENGTH_MAX) {
      onLine(rest)
      rest = ''
    }
  })
  stream.on('end', () => {
    if (rest !== '') onLine(rest)
  })
  stream.on('error', () => undefined)
}

/**
 * Calls `onGone` once when the parent that started this process with `endsWithParent` is gone. Does nothing in a process
 * started by hand.
 */
export function watchParent(onGone: () => void): void {
  if (process.env[PARENT_WATCH_VARIABLE] !== 'stdin') return
  let isGone = false
  const gone = () => {
    if (isGone) return
    isGone = true
    onGone()
  }
  process.stdin.on('end', gone)
  process.stdin.on('close', gone)
  process.stdin.on('error', gone)
  process.stdin.resume()
  // The watch alone must not keep a process alive that has nothing else to do.
  if ('unref' in process.stdin && typeof process.stdin.unref === 'function') process.stdin.unref()
}

/**
 * Runs `stop` once on SIGTERM, SIGINT or the loss of the parent, then exits with 0, or with 1 when `stop` fails or takes
 * longer than `graceMs`. A second SIGINT exits at once.
 */
export function stopOnSignal(options: {
  graceMs: number
  stop: (reason: 'SIGTERM' | 'SIGINT' | 'parent-gone') => Promise<void>
  onError: (error: unknown) => void
}): void {
  let isStopping = false
  const begin = (reason: 'SIGTERM' | 'SIGINT' | 'parent-gone') => {
    if (isStopping) {
      if (reason === 'SIGINT') process.exit(1)
      return
    }
    isStopping = true
    setTimeout(() => {
      options.onError(new StorageError('unavailable', 'stop took too long', { graceMs: options.graceMs }))
      process.exit(1)
    }, options.graceMs).unref()
    options.stop(reason).then(
      () => process.exit(0),
      (error: unknown) => {
        options.onError(error)
        process.exit(1)
      },
    )
  }
  process.on('SIGTERM', () => begin('SIGTERM'))
  process.on('SIGINT', () => begin('SIGINT'))
  watchParent(() => begin('parent-gone'))
}

/** True while a process with this id exists (also one of another account). */
export function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
