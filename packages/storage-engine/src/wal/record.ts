import type { Lsn } from '../postgres/lsn.ts'

/**
 * One WAL record (XLogRecord, src/include/access/xlogrecord.h, PG 18), contiguous in memory.
 * `bytes` starts with the 24-byte header and is borrowed: valid until the reader that gave it is asked for the next one.
 */
export interface WalRecord {
  /** Position of the record header (after a page header, if one precedes it). */
  startLsn: Lsn
  /** EndRecPtr: end of the record rounded up to 8; for XLOG_SWITCH the start of the next segment. This is pd_lsn after redo. */
  endLsn: Lsn
  prevLsn: Lsn
  xid: number
  info: number
  rmid: number
  bytes: Uint8Array
}

/** One block reference of a decoded record. Byte arrays borrow from the record. */
export interface WalBlock {
  /** Id in the record, 0..32. */
  id: number
  spcOid: number
  dbOid: number
  relNumber: number
  fork: number
  blockNumber: number
  /** BKPBLOCK_WILL_INIT: redo initialises the page. */
  willInit: boolean
  /** Full-page image: present at all, and to be restored in redo (BKPIMAGE_APPLY) rather than for checking only. */
  hasImage: boolean
  applyImage: boolean
  imageInfo: number
  holeOffset: number
  holeLength: number
  /** Compressed or plain image bytes without the hole; length 0 when hasImage is false. */
  image: Uint8Array
  hasData: boolean
  data: Uint8Array
}

/**
 * The parts of a record (XLogReadRecord, DecodeXLogRecord in src/backend/access/transam/xlogreader.c, PG 18).
 * Reused by the decoder: valid until the next decode into the same object.
 */
export interface DecodedRecord {
  xid: number
  info: number
  rmid: number
  /** info & 0xF0, without the flag bits of the low nibble. */
  opcode: number
  blocks: WalBlock[]
  /** Blocks in use: `blocks` is a pool and may be longer. */
  blockCount: number
  mainData: Uint8Array
  topLevelXid: number
  origin: number
}
