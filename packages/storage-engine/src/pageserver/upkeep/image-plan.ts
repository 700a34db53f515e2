import type { LayerDescriptor } from '../layer/layer-descriptor.ts'
import type { DamagedLayers, LayerMap } from '../layer/layer-map.ts'
import { isImage } from '../layer/layer-name.ts'
import { compareKeys } from '../layer/packed-key.ts'

export interface ImageBounds {
  /** Delta layers above the newest image from which on the share below decides. */
  readonly imageDeltaLayersMax: number
  readonly imageDeltaShareMin: number
  /** Records a read may have to fold, at which an image is made whatever it costs. */
  readonly chainLengthMax: number
}

export interface KeyRange {
  readonly start: Uint8Array
  /** Exclusive. */
  readonly end: Uint8Array
}

/** Every range that has a delta above its newest image is worth an image under these bounds. */
export const forcedImageBounds: ImageBounds = { imageDeltaLayersMax: 1, imageDeltaShareMin: 0, chainLengthMax: 1 }

/**
 * Key ranges for which an image should be made: those whose reads fold too many records, or pass many delta layers that
 * together are not small against the image below them, or whose newest image is damaged. Level-0 layers do not count: they
 * are merged first. Neighbouring ranges become one.
 */
export function planImages(
  map: LayerMap,
  bounds: ImageBounds,
  options: { readonly countLevel0: boolean; readonly damaged?: DamagedLayers },
): KeyRange[] {
  const { countLevel0, damaged } = options
  const ranges: { start: Uint8Array; end: Uint8Array }[] = []
  for (const { start, end, layers } of map.pieces(new Uint8Array(18), new Uint8Array(18).fill(255))) {
    if (!isNewestDamaged(layers, damaged) && !isWorthAnImage(layers, bounds, countLevel0)) continue
    const last = ranges.at(-1)
    if (last && compareKeys(last.end, start) === 0) last.end = end
    else ranges.push({ start, end })
  }
  return ranges
}

function isNewestDamaged(layers: readonly LayerDescriptor[], damaged: DamagedLayers | undefined): boolean {
  if (!damaged || damaged.size === 0) return false
  const newest = layers.filter(isImage)
  // One made anew at the same LSN stands beside it.
  return newest.length > 0 && newest.every((it) => it.startLsn < newest[0]!.startLsn || damaged.has(it.name))
}

function isWorthAnImage(layers: readonly LayerDescriptor[], bounds: ImageBounds, countLevel0: boolean): boolean {
  let deltaCount = 0
  let deltaBytes = 0
  let chainLength = 0
  let imageBytes = 0
  for (const layer of layers) {
    if (isImage(layer)) {
      imageBytes = layer.valueBytes
      break
    }
    if (layer.level === 0 && !countLevel0) continue
    deltaCount++
    deltaBytes += layer.valueBytes
    chainLength += layer.chainLengthMax
  }
  if (deltaCount === 0) return false
  if (chainLength >= bounds.chainLengthMax) return true
  return deltaCount >= bounds.imageDeltaLayersMax && deltaBytes >= imageBytes * bounds.imageDeltaShareMin
}
