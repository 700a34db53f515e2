import { CorruptionError, StorageError } from '../base/errors.ts'
import { type LogFile, logFiles } from './log-path.ts'

/** The files that give one version of a table: the parts of a checkpoint, and the commits after it. */
export interface LogSegment {
  readonly version: number
  /** Keys, in order of their parts; none: the log is read from its first commit. */
  readonly checkpointKeys: readonly string[]
  readonly checkpointVersion: number | undefined
  /** Versions after the checkpoint, ascending, without a gap. */
  readonly commitVersions: readonly number[]
}

/**
 * Chooses the newest whole checkpoint at or below `version` (the newest commit when it is not given). `keys` are those
 * below `_delta_log/`, in any order. The hint `_last_checkpoint` is not needed: it only spares listing.
 * Throws `not-found` when there is no such version, or it is no longer kept; `corruption` when commits are missing.
 */
export function planLogSegment(tablePrefix: string, keys: readonly string[], version?: number): LogSegment {
  const files = logFiles(tablePrefix, keys)
  if (files.length === 0) throw new StorageError('not-found', 'no delta log', { table: tablePrefix })
  const newest = Math.max(...files.map((file) => file.version))
  const target = version ?? newest
  if (target > newest) throw new StorageError('not-found', 'no such delta version', { table: tablePrefix, version })
  const checkpoints = wholeCheckpoints(files).sort((a, b) => a.version - b.version)
  const checkpoint = checkpoints.filter((each) => each.version <= target).at(-1)
  // Vacuum removes the oldest part of a log, up to a checkpoint.
  const [oldest] = checkpoints
  if (!checkpoint && oldest && !files.some((file) => file.kind === 'commit' && file.version === 0)) {
    const fields = { table: tablePrefix, version: target, oldestVersion: oldest.version }
    throw new StorageError('not-found', 'delta version is no longer kept', fields)
  }
  const first = checkpoint ? checkpoint.version + 1 : 0
  const commitVersions = files
    .filter((file) => file.kind === 'commit' && file.version >= first && file.version <= target)
    .map((file) => file.version)
    .sort((a, b) => a - b)
  commitVersions.forEach((each, i) => {
    if (each !== first + i)
      throw new CorruptionError('delta commit is missing', { table: tablePrefix, version: first + i })
  })
  if (commitVersions.length !== target - first + 1) {
    throw new CorruptionError('delta commit is missing', { table: tablePrefix, version: first + commitVersions.length })
  }
  return {
    version: target,
    checkpointKeys: checkpoint?.keys ?? [],
    checkpointVersion: checkpoint?.version,
    commitVersions,
  }
}

/** Checkpoints of which every part is there, in any order. */
export function wholeCheckpoints(
  files: readonly (LogFile & { readonly key: string })[],
): { version: number; keys: string[] }[] {
  const groups = new Map<string, { version: number; partCount: number; parts: Map<number, string> }>()
  for (const file of files) {
    if (file.kind !== 'checkpoint') continue
    const id = `${file.version}/${file.partCount}`
    const group = groups.get(id) ?? { version: file.version, partCount: file.partCount, parts: new Map() }
    group.parts.set(file.part, file.key)
    groups.set(id, group)
  }
  return [...groups.values()]
    .filter((group) => group.parts.size === group.partCount)
    .map(({ version, parts }) => ({
      version,
      keys: [...parts].sort(([a], [b]) => a - b).map(([, key]) => key),
    }))
}
