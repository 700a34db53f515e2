import { StorageError } from '../base/errors.ts'
import { WAL_PAGE_SIZE, WAL_SEGMENT_SIZE } from '../postgres/constants.ts'
import type { Lsn } from '../postgres/lsn.ts'
import { WAL_LONG_PAGE_HEADER_SIZE, WAL_PAGE_HEADER_SIZE } from './wal-page-header.ts'

/**
 * Arithmetic of the WAL stream (src/include/access/xlog_internal.h, PG 18). Segment file names are timeline, high and low
 * part of the segment number, each as 8 upper-case hex digits.
 */
const SEGMENTS_PER_XLOG_ID = 0x1_0000_0000 / WAL_SEGMENT_SIZE

export function segmentNumber(lsn: Lsn): number {
  return Math.floor(lsn / WAL_SEGMENT_SIZE)
}

/** Start of the segment that holds `lsn`. */
export function segmentStart(lsn: Lsn): Lsn {
  return (lsn - (lsn % WAL_SEGMENT_SIZE)) as Lsn
}

/** The first segment start at or after `lsn`. */
export function segmentEnd(lsn: Lsn): Lsn {
  const rest = lsn % WAL_SEGMENT_SIZE
  return (rest === 0 ? lsn : lsn - rest + WAL_SEGMENT_SIZE) as Lsn
}

/** Start of the WAL page that holds `lsn`. */
export function walPageStart(lsn: Lsn): Lsn {
  return (lsn - (lsn % WAL_PAGE_SIZE)) as Lsn
}

/** Bytes of page header that stand at `lsn`: 40 at a segment start, 24 at any other page start, 0 elsewhere. */
export function pageHeaderSizeAt(lsn: Lsn): number {
  if (lsn % WAL_PAGE_SIZE !== 0) return 0
  return lsn % WAL_SEGMENT_SIZE === 0 ? WAL_LONG_PAGE_HEADER_SIZE : WAL_PAGE_HEADER_SIZE
}

/** Where the next record starts when the WAL so far ends at `endLsn`: 8-aligned, after a page header that stands there. */
export function recordStartAt(endLsn: Lsn): Lsn {
  const rest = endLsn % 8
  const aligned = (rest === 0 ? endLsn : endLsn + 8 - rest) as Lsn
  return (aligned + pageHeaderSizeAt(aligned)) as Lsn
}

/** EndRecPtr of a record of `totalLength` bytes that starts at `startLsn`: its last byte's end, rounded up to 8. */
export function recordEndAt(startLsn: Lsn, totalLength: number): Lsn {
  const end = advance(startLsn, totalLength)
  const rest = end % 8
  return (rest === 0 ? end : end + 8 - rest) as Lsn
}

/**
 * Position after `byteCount` bytes of record content from `lsn`, counting the page headers between. Ends at a page end,
 * not after the next page's header.
 */
export function advance(lsn: Lsn, byteCount: number): Lsn {
  let at: number = lsn
  let left = byteCount
  while (left > 0) {
    at += pageHeaderSizeAt(at as Lsn)
    const step = Math.min(left, WAL_PAGE_SIZE - (at % WAL_PAGE_SIZE))
    at += step
    left -= step
  }
  return at as Lsn
}

/** Name of the segment file that holds `lsn`, such as 000000010000000000000001. */
export function formatSegmentName(timeline: number, lsn: Lsn): string {
  const number = segmentNumber(lsn)
  return hex8(timeline) + hex8(Math.floor(number / SEGMENTS_PER_XLOG_ID)) + hex8(number % SEGMENTS_PER_XLOG_ID)
}

export function parseSegmentName(name: string): { timeline: number; startLsn: Lsn } {
  const match = /^([0-9A-F]{8})([0-9A-F]{8})([0-9A-F]{8})$/.exec(name)
  const low = match ? Number.parseInt(match[3]!, 16) : Number.NaN
  const number = match ? Number.parseInt(match[2]!, 16) * SEGMENTS_PER_XLOG_ID + low : Number.NaN
  if (match === null || low >= SEGMENTS_PER_XLOG_ID || !Number.isSafeInteger(number * WAL_SEGMENT_SIZE)) {
    throw new StorageError('invalid-input', 'not a wal segment name', { name: name.slice(0, 64) })
  }
  return { timeline: Number.parseInt(match[1]!, 16), startLsn: (number * WAL_SEGMENT_SIZE) as Lsn }
}

function hex8(value: number): string {
  return value.toString(16).toUpperCase().padStart(8, '0')
}
