import { CorruptionError, StorageError } from '../base/errors.ts'
import type { Disk } from '../io/disk.ts'
import { GLOBAL_TABLESPACE_OID, PAGE_SIZE, POSTGRES_EPOCH_UNIX_SECONDS } from '../postgres/constants.ts'
import { DatabaseState, decodeControlFile } from '../postgres/control-file.ts'
import type { Lsn } from '../postgres/lsn.ts'
import { parseDatabaseDirectory, parseRelationPath, segmentFirstBlock } from '../postgres/relation-path.ts'
import { encodePageImage } from '../redo/page-change.ts'
import { recordEndAt } from '../wal/segment.ts'
import { ChangeWriter } from './ingest/change-writer.ts'
import { type ClusterState, encodeClusterState } from './ingest/cluster-state.ts'
import { CommitJournalWriter } from './ingest/commit-journal.ts'
import { RecordJournalWriter } from './ingest/record-journal.ts'
import { RelationSizes } from './ingest/relation-sizes.ts'
import { SlruSegments } from './ingest/slru-segments.ts'
import { KeyKind, Slru } from './key.ts'
import type { TimelineStorage } from './timeline/timeline-storage.ts'

/** Bytes of a shutdown checkpoint record: header 24, data header 2, CheckPoint 88. */
const CHECKPOINT_RECORD_BYTES = 114
/** The part of pg_control that means something (sizeof(ControlFileData), PG 18). */
const CONTROL_FILE_BYTES = 296

const SLRU_DIRECTORIES: Readonly<Record<string, Slru>> = {
  pg_xact: Slru.xact,
  'pg_multixact/offsets': Slru.multixactOffsets,
  'pg_multixact/members': Slru.multixactMembers,
}

/** What initdb left behind, as far as it shapes a project. */
export interface InitialCluster {
  readonly systemIdentifier: bigint
  /** End of the shutdown checkpoint: WAL goes on from here. */
  readonly startLsn: Lsn
  readonly controlFile: Uint8Array
}

export async function readInitialCluster(disk: Disk, dataDirectory: string): Promise<InitialCluster> {
  const bytes = await readWhole(disk, `${dataDirectory}/global/pg_control`)
  const control = decodeControlFile(bytes)
  if (control.state !== DatabaseState.shutDown) {
    throw new StorageError('invalid-input', 'data directory was not shut down', { state: control.state })
  }
  return {
    systemIdentifier: control.systemIdentifier,
    startLsn: recordEndAt(control.checkpointLsn, CHECKPOINT_RECORD_BYTES),
    controlFile: bytes.slice(0, CONTROL_FILE_BYTES),
  }
}

/** Puts every page and counter of a data directory that was shut down into an empty timeline, as of its end of WAL. */
export async function importDataDirectory(disk: Disk, dataDirectory: string, storage: TimelineStorage): Promise<void> {
  const control = decodeControlFile(await readWhole(disk, `${dataDirectory}/global/pg_control`))
  const endLsn = recordEndAt(control.checkpointLsn, CHECKPOINT_RECORD_BYTES)
  const writer = new ChangeWriter(storage, new RelationSizes(), new SlruSegments())
  writer.beginRecord(endLsn)
  await importDatabases(disk, dataDirectory, writer)
  await importSlrus(disk, dataDirectory, writer)

  const { checkpoint } = control
  const state: ClusterState = {
    nextXidLow: checkpoint.nextFullXid % 2 ** 32,
    nextXidEpoch: Math.floor(checkpoint.nextFullXid / 2 ** 32),
    nextOid: checkpoint.nextOid,
    nextMulti: checkpoint.nextMultixact,
    nextMultiOffset: checkpoint.nextMultixactOffset,
    oldestXid: checkpoint.oldestXid,
    oldestXidDb: checkpoint.oldestXidDbOid,
    oldestMulti: checkpoint.oldestMultixact,
    oldestMultiDb: checkpoint.oldestMultixactDbOid,
    checkpointTime: checkpoint.unixSeconds,
    shutdownCheckpointEndLsn: endLsn,
    maxConnections: control.maxConnections,
    maxWorkerProcesses: control.maxWorkerProcesses,
    maxWalSenders: control.maxWalSenders,
    maxPreparedXacts: control.maxPreparedTransactions,
    maxLocksPerXact: control.maxLocksPerTransaction,
    walLevel: control.walLevel,
    walLogHints: control.walLogHints,
    trackCommitTimestamp: control.trackCommitTimestamp,
    oldestActiveXid: 0,
  }
  writer.single(KeyKind.clusterState, encodeClusterState(state))

  const records = new RecordJournalWriter()
  records.begin(state)
  records.addRecord(control.checkpointLsn, endLsn)
  writer.single(KeyKind.recordJournal, records.encode())
  // The checkpoint counts as the first commit, so that any time after it has an LSN.
  const commits = new CommitJournalWriter(Number.NEGATIVE_INFINITY)
  commits.begin()
  commits.addCommit(endLsn, (checkpoint.unixSeconds - POSTGRES_EPOCH_UNIX_SECONDS) * 1e6)
  writer.single(KeyKind.commitJournal, commits.encode())

  writer.endRecord()
  storage.advance(endLsn)
}

