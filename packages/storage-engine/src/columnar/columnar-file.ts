/** Reads a columnar layer: heap pages of a block range, a data page's worth at a time. */
import { CorruptionError, StorageError } from '../base/errors.ts'
import { decompress } from '../base/zstd.ts'
import { type ByteSource, ParquetFile } from '../parquet/file-reader.ts'
import type { ColumnData } from '../parquet/values.ts'
import { PAGE_SIZE } from '../postgres/constants.ts'
import { COLUMNAR_FORMAT_VERSION, LAYER_KEY, type LayerDescription } from './columnar-encoder.ts'
import { type DirectorySegment, decodePageEntries, decodeSegments } from './page-directory.ts'
import { PageRebuilder } from './page-rebuilder.ts'
import { type TableLayout, planTableLayout } from './table-layout.ts'

export interface HeapPages {
  readonly firstBlock: number
  /** Pages one after the other, 8192 bytes each. */
  readonly bytes: Uint8Array
}

export class ColumnarFile {
  readonly description: LayerDescription
  readonly parquet: ParquetFile
  readonly layout: TableLayout
  readonly segments: readonly DirectorySegment[]

  private constructor(parquet: ParquetFile, description: LayerDescription, segments: readonly DirectorySegment[]) {
    this.parquet = parquet
    this.description = description
    this.layout = planTableLayout(description.table, description)
    this.segments = segments
  }

  static async open(source: ByteSource): Promise<ColumnarFile> {
    const parquet = await ParquetFile.open(source, { sealed: true })
    const description = parseDescription(parquet.metadata.keyValues.get(LAYER_KEY))
    const segments = decodeSegments(await parquet.readBlob(description.directory))
    const pageCount = segments.reduce((sum, segment) => sum + segment.pageCount, 0)
    if (pageCount !== description.blockCount) throw new CorruptionError('page directory of another size', { pageCount })
    return new ColumnarFile(parquet, description, segments)
  }

  /** Index of the segment that holds a block. */
  segmentOfBlock(blockNumber: number): number {
    const { firstBlock, blockCount, dataPagePages } = this.description
    const page = blockNumber - firstBlock
    if (page < 0 || page >= blockCount) throw new StorageError('not-found', 'block outside the layer', { blockNumber })
    return Math.floor(page / dataPagePages)
  }

  /** All heap pages of a segment, rebuilt, in canonical form. */
  async readSegment(index: number): Promise<HeapPages> {
    const segment = this.segments[index]
    if (!segment) throw new StorageError('invalid-input', 'columnar segment', { index })
    const entries = decodePageEntries(
      decompress(await this.parquet.readBlob(segment), segment.uncompressedLength),
      segment.pageCount,
    )
    const rowCount = entries.reduce((sum, entry) => sum + entry.rowCount, 0)
    const rebuilder = await this.#openRows(segment, rowCount)
    const firstBlock = this.description.firstBlock + segment.firstPage
    const bytes = new Uint8Array(segment.pageCount * PAGE_SIZE)
    entries.forEach((entry, i) => {
      const page = bytes.subarray(i * PAGE_SIZE, (i + 1) * PAGE_SIZE)
      if (entry.kind === 'whole') {
        page.set(entry.page)
        rebuilder?.skipRows(entry.rowCount)
      } else if (entry.kind === 'columns') {
        const source = rebuilder ?? new PageRebuilder(this.layout, noColumns(this.layout, this.parquet))
        source.rebuildPage(entry, firstBlock + i, page)
      }
    })
    return { firstBlock, bytes }
  }

  async #openRows(segment: DirectorySegment, rowCount: number): Promise<PageRebuilder | undefined> {
    const { rows } = segment
    if ((rows?.rowCount ?? 0) !== rowCount)
      throw new CorruptionError('page directory has another number of rows', { rowCount })
    if (!rows) return undefined
    const { rebuildLeaves } = this.layout
    const range = await this.parquet.readRows(rows.rowGroup, rows.firstRow, rows.firstRow + rowCount, rebuildLeaves)
    const columns: ColumnData[] = []
    rebuildLeaves.forEach((leaf, i) => {
      columns[leaf] = range.columns[i]!
    })
    const rebuilder = new PageRebuilder(this.layout, columns)
    rebuilder.skipRows(rows.firstRow - range.firstRow)
    return rebuilder
  }
}

/** Columns of no rows, for pages without tuples. */
function noColumns(layout: TableLayout, parquet: ParquetFile): ColumnData[] {
  const columns: ColumnData[] = []
  for (const leaf of layout.rebuildLeaves) columns[leaf] = parquet.emptyColumn(leaf)
  return columns
}

function parseDescription(text: string | undefined): LayerDescription {
  if (text === undefined) throw new CorruptionError('parquet file is no columnar layer')
  let description: LayerDescription
  try {
    description = JSON.parse(text) as LayerDescription
  } catch (error) {
    throw new CorruptionError('columnar layer description', {}, { cause: error })
  }
  // Of the first version every data page is that of one segment.
  if (description.formatVersion < 1 || description.formatVersion > COLUMNAR_FORMAT_VERSION) {
    throw new StorageError('unsupported', 'columnar layer version', { formatVersion: description.formatVersion })
  }
  return description
}
