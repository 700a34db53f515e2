/**
 * Reads Parquet files: plan the byte ranges, fetch them, decode. With `sealed`, as for all files of our own, the footer
 * and every range are checked against the file's checksums (integrity.ts), so wrong bytes never become wrong values.
 */
import { crc32c } from '../base/crc32c.ts'
import { CorruptionError, StorageError } from '../base/errors.ts'
import { ColumnPageReader } from './column-page-reader.ts'
import { PARQUET_MAGIC } from './file-writer.ts'
import { CHECKSUMS_KEY, ChecksumTable, SEAL_SIZE, checkSeal, parseChecksumEntry } from './integrity.ts'
import { Codec, type ColumnChunk, type FileMetadata, type FileRange, decodeFileMetadata } from './metadata.ts'
import { type ColumnIndex, type PageLocation, decodeColumnIndex, decodeOffsetIndex } from './page-header.ts'
import { checkedRange, chunkStart, coalesce, planChunk, planPages } from './read-plan.ts'
import { type SchemaLeaf, schemaLeaves } from './schema.ts'
import type { ColumnData } from './values.ts'

/** Where the bytes come from: a file, an object, memory. */
export interface ByteSource {
  readonly sizeBytes: number
  /** Bytes between two wanted ranges that are cheaper to read than a second call; by default, what suits an object store. */
  readonly gapBytes?: number
  /** Bytes [start, end), all of them. */
  read(start: number, end: number): Promise<Uint8Array>
}

export function memorySource(bytes: Uint8Array): ByteSource {
  return { sizeBytes: bytes.length, gapBytes: 0, read: (start, end) => Promise.resolve(bytes.subarray(start, end)) }
}

/** Fetched with the first request; most footers of our files fit. */
const TAIL_FETCH_BYTES = 64 * 1024
const FOOTER_BYTES_MAX = 256 * 1024 * 1024

/** Rows [firstRow, endRow) of a row group, column by column in the order asked for. */
export interface RowRange {
  readonly firstRow: number
  readonly endRow: number
  readonly columns: readonly ColumnData[]
}

export class ParquetFile {
  readonly metadata: FileMetadata
  readonly leaves: readonly SchemaLeaf[]
  readonly #source: ByteSource
  readonly #checksums: ChecksumTable | undefined
  readonly #offsetIndexes = new Map<ColumnChunk, PageLocation[]>()

  private constructor(source: ByteSource, metadata: FileMetadata, checksums: ChecksumTable | undefined) {
    this.#source = source
    this.metadata = metadata
    this.leaves = schemaLeaves(metadata.schema)
    this.#checksums = checksums
    for (const group of metadata.rowGroups) {
      if (group.columns.length !== this.leaves.length) {
        throw new CorruptionError('parquet row group with another number of columns', { columns: group.columns.length })
      }
      group.columns.forEach((chunk, i) => {
        const leaf = this.leaves[i]!
        if (
          chunk.physicalType !== leaf.physicalType ||
          (leaf.repetitionLevelMax === 0 && chunk.valueCount !== group.rowCount)
        ) {
          throw new CorruptionError('parquet column chunk does not fit the schema', { column: leaf.path.join('.') })
        }
      })
    }
  }

  /** `sealed: true` refuses files without our checksums. Others are then only as safe as their page checksums. */
  static async open(source: ByteSource, options: { sealed: boolean }): Promise<ParquetFile> {
    const { sizeBytes } = source
    if (sizeBytes < 12) throw new CorruptionError('parquet file too short', { sizeBytes })
    let tail = await source.read(Math.max(0, sizeBytes - TAIL_FETCH_BYTES), sizeBytes)
    const end = new DataView(tail.buffer, tail.byteOffset + tail.length - 8, 8)
    if (!PARQUET_MAGIC.every((byte, i) => end.getUint8(4 + i) === byte)) throw new CorruptionError('not a parquet file')
    const footerLength = end.getUint32(0, true)
    const needed = footerLength + 8 + SEAL_SIZE
    if (footerLength + 12 > sizeBytes || footerLength > FOOTER_BYTES_MAX) {
      throw new CorruptionError('parquet footer longer than the file', { footerLength, sizeBytes })
    }
    if (needed > tail.length) tail = await source.read(Math.max(0, sizeBytes - needed), sizeBytes)
    const footerStart = tail.length - 8 - footerLength
    const footer = tail.subarray(footerStart, tail.length - 8)
    const isSealed = footerStart >= SEAL_SIZE && checkSeal(tail.subarray(footerStart - SEAL_SIZE, footerStart), footer)
    if (options.sealed && !isSealed) throw new CorruptionError('parquet file without a seal')
    const metadata = decodeFileMetadata(footer)
    return new ParquetFile(source, metadata, options.sealed ? await readChecksums(source, metadata) : undefined)
  }

