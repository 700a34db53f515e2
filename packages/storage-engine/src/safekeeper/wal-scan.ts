import { CorruptionError } from '../base/errors.ts'
import type { Disk, DiskFile } from '../io/disk.ts'
import { WAL_PAGE_SIZE, WAL_SEGMENT_SIZE, WAL_TIMELINE } from '../postgres/constants.ts'
import { Lsn } from '../postgres/lsn.ts'
import { advance, formatSegmentName, parseSegmentName } from '../wal/segment.ts'
import { decodeWalPageHeader, type WalPageHeader, WalPageInfo } from '../wal/wal-page-header.ts'
import { WalStreamReader } from '../wal/wal-stream-reader.ts'

/** What a SafeKeeper finds in a timeline's WAL folder on start: its segments, and where valid WAL ends in them. */
export interface WalFolder {
  readonly disk: Disk
  readonly directory: string
  readonly systemIdentifier: bigint
  readonly startLsn: Lsn
  /** WAL known to have been durable up to here: finding less is a CorruptionError. */
  readonly flushFloorLsn: Lsn
}

/** On start at most this much local WAL is read again and checked: 128 MiB, less than a second. */
const SCAN_SEGMENTS_MAX = 8
const SCAN_CHUNK_SIZE = 1024 * 1024
export const ZEROS = new Uint8Array(256 * 1024)

export function newReader(systemIdentifier: bigint, startLsn: Lsn, prevLsn?: Lsn): WalStreamReader {
  return new WalStreamReader({ startLsn, systemIdentifier, ...(prevLsn === undefined ? {} : { prevLsn }) })
}

/** Start LSNs of the segment files, ascending. */
export async function listSegments(disk: Disk, directory: string): Promise<Lsn[]> {
  const starts: Lsn[] = []
  for (const name of await disk.list(directory)) {
    if (name.endsWith('.new')) continue
    starts.push(parseSegmentName(name).startLsn)
  }
  return starts.sort((a, b) => a - b)
}

/** Reads the local WAL from a record boundary on; the reader that comes back stands at the end of what is valid. */
export async function scanWal(options: WalFolder, segments: readonly Lsn[]): Promise<WalStreamReader> {
  const from = await findScanStart(options, segments)
  const reader = newReader(options.systemIdentifier, from)
  let at: number = from
  for (const segment of segments) {
    if (segment + WAL_SEGMENT_SIZE <= at) continue
    if (segment > at) break
    if (!(await scanSegment(options, segment, at as Lsn, reader))) break
    at = segment + WAL_SEGMENT_SIZE
  }
  return reader
}

/** False when the end of valid WAL was met. */
async function scanSegment(options: WalFolder, segment: Lsn, from: Lsn, reader: WalStreamReader): Promise<boolean> {
  const file = await options.disk.open(`${options.directory}/${formatSegmentName(WAL_TIMELINE, segment)}`, 'read')
  try {
    for (let offset = from - segment; offset < WAL_SEGMENT_SIZE; ) {
      const chunk = new Uint8Array(Math.min(SCAN_CHUNK_SIZE, WAL_SEGMENT_SIZE - offset))
      const count = await file.read(chunk, offset)
      if (count === 0) return false
      reader.push((segment + offset) as Lsn, chunk.subarray(0, count))
      while (reader.next() !== undefined) {
        // Passing over whole, valid records.
      }
      offset += count
    }
    return true
  } catch (error) {
    if (error instanceof CorruptionError) return false
    throw error
  } finally {
    await file.close()
  }
}

/**
 * Writes [from, end) anew with the bytes that are read there, durably. A process that died after a failed sync leaves pages
 * that read well, count as clean and are not on disk: syncing them again would do nothing.
 */
export async function rewriteWal(options: WalFolder, segments: readonly Lsn[], from: Lsn, end: Lsn): Promise<void> {
  const chunk = new Uint8Array(SCAN_CHUNK_SIZE)
  for (const segment of segments) {
    const stop = Math.min(end - segment, WAL_SEGMENT_SIZE)
    let offset = Math.max(from - segment, 0)
    if (offset >= stop) continue
    const file = await options.disk.open(`${options.directory}/${formatSegmentName(WAL_TIMELINE, segment)}`, 'write')
    try {
      while (offset < stop) {
        const count = await file.read(chunk.subarray(0, Math.min(chunk.length, stop - offset)), offset)
        if (count === 0) break
        await file.write(chunk.subarray(0, count), offset)
        offset += count
      }
      await file.sync()
    } finally {
      await file.close()
    }
  }
}

/** The first record boundary of the last few segments. */
async function findScanStart(options: WalFolder, segments: readonly Lsn[]): Promise<Lsn> {
  const first = segments[Math.max(0, segments.length - SCAN_SEGMENTS_MAX)]!
  if (first <= options.startLsn) return options.startLsn
  const bytes = new Uint8Array(WAL_PAGE_SIZE)
  const path = `${options.directory}/${formatSegmentName(WAL_TIMELINE, first)}`
  const file = await options.disk.open(path, 'read')
  try {
    await file.read(bytes, 0)
  } finally {
    await file.close()
  }
  const header: WalPageHeader = { info: 0, remainingLength: 0 }
  const identity = { systemIdentifier: options.systemIdentifier, timeline: WAL_TIMELINE }
  decodeWalPageHeader(bytes, 0, first, identity, header)
  if ((header.info & WalPageInfo.firstIsContinuation) === 0) return first
  const after = Lsn.align8(advance(first, header.remainingLength))
  // The record that comes in from before ends beyond what is here: nothing new begins in these segments.
  return Lsn.min(after, Lsn.max2(options.flushFloorLsn, first))
}

/** True when the segment is whole, and nothing but zeros stands in it from `offset` on. */
export async function isZeroFrom(disk: Disk, path: string, offset: number): Promise<boolean> {
  const file = await disk.open(path, 'read')
  try {
    const chunk = new Uint8Array(ZEROS.length)
    for (let at = offset; at < WAL_SEGMENT_SIZE; at += chunk.length) {
      const count = await file.read(chunk, at)
      if (count < Math.min(chunk.length, WAL_SEGMENT_SIZE - at)) return false
      if (chunk.subarray(0, count).some((byte) => byte !== 0)) return false
    }
    return true
  } finally {
    await file.close()
  }
}

export async function zeroTail(file: DiskFile, offset: number, options: { rewrite: boolean }): Promise<void> {
  const chunk = new Uint8Array(ZEROS.length)
  for (let at = offset; at < WAL_SEGMENT_SIZE; at += chunk.length) {
    const count = await file.read(chunk, at)
    const length = Math.min(chunk.length, WAL_SEGMENT_SIZE - at)
    const isZero = chunk.subarray(0, count).every((byte) => byte === 0)
    if (options.rewrite || !isZero || count < length) await file.write(ZEROS.subarray(0, length), at)
  }
}
