import type { LayerDescriptor } from '../layer/layer-descriptor.ts'

export interface MergePlan {
  /** Oldest first. */
  readonly inputs: readonly LayerDescriptor[]
  readonly startLsn: number
  /** Exclusive. */
  readonly endLsn: number
}

/**
 * Which level-0 layers to merge: the oldest ones, so that level 1 always lies below level 0 and a key's versions stay in
 * order. Undefined when there are fewer than `level0LayersMin`.
 */
export function planMerge(
  layers: readonly LayerDescriptor[],
  bounds: { readonly level0LayersMin: number; readonly mergeInputsMax: number },
): MergePlan | undefined {
  const level0 = layers
    .filter((layer) => layer.kind === 'delta' && layer.level === 0)
    .sort((a, b) => a.startLsn - b.startLsn)
  if (level0.length === 0 || level0.length < bounds.level0LayersMin) return undefined
  const inputs = level0.slice(0, bounds.mergeInputsMax)
  return { inputs, startLsn: inputs[0]!.startLsn, endLsn: inputs.at(-1)!.endLsn }
}
