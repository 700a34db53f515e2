import { spawnSync } from 'node:child_process'
import * as fs from 'node:fs'
import * as os from 'node:os'
import * as path from 'node:path'

/**
 * A new folder below os.tmpdir(), named `<prefix><process id>-<random>`. What is left of it when this process exits is
 * removed then; what a process that was killed has left, by the next one that makes such a folder.
 */
export function makeTemporaryFolder(prefix: string): string {
  const root = fs.realpathSync(os.tmpdir())
  if (ours.size === 0) {
    sweep(root)
    process.once('exit', () => {
      // A mount that is open still is perhaps served by this process, which answers no more.
      for (const folder of ours) if (mountsBelow(folder).length === 0) remove(folder)
    })
  }
  const folder = fs.mkdtempSync(path.join(root, `${prefix}${process.pid}-`))
  ours.add(folder)
  return folder
}

const ours = new Set<string>()

/** Folders made by the function above, by processes that are gone. */
function sweep(root: string): void {
  for (const name of fs.readdirSync(root)) {
    const pid = /^(?:tributary|compute)-[a-z-]+-(\d+)-[A-Za-z0-9]{6}$/.exec(name)?.[1]
    if (pid === undefined || isAlive(Number(pid))) continue
    const folder = path.join(root, name)
    for (const mount of mountsBelow(folder)) spawnSync('umount', ['-l', mount])
    remove(folder)
  }
}

function mountsBelow(folder: string): string[] {
  if (!fs.existsSync('/proc/mounts')) return []
  const mounts = fs.readFileSync('/proc/mounts', 'utf8').split('\n')
  return mounts.map((line) => line.split(' ')[1] ?? '').filter((mount) => mount.startsWith(`${folder}/`))
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

function remove(folder: string): void {
  try {
    fs.rmSync(folder, { recursive: true, force: true })
  } catch {
    // Something still writes there: a later sweep removes it.
  }
}
