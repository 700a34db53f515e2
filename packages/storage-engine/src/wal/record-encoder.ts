import { assert } from '../base/assert.ts'
import { CRC32C_INIT, crc32cFinish, crc32cUpdate } from '../base/crc32c.ts'
import { PAGE_SIZE, WAL_PAGE_SIZE } from '../postgres/constants.ts'
import { Lsn } from '../postgres/lsn.ts'
import { ImageInfo } from './record-decoder.ts'
import { RecordHeader } from './record-header.ts'
import { pageHeaderSizeAt, recordEndAt, recordStartAt, segmentEnd, segmentStart } from './segment.ts'
import { encodeWalPageHeader, WalPageInfo, type WalStreamIdentity } from './wal-page-header.ts'

/**
 * Makes WAL: records (XLogRecordAssemble, src/backend/access/transam/xloginsert.c) and their place in the stream
 * (CopyXLogRecordToWAL, xlog.c, PG 18). A record built here and decoded again gives the same parts.
 */
export interface RecordParts {
  readonly rmid: number
  readonly info: number
  readonly xid?: number
  /** Start of the record before, 0 for the first record of all. */
  readonly prevLsn: Lsn
  readonly blocks?: readonly BlockParts[]
  readonly mainData?: Uint8Array
  readonly origin?: number
  readonly topLevelXid?: number
}

export interface BlockParts {
  readonly id: number
  readonly spcOid: number
  readonly dbOid: number
  readonly relNumber: number
  readonly fork?: number
  readonly blockNumber: number
  readonly willInit?: boolean
  readonly data?: Uint8Array
  readonly image?: ImageParts
}

export interface ImageParts {
  /** Without the hole; compressed when `info` has a compression bit. */
  readonly bytes: Uint8Array
  /** BKPIMAGE_* bits, see ImageInfo. */
  readonly info: number
  readonly holeOffset?: number
  readonly holeLength?: number
}

export interface PlacedWal {
  /** Where the record header stands. */
  readonly startLsn: Lsn
  /** End of the record rounded up to 8 (of the segment, after XLOG_SWITCH). */
  readonly endLsn: Lsn
  /** Stream content of [the LSN asked for, endLsn): page headers, the record, zero padding. */
  readonly bytes: Uint8Array
}

/** The record's bytes with header and CRC, contiguous. */
export function encodeRecord(parts: RecordParts): Uint8Array {
  const headers: number[] = []
  const payload: Uint8Array[] = []
  let previous: BlockParts | undefined
  for (const block of parts.blocks ?? []) {
    pushBlockHeader(headers, block, previous)
    if (block.image !== undefined) payload.push(block.image.bytes)
    if (block.data !== undefined) payload.push(block.data)
    previous = block
  }
  if (parts.origin !== undefined && parts.origin !== 0) headers.push(253, ...le16(parts.origin))
  if (parts.topLevelXid !== undefined && parts.topLevelXid !== 0) headers.push(252, ...le32(parts.topLevelXid))
  const mainData = parts.mainData
  if (mainData !== undefined && mainData.length > 0) {
    if (mainData.length < 256) headers.push(255, mainData.length)
    else headers.push(254, ...le32(mainData.length))
    payload.push(mainData)
  }

  const payloadBytes = payload.reduce((sum, bytes) => sum + bytes.length, 0)
  const record = new Uint8Array(RecordHeader.size + headers.length + payloadBytes)
  record.set(headers, RecordHeader.size)
  let at = RecordHeader.size + headers.length
  for (const bytes of payload) {
    record.set(bytes, at)
    at += bytes.length
  }
  const view = new DataView(record.buffer)
  view.setUint32(0, record.length, true)
  view.setUint32(4, parts.xid ?? 0, true)
  Lsn.write(view, 8, parts.prevLsn)
  record[RecordHeader.infoOffset] = parts.info
  record[RecordHeader.rmidOffset] = parts.rmid
  writeRecordCrc(record)
  return record
}

/** Sets the CRC of a record from its other bytes. */
export function writeRecordCrc(record: Uint8Array): void {
  const running = crc32cUpdate(CRC32C_INIT, record, RecordHeader.size)
  const crc = crc32cFinish(crc32cUpdate(running, record, 0, RecordHeader.crcOffset))
  record.set(le32(crc), RecordHeader.crcOffset)
}

