import { assert } from '../base/assert.ts'
import type { Lsn } from '../postgres/lsn.ts'

/** One append as it goes over the wire, the same bytes to every SafeKeeper. */
export interface BufferedAppend {
  readonly beginLsn: Lsn
  readonly endLsn: Lsn
  readonly frame: Uint8Array
}

/**
 * The proposer's recent WAL as ready-made append frames. Frames leave at the old end, when all have them or the bound is
 * reached and they are committed; who still needs them then reads them from another SafeKeeper.
 */
export class WalBuffer {
  #appends: BufferedAppend[] = []
  /** Sequence number of `#appends[0]`. */
  #firstSequence = 0
  #sizeBytes = 0
  #startLsn: Lsn
  #endLsn: Lsn

  constructor(startLsn: Lsn) {
    this.#startLsn = startLsn
    this.#endLsn = startLsn
  }

  get startLsn(): Lsn {
    return this.#startLsn
  }

  get endLsn(): Lsn {
    return this.#endLsn
  }

  get endSequence(): number {
    return this.#firstSequence + this.#appends.length
  }

  add(append: BufferedAppend): void {
    assert(append.beginLsn === this.#endLsn, 'appends are contiguous')
    this.#appends.push(append)
    this.#sizeBytes += append.frame.length
    this.#endLsn = append.endLsn
  }

  at(sequence: number): BufferedAppend | undefined {
    return this.#appends[sequence - this.#firstSequence]
  }

  /** The append that begins at `lsn` or contains it; undefined when it is outside. */
  find(lsn: Lsn): { sequence: number; append: BufferedAppend } | undefined {
    let low = 0
    let high = this.#appends.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#appends[middle]!.endLsn <= lsn) low = middle + 1
      else high = middle
    }
    const append = this.#appends[low]
    if (append === undefined || append.beginLsn > lsn) return undefined
    return { sequence: this.#firstSequence + low, append }
  }

  /** Drops from the old end: everything below `doneLsn`, and above `keptBytesMax` everything below `committedLsn`. */
  trim(doneLsn: Lsn, committedLsn: Lsn, keptBytesMax: number): void {
    let count = 0
    let sizeBytes = this.#sizeBytes
    for (; count < this.#appends.length; count++) {
      const append = this.#appends[count]!
      const isDone = append.endLsn <= doneLsn && sizeBytes > keptBytesMax / 4
      const isOver = append.endLsn <= committedLsn && sizeBytes > keptBytesMax
      if (!isDone && !isOver) break
      sizeBytes -= append.frame.length
      this.#startLsn = append.endLsn
    }
    if (count === 0) return
    this.#appends.splice(0, count)
    this.#firstSequence += count
    this.#sizeBytes = sizeBytes
  }
}
