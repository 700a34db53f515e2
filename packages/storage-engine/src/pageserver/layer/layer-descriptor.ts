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
