import type { LayerDescriptor } from '../layer/layer-descriptor.ts'
import type { DamagedLayers, LayerMap } from '../layer/layer-map.ts'
import { isImage } from '../layer/layer-name.ts'

/**
 * Layers that no permitted read needs: reads happen at any LSN from the cutoff on, and exactly at each retained LSN below
 * it (branch points, leases).
 *
 * A layer is needed at an LSN it starts at or below, unless images made at or after its end and at or below that LSN
 * cover all of its keys: a read ends at the newest of those. For the cutoff the same images serve every later LSN. The
 * newest image at or below a permitted LSN is never planned away for it, so the answer is safe as a whole. An image that
 * is damaged covers nothing: what is below takes its place.
 */
export function planGc(
  map: LayerMap,
  horizon: { readonly cutoffLsn: number; readonly retainedLsns: readonly number[] },
  damaged: DamagedLayers = new Map(),
): LayerDescriptor[] {
  const readLsns = [horizon.cutoffLsn, ...horizon.retainedLsns]
  return map.layers.filter((layer) => {
    if (layer.startLsn > horizon.cutoffLsn) return false
    const imageLsnMin = isImage(layer) ? layer.endLsn : layer.endLsn - 1
    return readLsns.every(
      (lsn) => layer.startLsn > lsn || map.coveredByImages(layer.keyStart, layer.keyEnd, imageLsnMin, lsn, damaged),
    )
  })
}
