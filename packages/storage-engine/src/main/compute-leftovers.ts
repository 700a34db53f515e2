import { execFile } from 'node:child_process'
import * as fs from 'node:fs'
import * as fsp from 'node:fs/promises'
import * as path from 'node:path'

/**
 * Removes a compute folder whose sidecar is gone: kills the Postgres processes that still run in it, takes down its
 * mounts, deletes the files, which may be gigabytes. Computes keep nothing that is not on the SafeKeepers. Never rejects.
 */
export async function removeComputeFolder(folder: string): Promise<void> {
  if (!fs.existsSync(folder)) return
  await killProcessesIn(folder)
  await unmountBelow(folder)
  try {
    await fsp.rm(folder, { recursive: true, force: true, maxRetries: 3 })
  } catch {
    // What cannot be deleted now is deleted at the next start; the next compute has a folder of its own.
  }
}

async function killProcessesIn(folder: string): Promise<void> {
  const list = (await run('ps', ['-A', '-o', 'pid=,args='])) ?? ''
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

async function unmountBelow(folder: string): Promise<void> {
  const mounts = await fsp.readFile('/proc/mounts', 'utf8').catch(() => '')
  for (const line of mounts.split('\n')) {
    const mountPoint = line.split(' ')[1]?.replaceAll('\\040', ' ')
    if (!mountPoint?.startsWith(`${folder}${path.sep}`)) continue
    if ((await run('umount', ['-l', mountPoint])) === undefined) await run('fusermount3', ['-u', '-z', mountPoint])
  }
}

/** Standard output, or undefined when the program is missing or fails. */
function run(command: string, args: string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(command, args, { encoding: 'utf8', maxBuffer: 16 * 1024 * 1024 }, (error, output) =>
      resolve(error ? undefined : output),
    )
  })
}
