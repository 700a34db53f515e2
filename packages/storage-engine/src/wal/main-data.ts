import { decodeTwoPhaseState, type TwoPhaseState } from '../postgres/two-phase.ts'
import type { Checkpoint } from '../postgres/checkpoint.ts'
import type { RelationFork } from '../postgres/relation.ts'
import type { DecodedRecord } from './record.ts'
import { ClogOpcode, type ClogTruncate, decodeClogTruncate, decodeClogZeroPage } from './rmgr/clog.ts'
import { CommitTsOpcode, decodeCommitTsTruncate, decodeCommitTsZeroPage } from './rmgr/commit-ts.ts'
import {
  type DatabaseDrop,
  type DatabaseFileCopy,
  DatabaseOpcode,
  decodeDatabaseDrop,
  decodeDatabaseFileCopy,
  decodeDatabaseWalLog,
} from './rmgr/database.ts'
import {
  decodeMultixactCreate,
  decodeMultixactTruncate,
  decodeMultixactZeroPage,
  type MultixactCreate,
  MultixactOpcode,
  type MultixactTruncate,
} from './rmgr/multixact.ts'
import { decodeRelmapUpdate, RelmapOpcode, type RelmapUpdate } from './rmgr/relmap.ts'
import {
  decodeReplicationOriginDrop,
  decodeReplicationOriginSet,
  ReplicationOriginOpcode,
} from './rmgr/replication-origin.ts'
import { decodeSequenceLog, type SequenceLog, SequenceOpcode } from './rmgr/sequence.ts'
import { decodeSmgrCreate, decodeSmgrTruncate, SmgrOpcode, type SmgrTruncate } from './rmgr/smgr.ts'
import { decodeRunningXacts, type RunningXacts, StandbyOpcode } from './rmgr/standby.ts'
import { decodeTablespaceCreate, decodeTablespaceDrop, TablespaceOpcode } from './rmgr/tablespace.ts'
import {
  decodeXactAssignment,
  decodeXactEnd,
  type XactAssignment,
  type XactEnd,
  XactOpcode,
  xactOpcode,
} from './rmgr/xact.ts'
import {
  decodeCheckpointRecord,
  decodeEndOfRecovery,
  decodeFpwChange,
  decodeNextOid,
  decodeOverwriteContrecord,
  decodeParameterChange,
  decodeRestorePoint,
  type EndOfRecovery,
  type ParameterChange,
  XlogOpcode,
} from './rmgr/xlog.ts'
import { RmgrId } from './rmgr-table.ts'

/**
 * The main data of a record by kind, for tools and tests that look at any record. Ingest calls the decoders of wal/rmgr/
 * directly. `other`: the record says nothing that storage needs beyond its blocks.
 */
export type MainData =
  | { kind: 'checkpoint'; checkpoint: Checkpoint; shutdown: boolean }
  | { kind: 'next-oid'; nextOid: number }
  | { kind: 'parameter-change'; change: ParameterChange }
  | { kind: 'fpw-change'; fullPageWrites: boolean }
  | { kind: 'restore-point'; name: string; timeMicros: number }
  | { kind: 'end-of-recovery'; end: EndOfRecovery }
  | { kind: 'overwrite-contrecord'; overwrittenLsn: number }
  | { kind: 'xact-end'; end: XactEnd; committed: boolean; prepared: boolean }
  | { kind: 'prepare'; state: TwoPhaseState }
  | { kind: 'xact-assignment'; assignment: XactAssignment }
  | { kind: 'smgr-create'; relation: RelationFork }
  | { kind: 'smgr-truncate'; truncate: SmgrTruncate }
  | { kind: 'slru-zero-page'; slru: 'clog' | 'multixact-offsets' | 'multixact-members' | 'commit-ts'; page: number }
  | { kind: 'clog-truncate'; truncate: ClogTruncate }
  | { kind: 'commit-ts-truncate'; page: number; oldestXid: number }
  | { kind: 'multixact-create'; create: MultixactCreate }
  | { kind: 'multixact-truncate'; truncate: MultixactTruncate }
  | { kind: 'database-file-copy'; copy: DatabaseFileCopy }
  | { kind: 'database-wal-log'; dbOid: number; spcOid: number }
  | { kind: 'database-drop'; drop: DatabaseDrop }
  | { kind: 'tablespace-create'; spcOid: number; path: string }
  | { kind: 'tablespace-drop'; spcOid: number }
  | { kind: 'relmap-update'; update: RelmapUpdate }
  | { kind: 'running-xacts'; running: RunningXacts }
  | { kind: 'sequence'; log: SequenceLog }
  | { kind: 'replication-origin-set'; nodeId: number; remoteLsn: number }
  | { kind: 'replication-origin-drop'; nodeId: number }
  | { kind: 'other' }

const OTHER: MainData = { kind: 'other' }

