/** Names of the files below `_delta_log/`. */
const VERSION_DIGITS = 20

export type LogFile =
  | { readonly kind: 'commit'; readonly version: number }
  | { readonly kind: 'checkpoint'; readonly version: number; readonly part: number; readonly partCount: number }

export function logPrefix(tablePrefix: string): string {
  return `${tablePrefix}_delta_log/`
}

export function commitKey(tablePrefix: string, version: number): string {
  return `${logPrefix(tablePrefix)}${formatVersion(version)}.json`
}

export function checkpointKey(tablePrefix: string, version: number): string {
  return `${logPrefix(tablePrefix)}${formatVersion(version)}.checkpoint.parquet`
}

export function lastCheckpointKey(tablePrefix: string): string {
  return `${logPrefix(tablePrefix)}_last_checkpoint`
}

export function formatVersion(version: number): string {
  return String(version).padStart(VERSION_DIGITS, '0')
}

/** Undefined for other files: hints, checksums, sidecars, checkpoints of formats that are not read. */
export function parseLogName(name: string): LogFile | undefined {
  const commit = /^(\d{20})\.json$/.exec(name)
  if (commit) return { kind: 'commit', version: Number(commit[1]) }
  const checkpoint = /^(\d{20})\.checkpoint(?:\.(\d{10})\.(\d{10}))?\.parquet$/.exec(name)
  if (!checkpoint) return undefined
  return {
    kind: 'checkpoint',
    version: Number(checkpoint[1]),
    part: Number(checkpoint[2] ?? 1),
    partCount: Number(checkpoint[3] ?? 1),
  }
}

/** Those of `keys` that make up the log of a table. */
export function logFiles(tablePrefix: string, keys: readonly string[]): (LogFile & { readonly key: string })[] {
  const prefix = logPrefix(tablePrefix)
  return keys.flatMap((key) => {
    const file = key.startsWith(prefix) ? parseLogName(key.slice(prefix.length)) : undefined
    return file ? [{ ...file, key }] : []
  })
}
