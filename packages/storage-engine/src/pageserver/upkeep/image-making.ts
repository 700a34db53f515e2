import { errorText, isStorageError } from '../../base/errors.ts'
import { Lsn } from '../../postgres/lsn.ts'
import type { KeyRange } from '../keyspace.ts'
import type { LayerDescriptor } from '../layer/layer-descriptor.ts'
import { compareKeys, maxKey, minKey } from '../layer/packed-key.ts'
import { retryForever } from '../remote/retry-forever.ts'
import type { ReadLink } from '../timeline/read-layers.ts'
import type { StorageContext } from '../timeline/storage-context.ts'
import { makeColumns } from './columnar-making.ts'
import { planColumns, type UserHeap } from './columnar-plan.ts'
import { repairColumns } from './columnar-repair.ts'
import { keepLayer } from './flush.ts'
import { forcedImageBounds, planImages } from './image-plan.ts'
import { pinLayers } from './local-inputs.ts'
import { planSegments } from './segment-plan.ts'
import type { UpkeepTarget } from './upkeep-target.ts'
import type { WrittenLayer } from './write-delta-layer.ts'
import type { WritePageImagesTask } from './write-page-images.ts'

export interface ImageMakingOptions {
  readonly isForced: boolean
  readonly mustYield?: () => boolean
}

/**
 * Makes images where the plan wants them, at the LSN up to which everything is in layers: columns of user tables, and
 * page images of all the rest. False: `mustYield` ended it before the end of the plan, or garbage collection went past
 * that LSN and there is no later one yet. A range whose inputs are damaged beyond what older layers make up for is left
 * out, and does not keep the others from theirs.
 */
export async function makeImages(
  context: StorageContext,
  target: UpkeepTarget,
  options: ImageMakingOptions,
): Promise<boolean> {
  await repairColumns(context, target)
  for (;;) {
    await target.flushAncestors()
    const lsn = target.index.consistentLsn
    try {
      return await makeImagesAt(context, target, lsn, options)
    } catch (error) {
      const isCollected = isStorageError(error, 'not-found') && lsn < target.index.gcCutoffLsn
      if (!isCollected) throw error
      if (target.index.consistentLsn === lsn) return false
    }
  }
}

async function makeImagesAt(
  context: StorageContext,
  target: UpkeepTarget,
  lsn: Lsn,
  options: ImageMakingOptions,
): Promise<boolean> {
  const { links, release } = target.acquireLinks({ layersOnly: true })
  try {
    const map = links[0]!.version.map
    const ranges = planImages(map, options.isForced ? forcedImageBounds : context.settings, {
      countLevel0: options.isForced,
      damaged: context.columnarSegments.damaged,
    })
    if (ranges.length === 0) return true
    const heaps = await readUserHeaps(context, target, lsn)
    const liveRanges = await target.semantics.liveKeyRanges(lsn)
    const { chunks, rest } = planColumns(ranges, heaps, {
      blocksMin: context.settings.columnarBlocksMin,
      isColumnar: ({ range }) => {
        return links.some(({ version }) => version.map.covering(range.start).some(({ kind }) => kind === 'columnar'))
      },
    })
    const mustYield = options.mustYield ?? (() => false)
    const making = [
      ...chunks.map((chunk) => () => makeColumns(context, target, links, lsn, chunk)),
      ...rest.map((range) => () => makePageImages(context, target, links, lsn, range, liveRanges)),
    ]
    for (const make of making) {
      if (mustYield()) return false
      try {
        await make()
      } catch (error) {
        if (!isStorageError(error, 'corruption')) throw error
        const fields = { timelineId: target.timelineId, lsn: Lsn.format(lsn), error: errorText(error) }
        context.env.log.error('a range gets no image, its layers are damaged', fields)
      }
    }
    return true
  } finally {
    release()
  }
}

/** None when the catalog cannot be read: a table without columns gets page images, so that chains stay bounded. */
async function readUserHeaps(context: StorageContext, target: UpkeepTarget, lsn: Lsn): Promise<readonly UserHeap[]> {
  try {
    return (await target.semantics.userHeaps?.(lsn)) ?? []
  } catch (error) {
    if (!isStorageError(error, 'corruption')) throw error
    const fields = { timelineId: target.timelineId, lsn: Lsn.format(lsn), error: errorText(error) }
    context.env.log.error('catalog is not readable, no columns are made', fields)
    return []
  }
}

async function makePageImages(
  context: StorageContext,
  target: UpkeepTarget,
  links: readonly ReadLink[],
  lsn: Lsn,
  range: KeyRange,
  liveRanges: readonly KeyRange[],
): Promise<void> {
  const { segments, layers } = planSegments(links, [range], lsn, context.columnarSegments.damaged)
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

function clip(ranges: readonly KeyRange[], within: KeyRange): KeyRange[] {
  return ranges
    .filter(({ start, end }) => compareKeys(start, within.end) < 0 && compareKeys(end, within.start) > 0)
    .map(({ start, end }) => ({ start: maxKey(start, within.start), end: minKey(end, within.end) }))
}
