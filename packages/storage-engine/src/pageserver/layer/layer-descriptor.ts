import { formatLayerName, type LayerName } from './layer-name.ts'
import type { SortedFileSummary } from './sorted-file.ts'

/** One immutable layer as the index file and the layer map know it. */
export interface LayerDescriptor extends LayerName {
  readonly name: string
  readonly sizeBytes: number
  /** Uncompressed bytes of the values. */
  readonly valueBytes: number
  readonly rowCount: number
  readonly chainLengthMax: number
  /** Of columnar layers; absent in those that were made before exceptions were kept. */
  readonly exceptions?: ColumnarExceptions
}

/** What of a columnar layer did not go into columns as it is. */
export interface ColumnarExceptions {
  /** Heap pages kept whole beside the columns: the page that the columns gave back was another one. */
  readonly wholePages: number
  /** Of these, pages that do not read as pages of the table: their rows are in no column. */
  readonly undecodablePages: number
  /** Heap pages in columns whose other bytes are kept as a patch. */
  readonly patchedPages: number
  /** Values kept with their page bytes besides. */
  readonly rawValues: number
  /** Values that their column's type cannot hold: null there, and kept as text and bytes. */
  readonly overflowValues: number
}

export function describeLayer(name: LayerName, sizeBytes: number, summary: SortedFileSummary): LayerDescriptor {
  return {
    ...name,
    name: formatLayerName(name),
    sizeBytes,
    valueBytes: summary.valueBytes,
    rowCount: summary.rowCount,
    chainLengthMax: summary.chainLengthMax,
  }
}
