import { assert } from '../../base/assert.ts'
import { crc32c } from '../../base/crc32c.ts'
import { CorruptionError } from '../../base/errors.ts'
import type { Disk, DiskFile } from '../../io/disk.ts'
import type { Lsn } from '../../postgres/lsn.ts'
import type { ChainBuilder } from './chain-builder.ts'
import { NONE, type OpenLayerIndex, type PackedIndex, VALUE_BYTES_MAX } from './open-layer-index.ts'
import { OPEN_LAYER_CHUNK_BYTES, type OpenLayerPool } from './open-layer-pool.ts'

/**
 * Values start on such a boundary. Engines copy from and to shared memory by single bytes, some nanoseconds each, unless
 * both sides are aligned to a machine word.
 */
const VALUE_ALIGNMENT = 8

/** Values below this are copied by a loop: a call of `set` costs more. */
const LOOP_COPY_BYTES_MAX = 48

/** Values below this are copied out by words: two views and a call of `set` cost more. */
const WORD_COPY_BYTES_MAX = 512

/** Versions of the key that is being collected, newest first; grows with the longest chain met. */
let collected = new Uint32Array(256)

/** Bytes of values in one open layer that the 32-bit positions of its index can address. */
export const OPEN_LAYER_BYTES_LIMIT = 2 ** 32 - OPEN_LAYER_CHUNK_BYTES

/**
 * What ingest writes before it becomes a delta layer: values in arrival order and an index of all of them.
 *
 * Values are appended to chunks of shared memory, a larger one to memory of its own. Chunks and index come from a pool
 * and go back to it when the layer is released: values are given out as copies, never as views. When more than
 * `residentBytesMax` of them are resident, the oldest chunks are appended to a file through the Disk seam and given
 * back; the file is a scratch of this process and is never read after a restart. Each spilled value keeps a CRC-32C in
 * memory that every read from the file checks.
 *
 *   position = chunk number x chunk size + offset        file offset = position
 */
export class OpenLayer {
  readonly #pool: OpenLayerPool
  #index: OpenLayerIndex | undefined
  readonly #disk: Disk
  readonly #path: string
  readonly #residentBytesMax: number

  readonly #chunks: (Uint8Array<SharedArrayBuffer> | undefined)[] = []
  /** The same memory by words, of chunks of the pool. */
  readonly #chunkWords: (Uint32Array | undefined)[] = []
  readonly #chunkUsedBytes: number[] = []
  /** Versions before this one lie in earlier chunks; one entry a chunk. */
  readonly #chunkFirstVersion: number[] = []
  #tail: Uint8Array<SharedArrayBuffer> = new Uint8Array(new SharedArrayBuffer(0))
  #tailBase = 0
  #tailUsedBytes = 0
  #nextChunk = 0

  #residentBytes = 0
  /** Chunks below this number are in the file, not in memory. */
  #spilledChunks = 0
  #crcs: Uint32Array = new Uint32Array(0)
  #file: DiskFile | undefined
  #valueBytes = 0
  /** The write of a chunk that was begun last: the file is not closed under it. */
  #spilling: Promise<void> | undefined
  /** A worker may be reading the chunks: they stay until the release. */
  #isPacked = false
  #isReleased = false

  constructor(options: { pool: OpenLayerPool; disk: Disk; path: string; residentBytesMax: number }) {
    this.#pool = options.pool
    this.#index = options.pool.takeIndex()
    this.#disk = options.disk
    this.#path = options.path
    this.#residentBytesMax = options.residentBytesMax
  }

