import { ChangeWriter } from '../src/pageserver/ingest/change-writer.ts'
import { encodeClusterState } from '../src/pageserver/ingest/cluster-state.ts'
import { CommitJournalWriter } from '../src/pageserver/ingest/commit-journal.ts'
import { YOUNG_CLUSTER } from '../src/pageserver/ingest/ingest-harness.ts'
import { RecordJournalWriter } from '../src/pageserver/ingest/record-journal.ts'
import { RelationSizes } from '../src/pageserver/ingest/relation-sizes.ts'
import { SlruSegments } from '../src/pageserver/ingest/slru-segments.ts'
import { WalIngest } from '../src/pageserver/ingest/wal-ingest.ts'
import { decodeKey, KEY_BYTES, KeyKind, KeyScratch, Slru } from '../src/pageserver/key.ts'
import { kindRange } from '../src/pageserver/keyspace.ts'
import { rebuildPage } from '../src/pageserver/rebuild-page.ts'
import { MemoryTimelineStorage } from '../src/pageserver/timeline/memory-timeline-storage.ts'
import { decodeCount } from '../src/pageserver/timeline/relation-size.ts'
import type { TimelineStorage } from '../src/pageserver/timeline/timeline-storage.ts'
import { POSTGRES_EPOCH_UNIX_SECONDS } from '../src/postgres/constants.ts'
import type { TimelineId } from '../src/postgres/ids.ts'
import { Lsn } from '../src/postgres/lsn.ts'
import { Fork } from '../src/postgres/relation.ts'
import { encodePageImage, encodeZeroPage } from '../src/redo/page-change.ts'
import { EPOCH_MS } from './sim-node.ts'

/** Time zero of the log, in microseconds since 2000: what a restore window is measured against. */
export const SEED_TIME_MICROS = (EPOCH_MS / 1000 - POSTGRES_EPOCH_UNIX_SECONDS) * 1e6
export const SPC = 1663
export const DB = 5
/** Made as a copy of the other, again and again. */
export const COPIED_DB = 6
export const RELATIONS: readonly number[] = [16384, 16385, 16386]
export const FIRST_XID = YOUNG_CLUSTER.nextXidLow

/** What a timeline holds before its first record: a visibility map for each relation, an empty clog, counters, journals. */
export function seedTimeline(storage: TimelineStorage, startLsn: Lsn, timeMicros: number): void {
  const writer = new ChangeWriter(storage, new RelationSizes(), new SlruSegments())
  writer.beginRecord(startLsn)
  const allVisible = encodePageImage(new Uint8Array(8192).fill(255))
  writer.database(SPC, DB)
  for (const relNumber of RELATIONS) {
    writer.setForkSize(SPC, DB, relNumber, Fork.main, 0)
    writer.copiedBlock(SPC, DB, relNumber, Fork.vm, 0, allVisible)
    writer.setForkSize(SPC, DB, relNumber, Fork.vm, 1)
  }
  writer.copiedSlruSegment(Slru.xact, 0, [encodeZeroPage()])
  writer.single(KeyKind.clusterState, encodeClusterState(YOUNG_CLUSTER))
  const records = new RecordJournalWriter()
  records.begin(YOUNG_CLUSTER)
  records.addRecord(Lsn.zero, startLsn)
  writer.single(KeyKind.recordJournal, records.encode())
  const commits = new CommitJournalWriter(Number.NEGATIVE_INFINITY)
  commits.begin()
  commits.addCommit(startLsn, timeMicros)
  writer.single(KeyKind.commitJournal, commits.encode())
  writer.endRecord()
  storage.advance(startLsn)
}

/** One fork as of an LSN. */
export interface ForkAtLsn {
  readonly dbOid: number
  readonly relNumber: number
  readonly fork: number
  readonly blockCount: number
}

/**
 * The naive model of a PageServer: the whole log from its start, ingested once, in order, into plain maps. No layers, no
 * restarts, no object store.
 */
export class LogModel {
  readonly storage: MemoryTimelineStorage
  readonly #key = new KeyScratch()
  readonly #ingest: WalIngest

  static async open(
    timelineId: TimelineId,
    systemIdentifier: bigint,
    startLsn: Lsn,
    timeMicros: number,
  ): Promise<LogModel> {
    const storage = new MemoryTimelineStorage(timelineId, Lsn.zero)
    seedTimeline(storage, startLsn, timeMicros)
    return new LogModel(storage, await WalIngest.open({ storage, systemIdentifier, onAdvance: () => undefined }))
  }

  private constructor(storage: MemoryTimelineStorage, ingest: WalIngest) {
    this.storage = storage
    this.#ingest = ingest
  }

  get lsn(): Lsn {
    return this.storage.lastRecordLsn
  }

  /** Continues exactly where the last call ended; may be cut anywhere. */
  feed(lsn: Lsn, bytes: Uint8Array): Promise<void> {
    return this.#ingest.ingestChunk(lsn, bytes)
  }

  blockCount(relNumber: number, fork: number, lsn = this.lsn): number {
    const [chain] = this.storage.collectNow(this.#key.relationSize(SPC, DB, relNumber, fork).slice(), 1, lsn)
    const value = chain?.values[0]
    return value === undefined || value.length === 0 ? 0 : decodeCount(value)
  }

  page(relNumber: number, fork: number, block: number, lsn = this.lsn, dbOid = DB): Uint8Array {
    return this.#rebuild(this.#key.relationBlock(SPC, dbOid, relNumber, fork, block), lsn)
  }

  async forks(lsn: Lsn): Promise<ForkAtLsn[]> {
    const { start, end } = kindRange(KeyKind.relationSize)
    return (await this.storage.scan(start, end, lsn)).map(({ key, value }) => {
      const { b, c, d } = decodeKey(key)
      return { dbOid: b, relNumber: c, fork: d, blockCount: decodeCount(value) }
    })
  }

  #rebuild(key: Uint8Array, lsn: Lsn): Uint8Array {
    const copy = key.slice(0, KEY_BYTES)
    return rebuildPage(copy, this.storage.collectNow(copy, 1, lsn)[0]!)
  }
}
