import { assert } from '../../base/assert.ts'
import { crc32c } from '../../base/crc32c.ts'
import { compress } from '../../base/zstd.ts'
import { type DiskFile, SYNC_STEP_BYTES } from '../../io/disk.ts'
import { comparePacked } from './packed-key.ts'
import {
  BLOCK_BYTES_MAX,
  BLOCK_HEADER_BYTES,
  COMPRESSED_BIT,
  DATA_BLOCK_BYTES,
  encodeFooter,
  encodeHeader,
  encodeTail,
  FLAG_BIT,
  INDEX_BLOCK_ROWS,
  ROW_LOCATION_BYTES,
  SORTED_FILE_BYTES_MAX,
  type SortedFileKind,
  type SortedFileSummary,
} from './sorted-file.ts'

/** Bytes gathered before one write call. */
const WRITE_BUFFER_BYTES = 1024 * 1024

/** A block is stored as it is unless zstd saves at least 1/16 of it. */
const COMPRESSION_GAIN_SHARE = 1 / 16

/** Writes one sorted file from front to back with bounded memory: one data block, one index block, the block table. */
export class SortedFileWriter {
  readonly #kind: SortedFileKind
  readonly #file: DiskFile
  readonly #isCompressed: boolean
  readonly #buffer = new Uint8Array(WRITE_BUFFER_BYTES)
  #bufferedBytes = 0
  #writtenBytes = 0
  #syncedBytes = 0

  #data = new Uint8Array(DATA_BLOCK_BYTES)
  #dataBytes = 0
  #rows: Uint8Array
  #rowCountInBlock = 0

  #blockOffsets: number[] = []
  #blockBytes: number[] = []
  #indexBlocks: number[] = []
  #indexFirstKeys: Uint8Array[] = []
  /** Number that the open data block will get. */
  #dataBlockNumber = 0
  #lastKey: Uint8Array
  rowCount = 0
  valueBytes = 0

  /** `isCompressed` false: blocks as they are, for files of the local cache. */
  constructor(kind: SortedFileKind, file: DiskFile, timelineId: Uint8Array, isCompressed = true) {
    this.#kind = kind
    this.#file = file
    this.#isCompressed = isCompressed
    this.#rows = new Uint8Array(INDEX_BLOCK_ROWS * (kind.sortKeyBytes + ROW_LOCATION_BYTES))
    this.#lastKey = new Uint8Array(kind.sortKeyBytes)
    this.#append(encodeHeader(kind, timelineId))
  }

  /** Bytes of the file if it ended here, within one block. */
  get sizeBytes(): number {
    return this.#writtenBytes + this.#bufferedBytes + this.#dataBytes
  }

