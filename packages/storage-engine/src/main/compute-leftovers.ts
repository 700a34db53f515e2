import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import * as path from 'node:path'

/**
 * Removes a compute folder whose sidecar is gone: kills the Postgres processes that still run in it, takes down its
 * mounts, deletes the files. Computes keep nothing that is not on the SafeKeepers.
 */
export function removeComputeFolder(folder: string): void {
  if (!fs.existsSync(folder)) return
  killProcessesIn(folder)
  unmountBelow(folder)
  try {
    fs.rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  } catch {
    // What cannot be deleted now is deleted at the next start; the next compute has a folder of its own.
  }
}

function killProcessesIn(folder: string): void {
  const list = run('ps', ['-A', '-o', 'pid=,args=']) ?? ''
  for (const line of list.split('\n')) {
    const match = /^\s*(\d+)\s+(.*)$/.exec(line)
    if (!match || !/postgres/.test(match[2] ?? '') || !match[2]?.includes(`${folder}${path.sep}`)) continue
    const pid = Number(match[1])
    if (pid === process.pid) continue
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // Gone in between.
    }
  }
}

function unmountBelow(folder: string): void {
  const mounts = fs.existsSync('/proc/mounts') ? fs.readFileSync('/proc/mounts', 'utf8') : ''
  for (const line of mounts.split('\n')) {
    const mountPoint = line.split(' ')[1]?.replaceAll('\\040', ' ')
    if (!mountPoint?.startsWith(`${folder}${path.sep}`)) continue
    if (run('umount', ['-l', mountPoint]) === undefined) run('fusermount3', ['-u', '-z', mountPoint])
  }
}

/** Standard output, or undefined when the program is missing or fails. */
function run(command: string, args: string[]): string | undefined {
  try {
    return execFileSync(command, args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      maxBuffer: 16 * 1024 * 1024,
    })
  } catch {
    return undefined
  }
}