  leaf(name: string): SchemaLeaf {
    const leaf = this.leaves.find((each) => each.path.join('.') === name)
    if (!leaf) throw new StorageError('not-found', 'parquet column', { name })
    return leaf
  }

  /** Whole chunks of the given leaves (all by default) of a row group. */
  async readRowGroup(
    group: number,
    leafIndexes: readonly number[] = this.leaves.map((leaf) => leaf.index),
  ): Promise<RowRange> {
    const rowGroup = this.#group(group)
    const chunks = leafIndexes.map((index) => rowGroup.columns[index]!)
    const ranges = chunks.map((chunk) => planChunk(chunk, this.#source.sizeBytes))
    const fetched = await this.#fetch(ranges)
    const columns: ColumnData[] = []
    for (let i = 0; i < chunks.length; i++) {
      const chunk = chunks[i]!
      const range = ranges[i]!
      const column = new ColumnPageReader(this.leaves[leafIndexes[i]!]!, chunk.codec)
      const { bytes, start } = fetched.find(range)
      const end = start + range.length
      let at = start
      if (this.#checksums) await this.#checkPages(chunk, bytes, start)
      while (column.slotCount < chunk.valueCount && at < end) {
        at = column.readPage(bytes, at, end, { slotsMax: chunk.valueCount - column.slotCount })
      }
      if (column.slotCount !== chunk.valueCount) {
        throw new CorruptionError('parquet column chunk ends too early', {
          got: column.slotCount,
          expected: chunk.valueCount,
        })
      }
      columns.push(column)
    }
    return { firstRow: 0, endRow: rowGroup.rowCount, columns }
  }

  /** Checks every page of a row group of a sealed file against its checksum, one column chunk in memory at a time. */
  async verifyRowGroup(group: number): Promise<void> {
    for (const chunk of this.#group(group).columns) {
      const range = planChunk(chunk, this.#source.sizeBytes)
      const { bytes, start } = (await this.#fetch([range])).find(range)
      await this.#checkPages(chunk, bytes, start)
    }
  }

  /** Data pages [firstPage, endPage), which must begin at the same rows in all of the columns, as in our files. */
  async readPages(
    group: number,
    firstPage: number,
    endPage: number,
    leafIndexes: readonly number[] = this.leaves.map((leaf) => leaf.index),
  ): Promise<RowRange> {
    return this.#readPages(group, firstPage, endPage, leafIndexes)
  }

  /**
   * Rows [firstRow, endRow) of a row group, which are some, and those before in the first data page. Of the last page columns
   * of lists hold what is after, too.
   */
  async readRows(
    group: number,
    firstRow: number,
    endRow: number,
    leafIndexes: readonly number[] = this.leaves.map((leaf) => leaf.index),
  ): Promise<RowRange> {
    const { rowCount, columns } = this.#group(group)
    if (firstRow < 0 || firstRow >= endRow || endRow > rowCount) {
      throw new CorruptionError('parquet rows outside their row group', { group, firstRow, endRow, rowCount })
    }
    // Of all the columns at once: each request to an object store counts.
    await this.#loadOffsetIndexes(leafIndexes.map((index) => columns[index]!))
    const starts = await this.pageFirstRows(group, leafIndexes[0])
    const firstPage = starts.findLastIndex((row) => row <= firstRow)
    const endPage = starts.findIndex((row) => row >= endRow)
    return this.#readPages(group, firstPage, endPage < 0 ? starts.length : endPage, leafIndexes, endRow)
  }

  async #readPages(
    group: number,
    firstPage: number,
    endPage: number,
    leafIndexes: readonly number[],
    rowsEnd?: number,
  ): Promise<RowRange> {
    const rowGroup = this.#group(group)
    const chunks = leafIndexes.map((index) => rowGroup.columns[index]!)
    await this.#loadOffsetIndexes(chunks)
    const plans = chunks.map((chunk) =>
      planPages(chunk, this.#offsetIndexes.get(chunk)!, firstPage, endPage, rowGroup.rowCount, this.#source.sizeBytes),
    )
    const first = plans[0]
    if (!first || plans.some((plan) => plan.firstRow !== first.firstRow || plan.endRow !== first.endRow)) {
      throw new CorruptionError('parquet pages are not aligned', { group, firstPage })
    }
    const fetched = await this.#fetch(
      plans.flatMap((plan) => (plan.dictionary ? [plan.dictionary, ...plan.pages] : plan.pages)),
    )
    const endRow = rowsEnd ?? first.endRow
    const columns = plans.map((plan, i) => {
      const leaf = this.leaves[leafIndexes[i]!]!
      const column = new ColumnPageReader(leaf, chunks[i]!.codec)
      for (const range of plan.dictionary ? [plan.dictionary, ...plan.pages] : plan.pages) {
        const { bytes, start } = fetched.find(range)
        this.#checksums?.check(bytes, start, start + range.length, range.offset)
        column.readPage(bytes, start, start + range.length, { slotsWanted: endRow - plan.firstRow - column.slotCount })
      }
      if (leaf.repetitionLevelMax === 0 && column.slotCount !== endRow - plan.firstRow) {
        throw new CorruptionError('parquet pages with another number of rows', { column: leaf.path.join('.') })
      }
      return column
    })
    return { firstRow: first.firstRow, endRow, columns }
  }

  /** A column of this leaf without rows. */
  emptyColumn(leafIndex: number): ColumnData {
    return new ColumnPageReader(this.leaves[leafIndex]!, Codec.uncompressed)
  }

  /** First row of each data page of a row group, from the offset index of one leaf. */
  async pageFirstRows(group: number, leafIndex = 0): Promise<number[]> {
    const chunk = this.#group(group).columns[leafIndex]!
    await this.#loadOffsetIndexes([chunk])
    return this.#offsetIndexes.get(chunk)!.map((location) => location.firstRow)
  }

  async readColumnIndex(group: number, leafIndex: number): Promise<ColumnIndex | undefined> {
    const range = this.#group(group).columns[leafIndex]?.columnIndex
    return range && decodeColumnIndex(await this.readBlob(range))
  }

  /** Bytes written by `ParquetWriter.writeBlob`. */
  async readBlob(range: FileRange): Promise<Uint8Array> {
    checkedRange(range, this.#source.sizeBytes)
    const bytes = await this.#source.read(range.offset, range.offset + range.length)
    this.#checksums?.check(bytes, 0, bytes.length, range.offset)
    return bytes
  }

  #group(group: number): FileMetadata['rowGroups'][number] {
    const rowGroup = this.metadata.rowGroups[group]
    if (!rowGroup) throw new StorageError('invalid-input', 'parquet row group', { group })
    return rowGroup
  }

  async #checkPages(chunk: ColumnChunk, bytes: Uint8Array, start: number): Promise<void> {
    await this.#loadOffsetIndexes([chunk])
    const from = chunkStart(chunk)
    const check = (offset: number, length: number): void => {
      const at = start + offset - from
      if (at < start || at + length > start + chunk.compressedSizeBytes)
        throw new CorruptionError('parquet page outside its chunk', { offset })
      this.#checksums!.check(bytes, at, at + length, offset)
    }
    if (chunk.dictionaryPageOffset !== undefined) {
      check(chunk.dictionaryPageOffset, chunk.dataPageOffset - chunk.dictionaryPageOffset)
    }
    for (const location of this.#offsetIndexes.get(chunk)!) check(location.offset, location.compressedSizeBytes)
  }

  async #loadOffsetIndexes(chunks: readonly ColumnChunk[]): Promise<void> {
    const missing = chunks.filter((chunk) => !this.#offsetIndexes.has(chunk))
    const ranges = missing.map((chunk) => {
      if (!chunk.offsetIndex) throw new StorageError('unsupported', 'parquet file without an offset index')
      return checkedRange(chunk.offsetIndex, this.#source.sizeBytes)
    })
    const fetched = await this.#fetch(ranges)
    missing.forEach((chunk, i) => {
      const range = ranges[i]!
      const { bytes, start } = fetched.find(range)
      this.#checksums?.check(bytes, start, start + range.length, range.offset)
      this.#offsetIndexes.set(chunk, decodeOffsetIndex(bytes.subarray(start, start + range.length)))
    })
  }

  async #fetch(ranges: readonly FileRange[]): Promise<FetchedRanges> {
    const merged = coalesce(ranges, this.#source.gapBytes)
    const parts = await Promise.all(merged.map((range) => this.#source.read(range.offset, range.offset + range.length)))
    parts.forEach((part, i) => {
      if (part.length !== merged[i]!.length)
        throw new CorruptionError('parquet file shorter than it was', { ...merged[i]! })
    })
    return new FetchedRanges(merged, parts)
  }
}

class FetchedRanges {
  readonly #ranges: readonly FileRange[]
  readonly #parts: readonly Uint8Array[]

  constructor(ranges: readonly FileRange[], parts: readonly Uint8Array[]) {
    this.#ranges = ranges
    this.#parts = parts
  }

  find(range: FileRange): { bytes: Uint8Array; start: number } {
    const index = this.#ranges.findLastIndex((merged) => merged.offset <= range.offset)
    return { bytes: this.#parts[index]!, start: range.offset - this.#ranges[index]!.offset }
  }
}

async function readChecksums(source: ByteSource, metadata: FileMetadata): Promise<ChecksumTable> {
  const entry = metadata.keyValues.get(CHECKSUMS_KEY)
  if (entry === undefined) throw new CorruptionError('parquet file without checksums')
  const { offset, length, checksum } = parseChecksumEntry(entry)
  checkedRange({ offset, length }, source.sizeBytes)
  const bytes = await source.read(offset, offset + length)
  if (crc32c(bytes) !== checksum) throw new CorruptionError('parquet checksum table mismatch', { offset, length })
  return new ChecksumTable(bytes)
}
