import { Lsn } from '../../postgres/lsn.ts'
import type { KeyRange } from '../keyspace.ts'
import type { LayerDescriptor } from '../layer/layer-descriptor.ts'
import { type DamagedLayers, LayerMap } from '../layer/layer-map.ts'
import { isImage } from '../layer/layer-name.ts'
import { compareKeys } from '../layer/packed-key.ts'
import type { LayerPlace, ReadLink } from '../timeline/read-layers.ts'
import type { ImageSegment } from './segment-chain.ts'

export interface SegmentPlan {
  /** Ascending, disjoint. */
  readonly segments: ImageSegment[]
  /** The inputs of the task, in the order in which segments count them. */
  readonly layers: { descriptor: LayerDescriptor; place: LayerPlace }[]
}

/**
 * Cuts ranges of keys where the layers that a read at `lsn` visits change, on this timeline or an ancestor, and lists
 * them for each part. The ranges must be disjoint.
 */
export function planSegments(
  links: readonly ReadLink[],
  ranges: readonly KeyRange[],
  lsn: Lsn,
  damaged: DamagedLayers,
): SegmentPlan {
  const layers: { descriptor: LayerDescriptor; place: LayerPlace }[] = []
  const inputOfName = new Map<string, number>()
  const inputOf = (descriptor: LayerDescriptor, place: LayerPlace): number => {
    const known = inputOfName.get(descriptor.name)
    if (known !== undefined) return known
    inputOfName.set(descriptor.name, layers.length)
    return layers.push({ descriptor, place }) - 1
  }
  const segments: ImageSegment[] = []
  for (const range of [...ranges].sort((a, b) => compareKeys(a.start, b.start))) {
    const boundaries = [range.start, range.end]
    for (const { version } of links) {
      for (const piece of version.map.pieces(range.start, range.end)) boundaries.push(piece.start, piece.end)
    }
    boundaries.sort(compareKeys)
    for (let i = 0; i + 1 < boundaries.length; i++) {
      const start = boundaries[i]!
      const end = boundaries[i + 1]!
      if (compareKeys(start, end) === 0) continue
      const sources = sourcesOf(links, start, lsn, damaged).map(({ layer, place, bound, floorLsn }) => {
        return { input: inputOf(layer, place), lsn: bound, floorLsn }
      })
      if (sources.length > 0) segments.push({ start, end, sources })
    }
  }
  return { segments, layers }
}

/** Layers that a read of `key` at `lsn` visits, newest first. */
function sourcesOf(
  links: readonly ReadLink[],
  key: Uint8Array,
  lsn: Lsn,
  damaged: DamagedLayers,
): { layer: LayerDescriptor; place: LayerPlace; bound: Lsn; floorLsn: number }[] {
  const sources: { layer: LayerDescriptor; place: LayerPlace; bound: Lsn; floorLsn: number }[] = []
  let bound = lsn
  for (const { version, place, lsnMax, startLsn, gcCutoffLsn } of links) {
    bound = Lsn.min(bound, lsnMax)
    const covering = version.map.covering(key)
    const base = LayerMap.baseBelow(covering, bound, damaged, gcCutoffLsn)
    for (const layer of covering) {
      if (isImage(layer) || layer.startLsn > bound) continue
      if (layer.endLsn <= base.floorLsn + 1) break
      sources.push({ layer, place, bound, floorLsn: base.floorLsn })
    }
    if (base.image) {
      sources.push({ layer: base.image, place, bound, floorLsn: base.floorLsn })
      return sources
    }
    if (base.damaged !== undefined && base.floorLsn > startLsn) throw damaged.get(base.damaged)!
  }
  return sources
}
