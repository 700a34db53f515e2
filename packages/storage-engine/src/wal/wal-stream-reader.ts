import { CRC32C_INIT, crc32cFinish, crc32cUpdate } from '../base/crc32c.ts'
import { CorruptionError, type ErrorFields, StorageError } from '../base/errors.ts'
import { WAL_PAGE_SIZE, WAL_SEGMENT_SIZE, WAL_TIMELINE } from '../postgres/constants.ts'
import { Lsn } from '../postgres/lsn.ts'
import type { WalRecord } from './record.ts'
import { RecordHeader } from './record-header.ts'
import { isKnownRmgr, RmgrId } from './rmgr-table.ts'
import {
  decodeWalPageHeader,
  WAL_LONG_PAGE_HEADER_SIZE,
  WAL_PAGE_HEADER_SIZE,
  type WalPageHeader,
  WalPageInfo,
  type WalStreamIdentity,
} from './wal-page-header.ts'

/**
 * Cuts a WAL byte stream into records, as XLogDecodeNextRecord does (src/backend/access/transam/xlogreader.c, PG 18).
 *
 *   push(lsn, bytes) ──> window (bytes not yet consumed) ──> next(): one record, contiguous
 *                                                └─ a record over several pages is gathered in `scratch`
 *
 * Bytes arrive in chunks of any size; `next` answers undefined when it needs more of them. Every page header, previous
 * link, length and CRC is checked. The first fault throws a CorruptionError that names its LSN, and so does every later
 * call: nothing after a fault can be trusted.
 *
 * A record that stopped in the middle and is followed by a page marked FIRST_IS_OVERWRITE_CONTRECORD was abandoned by
 * Postgres' crash recovery; it is skipped, and the XLOG_OVERWRITE_CONTRECORD record on that page must name it.
 */
export interface WalStreamReaderOptions {
  /** A record boundary: the end of the record before (which may be a page start), or a record's own start. */
  readonly startLsn: Lsn
  readonly systemIdentifier: bigint
  /** Start of the record before `startLsn`. Without it the first record's previous link is only checked to point back. */
  readonly prevLsn?: Lsn
  readonly timeline?: number
}

/** XLogRecordMaxSize (src/include/access/xlogrecord.h). */
export const WAL_RECORD_SIZE_MAX = 1020 * 1024 * 1024

/** A gathering buffer that grew beyond this for one large record is given up after it. */
const SCRATCH_KEPT_BYTES_MAX = 4 * 1024 * 1024

const XLOG_SWITCH = 0x40
const XLOG_OVERWRITE_CONTRECORD = 0xd0
const EMPTY = new Uint8Array(0)

export class WalStreamReader {
  readonly #identity: WalStreamIdentity
  readonly #pageHeader: WalPageHeader = { info: 0, remainingLength: 0 }
  readonly #record: WalRecord

  // window[#at, #windowEnd) are the bytes not consumed; #at is stream position #segmentStart + #segmentOffset.
  #window: Uint8Array = EMPTY
  /** True when the window is this reader's own buffer, not a chunk lent by the caller. */
  #ownsWindow = false
  #at = 0
  #windowEnd = 0
  // The position is kept as segment start plus small integer: remainders of large doubles are slow.
  #segmentStart: number
  #segmentOffset: number

  /** Bytes still to pass over unread: what is left of a segment after XLOG_SWITCH, or before the reader's start. */
  #skipBytes = 0
  #lastStartLsn: Lsn | undefined
  #endLsn: Lsn
  #failure: CorruptionError | undefined

  // A record being gathered over pages: #gathered of #totalLength bytes are in #scratch.
  #scratch: Uint8Array = EMPTY
  #gathered = 0
  #totalLength = 0
  #gatherStartLsn: Lsn = Lsn.zero
  /** Start of a record given up by an overwrite mark, until the record that confirms it. */
  #overwrittenLsn: Lsn | undefined

