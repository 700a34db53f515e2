import * as fs from 'node:fs'
import * as path from 'node:path'
import { fileURLToPath } from 'node:url'

export const rootFolder = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
export const engineFolder = path.join(rootFolder, 'packages', 'storage-engine')

/** Folders that hold nothing of ours. */
const skipped = new Set(['node_modules', 'dist', '.git', '.tributary', '.turbo', '.next'])

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
