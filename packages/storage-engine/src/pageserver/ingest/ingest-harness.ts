import { TimelineId } from '../../postgres/ids.ts'
import { Lsn } from '../../postgres/lsn.ts'
import { encodePageImage } from '../../redo/page-change.ts'
import { encodeRecord, placeRecord, type RecordParts } from '../../wal/record-encoder.ts'
import { KEY_BYTES, KeyKind, KeyScratch, type Slru } from '../key.ts'
import { rebuildPage } from '../rebuild-page.ts'
import { MemoryTimelineStorage } from '../timeline/memory-timeline-storage.ts'
import { ChangeWriter } from './change-writer.ts'
import { type ClusterState, decodeClusterState, encodeClusterState } from './cluster-state.ts'
import { RecordJournalWriter } from './record-journal.ts'
import { RelationSizes } from './relation-sizes.ts'
import { SlruSegments } from './slru-segments.ts'
import { WalIngest } from './wal-ingest.ts'

export const TEST_SYSTEM_IDENTIFIER = 7_310_000_000_000_000_001n
const IDENTITY = { systemIdentifier: TEST_SYSTEM_IDENTIFIER, timeline: 1 }
const START_LSN = Lsn.of(0x1000028)

/** Of a cluster that was just made. */
export const YOUNG_CLUSTER: ClusterState = {
  nextXidLow: 750,
  nextXidEpoch: 0,
  nextOid: 16384,
  nextMulti: 1,
  nextMultiOffset: 0,
  oldestXid: 731,
  oldestXidDb: 1,
  oldestMulti: 1,
  oldestMultiDb: 1,
  checkpointTime: 1.7e9,
  shutdownCheckpointEndLsn: Lsn.zero,
  maxConnections: 100,
  maxWorkerProcesses: 8,
  maxWalSenders: 10,
  maxPreparedXacts: 0,
  maxLocksPerXact: 64,
  walLevel: 1,
  walLogHints: false,
  trackCommitTimestamp: false,
  oldestActiveXid: 0,
}

/** Feeds made-up records, one by one, to ingest over the in-memory storage, and looks at what came of them. Tests only. */
export class IngestHarness {
  readonly storage: MemoryTimelineStorage
  readonly #key = new KeyScratch()
  #ingest: WalIngest | undefined
  #prevLsn = Lsn.of(0x1000000)

  constructor(state: ClusterState, prepare: (writer: ChangeWriter) => void = () => {}) {
    this.storage = new MemoryTimelineStorage(TimelineId.parse('1'.repeat(32)), Lsn.zero)
    const writer = new ChangeWriter(this.storage, new RelationSizes(), new SlruSegments())
    writer.beginRecord(START_LSN)
    prepare(writer)
    writer.single(KeyKind.clusterState, encodeClusterState(state))
    const records = new RecordJournalWriter()
    records.begin(state)
    records.addRecord(this.#prevLsn, START_LSN)
    writer.single(KeyKind.recordJournal, records.encode())
    writer.endRecord()
    this.storage.advance(START_LSN)
  }

  get lsn(): Lsn {
    return this.storage.lastRecordLsn
  }

  /** Appends one record and ingests it. Returns its end LSN. */
  async append(parts: Omit<RecordParts, 'prevLsn'>): Promise<Lsn> {
    this.#ingest ??= await WalIngest.open({
      storage: this.storage,
      systemIdentifier: TEST_SYSTEM_IDENTIFIER,
      onAdvance: () => {},
    })
    const placed = placeRecord(encodeRecord({ ...parts, prevLsn: this.#prevLsn }), this.lsn, IDENTITY)
    await this.#ingest.ingestChunk(this.lsn, placed.bytes)
    this.#prevLsn = placed.startLsn
    return placed.endLsn
  }

  /** Undefined: no such fork. */
  size(relNumber: number, fork = 0, lsn = this.lsn, dbOid = TEST_DB): number | undefined {
    const value = this.#newest(this.#key.relationSize(TEST_SPC, dbOid, relNumber, fork), lsn)
    return value && new DataView(value.buffer, value.byteOffset).getUint32(0, true)
  }

  page(relNumber: number, fork: number, block: number, lsn = this.lsn, dbOid = TEST_DB): Uint8Array {
    return this.#page(this.#key.relationBlock(TEST_SPC, dbOid, relNumber, fork, block), lsn)
  }

  slruPage(slru: Slru, page: number, lsn = this.lsn): Uint8Array {
    return this.#page(this.#key.slruPage(slru, Math.floor(page / 32), page % 32), lsn)
  }

  /** Undefined: no such segment. */
  slruPageCount(slru: Slru, segment: number): number | undefined {
    const value = this.#newest(this.#key.slruSegment(slru, segment), this.lsn)
    return value && new DataView(value.buffer, value.byteOffset).getUint32(0, true)
  }

  /** Counters as a compute started now would get them; nextXid from the journal. */
  state(): ClusterState {
    return decodeClusterState(this.value(this.#key.single(KeyKind.clusterState))!)
  }

  /** The newest value, undefined when there is none or a tombstone. */
  value(key: Uint8Array): Uint8Array | undefined {
    return this.#newest(key, this.lsn)
  }

  #newest(key: Uint8Array, lsn: Lsn): Uint8Array | undefined {
    const value = this.storage.collectNow(key, 1, lsn)[0]!.values[0]
    return value === undefined || value.length === 0 ? undefined : value
  }

  #page(key: Uint8Array, lsn: Lsn): Uint8Array {
    const copy = key.slice(0, KEY_BYTES)
    return rebuildPage(copy, this.storage.collectNow(copy, 1, lsn)[0]!)
  }
}

export const TEST_SPC = 1663
export const TEST_DB = 5

/** An image of a page that is filled with one byte. */
export function filledImage(byte: number): Uint8Array {
  return encodePageImage(new Uint8Array(8192).fill(byte))
}

/** Little-endian fields: numbers with their width in bytes. */
export function fields(...parts: readonly (readonly [width: 1 | 2 | 4 | 8, value: number])[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, [width]) => sum + width, 0))
  const view = new DataView(bytes.buffer)
  let at = 0
  for (const [width, value] of parts) {
    if (width === 1) view.setUint8(at, value)
    else if (width === 2) view.setUint16(at, value, true)
    else if (width === 4) view.setUint32(at, value, true)
    else view.setBigInt64(at, BigInt(value), true)
    at += width
  }
  return bytes
}

export function u32s(...values: number[]): Uint8Array {
  return fields(...values.map((value) => [4, value] as const))
}
