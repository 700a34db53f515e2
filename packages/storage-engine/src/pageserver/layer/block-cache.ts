/**
 * Decompressed blocks of layer files by (layer number, block number), least recently used out first. Blocks are never
 * written to, so what a caller got stays valid after the block was dropped.
 */
export class BlockCache {
  readonly #capacityBytes: number
  /** Insertion order is the order of last use. */
  readonly #blocks = new Map<number, Uint8Array>()
  #sizeBytes = 0
  hitCount = 0
  missCount = 0

  constructor(capacityBytes: number) {
    this.#capacityBytes = capacityBytes
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  get(layerNumber: number, blockNumber: number): Uint8Array | undefined {
    const id = blockId(layerNumber, blockNumber)
    const block = this.#blocks.get(id)
    if (block === undefined) {
      this.missCount++
      return undefined
    }
    this.hitCount++
    this.#blocks.delete(id)
    this.#blocks.set(id, block)
    return block
  }

  has(layerNumber: number, blockNumber: number): boolean {
    return this.#blocks.has(blockId(layerNumber, blockNumber))
  }

  add(layerNumber: number, blockNumber: number, block: Uint8Array): void {
    if (block.length > this.#capacityBytes) return
    const id = blockId(layerNumber, blockNumber)
    const old = this.#blocks.get(id)
    if (old) this.#sizeBytes -= old.length
    this.#blocks.set(id, block)
    this.#sizeBytes += block.length
    for (const [oldest, bytes] of this.#blocks) {
      if (this.#sizeBytes <= this.#capacityBytes) break
      this.#blocks.delete(oldest)
      this.#sizeBytes -= bytes.length
    }
  }
}

/** Blocks of one file. A file of 4 GiB in blocks of 32 KiB has 2^17. */
export const BLOCKS_PER_FILE_MAX = 2 ** 22

function blockId(layerNumber: number, blockNumber: number): number {
  return layerNumber * BLOCKS_PER_FILE_MAX + blockNumber
}
