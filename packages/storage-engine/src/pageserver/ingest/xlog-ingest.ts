import { ByteReader } from '../../base/byte-reader.ts'
import { POSTGRES_EPOCH_UNIX_SECONDS } from '../../postgres/constants.ts'
import type { Lsn } from '../../postgres/lsn.ts'
import type { DecodedRecord, WalRecord } from '../../wal/record.ts'
import { XlogOpcode } from '../../wal/rmgr/xlog.ts'
import { ingestBlocks } from './block-ingest.ts'
import { type ClusterState, FIRST_NORMAL_XID } from './cluster-state.ts'
import type { IngestContext } from './wal-ingest.ts'

/** False: not a record type of XLOG. */
export function ingestXlog(context: IngestContext, record: WalRecord, decoded: DecodedRecord): boolean {
  switch (decoded.opcode) {
    case XlogOpcode.fpi:
    case XlogOpcode.fpiForHint:
      ingestBlocks(context.writer, record, decoded)
      return true
    case XlogOpcode.checkpointShutdown:
    case XlogOpcode.checkpointOnline:
      takeCheckpoint(
        context,
        new ByteReader(decoded.mainData, 'wal record'),
        record.endLsn,
        decoded.opcode === XlogOpcode.checkpointShutdown,
      )
      return true
    case XlogOpcode.nextOid:
      context.state.nextOid = new ByteReader(decoded.mainData, 'wal record').u32()
      context.stateChanged()
      return true
    case XlogOpcode.parameterChange:
      takeParameters(context.state, new ByteReader(decoded.mainData, 'wal record'))
      context.stateChanged()
      return true
    case XlogOpcode.endOfRecovery: {
      const data = new ByteReader(decoded.mainData, 'wal record')
      data.skip(16)
      context.state.walLevel = data.i32()
      context.stateChanged()
      return true
    }
    case XlogOpcode.noop:
    case XlogOpcode.switch:
    case XlogOpcode.backupEnd:
    case XlogOpcode.restorePoint:
    case XlogOpcode.fpwChange:
    case XlogOpcode.overwriteContrecord:
    case XlogOpcode.checkpointRedo:
      return true
    default:
      return false
  }
}

/**
 * A shutdown checkpoint's counters are exact; those of an online one may be older than what later records have shown, so
 * they only move forward (xlog_redo, src/backend/access/transam/xlog.c, PG 18).
 */
function takeCheckpoint(context: IngestContext, data: ByteReader, endLsn: Lsn, isShutdown: boolean): void {
  const { state } = context
  data.skip(24)
  const nextXidLow = data.u32()
  data.skip(4)
  const nextOid = data.u32()
  const nextMulti = data.u32()
  const nextMultiOffset = data.u32()
  const oldestXid = data.u32()
  const oldestXidDb = data.u32()
  const oldestMulti = data.u32()
  const oldestMultiDb = data.u32()
  data.skip(4)
  const time = data.i64Number()
  // Commit timestamps are off: the first record of a compute's reign has its term there (compute/synth-checkpoint.ts).
  const term = isShutdown ? data.u32() : 0
  data.skip(isShutdown ? 4 : 8)
  const oldestActiveXid = data.u32()
  context.marks.checkpoint(endLsn, (time - POSTGRES_EPOCH_UNIX_SECONDS) * 1e6, isShutdown, term)

  context.sawXid(nextXidLow === FIRST_NORMAL_XID ? 0xffffffff : nextXidLow - 1)
  if (isShutdown || nextOid > state.nextOid) state.nextOid = nextOid
  if (isShutdown || isBefore(state.nextMulti, nextMulti)) state.nextMulti = nextMulti
  if (isShutdown || isBefore(state.nextMultiOffset, nextMultiOffset)) state.nextMultiOffset = nextMultiOffset
  if (isShutdown || isBefore(state.oldestXid, oldestXid)) {
    state.oldestXid = oldestXid
    state.oldestXidDb = oldestXidDb
  }
  if (isShutdown || isBefore(state.oldestMulti, oldestMulti)) {
    state.oldestMulti = oldestMulti
    state.oldestMultiDb = oldestMultiDb
  }
  // A shutdown checkpoint has no running transactions; prepared ones are found in their files.
  state.oldestActiveXid = isShutdown ? 0 : oldestActiveXid
  state.checkpointTime = time
  if (isShutdown) state.shutdownCheckpointEndLsn = endLsn
  context.stateChanged()
}

/** xl_parameter_change. */
function takeParameters(state: ClusterState, data: ByteReader): void {
  state.maxConnections = data.i32()
  state.maxWorkerProcesses = data.i32()
  state.maxWalSenders = data.i32()
  state.maxPreparedXacts = data.i32()
  state.maxLocksPerXact = data.i32()
  state.walLevel = data.i32()
  state.walLogHints = data.u8() === 1
  state.trackCommitTimestamp = data.u8() === 1
}

/** Counters compare modulo 2^32 (TransactionIdPrecedes, MultiXactIdPrecedes). */
export function isBefore(a: number, b: number): boolean {
  return ((a - b) | 0) < 0
}
