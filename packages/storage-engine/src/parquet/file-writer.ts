/**
 * Writes a Parquet file front to back, one row group in memory at a time.
 *
 *   "PAR1" | row groups | blobs | offset indexes | column indexes | checksum table | seal | footer | length | "PAR1"
 */
import { assert } from '../base/assert.ts'
import { crc32c } from '../base/crc32c.ts'
import { type EncodedColumnChunk, encodeColumnChunk } from './column-chunk-writer.ts'
import { CHECKSUMS_KEY, ChecksumTableBuilder, encodeSeal, formatChecksumEntry } from './integrity.ts'
import { type ColumnChunk, type FileMetadata, type FileRange, type RowGroup, encodeFileMetadata } from './metadata.ts'
import { type ColumnIndex, type PageLocation, encodeColumnIndex, encodeOffsetIndex } from './page-header.ts'
import { type SchemaLeaf, type SchemaNode, schemaLeaves } from './schema.ts'
import type { ColumnData } from './values.ts'

/** Takes the next bytes of the file; they belong to the receiver. */
export type ByteSink = (bytes: Uint8Array) => void

export const PARQUET_MAGIC = new Uint8Array([0x50, 0x41, 0x52, 0x31])

interface PendingChunk extends Omit<ColumnChunk, 'offsetIndex' | 'columnIndex'> {
  readonly locations: readonly PageLocation[]
  readonly index: ColumnIndex | undefined
}

export class ParquetWriter {
  readonly #schema: SchemaNode
  readonly #leaves: readonly SchemaLeaf[]
  readonly #sink: ByteSink
  readonly #compressionLevel: number
  readonly #checksums = new ChecksumTableBuilder()
  readonly #groups: { columns: PendingChunk[]; totalSizeBytes: number; rowCount: number }[] = []
  #offset = 0

  constructor(schema: SchemaNode, sink: ByteSink, options: { compressionLevel?: number } = {}) {
    this.#schema = schema
    this.#leaves = schemaLeaves(schema)
    this.#sink = sink
    this.#compressionLevel = options.compressionLevel ?? 3
    this.#emit(PARQUET_MAGIC)
  }

  get rowGroupCount(): number {
    return this.#groups.length
  }

  /**
   * Appends a row group. `columns` are in the order of the schema's leaves; `pageFirstRows` are the rows (from 0 in this
   * group) at which data pages begin, in every column alike.
   */
  writeRowGroup(rowCount: number, columns: readonly ColumnData[], pageFirstRows: readonly number[] = [0]): void {
    assert(columns.length === this.#leaves.length, () => `${columns.length} columns for ${this.#leaves.length} leaves`)
    assert(pageFirstRows[0] === 0, 'the first page begins at row 0')
    const chunks: PendingChunk[] = []
    let totalSizeBytes = 0
    for (const leaf of this.#leaves) {
      const encoded = encodeColumnChunk(leaf, columns[leaf.index]!, rowCount, pageFirstRows, this.#compressionLevel)
      const chunk = this.#writeChunk(leaf, encoded)
      chunks.push(chunk)
      totalSizeBytes += chunk.uncompressedSizeBytes
    }
    this.#groups.push({ columns: chunks, totalSizeBytes, rowCount })
  }

  /** Puts bytes into the file that Parquet readers do not look at. Name the range in a key-value entry. */
  writeBlob(bytes: Uint8Array): FileRange {
    const range = { offset: this.#offset, length: bytes.length }
    if (bytes.length > 0) this.#emitChecked(bytes)
    return range
  }

  /** Ends the file and returns its metadata as a reader sees it. */
  finish(options: { createdBy: string; keyValues?: ReadonlyMap<string, string> }): FileMetadata {
    const withOffsets = this.#groups.map((group) =>
      group.columns.map((chunk) => this.writeBlob(encodeOffsetIndex(chunk.locations))),
    )
    const rowGroups: RowGroup[] = this.#groups.map((group, g) => ({
      rowCount: group.rowCount,
      totalSizeBytes: group.totalSizeBytes,
      columns: group.columns.map(({ locations: _, index, ...chunk }, c) => ({
        ...chunk,
        offsetIndex: withOffsets[g]![c]!,
        ...(index ? { columnIndex: this.writeBlob(encodeColumnIndex(index)) } : {}),
      })),
    }))
    const table = this.#checksums.encode()
    const tableRange = { offset: this.#offset, length: table.length }
    this.#emit(table)
    const metadata: FileMetadata = {
      version: 1,
      schema: this.#schema,
      rowCount: this.#groups.reduce((sum, group) => sum + group.rowCount, 0),
      rowGroups,
      keyValues: new Map([
        ...(options.keyValues ?? []),
        [CHECKSUMS_KEY, formatChecksumEntry(tableRange, crc32c(table))],
      ]),
      createdBy: options.createdBy,
    }
    const footer = encodeFileMetadata(metadata)
    const tail = new Uint8Array(8)
    new DataView(tail.buffer).setUint32(0, footer.length, true)
    tail.set(PARQUET_MAGIC, 4)
    this.#emit(encodeSeal(footer))
    this.#emit(footer)
    this.#emit(tail)
    return metadata
  }

  #writeChunk(leaf: SchemaLeaf, encoded: EncodedColumnChunk): PendingChunk {
    const start = this.#offset
    let uncompressedSizeBytes = 0
    const { dictionary } = encoded
    if (dictionary) {
      this.#emitPage(dictionary.header, dictionary.body)
      uncompressedSizeBytes += dictionary.header.length + dictionary.uncompressedSizeBytes
    }
    const dataPageOffset = this.#offset
    const locations = encoded.pages.map((page) => {
      const offset = this.#offset
      this.#emitPage(page.header, page.body)
      uncompressedSizeBytes += page.header.length + page.uncompressedSizeBytes
      return { offset, compressedSizeBytes: page.header.length + page.body.length, firstRow: page.firstRow }
    })
    return {
      physicalType: leaf.physicalType,
      encodings: encoded.encodings,
      path: leaf.path,
      codec: encoded.codec,
      valueCount: encoded.slotCount,
      uncompressedSizeBytes,
      compressedSizeBytes: this.#offset - start,
      dataPageOffset,
      ...(dictionary ? { dictionaryPageOffset: start } : {}),
      statistics: encoded.statistics,
      locations,
      index: columnIndexOf(encoded),
    }
  }

  #emitPage(header: Uint8Array, body: Uint8Array): void {
    const page = new Uint8Array(header.length + body.length)
    page.set(header)
    page.set(body, header.length)
    this.#emitChecked(page)
  }

  #emitChecked(bytes: Uint8Array): void {
    this.#checksums.add(this.#offset, crc32c(bytes))
    this.#emit(bytes)
  }

  #emit(bytes: Uint8Array): void {
    this.#sink(bytes)
    this.#offset += bytes.length
  }
}

const NO_BYTES = new Uint8Array(0)

/** Undefined when some page with values has no bounds: a ColumnIndex must have them all. */
function columnIndexOf(encoded: EncodedColumnChunk): ColumnIndex | undefined {
  const nullPages = encoded.pages.map((page) => page.nullCount === page.slotCount)
  if (encoded.pages.some((page, i) => !nullPages[i] && page.bounds === undefined)) return undefined
  return {
    nullPages,
    mins: encoded.pages.map((page) => page.bounds?.min ?? NO_BYTES),
    maxes: encoded.pages.map((page) => page.bounds?.max ?? NO_BYTES),
    nullCounts: encoded.pages.map((page) => page.nullCount),
  }
}
