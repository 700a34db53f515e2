/** What of a log can go: reading a version needs the newest checkpoint at or below it, and the commits after that. */
import { logFiles } from './log-path.ts'
import { wholeCheckpoints } from './log-segment.ts'

/** Versions of whole checkpoints with anything of the log below them, ascending. */
export function cutVersions(tablePrefix: string, keys: readonly string[]): number[] {
  const files = logFiles(tablePrefix, keys)
  const oldest = Math.min(...files.map(({ version }) => version))
  return wholeCheckpoints(files)
    .map(({ version }) => version)
    .filter((version) => version > oldest)
    .sort((a, b) => a - b)
}

/**
 * Keys of the commits and checkpoints below the checkpoint of `version`, which stays with its own commit: in ascending order of
 * versions, so that what is left when their removal ends half-way is a log without its oldest part.
 */
export function logKeysBelow(tablePrefix: string, keys: readonly string[], version: number): string[] {
  return logFiles(tablePrefix, keys)
    .filter((file) => file.version < version)
    .sort((a, b) => a.version - b.version)
    .map(({ key }) => key)
}
