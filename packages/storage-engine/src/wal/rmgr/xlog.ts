import { ByteReader } from '../../base/byte-reader.ts'
import { CHECKPOINT_SIZE, type Checkpoint, decodeCheckpoint } from '../../postgres/checkpoint.ts'
import { Lsn } from '../../postgres/lsn.ts'

/** XLOG records (src/include/catalog/pg_control.h, src/include/access/xlog_internal.h, PG 18). Opcode: info & 0xF0. */
export const XlogOpcode = {
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

/** Main data of CHECKPOINT_SHUTDOWN and CHECKPOINT_ONLINE. */
export function decodeCheckpointRecord(mainData: Uint8Array): Checkpoint {
  const reader = new ByteReader(mainData, 'checkpoint record')
  const bytes = reader.take(CHECKPOINT_SIZE)
  reader.end()
  return decodeCheckpoint(bytes)
}

export function decodeNextOid(mainData: Uint8Array): number {
  const reader = new ByteReader(mainData, 'next oid record')
  const nextOid = reader.u32()
  reader.end()
  return nextOid
}

/** xl_parameter_change. */
export interface ParameterChange {
  maxConnections: number
  maxWorkerProcesses: number
  maxWalSenders: number
  maxPreparedTransactions: number
  maxLocksPerTransaction: number
  walLevel: number
  walLogHints: boolean
  trackCommitTimestamp: boolean
}

export function decodeParameterChange(mainData: Uint8Array): ParameterChange {
  const reader = new ByteReader(mainData, 'parameter change record')
  const change: ParameterChange = {
    maxConnections: reader.i32(),
    maxWorkerProcesses: reader.i32(),
    maxWalSenders: reader.i32(),
    maxPreparedTransactions: reader.i32(),
    maxLocksPerTransaction: reader.i32(),
    walLevel: reader.i32(),
    walLogHints: reader.u8() !== 0,
    trackCommitTimestamp: reader.u8() !== 0,
  }
  reader.skip(2)
  reader.end()
  return change
}

export function decodeFpwChange(mainData: Uint8Array): boolean {
  const reader = new ByteReader(mainData, 'full-page-writes change record')
  const fullPageWrites = reader.u8() !== 0
  reader.end()
  return fullPageWrites
}

/** xl_restore_point: a name of 64 bytes, zero-padded. */
export function decodeRestorePoint(mainData: Uint8Array): { timeMicros: number; name: string } {
  const reader = new ByteReader(mainData, 'restore point record')
  const timeMicros = reader.i64Number()
  const name = new ByteReader(reader.take(64), 'restore point name').zeroTerminated()
  reader.end()
  return { timeMicros, name }
}

/** xl_end_of_recovery. */
export interface EndOfRecovery {
  timeMicros: number
  timeline: number
  previousTimeline: number
  walLevel: number
}

export function decodeEndOfRecovery(mainData: Uint8Array): EndOfRecovery {
  const reader = new ByteReader(mainData, 'end of recovery record')
  const timeMicros = reader.i64Number()
  const timeline = reader.u32()
  const previousTimeline = reader.u32()
  const walLevel = reader.i32()
  // The struct ends in padding to 8 bytes where sizeof is logged.
  if (reader.remaining === 4) reader.skip(4)
  reader.end()
  return { timeMicros, timeline, previousTimeline, walLevel }
}

/** xl_overwrite_contrecord. */
export function decodeOverwriteContrecord(mainData: Uint8Array): { overwrittenLsn: Lsn; timeMicros: number } {
  const reader = new ByteReader(mainData, 'overwrite contrecord record')
  const overwrittenLsn = Lsn.of(reader.u64Number())
  const timeMicros = reader.i64Number()
  reader.end()
  return { overwrittenLsn, timeMicros }
}
