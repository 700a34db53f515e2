/**
 * Rows of dirty blocks that earlier queries decoded, kept as the Parquet files they were written to. A later query at the
 * same or a later LSN of the timeline takes those of the blocks that have not changed since, and decodes the rest.
 */
import type { Disk } from '../io/disk.ts'
import type { Lsn } from '../postgres/lsn.ts'
import type { BlockSpan } from '../protocol/snapshot-plan.ts'
import { countBlocks, intersectSpans, mergeSpans, subtractSpans } from './block-span.ts'

/** Each is one more scan for the engine: beyond so many, the smallest are decoded again. */
const PARTS_MAX = 4
/** A part of which less than this share is still right is decoded again. */
const USED_SHARE_MIN = 0.5
/** Heaps, by columns read. */
const ENTRIES_MAX = 1000

/** Whose rows, and which columns of them. */
export interface FreshKey {
  /** The heap and whatever else the look of its rows depends on. */
  readonly heap: string
  /** Each column with its type and how it is written; the order does not matter. */
  readonly columns: readonly string[]
}

/** Files that one query wrote. */
export interface FreshFiles {
  readonly paths: readonly string[]
  readonly sizeBytes: number
  readonly hasOverflow: boolean
  /** Blocks whose rows are in the files, and the number of visible rows of each, in order. */
  readonly blocks: readonly BlockSpan[]
  readonly rowCounts: Uint16Array
  /** Blocks with a row whose transaction had not ended: to be judged anew at every LSN. */
  readonly openBlocks: readonly BlockSpan[]
}

export interface FreshPart {
  readonly files: FreshFiles
  /** Those of its blocks that count. */
  readonly blocks: readonly BlockSpan[]
}

/** What to take of the parts, all right at one LSN, for `dirty` blocks at a later one; `changed` in between. */
export function reuseParts(
  parts: readonly FreshPart[],
  dirty: readonly BlockSpan[],
  changed: readonly BlockSpan[],
): { readonly kept: readonly FreshPart[]; readonly missing: readonly BlockSpan[] } {
  const kept = parts
    .map(({ files, blocks }) => ({ files, blocks: intersectSpans(subtractSpans(blocks, changed), dirty) }))
    .filter(({ files, blocks }) => countBlocks(blocks) >= Math.max(1, countBlocks(files.blocks) * USED_SHARE_MIN))
    .sort((a, b) => countBlocks(b.blocks) - countBlocks(a.blocks))
    // One place is left for what is decoded now.
    .slice(0, PARTS_MAX - 1)
  return { kept, missing: subtractSpans(dirty, mergeSpans(kept.flatMap(({ blocks }) => blocks))) }
}

export function rowsOf({ files, blocks }: FreshPart): number {
  let sum = 0
  let at = 0
  for (const [first, count] of files.blocks) {
    for (const [start, length] of intersectSpans([[first, count]], blocks)) {
      for (let i = 0; i < length; i++) sum += files.rowCounts[at + start - first + i]!
    }
    at += count
  }
  return sum
}

export interface FreshParts {
  readonly lsn: Lsn
  readonly parts: readonly FreshPart[]
}

interface Entry extends FreshParts {
  readonly heap: string
  readonly columns: ReadonlySet<string>
}

/** Bounded in bytes of files, least recently used out first; files in use stay until they are given back. */
export class FreshRowsCache {
  readonly #disk: Disk
  readonly #directory: string
  readonly #bytesMax: number
  /** Least recently used first. */
  readonly #entries = new Map<string, Entry>()
  readonly #users = new Map<FreshFiles, number>()
  #serial = 0

  constructor(options: { readonly disk: Disk; readonly directory: string; readonly bytesMax: number }) {
    this.#disk = options.disk
    this.#directory = options.directory
    this.#bytesMax = options.bytesMax
  }

  /** Removes what earlier processes left. */
  async open(): Promise<void> {
    await this.#disk.removeTree(this.#directory)
    await this.#disk.makeDirectory(this.#directory)
  }

  get sizeBytes(): number {
    let sum = 0
    for (const files of this.#users.keys()) sum += files.sizeBytes
    return sum
  }

  /** A name for a file of rows. */
  newPath(): string {
    return `${this.#directory}/${++this.#serial}.parquet`
  }

  /** Removes a file that was not finished, or holds nothing. */
  async discard(path: string): Promise<void> {
    await this.#disk.remove(path)
  }

  /**
   * What is known at or before `lsn` of the heap with all of the columns, and maybe more of them: the latest, and of those
   * the one with the fewest columns. Its files stay until `release`.
   */
  take(key: FreshKey, lsn: Lsn): FreshParts | undefined {
    let name: string | undefined
    let found: Entry | undefined
    for (const [each, entry] of this.#entries) {
      if (entry.heap !== key.heap || entry.lsn > lsn || !key.columns.every((column) => entry.columns.has(column)))
        continue
      if (found && (entry.lsn < found.lsn || (entry.lsn === found.lsn && entry.columns.size >= found.columns.size)))
        continue
      name = each
      found = entry
    }
    if (name === undefined || !found) return undefined
    this.#entries.delete(name)
    this.#entries.set(name, found)
    this.hold(found.parts)
    return found
  }

  hold(parts: readonly FreshPart[]): void {
    for (const { files } of parts) this.#users.set(files, (this.#users.get(files) ?? 0) + 1)
  }

  /** Gives files back that `take` or `hold` kept; those that no entry has and nobody uses are removed. */
  async release(parts: readonly FreshPart[]): Promise<void> {
    const unused: FreshFiles[] = []
    for (const { files } of parts) {
      const users = (this.#users.get(files) ?? 0) - 1
      if (users > 0) this.#users.set(files, users)
      else {
        this.#users.delete(files)
        unused.push(files)
      }
    }
    for (const path of unused.flatMap(({ paths }) => paths)) await this.#disk.remove(path)
  }

  /** Makes `parts` what is known of the key at `lsn`, unless something later is. The entry is a user of their files. */
  async put(key: FreshKey, { lsn, parts }: FreshParts): Promise<void> {
    const name = nameOf(key)
    const old = this.#entries.get(name)
    if (old && old.lsn > lsn) return
    const settled = parts.map(({ files, blocks }) => ({ files, blocks: subtractSpans(blocks, files.openBlocks) }))
    this.hold(settled)
    this.#entries.delete(name)
    this.#entries.set(name, { heap: key.heap, columns: new Set(key.columns), lsn, parts: settled })
    const removed = old ? [...old.parts] : []
    // Entries of fewer columns share files with those that they were taken from.
    const uses = new Map<FreshFiles, number>()
    let sizeBytes = 0
    for (const { parts: kept } of this.#entries.values()) {
      for (const { files } of kept) {
        const count = uses.get(files) ?? 0
        if (count === 0) sizeBytes += files.sizeBytes
        uses.set(files, count + 1)
      }
    }
    for (const [each, entry] of this.#entries) {
      if (sizeBytes <= this.#bytesMax && this.#entries.size <= ENTRIES_MAX) break
      this.#entries.delete(each)
      for (const { files } of entry.parts) {
        const count = uses.get(files)! - 1
        if (count === 0) sizeBytes -= files.sizeBytes
        uses.set(files, count)
      }
      removed.push(...entry.parts)
    }
    await this.release(removed)
  }
}

function nameOf({ heap, columns }: FreshKey): string {
  return JSON.stringify([heap, [...columns].sort()])
}