  constructor(options: WalStreamReaderOptions) {
    this.#identity = {
      systemIdentifier: options.systemIdentifier,
      timeline: options.timeline ?? WAL_TIMELINE,
    }
    const start = Lsn.align8(options.startLsn)
    this.#segmentOffset = start % WAL_SEGMENT_SIZE
    this.#segmentStart = start - this.#segmentOffset
    this.#endLsn = start
    this.#lastStartLsn = options.prevLsn
    this.#record = {
      startLsn: Lsn.zero,
      endLsn: Lsn.zero,
      prevLsn: Lsn.zero,
      xid: 0,
      info: 0,
      rmid: 0,
      bytes: EMPTY,
    }
  }

  /** End of the last record given out (the start LSN before the first): everything below is read and valid. */
  get endLsn(): Lsn {
    return this.#endLsn
  }

  /** Start of the last record given out, or the `prevLsn` the reader was made with. */
  get lastRecordLsn(): Lsn | undefined {
    return this.#lastStartLsn
  }

  /** Position after the last byte pushed: the next chunk must not start beyond it. */
  get receivedLsn(): Lsn {
    return (this.#segmentStart + this.#segmentOffset + this.#windowEnd - this.#at) as Lsn
  }

  /**
   * Adds the bytes at `lsn`. What was pushed before is passed over; a gap throws `invalid-input`. The chunk is borrowed
   * until `next` has answered undefined and another chunk is pushed: do not write to it.
   */
  push(lsn: Lsn, bytes: Uint8Array): void {
    const receivedLsn = this.receivedLsn
    if (lsn > receivedLsn) {
      throw new StorageError('invalid-input', 'wal chunk leaves a gap', {
        received: Lsn.format(receivedLsn),
        chunk: Lsn.format(lsn),
      })
    }
    const known = receivedLsn - lsn
    if (known >= bytes.length) return
    this.#append(plainBytes(bytes, known))
  }

  /**
   * The next record, or undefined when more bytes are needed. The record object and its bytes are reused: they are valid
   * until the next call of `next` or `push`.
   */
  next(): WalRecord | undefined {
    if (this.#failure !== undefined) throw this.#failure
    try {
      return this.#next()
    } catch (error) {
      if (error instanceof CorruptionError) this.#failure = error
      throw error
    }
  }

  #next(): WalRecord | undefined {
    if (!this.#skip()) return undefined
    if (this.#totalLength > 0) {
      if (this.#gather()) return this.#finish(this.#scratch.subarray(0, this.#totalLength), this.#gatherStartLsn)
      // Either more bytes are needed, or the record was given up and the position is at the page that says so.
      if (this.#totalLength > 0) return undefined
    }

    if ((this.#segmentOffset & (WAL_PAGE_SIZE - 1)) === 0) {
      if (!this.#readPageHeader()) return undefined
      if ((this.#pageHeader.info & WalPageInfo.firstIsContinuation) !== 0) {
        throw corrupt('wal page continues a record where a new one is due', this.#position())
      }
    }

    const window = this.#window
    const at = this.#at
    const available = this.#windowEnd - at
    if (available < 4) return undefined
    const totalLength = (window[at]! | (window[at + 1]! << 8) | (window[at + 2]! << 16) | (window[at + 3]! << 24)) >>> 0
    if (totalLength < RecordHeader.size || totalLength > WAL_RECORD_SIZE_MAX) {
      throw corrupt('wal record has an impossible length', this.#position(), { totalLength })
    }
    const pageLeft = WAL_PAGE_SIZE - (this.#segmentOffset & (WAL_PAGE_SIZE - 1))
    if (totalLength <= pageLeft) {
      if (available < totalLength) return undefined
      const startLsn = this.#position()
      this.#consume(totalLength)
      return this.#finish(window.subarray(at, at + totalLength), startLsn)
    }

    this.#startGathering(totalLength)
    if (this.#gather()) return this.#finish(this.#scratch.subarray(0, totalLength), this.#gatherStartLsn)
    // An abandoned record leaves nothing gathered: go on behind it.
    return this.#totalLength > 0 ? undefined : this.#next()
  }

  #startGathering(totalLength: number): void {
    this.#gatherStartLsn = this.#position()
    this.#totalLength = totalLength
    this.#gathered = 0
  }

  /** Takes what the window holds of the current record. True when the record is complete. */
  #gather(): boolean {
    for (;;) {
      if ((this.#segmentOffset & (WAL_PAGE_SIZE - 1)) === 0) {
        const pageLsn = this.#position()
        const headerSize = this.#peekPageHeader()
        if (headerSize === 0) return false
        if ((this.#pageHeader.info & WalPageInfo.firstIsOverwriteContrecord) !== 0) {
          this.#overwrittenLsn = this.#gatherStartLsn
          this.#totalLength = 0
          return false
        }
        this.#consume(headerSize)
        this.#checkContinuation(pageLsn)
      }
      const pageLeft = WAL_PAGE_SIZE - (this.#segmentOffset & (WAL_PAGE_SIZE - 1))
      const take = Math.min(pageLeft, this.#totalLength - this.#gathered, this.#windowEnd - this.#at)
      this.#reserveScratch(this.#gathered + take)
      copyBytes(this.#window, this.#at, this.#at + take, this.#scratch, this.#gathered)
      const headerWasIncomplete = this.#gathered < RecordHeader.size
      this.#gathered += take
      this.#consume(take)
      if (headerWasIncomplete && this.#gathered >= RecordHeader.size) {
        // Before waiting for what may be a gigabyte, see that this is a record at all.
        this.#checkHeader(this.#scratch, this.#gatherStartLsn)
      }
      if (this.#gathered === this.#totalLength) return true
      if (this.#at === this.#windowEnd) return false
    }
  }

  #checkContinuation(pageLsn: Lsn): void {
    const { info, remainingLength } = this.#pageHeader
    const recordLsn = Lsn.format(this.#gatherStartLsn)
    if ((info & WalPageInfo.firstIsContinuation) === 0) {
      throw corrupt('wal page does not continue the record before it', pageLsn, { recordLsn })
    }
    const missing = this.#totalLength - this.#gathered
    if (remainingLength !== missing) {
      throw corrupt('wal page continues a record of another length', pageLsn, { recordLsn, remainingLength, missing })
    }
  }

  /** Checks the whole record, moves behind it and fills the record object. */
  #finish(bytes: Uint8Array, startLsn: Lsn): WalRecord {
    const prevLsn = this.#checkHeader(bytes, startLsn)
    const running = crc32cUpdate(CRC32C_INIT, bytes, RecordHeader.size)
    const crc = crc32cFinish(crc32cUpdate(running, bytes, 0, RecordHeader.crcOffset))
    if (crc !== RecordHeader.crc(bytes)) throw corrupt('wal record has a wrong checksum', startLsn)

    const record = this.#record
    const info = bytes[RecordHeader.infoOffset]!
    const rmid = bytes[RecordHeader.rmidOffset]!
    this.#totalLength = 0
    this.#passPadding()
    if (rmid === RmgrId.xlog && (info & 0xf0) === XLOG_SWITCH) this.#passSegment()
    if (this.#overwrittenLsn !== undefined) this.#checkOverwrite(bytes, startLsn)

    record.startLsn = startLsn
    record.endLsn = (this.#segmentStart + this.#segmentOffset + this.#skipBytes) as Lsn
    record.prevLsn = prevLsn
    record.xid = RecordHeader.xid(bytes)
    record.info = info
    record.rmid = rmid
    record.bytes = bytes
    this.#lastStartLsn = startLsn
    this.#endLsn = record.endLsn
    return record
  }

  /** ValidXLogRecordHeader. Returns the previous link. */
  #checkHeader(bytes: Uint8Array, startLsn: Lsn): Lsn {
    const rmid = bytes[RecordHeader.rmidOffset]!
    if (!isKnownRmgr(rmid)) throw corrupt('wal record has an unknown resource manager', startLsn, { rmid })
    const prev = RecordHeader.prev(bytes)
    const expected = this.#lastStartLsn
    if (expected === undefined ? prev >= startLsn : prev !== expected) {
      throw corrupt('wal record has a wrong previous link', startLsn, {
        found: formatUnchecked(prev),
        expected: expected === undefined ? undefined : Lsn.format(expected),
      })
    }
    return prev as Lsn
  }

  /** XLOG_OVERWRITE_CONTRECORD: main data begins with the start of the record it replaces. */
  #checkOverwrite(bytes: Uint8Array, startLsn: Lsn): void {
    const overwritten = this.#overwrittenLsn!
    this.#overwrittenLsn = undefined
    const mainOffset = RecordHeader.size + 2
    const isOverwrite =
      bytes[RecordHeader.rmidOffset] === RmgrId.xlog &&
      (bytes[RecordHeader.infoOffset]! & 0xf0) === XLOG_OVERWRITE_CONTRECORD &&
      bytes.length >= mainOffset + 16
    if (!isOverwrite) throw corrupt('wal record does not explain the page mark before it', startLsn)
    const named = RecordHeader.u64(bytes, mainOffset)
    if (named !== overwritten) {
      throw corrupt('wal record replaces another record than the one left unfinished', startLsn, {
        found: formatUnchecked(named),
        expected: Lsn.format(overwritten),
      })
    }
  }

  #position(): Lsn {
    return (this.#segmentStart + this.#segmentOffset) as Lsn
  }

  #consume(byteCount: number): void {
    this.#at += byteCount
    this.#segmentOffset += byteCount
    if (this.#segmentOffset >= WAL_SEGMENT_SIZE) {
      const segments = Math.floor(this.#segmentOffset / WAL_SEGMENT_SIZE)
      this.#segmentStart += segments * WAL_SEGMENT_SIZE
      this.#segmentOffset -= segments * WAL_SEGMENT_SIZE
    }
  }

  /** Records start 8-aligned; the padding may not have arrived yet. */
  #passPadding(): void {
    this.#skipBytes = -this.#segmentOffset & 7
    this.#skip()
  }

  #passSegment(): void {
    const offset = this.#segmentOffset + this.#skipBytes
    if (offset % WAL_SEGMENT_SIZE !== 0) this.#skipBytes += WAL_SEGMENT_SIZE - (offset % WAL_SEGMENT_SIZE)
    this.#skip()
  }

  /** False while bytes to be passed over have not arrived. */
  #skip(): boolean {
    if (this.#skipBytes === 0) return true
    const take = Math.min(this.#skipBytes, this.#windowEnd - this.#at)
    this.#consume(take)
    this.#skipBytes -= take
    return this.#skipBytes === 0
  }

  /** Reads the page header at the position without passing it; its size, or 0 when it has not arrived whole. */
  #peekPageHeader(): number {
    const size = this.#segmentOffset === 0 ? WAL_LONG_PAGE_HEADER_SIZE : WAL_PAGE_HEADER_SIZE
    if (this.#windowEnd - this.#at < size) return 0
    decodeWalPageHeader(this.#window, this.#at, this.#position(), this.#identity, this.#pageHeader)
    return size
  }

  #readPageHeader(): boolean {
    const size = this.#peekPageHeader()
    this.#consume(size)
    return size > 0
  }

  #append(bytes: Uint8Array): void {
    const left = this.#windowEnd - this.#at
    if (left === 0) {
      this.#window = bytes
      this.#ownsWindow = false
      this.#at = 0
      this.#windowEnd = bytes.length
      return
    }
    if (this.#ownsWindow && this.#window.length - this.#windowEnd >= bytes.length) {
      this.#window.set(bytes, this.#windowEnd)
      this.#windowEnd += bytes.length
      return
    }
    // What is left is less than a page unless the caller pushes without reading, so this copies little but the chunk.
    const grown = new Uint8Array(Math.max(2 * WAL_PAGE_SIZE, left + bytes.length, this.#ownsWindow ? 2 * left : 0))
    grown.set(this.#window.subarray(this.#at, this.#windowEnd))
    grown.set(bytes, left)
    this.#window = grown
    this.#ownsWindow = true
    this.#at = 0
    this.#windowEnd = left + bytes.length
  }

  #reserveScratch(byteCount: number): void {
    if (this.#scratch.length >= byteCount && this.#gathered > 0) return
    if (this.#gathered === 0) {
      const fits = this.#scratch.length >= byteCount && this.#scratch.length <= SCRATCH_KEPT_BYTES_MAX
      if (!fits) this.#scratch = new Uint8Array(Math.max(4 * WAL_PAGE_SIZE, byteCount))
      return
    }
    // Grows with what has arrived, not with the length claimed by an unchecked record.
    const grown = new Uint8Array(Math.min(this.#totalLength, Math.max(byteCount, 2 * this.#scratch.length)))
    grown.set(this.#scratch.subarray(0, this.#gathered))
    this.#scratch = grown
  }
}

/** A Buffer would lend its type to the records, and `slice` of a Buffer borrows instead of copying. */
function plainBytes(bytes: Uint8Array, start: number): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + start, bytes.length - start)
}

/** Short runs are copied in a loop: a call of `set` costs more than the bytes. */
function copyBytes(source: Uint8Array, start: number, end: number, target: Uint8Array, targetStart: number): void {
  if (end - start <= 64) {
    for (let at = start, to = targetStart; at < end; at++, to++) target[to] = source[at]!
  } else {
    target.set(source.subarray(start, end), targetStart)
  }
}

function corrupt(message: string, lsn: Lsn, fields: ErrorFields = {}): CorruptionError {
  return new CorruptionError(message, { lsn: Lsn.format(lsn), ...fields })
}

/** An LSN from unchecked bytes: it may be beyond what Lsn holds exactly. */
function formatUnchecked(value: number): string {
  return Lsn.format(value as Lsn)
}
