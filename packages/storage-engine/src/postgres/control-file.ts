import { ByteReader } from '../base/byte-reader.ts'
import { crc32c } from '../base/crc32c.ts'
import { CorruptionError, StorageError } from '../base/errors.ts'
import { CHECKPOINT_SIZE, type Checkpoint, decodeCheckpoint, encodeCheckpoint } from './checkpoint.ts'
import { PG_CONTROL_VERSION } from './constants.ts'
import { Lsn } from './lsn.ts'

/**
 * global/pg_control: ControlFileData (src/include/catalog/pg_control.h, PG 18), 296 bytes, zero-padded to 8192. Offsets are
 * in the two functions below. Decoding a server's file and encoding it again gives the same bytes.
 */
export const CONTROL_FILE_SIZE = 8192

const CRC_OFFSET = 292
const CHECKPOINT_OFFSET = 40
const NONCE_OFFSET = 257
const NONCE_SIZE = 32

/** DBState. */
export const DatabaseState = {
  startup: 0,
  shutDown: 1,
  shutDownInRecovery: 2,
  shuttingDown: 3,
  inCrashRecovery: 4,
  inArchiveRecovery: 5,
  inProduction: 6,
} as const

export interface ControlFile {
  systemIdentifier: bigint
  controlVersion: number
  catalogVersion: number
  /** DatabaseState. */
  state: number
  unixSeconds: number
  /** Start of the last checkpoint record. */
  checkpointLsn: Lsn
  checkpoint: Checkpoint
  unloggedLsn: Lsn
  minRecoveryLsn: Lsn
  minRecoveryTimeline: number
  backupStartLsn: Lsn
  backupEndLsn: Lsn
  backupEndRequired: boolean
  walLevel: number
  walLogHints: boolean
  maxConnections: number
  maxWorkerProcesses: number
  maxWalSenders: number
  maxPreparedTransactions: number
  maxLocksPerTransaction: number
  trackCommitTimestamp: boolean
  maxAlign: number
  floatFormat: number
  blockSize: number
  relationSegmentBlocks: number
  walBlockSize: number
  walSegmentSize: number
  nameDataLength: number
  indexMaxKeys: number
  toastMaxChunkSize: number
  largeObjectBlockSize: number
  float8ByValue: boolean
  /** 0: off. */
  dataChecksumVersion: number
  defaultCharSigned: boolean
  /** 32 bytes. */
  mockAuthenticationNonce: Uint8Array
}

/** Throws `unsupported` for another Postgres major version, CorruptionError when the CRC does not match. */
export function decodeControlFile(bytes: Uint8Array): ControlFile {
  const reader = new ByteReader(bytes, 'pg_control')
  const systemIdentifier = reader.u64()
  const controlVersion = reader.u32()
  if (controlVersion !== PG_CONTROL_VERSION) {
    throw new StorageError('unsupported', 'pg_control is of another postgres version', { controlVersion })
  }
  if (bytes.length < CRC_OFFSET + 4) throw new CorruptionError('pg_control is cut short', { length: bytes.length })
  reader.offset = CRC_OFFSET
  if (reader.u32() !== crc32c(bytes, 0, CRC_OFFSET)) throw new CorruptionError('pg_control has a wrong checksum')

  reader.offset = 12
  const catalogVersion = reader.u32()
  const state = reader.u32()
  reader.skip(4)
  const unixSeconds = reader.i64Number()
  const checkpointLsn = Lsn.of(reader.u64Number())
  const checkpoint = decodeCheckpoint(reader.take(CHECKPOINT_SIZE))
  const unloggedLsn = Lsn.of(reader.u64Number())
  const minRecoveryLsn = Lsn.of(reader.u64Number())
  const minRecoveryTimeline = reader.u32()
  reader.skip(4)
  const backupStartLsn = Lsn.of(reader.u64Number())
  const backupEndLsn = Lsn.of(reader.u64Number())
  const backupEndRequired = reader.u8() !== 0
  reader.offset = 172
  const walLevel = reader.i32()
  const walLogHints = reader.u8() !== 0
  reader.skip(3)
  const maxConnections = reader.i32()
  const maxWorkerProcesses = reader.i32()
  const maxWalSenders = reader.i32()
  const maxPreparedTransactions = reader.i32()
  const maxLocksPerTransaction = reader.i32()
  const trackCommitTimestamp = reader.u8() !== 0
  reader.skip(3)
  const maxAlign = reader.u32()
  const floatFormat = reader.f64()
  const blockSize = reader.u32()
  const relationSegmentBlocks = reader.u32()
  const walBlockSize = reader.u32()
  const walSegmentSize = reader.u32()
  const nameDataLength = reader.u32()
  const indexMaxKeys = reader.u32()
  const toastMaxChunkSize = reader.u32()
  const largeObjectBlockSize = reader.u32()
  const float8ByValue = reader.u8() !== 0
  reader.skip(3)
  const dataChecksumVersion = reader.u32()
  const defaultCharSigned = reader.u8() !== 0
  const mockAuthenticationNonce = reader.take(NONCE_SIZE).slice()
  return {
    systemIdentifier,
    controlVersion,
    catalogVersion,
    state,
    unixSeconds,
    checkpointLsn,
    checkpoint,
    unloggedLsn,
    minRecoveryLsn,
    minRecoveryTimeline,
    backupStartLsn,
    backupEndLsn,
    backupEndRequired,
    walLevel,
    walLogHints,
    maxConnections,
    maxWorkerProcesses,
    maxWalSenders,
    maxPreparedTransactions,
    maxLocksPerTransaction,
    trackCommitTimestamp,
    maxAlign,
    floatFormat,
    blockSize,
    relationSegmentBlocks,
    walBlockSize,
    walSegmentSize,
    nameDataLength,
    indexMaxKeys,
    toastMaxChunkSize,
    largeObjectBlockSize,
    float8ByValue,
    dataChecksumVersion,
    defaultCharSigned,
    mockAuthenticationNonce,
  }
}