async function importDatabases(disk: Disk, dataDirectory: string, writer: ChangeWriter): Promise<void> {
  await importRelations(disk, dataDirectory, 'global', writer)
  for (const name of await disk.list(`${dataDirectory}/base`)) {
    const directory = `base/${name}`
    const database = parseDatabaseDirectory(directory)
    if (!database) continue
    writer.database(database.spcOid, database.dbOid)
    await importRelations(disk, dataDirectory, directory, writer)
  }
}

async function importRelations(
  disk: Disk,
  dataDirectory: string,
  directory: string,
  writer: ChangeWriter,
): Promise<void> {
  const database = parseDatabaseDirectory(directory)!
  const map = await readWhole(disk, `${dataDirectory}/${directory}/pg_filenode.map`)
  writer.relationMap(directory === 'global' ? GLOBAL_TABLESPACE_OID : database.spcOid, database.dbOid, map)
  const blockCounts = new Map<string, { relNumber: number; fork: number; blockCount: number }>()
  for (const name of await disk.list(`${dataDirectory}/${directory}`)) {
    const segment = parseRelationPath(`${directory}/${name}`)
    if (!segment) continue
    const { spcOid, dbOid, relNumber, fork } = segment
    const bytes = await readWhole(disk, `${dataDirectory}/${directory}/${name}`)
    const firstBlock = segmentFirstBlock(segment.segment)
    const pageCount = wholePages(bytes, name)
    for (let page = 0; page < pageCount; page++) {
      const image = encodePageImage(bytes.subarray(page * PAGE_SIZE, (page + 1) * PAGE_SIZE))
      writer.copiedBlock(spcOid, dbOid, relNumber, fork, firstBlock + page, image)
    }
    const blockCount = Math.max(blockCounts.get(`${relNumber}.${fork}`)?.blockCount ?? 0, firstBlock + pageCount)
    blockCounts.set(`${relNumber}.${fork}`, { relNumber, fork, blockCount })
  }
  for (const { relNumber, fork, blockCount } of blockCounts.values()) {
    writer.setForkSize(database.spcOid, database.dbOid, relNumber, fork, blockCount)
  }
}

async function importSlrus(disk: Disk, dataDirectory: string, writer: ChangeWriter): Promise<void> {
  for (const [directory, slru] of Object.entries(SLRU_DIRECTORIES)) {
    for (const name of await disk.list(`${dataDirectory}/${directory}`)) {
      if (!/^[0-9A-F]{4,6}$/.test(name)) continue
      const segment = Number.parseInt(name, 16)
      const bytes = await readWhole(disk, `${dataDirectory}/${directory}/${name}`)
      const pageCount = wholePages(bytes, name)
      const images: Uint8Array[] = []
      for (let page = 0; page < pageCount; page++) {
        images.push(encodePageImage(bytes.subarray(page * PAGE_SIZE, (page + 1) * PAGE_SIZE)))
      }
      writer.copiedSlruSegment(slru, segment, images)
    }
  }
}

function wholePages(bytes: Uint8Array, name: string): number {
  if (bytes.length % PAGE_SIZE !== 0)
    throw new CorruptionError('file is not whole pages', { name, bytes: bytes.length })
  return bytes.length / PAGE_SIZE
}

async function readWhole(disk: Disk, path: string): Promise<Uint8Array> {
  const bytes = await disk.readFile(path)
  if (!bytes) throw new StorageError('not-found', 'no such file in the data directory', { path })
  return bytes
}
