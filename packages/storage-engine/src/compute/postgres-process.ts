import { type ChildProcess, spawn } from 'node:child_process'
import * as fs from 'node:fs'
import { StorageError } from '../base/errors.ts'
import type { Log } from '../io/log.ts'
import type { ProcessExit } from '../io/node-process.ts'
import { spawnProcess } from '../io/node-process.ts'
import type { Account } from './data-dir.ts'

export interface PostgresProcessOptions {
  readonly launcher: readonly string[]
  readonly program: string
  readonly dataDir: string
  readonly args: readonly string[]
  readonly account: Account | undefined
  /** Taken down by the watcher when this process dies; undefined without a mount. */
  readonly mountPath: string | undefined
  readonly log: Log
  /** A commit's wait for the quorum was broken off: visible here, perhaps nowhere else. */
  readonly onSyncWaitCancelled: (line: string) => void
}

export interface PostgresProcess {
  readonly pid: number
  /** Resolves when the server accepts connections; rejects with its last lines when it ends instead. */
  readonly accepting: Promise<void>
  readonly exited: Promise<ProcessExit>
  isRunning(): boolean
  /** The last line with which the whole server gave up, for example on a full disk. */
  lastPanic(): string | undefined
  /** Fast shutdown: ends sessions, writes a checkpoint. Falls back to `kill` after `graceMs`. */
  shutDown(options: { graceMs: number }): Promise<ProcessExit>
  /** SIGKILL to the server and every process of it: nothing it says after this reaches anybody. */
  kill(): Promise<ProcessExit>
}

const LAST_LINES_MAX = 20
const READY_LINE = 'database system is ready to accept connections'
const READ_ONLY_READY_LINE = 'database system is ready to accept read-only connections'
/** WARNINGs of SyncRepWaitForLSN, src/backend/replication/syncrep.c, PG 18. */
const SYNC_WAIT_CANCELLED = /WARNING:\s+cancell?ing (the )?wait for synchronous replication/

/** Starts the server. A watcher process ends it when this one dies in whatever way, so none is left behind. */
export async function startPostgres(options: PostgresProcessOptions): Promise<PostgresProcess> {
  const { account, log } = options
  const lastLines: string[] = []
  let lastPanic: string | undefined
  let settleAccepting: { resolve: () => void; reject: (error: Error) => void } | undefined
  const accepting = new Promise<void>((resolve, reject) => {
    settleAccepting = { resolve, reject }
  })
  accepting.catch(() => undefined)

  const [command, ...args] = [...options.launcher, options.program, '-D', options.dataDir, ...options.args]
  const postgres = await spawnProcess({
    command: command!,
    args,
    cwd: options.dataDir,
    env: { LC_ALL: 'C', TZ: 'UTC', PATH: process.env.PATH },
    ...(account ? { uid: account.uid, gid: account.gid } : {}),
    onLine(line) {
      lastLines.push(line)
      if (lastLines.length > LAST_LINES_MAX) lastLines.shift()
      if (line.includes('PANIC:')) lastPanic = line.slice(line.indexOf('PANIC:'))
      logLine(log, line)
      if (line.includes(READY_LINE) || line.includes(READ_ONLY_READY_LINE)) settleAccepting?.resolve()
      if (SYNC_WAIT_CANCELLED.test(line)) options.onSyncWaitCancelled(line)
    },
  })
  const watcher = startWatcher(postgres.pid, options.mountPath)
  void postgres.exited.then(({ code, signal }) => {
    watcher.kill('SIGKILL')
    const text = lastLines.slice(-5).join(' | ')
    settleAccepting?.reject(
      new StorageError('unavailable', `postgres ended while starting: ${text}`, {
        code: code ?? undefined,
        signal: signal ?? undefined,
      }),
    )
  })

  return {
    pid: postgres.pid,
    accepting,
    exited: postgres.exited,
    isRunning: () => postgres.isRunning(),
    lastPanic: () => lastPanic,
    async shutDown({ graceMs }) {
      if (postgres.isRunning()) postgres.kill('SIGINT')
      const late = new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), graceMs).unref())
      return (await Promise.race([postgres.exited, late])) ?? (await killAll())
    },
    kill: () => killAll(),
  }

  async function killAll(): Promise<ProcessExit> {
    if (!postgres.isRunning()) return postgres.exited
    const children = childrenOf(postgres.pid)
    postgres.kill('SIGKILL')
    for (const pid of children) killQuietly(pid)
    return postgres.exited
  }
}

/**
 * Reads from a pipe that ends with this process, then ends Postgres: immediate shutdown first, which also lets it remove
 * its shared memory, SIGKILL after a second.
 */
function startWatcher(pid: number, mountPath: string | undefined): ChildProcess {
  const script = `read _; kill -QUIT $1 2>/dev/null
[ -n "$2" ] && umount -f -l "$2" 2>/dev/null
i=0; while kill -0 $1 2>/dev/null && [ $i -lt 20 ]; do sleep 0.05; i=$((i+1)); done
kill -KILL $1 2>/dev/null`
  const watcher = spawn('/bin/sh', ['-c', script, 'sh', String(pid), mountPath ?? ''], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  watcher.on('error', () => undefined)
  watcher.stdin.on('error', () => undefined)
  watcher.unref()
  return watcher
}

/** Backends are children of the server; without /proc they notice its death by themselves. */
function childrenOf(pid: number): number[] {
  if (process.platform !== 'linux') return []
  const children: number[] = []
  for (const name of fs.readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      const stat = fs.readFileSync(`/proc/${name}/stat`, 'utf8')
      // After the command in parentheses: state, parent.
      if (Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === pid) children.push(Number(name))
    } catch {
      // Gone in between.
    }
  }
  return children
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // Gone in between.
  }
}

function logLine(log: Log, line: string): void {
  const match = /^(\d+) (?:(\S+@\S+) )?(DEBUG\d?|LOG|INFO|NOTICE|WARNING|ERROR|FATAL|PANIC):\s+(.*)$/.exec(line)
  if (!match) {
    log.info('postgres', { line })
    return
  }
  const fields = { pid: Number(match[1]), session: match[2], severity: match[3], line: match[4] }
  if (match[3] === 'PANIC' || match[3] === 'FATAL') log.error('postgres', fields)
  else if (match[3] === 'ERROR' || match[3] === 'WARNING') log.warn('postgres', fields)
  else log.info('postgres', fields)
}
