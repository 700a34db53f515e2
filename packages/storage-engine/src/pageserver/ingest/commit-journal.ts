import { CorruptionError } from '../../base/errors.ts'
import { Lsn } from '../../postgres/lsn.ts'
import { VarintReader, VarintWriter } from './varint.ts'

/**
 * Commit records of one ingest batch: end LSN and commit time. Times are microseconds since 2000-01-01 UTC (TimestampTz)
 * and may go backwards; `timeMax` is their running maximum, which does not.
 *
 * One value a batch that holds commits, under KeyKind.commitJournal, written at the end LSN of its first commit.
 *
 *   0 u8 version | 1 pad | 2 u16, 4 u32 high and low part of the number of commits before | 8 u64 end LSN of the first commit | 16 f64 its time
 *   24 f64 running maximum before it (-Infinity: none) | 32 u32 commit count
 *   36 (varint, signed varint) * (count - 1): end LSN minus the one before in units of 8, time minus the one before
 */
/** Version 1 had no number of commits: it reads as 0. */
const VERSION = 2
const HEADER_BYTES = 36

export interface CommitPoint {
  readonly endLsn: Lsn
  readonly time: number
  /** The greatest time of all commits up to and with this one. */
  readonly timeMax: number
  /** Commits up to and with this one since the history began. */
  readonly number: number
}

export class CommitJournalWriter {
  readonly #deltas = new VarintWriter()
  #firstEndLsn = Lsn.zero
  #firstTime = 0
  #timeMaxBefore: number
  #timeMax: number
  #lastEndLsn = Lsn.zero
  #lastTime = 0
  #count = 0
  #countBefore: number

  /** `timeMax`: running maximum over all commits before, -Infinity when there is none; `countBefore`: how many they are. */
  constructor(timeMax: number, countBefore = 0) {
    this.#timeMax = timeMax
    this.#timeMaxBefore = timeMax
    this.#countBefore = countBefore
  }

  get count(): number {
    return this.#count
  }

  get timeMax(): number {
    return this.#timeMax
  }

  get firstEndLsn(): Lsn {
    return this.#firstEndLsn
  }

  begin(): void {
    this.#deltas.clear()
    this.#countBefore += this.#count
    this.#count = 0
    this.#timeMaxBefore = this.#timeMax
  }

  addCommit(endLsn: Lsn, time: number): void {
    if (this.#count === 0) {
      this.#firstEndLsn = endLsn
      this.#firstTime = time
    } else {
      this.#deltas.add((endLsn - this.#lastEndLsn) / 8)
      this.#deltas.addSigned(time - this.#lastTime)
    }
    this.#lastEndLsn = endLsn
    this.#lastTime = time
    if (time > this.#timeMax) this.#timeMax = time
    this.#count++
  }

  encode(): Uint8Array {
    const bytes = new Uint8Array(HEADER_BYTES + this.#deltas.length)
    const view = new DataView(bytes.buffer)
    bytes[0] = VERSION
    view.setUint16(2, Math.floor(this.#countBefore / 2 ** 32), true)
    view.setUint32(4, this.#countBefore % 2 ** 32, true)
    Lsn.write(view, 8, this.#firstEndLsn)
    view.setFloat64(16, this.#firstTime, true)
    view.setFloat64(24, this.#timeMaxBefore, true)
    view.setUint32(32, this.#count, true)
    this.#deltas.copyTo(bytes, HEADER_BYTES)
    return bytes
  }
}

/** All commits of a batch, in LSN order. */
export function decodeCommitJournal(journal: Uint8Array): CommitPoint[] {
  if (journal.length < HEADER_BYTES || (journal[0] !== VERSION && journal[0] !== 1)) {
    throw new CorruptionError('not a commit journal', { bytes: journal.length, version: journal[0] })
  }
  const view = new DataView(journal.buffer, journal.byteOffset, journal.byteLength)
  const count = view.getUint32(32, true)
  const reader = new VarintReader(journal, HEADER_BYTES)
  const countBefore = view.getUint16(2, true) * 2 ** 32 + view.getUint32(4, true)
  const commits: CommitPoint[] = []
  let endLsn = Lsn.read(view, 8)
  let time = view.getFloat64(16, true)
  let timeMax = view.getFloat64(24, true)
  for (let i = 0; i < count; i++) {
    if (i > 0) {
      endLsn = Lsn.of(endLsn + reader.next() * 8)
      time += reader.nextSigned()
    }
    timeMax = Math.max(timeMax, time)
    commits.push({ endLsn, time, timeMax, number: countBefore + i + 1 })
  }
  return commits
}

/** The running maximum before the first commit of the batch; -Infinity: there is none. */
export function timeMaxBefore(journal: Uint8Array): number {
  return new DataView(journal.buffer, journal.byteOffset, journal.byteLength).getFloat64(24, true)
}
