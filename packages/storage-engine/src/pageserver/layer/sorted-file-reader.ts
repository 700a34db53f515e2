import { CorruptionError } from '../../base/errors.ts'
import type { DiskFile } from '../../io/disk.ts'
import type { BlockCache } from './block-cache.ts'
import { comparePacked } from './packed-key.ts'
import {
  decodeBlock,
  decodeFooter,
  decodeHeader,
  decodeTail,
  FLAG_BIT,
  FOOTER_BYTES,
  HEADER_BYTES,
  INDEX_BLOCK_ROWS,
  ROW_LOCATION_BYTES,
  type SortedFileKind,
  type SortedFileSummary,
  type SortedFileTail,
} from './sorted-file.ts'

/** Blocks are read into it to be unpacked; a larger one gets memory of its own. */
const SCRATCH_BYTES = 64 * 1024
const scratch = new Uint8Array(SCRATCH_BYTES)

/**
 * One sorted file open for reading. Rows are addressed by their number in sort order. All reads run on the calling
 * thread: a block is a few KiB, and mostly in the block cache or the page cache of the operating system.
 *
 * Throws `corruption`, naming object and offset, for any byte that is not what was written.
 */
export class SortedFileReader {
  readonly kind: SortedFileKind
  readonly objectName: string
  readonly timelineId: Uint8Array
  readonly #file: DiskFile
  readonly #tail: SortedFileTail
  readonly #layerNumber: number
  readonly #cache: BlockCache
  readonly #rowBytes: number
  /** The index and data block used last: neighbouring rows are read one after the other. */
  #lastOrdinal = -1
  #lastRows: Uint8Array = new Uint8Array(0)
  #lastData = -1
  #lastDataBlock: Uint8Array = new Uint8Array(0)
  /** The one before: versions of a key are read downwards, and may begin in the next block. */
  #previousData = -1
  #previousDataBlock: Uint8Array = new Uint8Array(0)
  /** False while a scan reads, which needs each data block once: it would only empty the cache. */
  keepsBlocks = true

