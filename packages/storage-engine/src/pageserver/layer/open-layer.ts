import { assert } from '../../base/assert.ts'
import { crc32c } from '../../base/crc32c.ts'
import { CorruptionError } from '../../base/errors.ts'
import type { Disk, DiskFile } from '../../io/disk.ts'
import type { Lsn } from '../../postgres/lsn.ts'
import type { ChainBuilder } from './chain-builder.ts'
import { NONE, OpenLayerIndex, type PackedIndex, VALUE_BYTES_MAX } from './open-layer-index.ts'

/** Values are appended to chunks of this size; a larger value gets a chunk of its own. */
export const OPEN_LAYER_CHUNK_BYTES = 1024 * 1024

/**
 * Values start on such a boundary. Engines copy from and to shared memory by single bytes, some nanoseconds each, unless
 * both sides are aligned to a machine word.
 */
const VALUE_ALIGNMENT = 8

/** Values below this are copied by a loop: a call of `set` costs more. */
const LOOP_COPY_BYTES_MAX = 48

/** Values from this size on are given out as copies in memory that is not shared. */
const PRIVATE_COPY_BYTES_MIN = 512

/** Bytes of values in one open layer that the 32-bit positions of its index can address. */
export const OPEN_LAYER_BYTES_LIMIT = 2 ** 32 - OPEN_LAYER_CHUNK_BYTES

/**
 * What ingest writes before it becomes a delta layer: values in arrival order and an index of all of them.
 *
 * Values lie in chunks of shared memory. When more than `residentBytesMax` of them are resident, the oldest chunks are
 * appended to a file through the Disk seam and dropped from memory; the file is a scratch of this process and is never
 * read after a restart. Each spilled value keeps a CRC-32C in memory that every read from the file checks.
 *
 *   position = chunk number x chunk size + offset        file offset = position
 */
export class OpenLayer {
  readonly index = new OpenLayerIndex()
  readonly #disk: Disk
  readonly #path: string
  readonly #residentBytesMax: number

  readonly #chunks: (Uint8Array<SharedArrayBuffer> | undefined)[] = []
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
  #isReleased = false

  constructor(options: { disk: Disk; path: string; residentBytesMax: number }) {
    this.#disk = options.disk
    this.#path = options.path
    this.#residentBytesMax = options.residentBytesMax
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
    return this.#residentBytes > this.#residentBytesMax && this.#spilledChunks < this.#tailBase / OPEN_LAYER_CHUNK_BYTES
  }

  put(key: Uint8Array, lsn: Lsn, willInit: boolean, value: Uint8Array): void {
    const length = value.length
    assert(length <= VALUE_BYTES_MAX, 'value too long')
    let offset = Math.ceil(this.#tailUsedBytes / VALUE_ALIGNMENT) * VALUE_ALIGNMENT
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
    for (let version = index.newest(keys, offset); version !== NONE; version = index.older(version)) {
      const versionAt = index.lsn(version)
      if (versionAt > lsn) continue
      if (versionAt <= floorLsn) return
      const willInit = index.willInit(version)
      chain.add(versionAt as Lsn, this.value(version), willInit)
      if (willInit) return
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

  /** The bytes stay as they are for as long as the caller holds them. */
  value(version: number): Uint8Array {
    const position = this.index.position(version)
    const length = this.index.length(version)
    const chunkNumber = Math.floor(position / OPEN_LAYER_CHUNK_BYTES)
    const chunk = this.#chunks[chunkNumber]
    if (chunk) {
      const offset = position - chunkNumber * OPEN_LAYER_CHUNK_BYTES
      const shared = chunk.subarray(offset, offset + length)
      // Whoever copies a page image on would do so from an odd address.
      return length < PRIVATE_COPY_BYTES_MIN ? shared : new Uint8Array(shared)
    }
    if (length === 0) return new Uint8Array(0)
    return this.#readSpilled(version, position, length)
  }

  /**
   * Writes the oldest chunks to the file until the bound on resident bytes holds. A failure (a full disk) loses nothing:
   * the chunks stay in memory and the next call tries again.
   */
  async spill(): Promise<void> {
    while (this.mustSpill) {
      const number = this.#spilledChunks
      const chunk = this.#chunks[number]
      if (!chunk) {
        // The rest of a large value's room.
        this.#spilledChunks = number + 1
        continue
      }
      this.#file ??= await this.#disk.open(this.#path, 'write')
      if (this.#isReleased) return
      await this.#file.write(chunk.subarray(0, this.#chunkUsedBytes[number]!), number * OPEN_LAYER_CHUNK_BYTES)
      if (this.#isReleased || this.#spilledChunks !== number) return
      this.#keepCrcs(number, chunk)
      this.#chunks[number] = undefined
      this.#residentBytes -= chunk.length
      this.#spilledChunks = number + 1
    }
  }

  /** Everything a worker needs to write the delta layer; resident chunks are shared, not copied. */
  pack(): PackedOpenLayer {
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

  /** Drops the scratch file; no read may follow. */
  async release(): Promise<void> {
    if (this.#isReleased) return
    this.#isReleased = true
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
    const chunk = new Uint8Array(new SharedArrayBuffer(cells === 1 ? OPEN_LAYER_CHUNK_BYTES : length))
    this.#chunks[number] = chunk
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

  #readSpilled(version: number, position: number, length: number): Uint8Array {
    assert(this.#file, 'read from a released open layer')
    const bytes = new Uint8Array(length)
    const count = this.#file.readNow(bytes, position)
    if (count !== length || crc32c(bytes) !== this.#crcs[version]) {
      throw new CorruptionError('spilled value checksum mismatch', { path: this.#path, offsetBytes: position })
    }
    return bytes
  }
}

export interface PackedOpenLayer {
  readonly index: PackedIndex
  readonly chunks: readonly (Uint8Array | undefined)[]
  readonly spillPath: string | undefined
  /** By version number, for those whose chunk is no longer in memory. */
  readonly spilledCrcs: Uint32Array
  readonly valueBytes: number
}
