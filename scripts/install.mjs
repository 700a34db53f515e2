// Installs what package-lock.json names, when node_modules is missing or belongs to another lockfile. Plain Node.js.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const NODE_MAJOR_MIN = 20

/** Exits the process with a clear line when Node.js is too old or `npm ci` fails. */
export async function installDependencies(root) {
  if (Number(process.versions.node.split('.')[0]) < NODE_MAJOR_MIN) {
    console.error(`Tributary needs Node.js ${NODE_MAJOR_MIN} or newer; this is ${process.version}.`)
    process.exit(1)
  }
  const stamp = join(root, 'node_modules', '.tributary-lock')
  const wanted = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  // npm's own record of what it installed; the same lockfile needs no second install.
  const isInstalled = existsSync(join(root, 'node_modules', '.package-lock.json'))
  if (!isInstalled || existsSync(stamp)) {
    console.log('Installing dependencies (npm ci) ...')
    const code = await new Promise((resolve) => {
      const child = spawn('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: root, stdio: 'inherit' })
      child.on('error', () => resolve(1))
      child.on('exit', (exitCode) => resolve(exitCode ?? 1))
    })
    if (code !== 0) {
      console.error('npm ci failed; the lines above say why.')
      process.exit(1)
    }
  }
  try {
    writeFileSync(stamp, wanted)
  } catch {
    // A read-only checkout with its dependencies in place works without the stamp.
  }
}