  constructor(options: {
    kind: SortedFileKind
    file: DiskFile
    objectName: string
    /** Identifies the file in the cache. */
    layerNumber: number
    cache: BlockCache
  }) {
    const { kind, file, objectName } = options
    this.kind = kind
    this.objectName = objectName
    this.#file = file
    this.#layerNumber = options.layerNumber
    this.#cache = options.cache
    this.#rowBytes = kind.sortKeyBytes + ROW_LOCATION_BYTES
    const fileBytes = file.sizeBytes()
    if (fileBytes < HEADER_BYTES + FOOTER_BYTES) {
      throw new CorruptionError('layer file is cut off', { object: objectName, offsetBytes: fileBytes })
    }
    this.timelineId = decodeHeader(kind, this.#read(0, HEADER_BYTES), objectName)
    const footer = this.#read(fileBytes - FOOTER_BYTES, FOOTER_BYTES)
    const { tailOffset, tailBytes } = decodeFooter(kind, footer, objectName, fileBytes)
    const content = decodeBlock(this.#read(tailOffset, tailBytes), objectName, tailOffset)
    this.#tail = decodeTail(kind, content, objectName, tailOffset)
    const blocks = Math.ceil(this.rowCount / INDEX_BLOCK_ROWS)
    if (blocks !== this.#tail.indexBlocks.length) {
      throw new CorruptionError('layer tail has the wrong row count', { object: objectName, offsetBytes: tailOffset })
    }
  }

  get summary(): SortedFileSummary {
    return this.#tail.summary
  }

  get rowCount(): number {
    return this.#tail.summary.rowCount
  }

  get blockCount(): number {
    return this.#tail.blockCount
  }

  /** Bytes of memory that the open file holds outside the cache. */
  get memoryBytes(): number {
    return this.#tail.blockCount * 8 + this.#tail.indexFirstKeys.length + this.#tail.indexBlocks.byteLength
  }

  /** Number of the first row whose key is at or above `sortKey`; rowCount when there is none. */
  lowerBound(sortKey: Uint8Array): number {
    const keyBytes = this.kind.sortKeyBytes
    const { indexFirstKeys, indexBlocks } = this.#tail
    let low = 0
    let high = indexBlocks.length
    // The last index block that starts below the key holds the answer, or the answer is the start of the next.
    while (low < high) {
      const middle = (low + high) >>> 1
      if (comparePacked(indexFirstKeys, middle * keyBytes, sortKey, 0, keyBytes) < 0) low = middle + 1
      else high = middle
    }
    if (low === 0) return 0
    const ordinal = low - 1
    const rows = this.#indexBlock(ordinal)
    let from = 0
    let to = rows.length / this.#rowBytes
    while (from < to) {
      const middle = (from + to) >>> 1
      if (comparePacked(rows, middle * this.#rowBytes, sortKey, 0, keyBytes) < 0) from = middle + 1
      else to = middle
    }
    return ordinal * INDEX_BLOCK_ROWS + from
  }

  /** The index block that holds the row; its bytes start at `rowOffset`. */
  rowsOf(row: number): Uint8Array {
    return this.#indexBlock(Math.floor(row / INDEX_BLOCK_ROWS))
  }

  rowOffset(row: number): number {
    return (row % INDEX_BLOCK_ROWS) * this.#rowBytes
  }

  flag(row: number): boolean {
    return this.#lengthWord(row) >= FLAG_BIT
  }

  valueBytes(row: number): number {
    return this.#lengthWord(row) & (FLAG_BIT - 1)
  }

  /** Part of a cached block: valid for as long as the caller holds it. */
  value(row: number): Uint8Array {
    const rows = this.rowsOf(row)
    const at = this.rowOffset(row) + this.kind.sortKeyBytes
    const length = u32(rows, at + 8) & (FLAG_BIT - 1)
    if (length === 0) return new Uint8Array(0)
    const blockNumber = u32(rows, at)
    const offset = u32(rows, at + 4)
    if (blockNumber >= this.blockCount) throw this.#corrupt('row names a block that is not there', row)
    const block = this.#dataBlock(blockNumber)
    if (offset + length > block.length) throw this.#corrupt('value lies outside its block', row)
    return block.subarray(offset, offset + length)
  }

  /** Reads and checks every block; for scrubbing. */
  verify(): void {
    for (let number = 0; number < this.blockCount; number++) {
      const position = this.#tail.blockOffsets[number]!
      decodeBlock(this.#read(position, this.#tail.blockBytes[number]!), this.objectName, position)
    }
  }

  close(): Promise<void> {
    return this.#file.close()
  }

  #lengthWord(row: number): number {
    return u32(this.rowsOf(row), this.rowOffset(row) + this.kind.sortKeyBytes + 8)
  }

  #dataBlock(number: number): Uint8Array {
    if (number === this.#lastData) return this.#lastDataBlock
    const block = number === this.#previousData ? this.#previousDataBlock : this.#block(number, this.keepsBlocks)
    this.#previousData = this.#lastData
    this.#previousDataBlock = this.#lastDataBlock
    this.#lastData = number
    this.#lastDataBlock = block
    return block
  }

  #indexBlock(ordinal: number): Uint8Array {
    if (ordinal === this.#lastOrdinal) return this.#lastRows
    const number = this.#tail.indexBlocks[ordinal]!
    const block = this.#block(number)
    const rows = Math.min(INDEX_BLOCK_ROWS, this.rowCount - ordinal * INDEX_BLOCK_ROWS)
    if (block.length !== rows * this.#rowBytes) {
      const offsetBytes = this.#tail.blockOffsets[number]!
      throw new CorruptionError('index block has the wrong length', { object: this.objectName, offsetBytes })
    }
    this.#lastOrdinal = ordinal
    this.#lastRows = block
    return block
  }

  #block(number: number, isKept = true): Uint8Array {
    const cached = this.#cache.get(this.#layerNumber, number)
    if (cached) return cached
    const position = this.#tail.blockOffsets[number]!
    const block = this.#decode(position, this.#tail.blockBytes[number]!)
    if (isKept) this.#cache.add(this.#layerNumber, number, block)
    return block
  }

  /** In memory of its own. */
  #decode(position: number, length: number): Uint8Array {
    if (length > SCRATCH_BYTES) return decodeBlock(this.#read(position, length), this.objectName, position)
    const frame = this.#read(position, length, scratch.subarray(0, length))
    const block = decodeBlock(frame, this.objectName, position)
    return block.buffer === scratch.buffer ? block.slice() : block
  }

  #read(position: number, length: number, bytes = new Uint8Array(length)): Uint8Array {
    const count = this.#file.readNow(bytes, position)
    if (count !== length) {
      throw new CorruptionError('layer file is cut off', { object: this.objectName, offsetBytes: position + count })
    }
    return bytes
  }

  #corrupt(message: string, row: number): CorruptionError {
    const number = this.#tail.indexBlocks[Math.floor(row / INDEX_BLOCK_ROWS)]!
    return new CorruptionError(message, { object: this.objectName, offsetBytes: this.#tail.blockOffsets[number]!, row })
  }
}

function u32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
}
