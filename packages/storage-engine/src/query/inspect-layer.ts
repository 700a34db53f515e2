import { CorruptionError } from '../base/errors.ts'
import { decompress } from '../base/zstd.ts'
import { LAYER_KEY, type LayerDescription } from '../columnar/columnar-encoder.ts'
import { decodePageEntries, decodeSegments } from '../columnar/page-directory.ts'
import type { Disk } from '../io/disk.ts'
import { type ByteSource, ParquetFile } from '../parquet/file-reader.ts'
import type { BlockSpan } from '../protocol/snapshot-plan.ts'
import { mergeSpans } from './block-span.ts'

export interface InspectLayerTask {
  readonly path: string
  /** For messages. */
  readonly objectKey: string
}

export interface LayerInspection {
  readonly description: LayerDescription
  /** Some value is in `_pg_overflow`. */
  readonly hasOverflow: boolean
  /** Blocks whose pages the layer keeps whole, with none of their rows in its columns; ascending. */
  readonly wholeBlocks: readonly BlockSpan[]
}

/**
 * What a layer says of itself, once every byte that the engine will read of it has been checked: the engine does not look at
 * checksums. Throws `corruption` naming object and offset.
 */
export async function inspectLayer(disk: Disk, { path, objectKey }: InspectLayerTask): Promise<LayerInspection> {
  const file = await disk.open(path, 'read')
  try {
    const source: ByteSource = {
      sizeBytes: file.sizeBytes(),
      async read(start, end) {
        const bytes = new Uint8Array(end - start)
        const got = await file.read(bytes, start)
        if (got !== bytes.length) throw new CorruptionError('layer ends too early', { objectKey, offset: start + got })
        return bytes
      },
    }
    const parquet = await ParquetFile.open(source, { sealed: true })
    const { metadata, leaves } = parquet
    const text = metadata.keyValues.get(LAYER_KEY)
    if (text === undefined) throw new CorruptionError('parquet file is no columnar layer')
    for (let group = 0; group < metadata.rowGroups.length; group++) await parquet.verifyRowGroup(group)
    const overflow = leaves.find((leaf) => leaf.path[0] === '_pg_overflow')
    const hasOverflow = metadata.rowGroups.some((group) => {
      const chunk = overflow && group.columns[overflow.index]
      return chunk?.statistics?.nullCount !== group.rowCount
    })
    const description = JSON.parse(text) as LayerDescription
    return { description, hasOverflow, wholeBlocks: await wholeBlocksOf(parquet, description) }
  } catch (error) {
    if (!(error instanceof CorruptionError)) throw error
    throw new CorruptionError('columnar layer is damaged', { ...error.fields, objectKey, reason: error.message })
  } finally {
    await file.close()
  }
}

async function wholeBlocksOf(
  parquet: ParquetFile,
  { firstBlock, directory }: LayerDescription,
): Promise<readonly BlockSpan[]> {
  const spans: BlockSpan[] = []
  for (const segment of decodeSegments(await parquet.readBlob(directory))) {
    const bytes = decompress(await parquet.readBlob(segment), segment.uncompressedLength)
    decodePageEntries(bytes, segment.pageCount).forEach((entry, i) => {
      if (entry.kind === 'whole' && entry.rowCount === 0) spans.push([firstBlock + segment.firstPage + i, 1])
    })
  }
  return mergeSpans(spans)
}