/** The whole file of 8192 bytes, CRC included. */
export function encodeControlFile(control: ControlFile): Uint8Array {
  const bytes = new Uint8Array(CONTROL_FILE_SIZE)
  const view = new DataView(bytes.buffer)
  view.setBigUint64(0, control.systemIdentifier, true)
  view.setUint32(8, control.controlVersion, true)
  view.setUint32(12, control.catalogVersion, true)
  view.setUint32(16, control.state, true)
  view.setBigInt64(24, BigInt(control.unixSeconds), true)
  Lsn.write(view, 32, control.checkpointLsn)
  bytes.set(encodeCheckpoint(control.checkpoint), CHECKPOINT_OFFSET)
  Lsn.write(view, 128, control.unloggedLsn)
  Lsn.write(view, 136, control.minRecoveryLsn)
  view.setUint32(144, control.minRecoveryTimeline, true)
  Lsn.write(view, 152, control.backupStartLsn)
  Lsn.write(view, 160, control.backupEndLsn)
  view.setUint8(168, flag(control.backupEndRequired))
  view.setInt32(172, control.walLevel, true)
  view.setUint8(176, flag(control.walLogHints))
  view.setInt32(180, control.maxConnections, true)
  view.setInt32(184, control.maxWorkerProcesses, true)
  view.setInt32(188, control.maxWalSenders, true)
  view.setInt32(192, control.maxPreparedTransactions, true)
  view.setInt32(196, control.maxLocksPerTransaction, true)
  view.setUint8(200, flag(control.trackCommitTimestamp))
  view.setUint32(204, control.maxAlign, true)
  view.setFloat64(208, control.floatFormat, true)
  view.setUint32(216, control.blockSize, true)
  view.setUint32(220, control.relationSegmentBlocks, true)
  view.setUint32(224, control.walBlockSize, true)
  view.setUint32(228, control.walSegmentSize, true)
  view.setUint32(232, control.nameDataLength, true)
  view.setUint32(236, control.indexMaxKeys, true)
  view.setUint32(240, control.toastMaxChunkSize, true)
  view.setUint32(244, control.largeObjectBlockSize, true)
  view.setUint8(248, flag(control.float8ByValue))
  view.setUint32(252, control.dataChecksumVersion, true)
  view.setUint8(256, flag(control.defaultCharSigned))
  bytes.set(control.mockAuthenticationNonce.subarray(0, NONCE_SIZE), NONCE_OFFSET)
  view.setUint32(CRC_OFFSET, crc32c(bytes, 0, CRC_OFFSET), true)
  return bytes
}

function flag(value: boolean): number {
  return value ? 1 : 0
}
