/**
 * A page-image layer: the value of every key of a range at one LSN (docs/formats/page-image-layer.md). Sort key: the key.
 * A key of the range that is not in the file does not exist at that LSN: nothing older may be asked for it.
 */
import type { DiskFile } from '../../io/disk.ts'
import type { Lsn } from '../../postgres/lsn.ts'
import { KEY_BYTES } from '../key.ts'
import type { BlockCache } from './block-cache.ts'
import type { ChainBuilder } from './chain-builder.ts'
import { comparePacked } from './packed-key.ts'
import type { SortedFileKind, SortedFileSummary } from './sorted-file.ts'
import { SortedFileReader } from './sorted-file-reader.ts'
import { SortedFileWriter } from './sorted-file-writer.ts'

export const pageImageLayerKind: SortedFileKind = {
  magic: 'TRBIMAGE',
  sortKeyBytes: KEY_BYTES,
  name: 'page-image layer',
}

export class PageImageLayerWriter {
  readonly #writer: SortedFileWriter

  /** As SortedFileWriter. */
  constructor(file: DiskFile, timelineId: Uint8Array, isCompressed = true) {
    this.#writer = new SortedFileWriter(pageImageLayerKind, file, timelineId, isCompressed)
  }

  get sizeBytes(): number {
    return this.#writer.sizeBytes
  }

  add(key: Uint8Array, value: Uint8Array): void {
    this.#writer.add(key, true, value)
  }

  /** The range is what the layer speaks for, whether or not it has keys there. */
  finish(keyStart: Uint8Array, keyEnd: Uint8Array, lsn: number): { sizeBytes: number; summary: SortedFileSummary } {
    const partial = { keyStart, keyEnd, startLsn: lsn, endLsn: lsn + 1, chainLengthMax: 1 }
    const sizeBytes = this.#writer.finish(partial)
    return {
      sizeBytes,
      summary: { ...partial, rowCount: this.#writer.rowCount, valueBytes: this.#writer.valueBytes },
    }
  }
}

export class PageImageLayer {
  readonly reader: SortedFileReader
  /** Behind the row found last: the next key of a scan. */
  #nextRow = 0

  constructor(options: { file: DiskFile; objectName: string; layerNumber: number; cache: BlockCache }) {
    this.reader = new SortedFileReader({ kind: pageImageLayerKind, ...options })
  }

  /** Ends the chain of a packed key: with its value, or with the knowledge that it does not exist. */
  collect(keys: Uint8Array, offset: number, chain: ChainBuilder): void {
    const row = this.#find(keys, offset)
    if (row >= 0) chain.add(this.reader.summary.startLsn as Lsn, this.reader.value(row), true)
    chain.isDone = true
  }

  /** As DeltaLayer.visitKeys: ascending, until `visit` returns false. The key is borrowed. */
  visitKeys(start: Uint8Array, end: Uint8Array, visit: (key: Uint8Array) => boolean): void {
    const { reader } = this
    for (let row = reader.lowerBound(start); row < reader.rowCount; row++) {
      const rows = reader.rowsOf(row)
      const at = reader.rowOffset(row)
      if (comparePacked(rows, at, end, 0, KEY_BYTES) >= 0) return
      if (!visit(rows.subarray(at, at + KEY_BYTES))) return
    }
  }

  #find(keys: Uint8Array, offset: number): number {
    if (this.#isKeyOf(this.#nextRow, keys, offset)) return this.#nextRow++
    const row = this.reader.lowerBound(keys.subarray(offset, offset + KEY_BYTES))
    if (!this.#isKeyOf(row, keys, offset)) return -1
    this.#nextRow = row + 1
    return row
  }

  #isKeyOf(row: number, keys: Uint8Array, offset: number): boolean {
    const { reader } = this
    return (
      row < reader.rowCount && comparePacked(reader.rowsOf(row), reader.rowOffset(row), keys, offset, KEY_BYTES) === 0
    )
  }
}
