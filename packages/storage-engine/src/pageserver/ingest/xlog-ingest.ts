import type { Lsn } from '../../postgres/lsn.ts'
import type { DecodedRecord, WalRecord } from '../../wal/record.ts'
import { ingestBlocks } from './block-ingest.ts'
import { type ClusterState, FIRST_NORMAL_XID } from './cluster-state.ts'
import { MainData } from './main-data.ts'
import type { IngestContext } from './wal-ingest.ts'

/** src/include/catalog/pg_control.h, PG 18. */
const Type = {
  checkpointShutdown: 0x00,
  checkpointOnline: 0x10,
  noop: 0x20,
  nextOid: 0x30,
  switch: 0x40,
  backupEnd: 0x50,
  parameterChange: 0x60,
  restorePoint: 0x70,
  fpwChange: 0x80,
  endOfRecovery: 0x90,
  fpiForHint: 0xa0,
  fpi: 0xb0,
  overwriteContrecord: 0xd0,
  checkpointRedo: 0xe0,
} as const

/** False: not a record type of XLOG. */
export function ingestXlog(context: IngestContext, record: WalRecord, decoded: DecodedRecord): boolean {
  switch (decoded.opcode) {
    case Type.fpi:
    case Type.fpiForHint:
      ingestBlocks(context.writer, record, decoded)
      return true
    case Type.checkpointShutdown:
    case Type.checkpointOnline:
      takeCheckpoint(context, new MainData(decoded), record.endLsn, decoded.opcode === Type.checkpointShutdown)
      return true
    case Type.nextOid:
      context.state.nextOid = new MainData(decoded).u32()
      context.stateChanged()
      return true
    case Type.parameterChange:
      takeParameters(context.state, new MainData(decoded))
      context.stateChanged()
      return true
    case Type.endOfRecovery: {
      const data = new MainData(decoded)
      data.skip(16)
      context.state.walLevel = data.i32()
      context.stateChanged()
      return true
    }
    case Type.noop:
    case Type.switch:
    case Type.backupEnd:
    case Type.restorePoint:
    case Type.fpwChange:
    case Type.overwriteContrecord:
    case Type.checkpointRedo:
      return true
    default:
      return false
  }
}

/**
 * A shutdown checkpoint's counters are exact; those of an online one may be older than what later records have shown, so
 * they only move forward (xlog_redo, src/backend/access/transam/xlog.c, PG 18).
 */
function takeCheckpoint(context: IngestContext, data: MainData, endLsn: Lsn, isShutdown: boolean): void {
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
  const time = data.i64()
  data.skip(8)
  const oldestActiveXid = data.u32()

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
function takeParameters(state: ClusterState, data: MainData): void {
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
