import { assert } from '../../base/assert.ts'
import { OpenLayerIndex } from './open-layer-index.ts'

/** Size of a chunk; see OpenLayer. */
export const OPEN_LAYER_CHUNK_BYTES = 1024 * 1024

/** Chunks in use at which ingest waits for flushes, or spills: 224 MiB, four full layers of 48 MiB and their tails. */
export const OPEN_LAYER_CHUNKS_MAX = 224

/** Indexes kept for the next layers: as many as one timeline writes and flushes at a time. */
const FREE_INDEXES_MAX = 4

/** An index that has grown beyond this is given up after its layer. */
const FREE_INDEX_BYTES_MAX = 48 * 1024 * 1024

/**
 * The memory of open and frozen layers, used again from layer to layer. Shared memory that is merely dropped stays with
 * the process until a major garbage collection in every thread that has seen it, which a busy process puts off: it
 * would hold several times what is in use.
 *
 * Whoever takes a chunk or an index gives it back once, when no read and no worker looks at it any more.
 */
export class OpenLayerPool {
  readonly #chunksMax: number
  readonly #freeChunks: Uint8Array<SharedArrayBuffer>[] = []
  readonly #freeIndexes: OpenLayerIndex[] = []
  #usedChunks = 0
  /** Fewest free chunks since the last trim. */
  #freeChunksMin = 0

  constructor(chunksMax = OPEN_LAYER_CHUNKS_MAX) {
    this.#chunksMax = chunksMax
  }

  get usedChunks(): number {
    return this.#usedChunks
  }

  /** In use and kept. */
  get chunkCount(): number {
    return this.#usedChunks + this.#freeChunks.length
  }

  /** Whoever can wait should: one batch of WAL, which is written whole, may take the pool beyond its bound. */
  get isFull(): boolean {
    return this.#usedChunks >= this.#chunksMax
  }

  /** Its content is whatever the last user left. */
  takeChunk(): Uint8Array<SharedArrayBuffer> {
    this.#usedChunks++
    const chunk = this.#freeChunks.pop()
    this.#freeChunksMin = Math.min(this.#freeChunksMin, this.#freeChunks.length)
    return chunk ?? new Uint8Array(new SharedArrayBuffer(OPEN_LAYER_CHUNK_BYTES))
  }

  giveBackChunk(chunk: Uint8Array<SharedArrayBuffer>): void {
    assert(chunk.length === OPEN_LAYER_CHUNK_BYTES, 'not a chunk of the pool')
    assert(this.#usedChunks > 0, 'a chunk is given back twice')
    this.#usedChunks--
    if (this.chunkCount < this.#chunksMax) this.#freeChunks.push(chunk)
  }

  takeIndex(): OpenLayerIndex {
    return this.#freeIndexes.pop() ?? new OpenLayerIndex()
  }

  giveBackIndex(index: OpenLayerIndex): void {
    if (this.#freeIndexes.length >= FREE_INDEXES_MAX || index.memoryBytes > FREE_INDEX_BYTES_MAX) return
    index.clear()
    this.#freeIndexes.push(index)
  }

  /** Lets go of what nobody has needed since the last call: for whoever looks after the process now and then. */
  trim(): void {
    this.#freeChunks.splice(0, this.#freeChunksMin)
    if (this.#freeChunksMin > 0) this.#freeIndexes.length = 0
    this.#freeChunksMin = this.#freeChunks.length
  }
}