  /** `sortKey` must be above all before it. The value is source[start, end). */
  add(sortKey: Uint8Array, flag: boolean, source: Uint8Array, start = 0, end = source.length): void {
    const keyBytes = this.#kind.sortKeyBytes
    const length = end - start
    const lastKey = this.#lastKey
    assert(
      this.rowCount === 0 || comparePacked(lastKey, 0, sortKey, 0, keyBytes) < 0,
      'rows of a sorted file out of order',
    )
    assert(length <= BLOCK_BYTES_MAX, 'value too long for a block')
    if (this.#rowCountInBlock === INDEX_BLOCK_ROWS) this.#closeIndexBlock()
    if (this.#dataBytes > 0 && this.#dataBytes + length > DATA_BLOCK_BYTES) this.#closeDataBlock()
    if (this.#dataBytes + length > this.#data.length) this.#data = new Uint8Array(length)
    copyBytes(source, start, end, this.#data, this.#dataBytes)

    const rows = this.#rows
    let at = this.#rowCountInBlock * (keyBytes + ROW_LOCATION_BYTES)
    for (let i = 0; i < keyBytes; i++) {
      const byte = sortKey[i]!
      lastKey[i] = byte
      rows[at + i] = byte
    }
    at += keyBytes
    writeU32(rows, at, this.#dataBlockNumber)
    writeU32(rows, at + 4, this.#dataBytes)
    writeU32(rows, at + 8, flag ? length | FLAG_BIT : length)
    this.#rowCountInBlock++
    this.#dataBytes += length
    this.rowCount++
    this.valueBytes += length
  }

  /** Writes the rest and makes the file durable. Returns its size. */
  finish(summary: Omit<SortedFileSummary, 'rowCount' | 'valueBytes'>): number {
    if (this.#dataBytes > 0 || this.#blockOffsets.length === 0) this.#closeDataBlock()
    if (this.#rowCountInBlock > 0) this.#closeIndexBlock()
    const keyBytes = this.#kind.sortKeyBytes
    const firstKeys = new Uint8Array(this.#indexFirstKeys.length * keyBytes)
    this.#indexFirstKeys.forEach((key, i) => {
      firstKeys.set(key, i * keyBytes)
    })
    const tail = encodeTail(this.#kind, {
      summary: { ...summary, rowCount: this.rowCount, valueBytes: this.valueBytes },
      blockCount: this.#blockOffsets.length,
      blockOffsets: Uint32Array.from(this.#blockOffsets),
      blockBytes: Uint32Array.from(this.#blockBytes),
      indexBlocks: Uint32Array.from(this.#indexBlocks),
      indexFirstKeys: firstKeys,
    })
    const tailOffset = this.#position
    const tailBytes = this.#appendBlock(tail)
    this.#append(encodeFooter(this.#kind, tailOffset, tailBytes))
    this.#writeOut()
    this.#file.syncNow()
    return this.#writtenBytes
  }

  get #position(): number {
    return this.#writtenBytes + this.#bufferedBytes
  }

  /**
   * The number of the open data block is fixed before the block is written, since rows name it; an index block that
   * closes meanwhile must not take that number, so the data block is closed with it.
   */
  #closeIndexBlock(): void {
    if (this.#dataBytes > 0) this.#closeDataBlock()
    const rowBytes = this.#kind.sortKeyBytes + ROW_LOCATION_BYTES
    this.#indexBlocks.push(this.#blockOffsets.length)
    this.#indexFirstKeys.push(this.#rows.slice(0, this.#kind.sortKeyBytes))
    this.#addBlock(this.#rows.subarray(0, this.#rowCountInBlock * rowBytes))
    this.#rowCountInBlock = 0
    this.#dataBlockNumber = this.#blockOffsets.length
  }

  #closeDataBlock(): void {
    this.#addBlock(this.#data.subarray(0, this.#dataBytes))
    this.#dataBytes = 0
    if (this.#data.length > DATA_BLOCK_BYTES) this.#data = new Uint8Array(DATA_BLOCK_BYTES)
    this.#dataBlockNumber = this.#blockOffsets.length
  }

  #addBlock(raw: Uint8Array): void {
    this.#blockOffsets.push(this.#position)
    this.#blockBytes.push(this.#appendBlock(raw))
  }

  #appendBlock(raw: Uint8Array): number {
    const packed = this.#isCompressed && raw.length > 64 ? compress(raw, 1) : raw
    const isCompressed = packed.length < raw.length * (1 - COMPRESSION_GAIN_SHARE)
    const payload = isCompressed ? packed : raw
    const frame = new Uint8Array(BLOCK_HEADER_BYTES + payload.length)
    const view = new DataView(frame.buffer)
    view.setUint32(4, isCompressed ? (raw.length | COMPRESSED_BIT) >>> 0 : raw.length, true)
    frame.set(payload, BLOCK_HEADER_BYTES)
    view.setUint32(0, crc32c(frame, 4), true)
    this.#append(frame)
    return frame.length
  }

  #append(bytes: Uint8Array): void {
    assert(this.#position + bytes.length <= SORTED_FILE_BYTES_MAX, 'layer file too large')
    let taken = 0
    while (taken < bytes.length) {
      const count = Math.min(bytes.length - taken, WRITE_BUFFER_BYTES - this.#bufferedBytes)
      this.#buffer.set(bytes.subarray(taken, taken + count), this.#bufferedBytes)
      this.#bufferedBytes += count
      taken += count
      if (this.#bufferedBytes === WRITE_BUFFER_BYTES) this.#writeOut()
    }
  }

  #writeOut(): void {
    this.#file.writeNow(this.#buffer.subarray(0, this.#bufferedBytes), this.#writtenBytes)
    this.#writtenBytes += this.#bufferedBytes
    this.#bufferedBytes = 0
    if (this.#writtenBytes - this.#syncedBytes < SYNC_STEP_BYTES) return
    this.#file.syncNow()
    this.#syncedBytes = this.#writtenBytes
  }
}

/** A call of `set` costs more than a short loop. */
function copyBytes(source: Uint8Array, start: number, end: number, target: Uint8Array, offset: number): void {
  if (end - start > 64) target.set(start === 0 && end === source.length ? source : source.subarray(start, end), offset)
  else for (let i = start; i < end; i++) target[offset + i - start] = source[i]!
}

function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value
  bytes[at + 1] = value >>> 8
  bytes[at + 2] = value >>> 16
  bytes[at + 3] = value >>> 24
}
