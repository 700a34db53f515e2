import { StorageError } from '../../base/errors.ts'
import { Lsn } from '../../postgres/lsn.ts'
import type { DecodedRecord, WalRecord } from '../../wal/record.ts'
import { createDecodedRecord, decodeRecord } from '../../wal/record-decoder.ts'
import { formatRecordType, formatRmgrName, RmgrId } from '../../wal/rmgr-table.ts'
import { WalStreamReader } from '../../wal/wal-stream-reader.ts'
import { decodeKey, encodeKey, KeyKind } from '../key.ts'
import { kindRange } from '../keyspace.ts'
import { decodeCount } from '../timeline/relation-size.ts'
import type { TimelineStorage } from '../timeline/timeline-storage.ts'
import { ingestBlocks, ingestVisibilityClears } from './block-ingest.ts'
import { ChangeWriter } from './change-writer.ts'
import { ingestClog } from './clog-ingest.ts'
import { advanceNextXid, type ClusterState, decodeClusterState, encodeClusterState } from './cluster-state.ts'
import { CommitJournalWriter, decodeCommitJournal } from './commit-journal.ts'
import { copyDatabase, ingestDatabase } from './database-ingest.ts'
import { ingestMultixact } from './multixact-ingest.ts'
import { EventMarkWriter } from './event-marks.ts'
import { findRecordBefore, RecordJournalWriter } from './record-journal.ts'
import { ingestRelationMap } from './relation-map-ingest.ts'
import { RelationSizes } from './relation-sizes.ts'
import { SlruSegments } from './slru-segments.ts'
import { ingestSmgr } from './smgr-ingest.ts'
import { ingestStandby } from './standby-ingest.ts'
import { ingestTransaction } from './transaction-ingest.ts'
import { ingestXlog } from './xlog-ingest.ts'

/** WAL bytes in stream order. Chunks may be cut anywhere and may repeat what was given before. */
export type IngestSource = AsyncIterable<{ readonly lsn: Lsn; readonly bytes: Uint8Array }>

/** What the handlers of single records work on. */
export interface IngestContext {
  readonly writer: ChangeWriter
  readonly state: ClusterState
  readonly commits: CommitJournalWriter
  readonly marks: EventMarkWriter
  /** nextXid passes `xid`. */
  sawXid(xid: number): void
  /** Some counter besides nextXid has changed. */
  stateChanged(): void
}

export interface WalIngestOptions {
  readonly storage: TimelineStorage
  readonly systemIdentifier: bigint
  /** Told after each batch, when its records can be read. */
  readonly onAdvance: (lsn: Lsn) => void
}

/**
 * Turns the WAL of one timeline into versions of keys, in batches:
 *
 *   chunk of WAL ──> records ──> handler of each resource manager ──> ChangeWriter ──> storage.put
 *                                        └─ ClusterState, journals ──> storage.put, storage.advance
 *
 * Which record changes what: README.md beside this file. A record it does not know ends it with `unsupported`; nothing of
 * that record or behind it is visible then.
 */
export class WalIngest {
  readonly #storage: TimelineStorage
  readonly #onAdvance: (lsn: Lsn) => void
  readonly #reader: WalStreamReader
  readonly #writer: ChangeWriter
  readonly #state: ClusterState
  readonly #records = new RecordJournalWriter()
  readonly #commits: CommitJournalWriter
  readonly #marks = new EventMarkWriter()
  readonly #context: IngestContext
  readonly #decoded = createDecodedRecord()
  #stateChanged = false

  /** Loads counters and sizes as of the last record. */
  static async open(options: WalIngestOptions): Promise<WalIngest> {
    const { storage, systemIdentifier } = options
    const tipLsn = storage.lastRecordLsn
    const [stateChain] = await storage.collect(encodeKey({ kind: KeyKind.clusterState }), 1, tipLsn)
    const stateBytes = stateChain?.values[0]
    if (!stateBytes) {
      throw new StorageError('not-found', 'timeline has no cluster state', { timelineId: storage.timelineId })
    }
    const state = decodeClusterState(stateBytes)
    const [journalChain] = await storage.collect(encodeKey({ kind: KeyKind.recordJournal }), 1, tipLsn)
    const last = journalChain?.values[0] && findRecordBefore(journalChain.values[0], tipLsn)
    if (!last) {
      throw new StorageError('not-found', 'timeline has no record journal', { timelineId: storage.timelineId })
    }
    state.nextXidLow = last.nextXidLow
    state.nextXidEpoch = last.nextXidEpoch
    const [commitChain] = await storage.collect(encodeKey({ kind: KeyKind.commitJournal }), 1, tipLsn)
    const commits = commitChain?.values[0] ? decodeCommitJournal(commitChain.values[0]) : []
    const lastCommit = commits.findLast((commit) => commit.endLsn <= tipLsn)

    const sizes = new RelationSizes()
    const sizeRange = kindRange(KeyKind.relationSize)
    for (const { key, value } of await storage.scan(sizeRange.start, sizeRange.end, tipLsn)) {
      sizes.load(decodeKey(key), decodeCount(value))
    }
    const segments = new SlruSegments()
    const segmentRange = kindRange(KeyKind.slruSegment)
    for (const { key, value } of await storage.scan(segmentRange.start, segmentRange.end, tipLsn)) {
      segments.load(decodeKey(key), decodeCount(value))
    }
    const reader = new WalStreamReader({ startLsn: tipLsn, systemIdentifier, prevLsn: last.startLsn })
    const writer = new ChangeWriter(storage, sizes, segments)
    return new WalIngest(
      options,
      reader,
      writer,
      state,
      new CommitJournalWriter(lastCommit?.timeMax ?? Number.NEGATIVE_INFINITY, lastCommit?.number ?? 0),
    )
  }

