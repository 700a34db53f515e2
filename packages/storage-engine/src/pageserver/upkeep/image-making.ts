import { Lsn } from '../../postgres/lsn.ts'
import { KEY_BYTES } from '../key.ts'
import type { LayerDescriptor } from '../layer/layer-descriptor.ts'
import { LayerMap } from '../layer/layer-map.ts'
import { compareKeys, maxKey, minKey } from '../layer/packed-key.ts'
import { retryForever } from '../remote/retry-forever.ts'
import type { LayerPlace, ReadLink } from '../timeline/read-layers.ts'
import type { StorageContext } from '../timeline/storage-context.ts'
import { keepLayer } from './flush.ts'
import { forcedImageBounds, type KeyRange, planImages } from './image-plan.ts'
import { pinLayers } from './local-inputs.ts'
import type { UpkeepTarget } from './upkeep-target.ts'
import type { ImageSegment, WritePageImagesTask } from './write-page-images.ts'
import type { WrittenLayer } from './write-delta-layer.ts'

/** Makes images where the plan wants them, at the LSN up to which everything is in layers. */
export async function makeImages(
  context: StorageContext,
  target: UpkeepTarget,
  options: { isForced: boolean },
): Promise<void> {
  const { links, release } = target.acquireLinks()
  try {
    const map = links[0]!.version.map
    const lsn = target.index.consistentLsn
    const ranges = planImages(map, options.isForced ? forcedImageBounds : context.settings, {
      countLevel0: options.isForced,
    })
    if (ranges.length === 0) return
    const liveRanges = await target.semantics.liveKeyRanges(lsn)
    for (const range of ranges) await makeImagesOfRange(context, target, links, lsn, range, liveRanges)
  } finally {
    release()
  }
}

async function makeImagesOfRange(
  context: StorageContext,
  target: UpkeepTarget,
  links: readonly ReadLink[],
  lsn: Lsn,
  range: KeyRange,
  liveRanges: readonly KeyRange[],
): Promise<void> {
  const { segments, layers } = planSegments(links, range, lsn)
  const pinned = await pinLayers(context, layers)
  const added: LayerDescriptor[] = []
  try {
    const outputs = await context.workers.run<WritePageImagesTask, WrittenLayer[]>('write-page-images', {
      timelineId: target.timelineId,
      inputs: pinned.inputs,
      segments,
      liveRanges: clip(liveRanges, range),
      keyStart: range.start,
      keyEnd: range.end,
      lsn,
      outputPath: target.files.newScratchPath('image'),
      outputBytesTarget: context.settings.layerBytesTarget,
    })
    for (const written of outputs) added.push(await keepLayer(context, target.files, 'page-image', 1, written))
  } finally {
    pinned.release()
  }
  await retryForever('publish images', context.retry, () => target.publish(() => ({ added })))
}

/** Cuts the range where the layers to visit change, on this timeline or an ancestor, and lists them for each part. */
function planSegments(
  links: readonly ReadLink[],
  range: KeyRange,
  lsn: Lsn,
): { segments: ImageSegment[]; layers: { descriptor: LayerDescriptor; place: LayerPlace }[] } {
  const boundaries = [range.start, range.end]
  for (const { version } of links) {
    for (const piece of version.map.pieces(range.start, range.end)) boundaries.push(piece.start, piece.end)
  }
  boundaries.sort(compareKeys)
  const layers: { descriptor: LayerDescriptor; place: LayerPlace }[] = []
  const inputOfName = new Map<string, number>()
  const inputOf = (descriptor: LayerDescriptor, place: LayerPlace): number => {
    const known = inputOfName.get(descriptor.name)
    if (known !== undefined) return known
    inputOfName.set(descriptor.name, layers.length)
    return layers.push({ descriptor, place }) - 1
  }
  const segments: ImageSegment[] = []
  for (let i = 0; i + 1 < boundaries.length; i++) {
    const start = boundaries[i]!
    const end = boundaries[i + 1]!
    if (compareKeys(start, end) === 0) continue
    const sources: { input: number; lsn: number; floorLsn: number }[] = []
    let bound = lsn
    for (const { version, place, lsnMax } of links) {
      bound = Lsn.min(bound, lsnMax)
      const covering = version.map.covering(start.subarray(0, KEY_BYTES))
      const image = LayerMap.imageBelow(covering, bound)
      const floorLsn = image?.startLsn ?? 0
      for (const layer of covering) {
        if (layer.kind === 'page-image' || layer.startLsn > bound) continue
        if (layer.endLsn <= floorLsn + 1) break
        sources.push({ input: inputOf(layer, place), lsn: bound, floorLsn })
      }
      if (image) {
        sources.push({ input: inputOf(image, place), lsn: bound, floorLsn })
        break
      }
    }
    if (sources.length > 0) segments.push({ start, end, sources })
  }
  return { segments, layers }
}

function clip(ranges: readonly KeyRange[], within: KeyRange): KeyRange[] {
  return ranges
    .filter(({ start, end }) => compareKeys(start, within.end) < 0 && compareKeys(end, within.start) > 0)
    .map(({ start, end }) => ({ start: maxKey(start, within.start), end: minKey(end, within.end) }))
}