/**
 * Lays a record out in a stream that so far ends at `lsn`: at a page start a page header comes first, and wherever the
 * record crosses a page a continuation header stands between.
 */
export function placeRecord(record: Uint8Array, lsn: Lsn, identity: WalStreamIdentity): PlacedWal {
  const startLsn = recordStartAt(lsn)
  const isSwitch = record[RecordHeader.rmidOffset] === 0 && (record[RecordHeader.infoOffset]! & 0xf0) === 0x40
  const recordEnd = recordEndAt(startLsn, record.length)
  const endLsn = isSwitch ? segmentEnd(recordEnd) : recordEnd
  const bytes = new Uint8Array(endLsn - lsn)

  const firstPage = (startLsn - pageHeaderSizeAt(Lsn.align8(lsn))) as Lsn
  if (firstPage < startLsn) encodeWalPageHeader(bytes, firstPage - lsn, firstPage, identity)
  let done = 0
  let at: number = startLsn
  while (done < record.length) {
    if (at % WAL_PAGE_SIZE === 0) {
      at += encodeWalPageHeader(bytes, at - lsn, at as Lsn, identity, {
        info: WalPageInfo.firstIsContinuation,
        remainingLength: record.length - done,
      })
    }
    const take = Math.min(WAL_PAGE_SIZE - (at % WAL_PAGE_SIZE), record.length - done)
    bytes.set(record.subarray(done, done + take), at - lsn)
    done += take
    at += take
  }
  return { startLsn, endLsn, bytes }
}

/**
 * What has to stand in a segment file before `lsn` when the WAL of a timeline starts there: zeros, except for the long
 * header of the segment's first page and the short header of the page that `lsn` lies in. Empty at a segment start.
 */
export function encodeSegmentPrefix(lsn: Lsn, identity: WalStreamIdentity): Uint8Array {
  const start = segmentStart(lsn)
  const bytes = new Uint8Array(lsn - start)
  if (bytes.length === 0) return bytes
  assert(bytes.length % WAL_PAGE_SIZE === 0 || bytes.length % WAL_PAGE_SIZE >= 24, 'wal cannot start in a page header')
  encodeWalPageHeader(bytes, 0, start, identity)
  const page = (lsn - (lsn % WAL_PAGE_SIZE)) as Lsn
  if (page > start && page < lsn) encodeWalPageHeader(bytes, page - start, page, identity)
  return bytes
}

function pushBlockHeader(headers: number[], block: BlockParts, previous: BlockParts | undefined): void {
  const { data, image } = block
  assert(data === undefined || (data.length > 0 && data.length < 0x1_0000), 'block data has 1 to 65535 bytes')
  const sameRelation =
    previous !== undefined &&
    previous.spcOid === block.spcOid &&
    previous.dbOid === block.dbOid &&
    previous.relNumber === block.relNumber
  const flags =
    (block.fork ?? 0) |
    (image === undefined ? 0 : 0x10) |
    (data === undefined ? 0 : 0x20) |
    (block.willInit ? 0x40 : 0) |
    (sameRelation ? 0x80 : 0)
  headers.push(block.id, flags, ...le16(data?.length ?? 0))
  if (image !== undefined) {
    const holeLength = image.holeLength ?? 0
    headers.push(...le16(image.bytes.length), ...le16(image.holeOffset ?? 0), image.info)
    const compressed = (image.info & ImageInfo.compressed) !== 0
    assert(compressed || image.bytes.length + holeLength === PAGE_SIZE, 'a plain image and its hole make a page')
    if (compressed && (image.info & ImageInfo.hasHole) !== 0) headers.push(...le16(holeLength))
  }
  if (!sameRelation) headers.push(...le32(block.spcOid), ...le32(block.dbOid), ...le32(block.relNumber))
  headers.push(...le32(block.blockNumber))
}

function le16(value: number): [number, number] {
  return [value & 255, (value >>> 8) & 255]
}

function le32(value: number): [number, number, number, number] {
  return [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24]
}