  private constructor(
    options: WalIngestOptions,
    reader: WalStreamReader,
    writer: ChangeWriter,
    state: ClusterState,
    commits: CommitJournalWriter,
  ) {
    this.#storage = options.storage
    this.#onAdvance = options.onAdvance
    this.#reader = reader
    this.#writer = writer
    this.#state = state
    this.#commits = commits
    this.#context = {
      writer,
      state,
      commits,
      marks: this.#marks,
      sawXid: (xid) => this.#sawXid(xid),
      stateChanged: () => {
        this.#stateChanged = true
      },
    }
    this.#beginBatch()
  }

  totalBlocks(): number {
    return this.#writer.sizes.totalBlocks()
  }

  /** Ingests until the source ends. Each chunk is one batch: readers see it whole. */
  async run(source: IngestSource): Promise<void> {
    for await (const chunk of source) {
      await this.#storage.ready()
      await this.ingestChunk(chunk.lsn, chunk.bytes)
    }
  }

  /**
   * Applies every record that is complete with this chunk, and makes it visible. When one cannot be applied, those before
   * it still are, and nothing of it is: then this ingest is of no more use.
   */
  async ingestChunk(lsn: Lsn, bytes: Uint8Array): Promise<void> {
    this.#reader.push(lsn, bytes)
    try {
      for (let record = this.#reader.next(); record; record = this.#reader.next()) {
        const decoded = decodeRecord(record.bytes, this.#decoded, record.startLsn)
        if (isFileCopy(decoded)) await this.#copyDatabase(record, decoded)
        else this.#ingestRecord(record, decoded)
      }
    } finally {
      this.#commitBatch()
    }
  }

  #ingestRecord(record: WalRecord, decoded: DecodedRecord): void {
    this.#beginRecord(record)
    this.#marks.saw(record, decoded)
    if (!this.#dispatch(record, decoded)) throw unknownRecord(record)
    this.#endRecord(record)
  }

  /** Reads the source database at the end of the record before: all of that must be visible. */
  async #copyDatabase(record: WalRecord, decoded: DecodedRecord): Promise<void> {
    this.#commitBatch()
    this.#beginRecord(record)
    this.#marks.saw(record, decoded)
    await copyDatabase(this.#context, this.#storage, decoded)
    this.#endRecord(record)
  }

  #beginBatch(): void {
    this.#records.begin(this.#state)
    this.#commits.begin()
    this.#marks.begin()
  }

  #commitBatch(): void {
    if (this.#records.recordCount === 0) return
    this.#writer.single(KeyKind.recordJournal, this.#records.encode(), this.#records.firstEndLsn)
    if (this.#commits.count > 0) {
      this.#writer.single(KeyKind.commitJournal, this.#commits.encode(), this.#commits.firstEndLsn)
    }
    if (this.#marks.count > 0) this.#writer.single(KeyKind.eventJournal, this.#marks.encode(), this.#marks.firstLsn)
    const lsn = this.#records.lastEndLsn
    this.#beginBatch()
    this.#storage.advance(lsn)
    this.#onAdvance(lsn)
  }

  #beginRecord(record: WalRecord): void {
    this.#writer.beginRecord(record.endLsn)
    if (record.xid !== 0) this.#sawXid(record.xid)
  }

  #endRecord(record: WalRecord): void {
    this.#writer.endRecord()
    this.#records.addRecord(record.startLsn, record.endLsn)
    if (!this.#stateChanged) return
    this.#stateChanged = false
    this.#writer.single(KeyKind.clusterState, encodeClusterState(this.#state))
  }

  #sawXid(xid: number): void {
    const step = advanceNextXid(this.#state, xid)
    if (step > 0) this.#records.addXidAdvance(step)
  }

  /** False: a record of a kind that is not known. */
  #dispatch(record: WalRecord, decoded: DecodedRecord): boolean {
    const context = this.#context
    switch (decoded.rmid) {
      case RmgrId.heap:
      case RmgrId.heap2:
        ingestBlocks(this.#writer, record, decoded)
        ingestVisibilityClears(this.#writer, decoded)
        return true
      case RmgrId.btree:
      case RmgrId.sequence:
      case RmgrId.hash:
      case RmgrId.gin:
      case RmgrId.gist:
      case RmgrId.spgist:
      case RmgrId.brin:
      case RmgrId.generic:
        ingestBlocks(this.#writer, record, decoded)
        return true
      case RmgrId.xact:
        return ingestTransaction(context, record, decoded)
      case RmgrId.xlog:
        return ingestXlog(context, record, decoded)
      case RmgrId.smgr:
        return ingestSmgr(context, decoded)
      case RmgrId.clog:
        return ingestClog(context, decoded)
      case RmgrId.multixact:
        return ingestMultixact(context, decoded)
      case RmgrId.database:
        return ingestDatabase(context, decoded)
      case RmgrId.relmap:
        return ingestRelationMap(context, decoded)
      case RmgrId.standby:
        return ingestStandby(context, decoded)
      case RmgrId.tablespace:
      case RmgrId.replicationOrigin:
      case RmgrId.logicalMessage:
        // Not kept: user tablespaces and origins are not served, messages are for logical decoding.
        return true
      default:
        return false
    }
  }
}

function isFileCopy(decoded: DecodedRecord): boolean {
  return decoded.rmid === RmgrId.database && decoded.opcode === 0x00
}

function unknownRecord(record: WalRecord): StorageError {
  return new StorageError('unsupported', 'wal record of a kind that ingest does not know', {
    lsn: Lsn.format(record.startLsn),
    rmgr: formatRmgrName(record.rmid),
    type: formatRecordType(record.rmid, record.info),
  })
}
