/**
 * A delta layer: all versions of a key range in an LSN range, sorted by key, then LSN (docs/formats/delta-layer.md).
 * Sort key: key[18] | lsn u64 big-endian. The flag of a row is `willInit`, so a read knows where its chain ends before
 * it unpacks any value.
 */
import type { DiskFile } from '../../io/disk.ts'
import type { Lsn } from '../../postgres/lsn.ts'
import { KEY_BYTES } from '../key.ts'
import type { BlockCache } from './block-cache.ts'
import type { ChainBuilder } from './chain-builder.ts'
import { comparePacked, keyAfter } from './packed-key.ts'
import type { SortedFileKind, SortedFileSummary } from './sorted-file.ts'
import { SortedFileReader } from './sorted-file-reader.ts'
import { SortedFileWriter } from './sorted-file-writer.ts'

export const DELTA_SORT_KEY_BYTES = KEY_BYTES + 8

export const deltaLayerKind: SortedFileKind = {
  magic: 'TRBDELTA',
  sortKeyBytes: DELTA_SORT_KEY_BYTES,
  name: 'delta layer',
}

const TWO_32 = 0x1_0000_0000

export class DeltaLayerWriter {
  readonly #writer: SortedFileWriter
  readonly #sortKey = new Uint8Array(DELTA_SORT_KEY_BYTES)
  #keyStart: Uint8Array | undefined
  #chainLength = 0
  #chainLengthMax = 0

  constructor(file: DiskFile, timelineId: Uint8Array) {
    this.#writer = new SortedFileWriter(deltaLayerKind, file, timelineId)
  }

  get sizeBytes(): number {
    return this.#writer.sizeBytes
  }

  get rowCount(): number {
    return this.#writer.rowCount
  }

  /** The value is source[start, end); the key is the first 18 bytes of `key`. */
  add(key: Uint8Array, lsn: number, willInit: boolean, source: Uint8Array, start = 0, end = source.length): void {
    if (!this.#keyStart) {
      this.#keyStart = key.slice(0, KEY_BYTES)
      this.#sortKey.set(this.#keyStart)
    } else if (comparePacked(this.#sortKey, 0, key, 0, KEY_BYTES) !== 0) {
      for (let i = 0; i < KEY_BYTES; i++) this.#sortKey[i] = key[i]!
      this.#chainLength = 0
    }
    setSortLsn(this.#sortKey, lsn)
    this.#chainLength = willInit ? 1 : this.#chainLength + 1
    if (this.#chainLength > this.#chainLengthMax) this.#chainLengthMax = this.#chainLength
    this.#writer.add(this.#sortKey, willInit, source, start, end)
  }

  /** At least one version must have been added. The key range is that of the versions. */
  finish(startLsn: number, endLsn: number): { sizeBytes: number; summary: SortedFileSummary } {
    const partial = {
      keyStart: this.#keyStart!,
      keyEnd: keyAfter(this.#sortKey),
      startLsn,
      endLsn,
      chainLengthMax: this.#chainLengthMax,
    }
    const sizeBytes = this.#writer.finish(partial)
    return {
      sizeBytes,
      summary: { ...partial, rowCount: this.#writer.rowCount, valueBytes: this.#writer.valueBytes },
    }
  }
}

export class DeltaLayer {
  readonly reader: SortedFileReader
  readonly #sortKey = new Uint8Array(DELTA_SORT_KEY_BYTES)

  constructor(options: { file: DiskFile; objectName: string; layerNumber: number; cache: BlockCache }) {
    this.reader = new SortedFileReader({ kind: deltaLayerKind, ...options })
  }

  /** Adds the versions of a packed key in (floorLsn, lsn], newest first, down to the first `willInit` one. */
  collect(keys: Uint8Array, offset: number, floorLsn: number, lsn: number, chain: ChainBuilder): void {
    this.#visitDown(keys, offset, floorLsn, lsn, (row, versionLsn) => {
      const willInit = this.reader.flag(row)
      chain.add(versionLsn as Lsn, this.reader.value(row), willInit)
      return !willInit
    })
  }

  /** All versions of a key in (fromLsn, toLsn], newest first. */
  history(key: Uint8Array, fromLsn: number, toLsn: number): { lsn: Lsn; value: Uint8Array }[] {
    const found: { lsn: Lsn; value: Uint8Array }[] = []
    this.#visitDown(key, 0, fromLsn, toLsn, (row, lsn) => {
      found.push({ lsn: lsn as Lsn, value: this.reader.value(row) })
      return true
    })
    return found
  }

  /**
   * Calls `visit` for each key in [start, end) that has a version in (floorLsn, lsn], ascending, until it returns
   * false. The key is borrowed.
   */
  visitKeys(start: Uint8Array, end: Uint8Array, lsn: number, visit: (key: Uint8Array) => boolean, floorLsn = 0): void {
    const { reader } = this
    let visited: Uint8Array | undefined
    for (let row = this.firstRowOf(start); row < reader.rowCount; row++) {
      const rows = reader.rowsOf(row)
      const at = reader.rowOffset(row)
      if (comparePacked(rows, at, end, 0, KEY_BYTES) >= 0) return
      const versionLsn = sortLsn(rows, at)
      if (versionLsn > lsn || versionLsn <= floorLsn) continue
      const key = rows.subarray(at, at + KEY_BYTES)
      if (visited && comparePacked(visited, 0, key, 0, KEY_BYTES) === 0) continue
      visited = key
      if (!visit(key)) return
    }
  }

  /** Number of the first row with a key at or above `key`. */
  firstRowOf(key: Uint8Array): number {
    this.#sortKey.set(key.subarray(0, KEY_BYTES))
    setSortLsn(this.#sortKey, 0)
    return this.reader.lowerBound(this.#sortKey)
  }

  #visitDown(
    keys: Uint8Array,
    offset: number,
    floorLsn: number,
    lsn: number,
    visit: (row: number, lsn: number) => boolean,
  ): void {
    for (let i = 0; i < KEY_BYTES; i++) this.#sortKey[i] = keys[offset + i]!
    setSortLsn(this.#sortKey, lsn + 1)
    for (let row = this.reader.lowerBound(this.#sortKey) - 1; row >= 0; row--) {
      const rows = this.reader.rowsOf(row)
      const at = this.reader.rowOffset(row)
      if (comparePacked(rows, at, keys, offset, KEY_BYTES) !== 0) return
      const versionLsn = sortLsn(rows, at)
      if (versionLsn <= floorLsn || !visit(row, versionLsn)) return
    }
  }
}

export function setSortLsn(sortKey: Uint8Array, lsn: number): void {
  const high = Math.floor(lsn / TWO_32)
  const low = lsn % TWO_32
  sortKey[18] = high >>> 24
  sortKey[19] = high >>> 16
  sortKey[20] = high >>> 8
  sortKey[21] = high
  sortKey[22] = low >>> 24
  sortKey[23] = low >>> 16
  sortKey[24] = low >>> 8
  sortKey[25] = low
}

/** The LSN of the sort key that starts at `at`. */
export function sortLsn(rows: Uint8Array, at: number): number {
  const high = ((rows[at + 18]! << 24) | (rows[at + 19]! << 16) | (rows[at + 20]! << 8) | rows[at + 21]!) >>> 0
  const low = ((rows[at + 22]! << 24) | (rows[at + 23]! << 16) | (rows[at + 24]! << 8) | rows[at + 25]!) >>> 0
  return high * TWO_32 + low
}
