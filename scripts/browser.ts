import { execFileSync, spawnSync } from 'node:child_process'
import * as fs from 'node:fs'
import { createRequire } from 'node:module'
import * as path from 'node:path'
import { rootFolder } from './repository.ts'

const systemBrowsers = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/**
 * Path of a Chromium that end-to-end tests can drive. In this order: `CHROMIUM_PATH`, one that the system has, Debian's
 * package when this user may install it, Playwright's own download. Throws with what was tried.
 */
export function ensureBrowser(): string {
  const known = findBrowser()
  if (known) return known
  const tried: string[] = []
  if (process.getuid?.() === 0 && fs.existsSync('/usr/bin/apt-get')) {
    console.log('Installing chromium (apt-get) ...')
    tried.push('apt-get install chromium')
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    spawnSync('apt-get', ['update', '-qq'], { stdio: 'inherit', env })
    spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium', 'fonts-liberation'], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env,
    })
  }
  if (!findBrowser()) {
    console.log('Installing chromium (playwright) ...')
    tried.push('playwright install chromium')
    const cli = path.join(rootFolder, 'node_modules', 'playwright', 'cli.js')
    spawnSync(process.execPath, [cli, 'install', 'chromium'], { stdio: 'inherit' })
  }
  const installed = findBrowser()
  if (installed) return installed
  throw new Error(`no Chromium for the end-to-end tests; tried: ${tried.join(', ')}. Set CHROMIUM_PATH to one`)
}

function findBrowser(): string | undefined {
  const own = process.env.CHROMIUM_PATH
  if (own !== undefined) {
    if (!isRunnable(own)) throw new Error(`CHROMIUM_PATH: ${own} cannot be run`)
    return own
  }
  return [...systemBrowsers, playwrightBrowser()].find(isRunnable)
}

/** Where Playwright keeps its own download, whether or not it is there. */
function playwrightBrowser(): string {
  const { chromium } = createRequire(path.join(rootFolder, 'e2e', 'package.json'))(
    'playwright',
  ) as typeof import('playwright')
  return chromium.executablePath()
}

function isRunnable(file: string): boolean {
  if (!fs.existsSync(file)) return false
  try {
    execFileSync(file, ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
