import { createHash } from 'node:crypto'
import * as fs from 'node:fs'
import * as path from 'node:path'
import { fileURLToPath } from 'node:url'

export const rootFolder = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
export const engineFolder = path.join(rootFolder, 'packages', 'storage-engine')
export const apiFolder = path.join(rootFolder, 'apps', 'api')
export const webFolder = path.join(rootFolder, 'apps', 'web')
export const e2eFolder = path.join(rootFolder, 'e2e')

/** Folders that hold nothing of ours. */
const skipped = new Set([
  'node_modules',
  'dist',
  '.git',
  '.tributary',
  '.turbo',
  '.next',
  'generated',
  'test-results',
  'playwright-report',
])

/** Absolute paths of all files below `folder`, sorted. */
export function listFiles(folder: string): string[] {
  if (!fs.existsSync(folder)) return []
  return fs
    .readdirSync(folder, { withFileTypes: true })
    .filter((entry) => !skipped.has(entry.name))
    .flatMap((entry) => {
      const full = path.join(folder, entry.name)
      return entry.isDirectory() ? listFiles(full) : [full]
    })
    .sort()
}

/** The value after `--name`, or undefined. */
export function option(args: readonly string[], name: string): string | undefined {
  const index = args.indexOf(`--${name}`)
  return index < 0 ? undefined : args[index + 1]
}

/** Workspaces that have types of their own to check, by name. */
export function typedWorkspaces(): { name: string; folder: string }[] {
  const groups = ['packages', 'apps'].flatMap((group) => {
    const parent = path.join(rootFolder, group)
    return fs.existsSync(parent) ? fs.readdirSync(parent).map((name) => path.join(parent, name)) : []
  })
  return [...groups, e2eFolder]
    .filter((folder) => fs.existsSync(path.join(folder, 'tsconfig.json')))
    .map((folder) => ({ name: path.basename(folder), folder }))
}

/** One hash over names and contents; a file that is missing counts as well. */
export function hashOfFiles(files: readonly string[], ...more: readonly string[]): string {
  const hash = createHash('sha256').update(JSON.stringify(more))
  for (const file of files) {
    hash.update(`\0${path.relative(rootFolder, file)}\0`)
    if (fs.existsSync(file)) hash.update(fs.readFileSync(file))
  }
  return hash.digest('hex')
}
