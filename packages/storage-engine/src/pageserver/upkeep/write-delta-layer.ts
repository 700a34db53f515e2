import { assert } from '../../base/assert.ts'
import { crc32c } from '../../base/crc32c.ts'
import { CorruptionError } from '../../base/errors.ts'
import type { Disk, DiskFile } from '../../io/disk.ts'
import { KEY_BYTES } from '../key.ts'
import { DeltaLayerWriter } from '../layer/delta-layer.ts'
import type { PackedOpenLayer } from '../layer/open-layer.ts'
import { OPEN_LAYER_CHUNK_BYTES } from '../layer/open-layer-pool.ts'
import { NONE, type PackedIndex, PREFIX_BYTES, VERSION_WORDS, writeBlock } from '../layer/open-layer-index.ts'
import { comparePacked } from '../layer/packed-key.ts'
import type { SortedFileSummary } from '../layer/sorted-file.ts'
import { timelineIdBytes } from './timeline-id-bytes.ts'

export interface WriteDeltaLayerTask {
  readonly timelineId: string
  readonly source: PackedOpenLayer
  readonly path: string
  readonly startLsn: number
  /** Exclusive. */
  readonly endLsn: number
}

export interface WrittenLayer {
  readonly path: string
  readonly sizeBytes: number
  readonly summary: SortedFileSummary
}

/**
 * Sorts an open layer into a delta layer file. Memory: the sort order (12 bytes a key), one block, and of the spilled
 * part one chunk at a time.
 */
export function writeDeltaLayer(disk: Disk, task: WriteDeltaLayerTask): WrittenLayer {
  const { source, path } = task
  const { index } = source
  const { versions } = index
  const spill = source.spillPath === undefined ? undefined : disk.openNow(source.spillPath, 'read')
  const file = disk.openNow(path, 'create')
  try {
    const writer = new DeltaLayerWriter(file, timelineIdBytes(task.timelineId))
    const values = new PackedValues(source, spill)
    const key = new Uint8Array(KEY_BYTES)
    let chain = new Uint32Array(64)
    for (const keyIndex of keysInOrder(index)) {
      const prefixAt = index.keyPrefix[keyIndex]! * PREFIX_BYTES
      key.set(index.prefixes.subarray(prefixAt, prefixAt + PREFIX_BYTES))
      writeBlock(key, index.keyBlock[keyIndex]!)
      let count = 0
      for (let version = index.keyHead[keyIndex]!; version !== NONE; ) {
        if (count === chain.length) {
          const larger = new Uint32Array(count * 2)
          larger.set(chain)
          chain = larger
        }
        chain[count++] = version
        version = versions[version * VERSION_WORDS + 4]!
      }
      while (count > 0) {
        const version = chain[--count]!
        const at = version * VERSION_WORDS
        const lsn = versions[at + 1]! * 0x1_0000_0000 + versions[at]!
        assert(lsn >= task.startLsn && lsn < task.endLsn, 'a version lies outside its layer')
        const lengthWord = versions[at + 3]!
        const length = lengthWord & 0x7fff_ffff
        const start = values.locate(version, versions[at + 2]!, length)
        writer.add(key, lsn, lengthWord >= 0x8000_0000, values.bytes, start, start + length)
      }
    }
    return { path, ...writer.finish(task.startLsn, task.endLsn) }
  } finally {
    void file.close()
    void spill?.close()
  }
}

/** Key numbers in ascending order of their keys. */
function keysInOrder(index: PackedIndex): Uint32Array {
  const prefixOrder = Array.from({ length: index.prefixCount }, (_, i) => i).sort((a, b) =>
    comparePacked(index.prefixes, a * PREFIX_BYTES, index.prefixes, b * PREFIX_BYTES, PREFIX_BYTES),
  )
  const rankOfPrefix = new Uint32Array(index.prefixCount)
  const countOfRank = new Uint32Array(index.prefixCount + 1)
  prefixOrder.forEach((prefix, rank) => {
    rankOfPrefix[prefix] = rank
  })
  for (let k = 0; k < index.keyCount; k++) countOfRank[rankOfPrefix[index.keyPrefix[k]!]! + 1]!++
  for (let rank = 1; rank < countOfRank.length; rank++) countOfRank[rank]! += countOfRank[rank - 1]!
  const startOfRank = countOfRank.slice()
  const order = new Uint32Array(index.keyCount)
  for (let k = 0; k < index.keyCount; k++) order[countOfRank[rankOfPrefix[index.keyPrefix[k]!]!]!++] = k
  // Block number above key number in one double: the native numeric sort then orders both.
  for (let rank = 0; rank < index.prefixCount; rank++) {
    const group = order.subarray(startOfRank[rank]!, startOfRank[rank + 1]!)
    if (group.length < 2) continue
    const packed = new Float64Array(group.length)
    for (let i = 0; i < group.length; i++) packed[i] = index.keyBlock[group[i]!]! * 2 ** 21 + i
    assert(group.length < 2 ** 21, 'too many keys under one prefix in an open layer')
    packed.sort()
    const sorted = group.slice()
    for (let i = 0; i < group.length; i++) group[i] = sorted[packed[i]! % 2 ** 21]!
  }
  return order
}

/** Longer values are copied out of shared memory by words before the layer's writer copies them to an odd address. */
const SHARED_BYTES_MAX = 64

/** Finds values in shared memory or reads them back from the spill file. */
class PackedValues {
  readonly #source: PackedOpenLayer
  readonly #spill: DiskFile | undefined
  #scratch = new Uint8Array(64 * 1024)
  /** Holds the value that was located last. */
  bytes: Uint8Array = this.#scratch

  constructor(source: PackedOpenLayer, spill: DiskFile | undefined) {
    this.#source = source
    this.#spill = spill
  }

  /** Points `bytes` at what holds the value and returns where in it the value starts. */
  locate(version: number, position: number, length: number): number {
    const chunkNumber = Math.floor(position / OPEN_LAYER_CHUNK_BYTES)
    const chunk = this.#source.chunks[chunkNumber]
    const offset = position - chunkNumber * OPEN_LAYER_CHUNK_BYTES
    if (chunk && length < SHARED_BYTES_MAX) {
      this.bytes = chunk
      return offset
    }
    if (length > this.#scratch.length) this.#scratch = new Uint8Array(length)
    this.bytes = this.#scratch
    if (chunk) {
      this.#scratch.set(chunk.subarray(offset, offset + length))
      return 0
    }
    if (length === 0) return 0
    assert(this.#spill, 'a chunk is neither in memory nor in the file')
    const target = this.#scratch.subarray(0, length)
    const count = this.#spill.readNow(target, position)
    if (count !== length || crc32c(target) !== this.#source.spilledCrcs[version]) {
      throw new CorruptionError('spilled value checksum mismatch', {
        path: this.#source.spillPath,
        offsetBytes: position,
      })
    }
    return 0
  }
}
