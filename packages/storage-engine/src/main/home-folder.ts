import * as fs from 'node:fs'
import * as os from 'node:os'
import * as path from 'node:path'
import { StorageError } from '../base/errors.ts'

/**
 * Postgres runs as an unprivileged account when the stack runs as root, and then needs a way into its folder. Where an
 * ancestor of home is closed to others (a checkout below /root), computes live in the system's temporary folder.
 */
export function computesFolderOf(home: string): string {
  const inHome = path.join(home, 'computes')
  if (process.getuid?.() !== 0) return inHome
  for (let folder = home; folder !== path.dirname(folder); folder = path.dirname(folder)) {
    if ((fs.statSync(folder).mode & 0o001) !== 0) continue
    return path.join(os.tmpdir(), `tributary-${Buffer.from(home).toString('base64url').slice(-40)}`)
  }
  return inHome
}

/** Opens the folders of home, with an error that says what to do when it cannot be written. */
export function makeHome(home: string): void {
  try {
    for (const name of ['', 'run', 'logs']) fs.mkdirSync(path.join(home, name), { recursive: true })
    const probe = path.join(home, 'run', `.probe-${process.pid}`)
    fs.writeFileSync(probe, 'x'.repeat(4096))
    fs.rmSync(probe)
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error)
    throw new StorageError('invalid-input', `TRIBUTARY_HOME cannot be written: ${text}`, { home }, { cause: error })
  }
}
