import { CorruptionError } from '../base/errors.ts'
import { type Checkpoint, encodeCheckpoint } from '../postgres/checkpoint.ts'
import { WAL_SEGMENT_SIZE, WAL_TIMELINE } from '../postgres/constants.ts'
import { type ControlFile, DatabaseState, decodeControlFile, encodeControlFile } from '../postgres/control-file.ts'
import { Lsn } from '../postgres/lsn.ts'
import type { BootBundleHeader } from '../protocol/boot-bundle.ts'
import { encodeRecord, encodeSegmentPrefix, type PlacedWal, placeRecord } from '../wal/record-encoder.ts'
import { recordStartAt, segmentStart } from '../wal/segment.ts'

/**
 * The first record of a compute's reign: XLOG_CHECKPOINT_SHUTDOWN at exactly the boot LSN, and a pg_control that names it.
 * Postgres then starts with no recovery at all (StartupXLOG, src/backend/access/transam/xlog.c, PG 18). The record goes
 * through the quorum like any other WAL, so the stream stays one unbroken chain with right prev-links.
 */
export interface SynthesizedCheckpoint {
  readonly record: PlacedWal
  /** global/pg_control, 8192 bytes. */
  readonly controlFile: Uint8Array
  /** Whole WAL segment files to start with. */
  readonly segments: readonly { readonly startLsn: Lsn; readonly bytes: Uint8Array }[]
}

/** FirstNormalUnloggedLSN. */
const UNLOGGED_LSN = Lsn.of(1000)

export function synthesizeCheckpoint(
  header: BootBundleHeader,
  options: { nowMs: number; term: number },
): SynthesizedCheckpoint {
  const lsn = Lsn.parse(header.lsn)
  const identity = { systemIdentifier: BigInt(header.systemIdentifier), timeline: WAL_TIMELINE }
  const checkpoint = checkpointOf(header, recordStartAt(lsn), Math.floor(options.nowMs / 1000), options.term)
  const mainData = encodeCheckpoint(checkpoint)
  const bytes = encodeRecord({ rmid: 0, info: 0, prevLsn: Lsn.parse(header.prevRecordLsn), mainData })
  const record = placeRecord(bytes, lsn, identity)
  return {
    record,
    controlFile: encodeControlFile(controlFileOf(header, checkpoint)),
    segments: splitIntoSegments(lsn, encodeSegmentPrefix(lsn, identity), record.bytes),
  }
}

function checkpointOf(header: BootBundleHeader, redoLsn: Lsn, unixSeconds: number, term: number): Checkpoint {
  const { checkpoint, parameters } = header
  return {
    redoLsn,
    timeline: WAL_TIMELINE,
    previousTimeline: WAL_TIMELINE,
    fullPageWrites: false,
    walLevel: parameters.walLevel,
    nextFullXid: Number(checkpoint.nextXid),
    nextOid: checkpoint.nextOid,
    nextMultixact: checkpoint.nextMulti,
    nextMultixactOffset: checkpoint.nextMultiOffset,
    oldestXid: checkpoint.oldestXid,
    oldestXidDbOid: checkpoint.oldestXidDb,
    oldestMultixact: checkpoint.oldestMulti,
    oldestMultixactDbOid: checkpoint.oldestMultiDb,
    unixSeconds,
    // Postgres clears it at start, because commit timestamps are off; in the WAL it tells whose reign begins.
    oldestCommitTsXid: term,
    newestCommitTsXid: 0,
    oldestActiveXid: 0,
  }
}

/** initdb's file with the identity kept and everything that names a position made new. */
function controlFileOf(header: BootBundleHeader, checkpoint: Checkpoint): ControlFile {
  const { parameters } = header
  const initial = decodeControlFile(Buffer.from(header.controlFile, 'base64'))
  if (initial.systemIdentifier !== BigInt(header.systemIdentifier)) {
    throw new CorruptionError('control file of the bundle is of another system', {
      expected: header.systemIdentifier,
      found: String(initial.systemIdentifier),
    })
  }
  return {
    ...initial,
    state: DatabaseState.shutDown,
    unixSeconds: checkpoint.unixSeconds,
    checkpointLsn: checkpoint.redoLsn,
    checkpoint,
    unloggedLsn: UNLOGGED_LSN,
    minRecoveryLsn: Lsn.zero,
    minRecoveryTimeline: 0,
    backupStartLsn: Lsn.zero,
    backupEndLsn: Lsn.zero,
    backupEndRequired: false,
    walLevel: parameters.walLevel,
    walLogHints: parameters.walLogHints,
    maxConnections: parameters.maxConnections,
    maxWorkerProcesses: parameters.maxWorkerProcesses,
    maxWalSenders: parameters.maxWalSenders,
    maxPreparedTransactions: parameters.maxPreparedXacts,
    maxLocksPerTransaction: parameters.maxLocksPerXact,
    trackCommitTimestamp: parameters.trackCommitTimestamp,
  }
}

/** The record may cross into the next segment. Files are written up to the record's end and made full length sparsely. */
function splitIntoSegments(lsn: Lsn, prefix: Uint8Array, record: Uint8Array): { startLsn: Lsn; bytes: Uint8Array }[] {
  const first = segmentStart(lsn)
  const stream = new Uint8Array(prefix.length + record.length)
  stream.set(prefix)
  stream.set(record, prefix.length)
  const segments: { startLsn: Lsn; bytes: Uint8Array }[] = []
  for (let at = 0; at < stream.length; at += WAL_SEGMENT_SIZE) {
    segments.push({ startLsn: Lsn.add(first, at), bytes: stream.subarray(at, at + WAL_SEGMENT_SIZE) })
  }
  return segments
}
