import { CorruptionError } from '../../base/errors.ts'
import { Lsn } from '../../postgres/lsn.ts'

/**
 * The counters that a checkpoint record carries, as of one LSN, and the settings that pg_control repeats; kept from WAL
 * alone (CheckPoint and ControlFileData, src/include/catalog/pg_control.h, PG 18). Stored as one value whenever anything
 * but nextXid changes; nextXid is exact through the record journal. Little-endian, 96 bytes:
 *
 *   0 u8 version | 1 u8 wal_log_hints | 2 u8 track_commit_timestamp | 3 pad
 *   4 u32 nextXid low | 8 u32 nextXid epoch | 12 u32 nextOid | 16 u32 nextMulti | 20 u32 nextMultiOffset
 *   24 u32 oldestXid | 28 u32 oldestXidDb | 32 u32 oldestMulti | 36 u32 oldestMultiDb | 40 f64 checkpoint time, Unix s
 *   48 u64 end LSN of the last shutdown checkpoint | 56 i32 max_connections | 60 i32 max_worker_processes
 *   64 i32 max_wal_senders | 68 i32 max_prepared_xacts | 72 i32 max_locks_per_xact | 76 i32 wal_level
 *   80 u32 oldestActiveXid | 84 .. 95 zero
 */
export interface ClusterState {
  nextXidLow: number
  nextXidEpoch: number
  nextOid: number
  nextMulti: number
  nextMultiOffset: number
  oldestXid: number
  oldestXidDb: number
  oldestMulti: number
  oldestMultiDb: number
  checkpointTime: number
  shutdownCheckpointEndLsn: Lsn
  maxConnections: number
  maxWorkerProcesses: number
  maxWalSenders: number
  maxPreparedXacts: number
  maxLocksPerXact: number
  walLevel: number
  walLogHints: boolean
  trackCommitTimestamp: boolean
  oldestActiveXid: number
}

export const CLUSTER_STATE_BYTES = 96
const VERSION = 1
/** FirstNormalTransactionId (src/include/access/transam.h). */
export const FIRST_NORMAL_XID = 3

export function encodeClusterState(state: ClusterState): Uint8Array {
  const bytes = new Uint8Array(CLUSTER_STATE_BYTES)
  const view = new DataView(bytes.buffer)
  bytes[0] = VERSION
  bytes[1] = state.walLogHints ? 1 : 0
  bytes[2] = state.trackCommitTimestamp ? 1 : 0
  view.setUint32(4, state.nextXidLow, true)
  view.setUint32(8, state.nextXidEpoch, true)
  view.setUint32(12, state.nextOid, true)
  view.setUint32(16, state.nextMulti, true)
  view.setUint32(20, state.nextMultiOffset, true)
  view.setUint32(24, state.oldestXid, true)
  view.setUint32(28, state.oldestXidDb, true)
  view.setUint32(32, state.oldestMulti, true)
  view.setUint32(36, state.oldestMultiDb, true)
  view.setFloat64(40, state.checkpointTime, true)
  Lsn.write(view, 48, state.shutdownCheckpointEndLsn)
  view.setInt32(56, state.maxConnections, true)
  view.setInt32(60, state.maxWorkerProcesses, true)
  view.setInt32(64, state.maxWalSenders, true)
  view.setInt32(68, state.maxPreparedXacts, true)
  view.setInt32(72, state.maxLocksPerXact, true)
  view.setInt32(76, state.walLevel, true)
  view.setUint32(80, state.oldestActiveXid, true)
  return bytes
}

export function decodeClusterState(bytes: Uint8Array): ClusterState {
  if (bytes.length !== CLUSTER_STATE_BYTES || bytes[0] !== VERSION) {
    throw new CorruptionError('not a cluster state', { bytes: bytes.length, version: bytes[0] })
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return {
    walLogHints: bytes[1] === 1,
    trackCommitTimestamp: bytes[2] === 1,
    nextXidLow: view.getUint32(4, true),
    nextXidEpoch: view.getUint32(8, true),
    nextOid: view.getUint32(12, true),
    nextMulti: view.getUint32(16, true),
    nextMultiOffset: view.getUint32(20, true),
    oldestXid: view.getUint32(24, true),
    oldestXidDb: view.getUint32(28, true),
    oldestMulti: view.getUint32(32, true),
    oldestMultiDb: view.getUint32(36, true),
    checkpointTime: view.getFloat64(40, true),
    shutdownCheckpointEndLsn: Lsn.read(view, 48),
    maxConnections: view.getInt32(56, true),
    maxWorkerProcesses: view.getInt32(60, true),
    maxWalSenders: view.getInt32(64, true),
    maxPreparedXacts: view.getInt32(68, true),
    maxLocksPerXact: view.getInt32(72, true),
    walLevel: view.getInt32(76, true),
    oldestActiveXid: view.getUint32(80, true),
  }
}

/**
 * Makes nextXid greater than `xid`, carrying the epoch. Returns by how much it moved. Xids compare modulo 2^32
 * (AdvanceNextFullTransactionIdPastXid, src/backend/access/transam/varsup.c, PG 18).
 */
export function advanceNextXid(state: ClusterState, xid: number): number {
  if (xid < FIRST_NORMAL_XID) return 0
  const ahead = (xid - state.nextXidLow) | 0
  if (ahead < 0) return 0
  const step = ahead + 1
  addToNextXid(state, step)
  // After a wraparound the special xids are skipped.
  if (state.nextXidLow >= FIRST_NORMAL_XID) return step
  const skipped = FIRST_NORMAL_XID - state.nextXidLow
  addToNextXid(state, skipped)
  return step + skipped
}

export function addToNextXid(state: { nextXidLow: number; nextXidEpoch: number }, step: number): void {
  const low = state.nextXidLow + step
  if (low > 0xffffffff) state.nextXidEpoch++
  state.nextXidLow = low >>> 0
}

/** The epoch of an xid that is at most nextXid: one that looks greater belongs to the epoch before. */
export function epochOfXid(state: ClusterState, xid: number): number {
  return xid > state.nextXidLow ? state.nextXidEpoch - 1 : state.nextXidEpoch
}

export function sameCountersButXid(a: ClusterState, b: ClusterState): boolean {
  return Object.keys(a).every((name) => {
    const field = name as keyof ClusterState
    return field === 'nextXidLow' || field === 'nextXidEpoch' || a[field] === b[field]
  })
}
