import { ByteReader } from '../base/byte-reader.ts'
import { Lsn } from './lsn.ts'

/**
 * CheckPoint (src/include/catalog/pg_control.h, PG 18). Little-endian, 88 bytes; in pg_control and as the main data of
 * XLOG_CHECKPOINT_SHUTDOWN and _ONLINE records.
 *    0 u64 redo          8 u32 timeline        12 u32 previous timeline   16 u8 full_page_writes   20 i32 wal_level
 *   24 u64 next full xid 32 u32 next oid       36 u32 next multi          40 u32 next multi offset
 *   44 u32 oldest xid    48 u32 its database   52 u32 oldest multi        56 u32 its database
 *   64 i64 time (s)      72 u32 oldest, 76 u32 newest commit-ts xid       80 u32 oldest active xid
 */
export const CHECKPOINT_SIZE = 88

export interface Checkpoint {
  redoLsn: Lsn
  timeline: number
  previousTimeline: number
  fullPageWrites: boolean
  /** WalLevel below. */
  walLevel: number
  /** Next xid to hand out, epoch in the high half. */
  nextFullXid: number
  nextOid: number
  nextMultixact: number
  nextMultixactOffset: number
  oldestXid: number
  oldestXidDbOid: number
  oldestMultixact: number
  oldestMultixactDbOid: number
  unixSeconds: number
  oldestCommitTsXid: number
  newestCommitTsXid: number
  /** 0 in a shutdown checkpoint. */
  oldestActiveXid: number
}

export const WalLevel = { minimal: 0, replica: 1, logical: 2 } as const

/** Reads the first 88 bytes of `bytes`. */
export function decodeCheckpoint(bytes: Uint8Array): Checkpoint {
  const reader = new ByteReader(bytes, 'checkpoint')
  const redoLsn = Lsn.of(reader.u64Number())
  const timeline = reader.u32()
  const previousTimeline = reader.u32()
  const fullPageWrites = reader.u8() !== 0
  reader.skip(3)
  const walLevel = reader.i32()
  const nextFullXid = reader.u64Number()
  const nextOid = reader.u32()
  const nextMultixact = reader.u32()
  const nextMultixactOffset = reader.u32()
  const oldestXid = reader.u32()
  const oldestXidDbOid = reader.u32()
  const oldestMultixact = reader.u32()
  const oldestMultixactDbOid = reader.u32()
  reader.skip(4)
  const unixSeconds = reader.i64Number()
  const oldestCommitTsXid = reader.u32()
  const newestCommitTsXid = reader.u32()
  const oldestActiveXid = reader.u32()
  reader.skip(4)
  return {
    redoLsn,
    timeline,
    previousTimeline,
    fullPageWrites,
    walLevel,
    nextFullXid,
    nextOid,
    nextMultixact,
    nextMultixactOffset,
    oldestXid,
    oldestXidDbOid,
    oldestMultixact,
    oldestMultixactDbOid,
    unixSeconds,
    oldestCommitTsXid,
    newestCommitTsXid,
    oldestActiveXid,
  }
}

export function encodeCheckpoint(checkpoint: Checkpoint): Uint8Array {
  const bytes = new Uint8Array(CHECKPOINT_SIZE)
  const view = new DataView(bytes.buffer)
  Lsn.write(view, 0, checkpoint.redoLsn)
  view.setUint32(8, checkpoint.timeline, true)
  view.setUint32(12, checkpoint.previousTimeline, true)
  view.setUint8(16, checkpoint.fullPageWrites ? 1 : 0)
  view.setInt32(20, checkpoint.walLevel, true)
  view.setBigUint64(24, BigInt(checkpoint.nextFullXid), true)
  view.setUint32(32, checkpoint.nextOid, true)
  view.setUint32(36, checkpoint.nextMultixact, true)
  view.setUint32(40, checkpoint.nextMultixactOffset, true)
  view.setUint32(44, checkpoint.oldestXid, true)
  view.setUint32(48, checkpoint.oldestXidDbOid, true)
  view.setUint32(52, checkpoint.oldestMultixact, true)
  view.setUint32(56, checkpoint.oldestMultixactDbOid, true)
  view.setBigInt64(64, BigInt(checkpoint.unixSeconds), true)
  view.setUint32(72, checkpoint.oldestCommitTsXid, true)
  view.setUint32(76, checkpoint.newestCommitTsXid, true)
  view.setUint32(80, checkpoint.oldestActiveXid, true)
  return bytes
}
