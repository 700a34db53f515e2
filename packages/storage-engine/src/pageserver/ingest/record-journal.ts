import { CorruptionError } from '../../base/errors.ts'
import { WAL_PAGE_SIZE, WAL_SEGMENT_SIZE } from '../../postgres/constants.ts'
import { Lsn } from '../../postgres/lsn.ts'
import { addToNextXid } from './cluster-state.ts'
import { VarintReader, VarintWriter } from './varint.ts'

/**
 * Where every record of one ingest batch starts, and nextXid after each: what it takes to start a compute at any record
 * end with the right xl_prev, and to snap an arbitrary LSN to a record end.
 *
 * One value a batch under KeyKind.recordJournal, written at the END LSN OF THE BATCH'S FIRST RECORD: so the newest version
 * at or below any LSN is the batch that holds the last record before it, also where history above was collected.
 *
 *   0 u8 version | 1 pad * 7 | 8 u64 start of the first record | 16 u64 end of the last record
 *   24 u32 record count | 28 u32 nextXid low | 32 u32 nextXid epoch (both before the first record) | 36 u32 advance count
 *   40 varint * (record count - 1): start minus the start before, in units of 8 bytes
 *      (varint, varint) * advance count: record index minus the one before, xids advanced by
 */
const VERSION = 1
const HEADER_BYTES = 40

export class RecordJournalWriter {
  readonly #starts = new VarintWriter()
  readonly #advances = new VarintWriter()
  #firstStartLsn = Lsn.zero
  #firstEndLsn = Lsn.zero
  #lastStartLsn = Lsn.zero
  #lastEndLsn = Lsn.zero
  #recordCount = 0
  #advanceCount = 0
  #advanceIndex = 0
  #nextXidLow = 0
  #nextXidEpoch = 0

  get recordCount(): number {
    return this.#recordCount
  }

  /** The LSN to write the value at. */
  get firstEndLsn(): Lsn {
    return this.#firstEndLsn
  }

  get lastEndLsn(): Lsn {
    return this.#lastEndLsn
  }

  begin(nextXid: { readonly nextXidLow: number; readonly nextXidEpoch: number }): void {
    this.#starts.clear()
    this.#advances.clear()
    this.#recordCount = 0
    this.#advanceCount = 0
    this.#advanceIndex = 0
    this.#nextXidLow = nextXid.nextXidLow
    this.#nextXidEpoch = nextXid.nextXidEpoch
  }

  addRecord(startLsn: Lsn, endLsn: Lsn): void {
    if (this.#recordCount === 0) {
      this.#firstStartLsn = startLsn
      this.#firstEndLsn = endLsn
    } else {
      this.#starts.add((startLsn - this.#lastStartLsn) / 8)
    }
    this.#lastStartLsn = startLsn
    this.#lastEndLsn = endLsn
    this.#recordCount++
  }

  /** nextXid moves by `step` with the record that is added next. */
  addXidAdvance(step: number): void {
    const index = this.#recordCount
    this.#advances.add(index - this.#advanceIndex)
    this.#advances.add(step)
    this.#advanceIndex = index
    this.#advanceCount++
  }

  encode(): Uint8Array {
    const bytes = new Uint8Array(HEADER_BYTES + this.#starts.length + this.#advances.length)
    const view = new DataView(bytes.buffer)
    bytes[0] = VERSION
    Lsn.write(view, 8, this.#firstStartLsn)
    Lsn.write(view, 16, this.#lastEndLsn)
    view.setUint32(24, this.#recordCount, true)
    view.setUint32(28, this.#nextXidLow, true)
    view.setUint32(32, this.#nextXidEpoch, true)
    view.setUint32(36, this.#advanceCount, true)
    this.#starts.copyTo(bytes, HEADER_BYTES)
    this.#advances.copyTo(bytes, HEADER_BYTES + this.#starts.length)
    return bytes
  }
}

export interface RecordPosition {
  /** Start of the last record that ends at or before the LSN asked for. */
  readonly startLsn: Lsn
  readonly endLsn: Lsn
  readonly nextXidLow: number
  readonly nextXidEpoch: number
}

/** The last record of the batch that ends at or before `lsn`; undefined when the first one ends after it. */
export function findRecordBefore(journal: Uint8Array, lsn: Lsn): RecordPosition | undefined {
  if (journal.length < HEADER_BYTES || journal[0] !== VERSION) {
    throw new CorruptionError('not a record journal', { bytes: journal.length, version: journal[0] })
  }
  const view = new DataView(journal.buffer, journal.byteOffset, journal.byteLength)
  const recordCount = view.getUint32(24, true)
  const lastEndLsn = Lsn.read(view, 16)
  const nextXid = { nextXidLow: view.getUint32(28, true), nextXidEpoch: view.getUint32(32, true) }
  const reader = new VarintReader(journal, HEADER_BYTES)
  let startLsn = Lsn.read(view, 8)
  let found: { startLsn: Lsn; endLsn: Lsn; index: number } | undefined
  for (let index = 0; index < recordCount; index++) {
    const nextStartLsn = index + 1 < recordCount ? Lsn.of(startLsn + reader.next() * 8) : undefined
    const endLsn = nextStartLsn === undefined ? lastEndLsn : recordEndBefore(nextStartLsn)
    if (endLsn <= lsn) found = { startLsn, endLsn, index }
    if (nextStartLsn !== undefined) startLsn = nextStartLsn
  }
  if (!found) return undefined
  let index = 0
  for (let left = view.getUint32(36, true); left > 0; left--) {
    index += reader.next()
    const step = reader.next()
    if (index > found.index) break
    addToNextXid(nextXid, step)
  }
  return { startLsn: found.startLsn, endLsn: found.endLsn, ...nextXid }
}

/**
 * The end of the record before the one that starts at `startLsn`. Records follow one another without gaps; a record that
 * starts right behind a page header follows one that ended at the page's start.
 */
export function recordEndBefore(startLsn: Lsn): Lsn {
  const inSegment = startLsn % WAL_SEGMENT_SIZE
  if (inSegment === 40) return Lsn.of(startLsn - 40)
  return startLsn % WAL_PAGE_SIZE === 24 ? Lsn.of(startLsn - 24) : startLsn
}
