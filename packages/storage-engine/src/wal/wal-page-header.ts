import { CorruptionError } from '../base/errors.ts'
import { WAL_PAGE_MAGIC, WAL_PAGE_SIZE, WAL_SEGMENT_SIZE } from '../postgres/constants.ts'
import { Lsn } from '../postgres/lsn.ts'

/**
 * XLogPageHeaderData and XLogLongPageHeaderData (src/include/access/xlog_internal.h, PG 18). Little-endian.
 *    0 u16 magic   2 u16 info   4 u32 timeline   8 u64 pageaddr   16 u32 rem_len   20 padding
 *   24 u64 system identifier   32 u32 segment size   36 u32 page size      (first page of a segment only)
 */
export const WAL_PAGE_HEADER_SIZE = 24
export const WAL_LONG_PAGE_HEADER_SIZE = 40

/** XLP_* bits of `info`. */
export const WalPageInfo = {
  firstIsContinuation: 0x0001,
  longHeader: 0x0002,
  backupRemovable: 0x0004,
  firstIsOverwriteContrecord: 0x0008,
} as const

const ALL_INFO_BITS = 0x000f

export interface WalPageHeader {
  info: number
  /** Bytes of the record continued from the page before that are still to come, on this page and the next ones. */
  remainingLength: number
}

/** What the pages of one stream must carry. */
export interface WalStreamIdentity {
  readonly systemIdentifier: bigint
  readonly timeline: number
}

/** The header at bytes[offset] of the page at `pageLsn`. Throws CorruptionError naming the page. */
export function decodeWalPageHeader(
  bytes: Uint8Array,
  offset: number,
  pageLsn: Lsn,
  identity: WalStreamIdentity,
  into: WalPageHeader,
): void {
  const isSegmentStart = pageLsn % WAL_SEGMENT_SIZE === 0
  const size = isSegmentStart ? WAL_LONG_PAGE_HEADER_SIZE : WAL_PAGE_HEADER_SIZE
  if (bytes.length - offset < size) throw badPage('wal page header is cut short', pageLsn)
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, size)

  const magic = view.getUint16(0, true)
  if (magic !== WAL_PAGE_MAGIC) throw badPage('wal page has a wrong magic number', pageLsn, { magic })
  const info = view.getUint16(2, true)
  if ((info & ~ALL_INFO_BITS) !== 0) throw badPage('wal page has unknown info bits', pageLsn, { info })
  if (((info & WalPageInfo.longHeader) !== 0) !== isSegmentStart) {
    throw badPage('wal page has a long header in the wrong place', pageLsn, { info })
  }
  const low = view.getUint32(8, true)
  const high = view.getUint32(12, true)
  if (high * 0x1_0000_0000 + low !== pageLsn) {
    const found = `${high.toString(16).toUpperCase()}/${low.toString(16).toUpperCase()}`
    throw badPage('wal page carries another address', pageLsn, { found })
  }
  const timeline = view.getUint32(4, true)
  if (timeline !== identity.timeline) throw badPage('wal page is of another timeline', pageLsn, { timeline })
  if (isSegmentStart) checkLongHeader(view, pageLsn, identity)

  into.info = info
  into.remainingLength = view.getUint32(16, true)
}

/** Writes the header of the page at `pageLsn` to bytes[offset]; returns its size. `info` without the long-header bit. */
export function encodeWalPageHeader(
  bytes: Uint8Array,
  offset: number,
  pageLsn: Lsn,
  identity: WalStreamIdentity,
  header: WalPageHeader = { info: 0, remainingLength: 0 },
): number {
  const isSegmentStart = pageLsn % WAL_SEGMENT_SIZE === 0
  const size = isSegmentStart ? WAL_LONG_PAGE_HEADER_SIZE : WAL_PAGE_HEADER_SIZE
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, size)
  view.setUint16(0, WAL_PAGE_MAGIC, true)
  view.setUint16(2, header.info | (isSegmentStart ? WalPageInfo.longHeader : 0), true)
  view.setUint32(4, identity.timeline, true)
  Lsn.write(view, 8, pageLsn)
  view.setUint32(16, header.remainingLength, true)
  view.setUint32(20, 0, true)
  if (isSegmentStart) {
    view.setBigUint64(24, identity.systemIdentifier, true)
    view.setUint32(32, WAL_SEGMENT_SIZE, true)
    view.setUint32(36, WAL_PAGE_SIZE, true)
  }
  return size
}

function checkLongHeader(view: DataView, pageLsn: Lsn, identity: WalStreamIdentity): void {
  const systemIdentifier = view.getBigUint64(24, true)
  if (systemIdentifier !== identity.systemIdentifier) {
    throw badPage('wal is from another database system', pageLsn, {
      found: systemIdentifier.toString(),
      expected: identity.systemIdentifier.toString(),
    })
  }
  const segmentSize = view.getUint32(32, true)
  if (segmentSize !== WAL_SEGMENT_SIZE) throw badPage('wal has another segment size', pageLsn, { segmentSize })
  const pageSize = view.getUint32(36, true)
  if (pageSize !== WAL_PAGE_SIZE) throw badPage('wal has another page size', pageLsn, { pageSize })
}

function badPage(message: string, pageLsn: Lsn, fields: Record<string, string | number> = {}): CorruptionError {
  return new CorruptionError(message, { lsn: Lsn.format(pageLsn), ...fields })
}