  get index(): OpenLayerIndex {
    assert(this.#index, 'read from a released open layer')
    return this.#index
  }

  /** Bytes of values put so far. */
  get valueBytes(): number {
    return this.#valueBytes
  }

  get isEmpty(): boolean {
    return this.index.versionCount === 0
  }

  /** True when chunks wait to be written to the file. */
  get mustSpill(): boolean {
    return this.#residentBytes > this.#residentBytesMax && this.canSpill
  }

  /** True when there are chunks before the one that values are put to now. */
  get canSpill(): boolean {
    return this.#spilledChunks < this.#tailBase / OPEN_LAYER_CHUNK_BYTES
  }

  put(key: Uint8Array, lsn: Lsn, willInit: boolean, value: Uint8Array): void {
    const length = value.length
    assert(length <= VALUE_BYTES_MAX, 'value too long')
    let offset = alignedLength(this.#tailUsedBytes)
    if (offset + length > this.#tail.length || this.#chunks.length === 0) {
      this.#addChunk(length)
      offset = 0
    }
    this.index.put(key, lsn, willInit, this.#tailBase + offset, length)
    const tail = this.#tail
    if (length < LOOP_COPY_BYTES_MAX) for (let i = 0; i < length; i++) tail[offset + i] = value[i]!
    else tail.set(value, offset)
    this.#tailUsedBytes = offset + length
    this.#valueBytes += length
  }

  /** Forgets the versions put since there were `versionCount`. Their bytes stay until the layer is released. */
  rollback(versionCount: number): void {
    this.index.rollback(versionCount)
    for (let number = 0; number < this.#chunkFirstVersion.length; number++) {
      this.#chunkFirstVersion[number] = Math.min(this.#chunkFirstVersion[number]!, versionCount)
    }
  }

  /** Adds the versions of a packed key in (floorLsn, lsn], newest first, down to the first `willInit` one. */
  collect(keys: Uint8Array, offset: number, floorLsn: number, lsn: number, chain: ChainBuilder): void {
    const { index } = this
    let count = 0
    let bytes = 0
    for (let version = index.newest(keys, offset); version !== NONE; version = index.older(version)) {
      const versionAt = index.lsn(version)
      if (versionAt > lsn) continue
      if (versionAt <= floorLsn) break
      if (count === collected.length) {
        const larger = new Uint32Array(2 * count)
        larger.set(collected)
        collected = larger
      }
      collected[count++] = version
      bytes += alignedLength(index.length(version))
      if (index.willInit(version)) break
    }
    if (count === 0) return
    // One copy for the whole chain.
    const copy = new Uint8Array(bytes)
    const words = new Uint32Array(copy.buffer)
    let at = 0
    for (let i = 0; i < count; i++) {
      const version = collected[i]!
      const length = index.length(version)
      const value = copy.subarray(at, at + length)
      if (length >= WORD_COPY_BYTES_MAX || !this.#copyWords(version, length, words, at)) this.#copyValue(version, value)
      chain.add(index.lsn(version) as Lsn, value, index.willInit(version))
      at += alignedLength(length)
    }
  }

  /** All versions of a key in (fromLsn, toLsn], newest first. */
  history(key: Uint8Array, fromLsn: number, toLsn: number): { lsn: Lsn; value: Uint8Array }[] {
    const found: { lsn: Lsn; value: Uint8Array }[] = []
    const { index } = this
    for (let version = index.newest(key, 0); version !== NONE; version = index.older(version)) {
      const lsn = index.lsn(version)
      if (lsn <= fromLsn) break
      if (lsn <= toLsn) found.push({ lsn: lsn as Lsn, value: this.value(version) })
    }
    return found
  }

  /** Calls `visit` for each key in [start, end) that has a version in (floorLsn, lsn], in no useful order. */
  visitKeys(start: Uint8Array, end: Uint8Array, lsn: number, visit: (key: Uint8Array) => void, floorLsn = 0): void {
    const { index } = this
    index.visitRange(start, end, (key, newest) => {
      let version = newest
      while (version !== NONE && index.lsn(version) > lsn) version = index.older(version)
      if (version !== NONE && index.lsn(version) > floorLsn) visit(key)
    })
  }

  /** A copy. */
  value(version: number): Uint8Array {
    const value = new Uint8Array(this.index.length(version))
    this.#copyValue(version, value)
    return value
  }

  /**
   * Writes the oldest chunks to the file until the bound on resident bytes holds. A failure (a full disk) loses nothing:
   * the chunks stay in memory and the next call tries again.
   */
  async spill(): Promise<void> {
    while (this.mustSpill) if (!(await this.spillOldest())) return
  }

  /** Writes the oldest chunk to the file and gives it back. False: it was not possible. As `spill`. */
  async spillOldest(): Promise<boolean> {
    while (this.canSpill && !this.#isPacked && !this.#isReleased) {
      const number = this.#spilledChunks
      const chunk = this.#chunks[number]
      if (!chunk) {
        // The rest of a large value's room.
        this.#spilledChunks = number + 1
        continue
      }
      this.#spilling = this.#writeChunk(number, chunk)
      await this.#spilling
      if (this.#isReleased || this.#isPacked || this.#spilledChunks !== number) return false
      this.#keepCrcs(number, chunk)
      this.#dropChunk(number, chunk)
      this.#spilledChunks = number + 1
      return true
    }
    return false
  }

  /** Everything a worker needs to write the delta layer; resident chunks are shared, not copied, until the release. */
  pack(): PackedOpenLayer {
    this.#isPacked = true
    return {
      index: this.index.pack(),
      chunks: this.#chunks.slice(),
      spillPath: this.#file ? this.#path : undefined,
      spilledCrcs: this.#crcs,
      valueBytes: this.#valueBytes,
    }
  }

  get memoryBytes(): number {
    return this.#residentBytes + this.index.memoryBytes + this.#crcs.byteLength
  }

  /** Gives the memory back and drops the scratch file. No read may follow; a worker must be done. */
  async release(): Promise<void> {
    if (this.#isReleased) return
    this.#isReleased = true
    if (this.#spilling) await this.#spilling.catch(() => undefined)
    this.#chunks.forEach((chunk, number) => {
      if (chunk) this.#dropChunk(number, chunk)
    })
    this.#pool.giveBackIndex(this.index)
    this.#index = undefined
    const file = this.#file
    if (!file) return
    this.#file = undefined
    await file.close()
    await this.#disk.remove(this.#path)
  }

  #addChunk(length: number): void {
    const cells = Math.max(1, Math.ceil(length / OPEN_LAYER_CHUNK_BYTES))
    const number = this.#nextChunk
    assert((number + cells) * OPEN_LAYER_CHUNK_BYTES <= OPEN_LAYER_BYTES_LIMIT, 'open layer is full')
    if (this.#chunks.length > 0) this.#chunkUsedBytes[this.#tailBase / OPEN_LAYER_CHUNK_BYTES] = this.#tailUsedBytes
    // A chunk of several cells holds its one value and nothing more: positions name the first cell only.
    const chunk = cells === 1 ? this.#pool.takeChunk() : new Uint8Array(new SharedArrayBuffer(length))
    this.#chunks[number] = chunk
    this.#chunkWords[number] = cells === 1 ? new Uint32Array(chunk.buffer) : undefined
    this.#chunkFirstVersion[number] = this.index.versionCount
    for (let cell = 1; cell < cells; cell++) {
      this.#chunks[number + cell] = undefined
      this.#chunkUsedBytes[number + cell] = 0
      this.#chunkFirstVersion[number + cell] = this.index.versionCount + 1
    }
    this.#tail = chunk
    this.#tailBase = number * OPEN_LAYER_CHUNK_BYTES
    this.#tailUsedBytes = 0
    this.#nextChunk = number + cells
    this.#residentBytes += chunk.length
  }

  #keepCrcs(number: number, chunk: Uint8Array): void {
    const first = this.#chunkFirstVersion[number]!
    const end = this.#chunkFirstVersion[number + 1] ?? this.index.versionCount
    if (this.#crcs.length < end) {
      const larger = new Uint32Array(new SharedArrayBuffer(4 * Math.max(end, this.#crcs.length * 2, 4096)))
      larger.set(this.#crcs)
      this.#crcs = larger
    }
    for (let version = first; version < end; version++) {
      const offset = this.index.position(version) - number * OPEN_LAYER_CHUNK_BYTES
      this.#crcs[version] = crc32c(chunk, offset, offset + this.index.length(version))
    }
  }

  async #writeChunk(number: number, chunk: Uint8Array): Promise<void> {
    this.#file ??= await this.#disk.open(this.#path, 'write')
    await this.#file.write(chunk.subarray(0, this.#chunkUsedBytes[number]!), number * OPEN_LAYER_CHUNK_BYTES)
  }

  #dropChunk(number: number, chunk: Uint8Array<SharedArrayBuffer>): void {
    this.#chunks[number] = undefined
    this.#chunkWords[number] = undefined
    this.#residentBytes -= chunk.length
    if (chunk.length === OPEN_LAYER_CHUNK_BYTES) this.#pool.giveBackChunk(chunk)
  }

  /** Copies the value, and what its last words hold besides, to words[at / 4, …). False: it lies in no chunk of the pool. */
  #copyWords(version: number, length: number, target: Uint32Array, at: number): boolean {
    const position = this.index.position(version)
    const chunkNumber = Math.floor(position / OPEN_LAYER_CHUNK_BYTES)
    const words = this.#chunkWords[chunkNumber]
    if (!words) return false
    const from = (position - chunkNumber * OPEN_LAYER_CHUNK_BYTES) / 4
    const to = at / 4
    const count = (length + 3) >> 2
    for (let i = 0; i < count; i++) target[to + i] = words[from + i]!
    return true
  }

  /** Fills `target` with the value. */
  #copyValue(version: number, target: Uint8Array): void {
    const position = this.index.position(version)
    const { length } = target
    const chunkNumber = Math.floor(position / OPEN_LAYER_CHUNK_BYTES)
    const chunk = this.#chunks[chunkNumber]
    if (!chunk) {
      if (length > 0) this.#readSpilled(version, position, target)
      return
    }
    const offset = position - chunkNumber * OPEN_LAYER_CHUNK_BYTES
    if (length < LOOP_COPY_BYTES_MAX) for (let i = 0; i < length; i++) target[i] = chunk[offset + i]!
    else target.set(chunk.subarray(offset, offset + length))
  }

  #readSpilled(version: number, position: number, target: Uint8Array): void {
    assert(this.#file, 'read from a released open layer')
    const count = this.#file.readNow(target, position)
    if (count !== target.length || crc32c(target) !== this.#crcs[version]) {
      throw new CorruptionError('spilled value checksum mismatch', { path: this.#path, offsetBytes: position })
    }
  }
}

/** Where the next value after one of this length starts. */
function alignedLength(length: number): number {
  return Math.ceil(length / VALUE_ALIGNMENT) * VALUE_ALIGNMENT
}

export interface PackedOpenLayer {
  readonly index: PackedIndex
  readonly chunks: readonly (Uint8Array | undefined)[]
  readonly spillPath: string | undefined
  /** By version number, for those whose chunk is no longer in memory. */
  readonly spilledCrcs: Uint32Array
  readonly valueBytes: number
}