/** Throws CorruptionError unless the decoder of the record's type accounts for every byte. */
export function decodeMainData(record: DecodedRecord): MainData {
  const { mainData, opcode } = record
  switch (record.rmid) {
    case RmgrId.xlog:
      return decodeXlog(mainData, opcode)
    case RmgrId.xact:
      return decodeXact(mainData, record.info)
    case RmgrId.smgr:
      if (opcode === SmgrOpcode.create) return { kind: 'smgr-create', relation: decodeSmgrCreate(mainData) }
      if (opcode === SmgrOpcode.truncate) return { kind: 'smgr-truncate', truncate: decodeSmgrTruncate(mainData) }
      return OTHER
    case RmgrId.clog:
      if (opcode === ClogOpcode.zeroPage)
        return { kind: 'slru-zero-page', slru: 'clog', page: decodeClogZeroPage(mainData) }
      if (opcode === ClogOpcode.truncate) return { kind: 'clog-truncate', truncate: decodeClogTruncate(mainData) }
      return OTHER
    case RmgrId.commitTs:
      if (opcode === CommitTsOpcode.zeroPage) {
        return { kind: 'slru-zero-page', slru: 'commit-ts', page: decodeCommitTsZeroPage(mainData) }
      }
      if (opcode === CommitTsOpcode.truncate) return { kind: 'commit-ts-truncate', ...decodeCommitTsTruncate(mainData) }
      return OTHER
    case RmgrId.multixact:
      return decodeMultixact(mainData, opcode)
    case RmgrId.database:
      if (opcode === DatabaseOpcode.createFileCopy) {
        return { kind: 'database-file-copy', copy: decodeDatabaseFileCopy(mainData) }
      }
      if (opcode === DatabaseOpcode.createWalLog) return { kind: 'database-wal-log', ...decodeDatabaseWalLog(mainData) }
      if (opcode === DatabaseOpcode.drop) return { kind: 'database-drop', drop: decodeDatabaseDrop(mainData) }
      return OTHER
    case RmgrId.tablespace:
      if (opcode === TablespaceOpcode.create) return { kind: 'tablespace-create', ...decodeTablespaceCreate(mainData) }
      if (opcode === TablespaceOpcode.drop) return { kind: 'tablespace-drop', spcOid: decodeTablespaceDrop(mainData) }
      return OTHER
    case RmgrId.relmap:
      return opcode === RelmapOpcode.update ? { kind: 'relmap-update', update: decodeRelmapUpdate(mainData) } : OTHER
    case RmgrId.standby:
      return opcode === StandbyOpcode.runningXacts
        ? { kind: 'running-xacts', running: decodeRunningXacts(mainData) }
        : OTHER
    case RmgrId.sequence:
      return opcode === SequenceOpcode.log ? { kind: 'sequence', log: decodeSequenceLog(mainData) } : OTHER
    case RmgrId.replicationOrigin:
      if (opcode === ReplicationOriginOpcode.set) {
        return { kind: 'replication-origin-set', ...decodeReplicationOriginSet(mainData) }
      }
      if (opcode === ReplicationOriginOpcode.drop) {
        return { kind: 'replication-origin-drop', nodeId: decodeReplicationOriginDrop(mainData) }
      }
      return OTHER
    default:
      return OTHER
  }
}

function decodeXlog(mainData: Uint8Array, opcode: number): MainData {
  switch (opcode) {
    case XlogOpcode.checkpointShutdown:
    case XlogOpcode.checkpointOnline:
      return {
        kind: 'checkpoint',
        checkpoint: decodeCheckpointRecord(mainData),
        shutdown: opcode === XlogOpcode.checkpointShutdown,
      }
    case XlogOpcode.nextOid:
      return { kind: 'next-oid', nextOid: decodeNextOid(mainData) }
    case XlogOpcode.parameterChange:
      return { kind: 'parameter-change', change: decodeParameterChange(mainData) }
    case XlogOpcode.fpwChange:
      return { kind: 'fpw-change', fullPageWrites: decodeFpwChange(mainData) }
    case XlogOpcode.restorePoint:
      return { kind: 'restore-point', ...decodeRestorePoint(mainData) }
    case XlogOpcode.endOfRecovery:
      return { kind: 'end-of-recovery', end: decodeEndOfRecovery(mainData) }
    case XlogOpcode.overwriteContrecord:
      return { kind: 'overwrite-contrecord', overwrittenLsn: decodeOverwriteContrecord(mainData).overwrittenLsn }
    default:
      return OTHER
  }
}

function decodeXact(mainData: Uint8Array, info: number): MainData {
  const opcode = xactOpcode(info)
  switch (opcode) {
    case XactOpcode.commit:
    case XactOpcode.abort:
    case XactOpcode.commitPrepared:
    case XactOpcode.abortPrepared:
      return {
        kind: 'xact-end',
        end: decodeXactEnd(mainData, info),
        committed: opcode === XactOpcode.commit || opcode === XactOpcode.commitPrepared,
        prepared: opcode === XactOpcode.commitPrepared || opcode === XactOpcode.abortPrepared,
      }
    case XactOpcode.prepare:
      return { kind: 'prepare', state: decodeTwoPhaseState(mainData) }
    case XactOpcode.assignment:
      return { kind: 'xact-assignment', assignment: decodeXactAssignment(mainData) }
    default:
      return OTHER
  }
}

function decodeMultixact(mainData: Uint8Array, opcode: number): MainData {
  switch (opcode) {
    case MultixactOpcode.zeroOffsetsPage:
      return { kind: 'slru-zero-page', slru: 'multixact-offsets', page: decodeMultixactZeroPage(mainData) }
    case MultixactOpcode.zeroMembersPage:
      return { kind: 'slru-zero-page', slru: 'multixact-members', page: decodeMultixactZeroPage(mainData) }
    case MultixactOpcode.createId:
      return { kind: 'multixact-create', create: decodeMultixactCreate(mainData) }
    case MultixactOpcode.truncateId:
      return { kind: 'multixact-truncate', truncate: decodeMultixactTruncate(mainData) }
    default:
      return OTHER
  }
}
