import { CorruptionError } from '../base/errors.ts'
import { LAYER_KEY, type LayerDescription } from '../columnar/columnar-encoder.ts'
import type { Disk } from '../io/disk.ts'
import { type ByteSource, ParquetFile } from '../parquet/file-reader.ts'

export interface InspectLayerTask {
  readonly path: string
  /** For messages. */
  readonly objectKey: string
}

export interface LayerInspection {
  readonly description: LayerDescription
  /** Some value is in `_pg_overflow`. */
  readonly hasOverflow: boolean
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
    return { description: JSON.parse(text) as LayerDescription, hasOverflow }
  } catch (error) {
    if (!(error instanceof CorruptionError)) throw error
    throw new CorruptionError('columnar layer is damaged', { ...error.fields, objectKey, reason: error.message })
  } finally {
    await file.close()
  }
}
