import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import * as os from 'node:os'
import * as path from 'node:path'

/** Why this process may not mount a small file system of its own, or undefined. */
export function mountObstacle(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'only root on Linux may mount'
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tributary-mount-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder], { stdio: 'ignore' })
    execFileSync('umount', [folder], { stdio: 'ignore' })
    return undefined
  } catch {
    return 'mount is not allowed here'
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}
