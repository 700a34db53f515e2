import { errorText, isStorageError } from '../../base/errors.ts'
import type { LayerDescriptor } from '../layer/layer-descriptor.ts'
import type { DamagedLayers } from '../layer/layer-map.ts'
import { compareKeys } from '../layer/packed-key.ts'
import type { TimelineIndex } from '../remote/index-file.ts'
import type { StorageContext } from '../timeline/storage-context.ts'
import { makeColumns } from './columnar-making.ts'
import { chunksOf } from './columnar-plan.ts'
import type { UpkeepTarget } from './upkeep-target.ts'

/** Damaged layers whose whole history is still there, so that they can be made anew at their own LSN. */
export function repairableLayers(
  { layers, gcCutoffLsn }: Pick<TimelineIndex, 'layers' | 'gcCutoffLsn'>,
  damaged: DamagedLayers,
): LayerDescriptor[] {
  return layers.filter((layer) => damaged.has(layer.name) && layer.startLsn >= gcCutoffLsn)
}

/** Makes damaged columnar layers anew from what is below them, and puts them in their place. */
export async function repairColumns(context: StorageContext, target: UpkeepTarget): Promise<void> {
  for (const layer of repairableLayers(target.index, context.columnarSegments.damaged)) {
    try {
      const made = await makeAnew(context, target, layer)
      const fields = { timelineId: target.timelineId, name: layer.name, made: made?.name }
      if (made) context.env.log.info('a damaged columnar layer was made anew', fields)
      else context.env.log.error('the table of a damaged columnar layer is not to be found', fields)
    } catch (error) {
      if (!isStorageError(error, 'corruption')) throw error
      const fields = { timelineId: target.timelineId, name: layer.name, error: errorText(error) }
      context.env.log.error('a damaged columnar layer cannot be made anew', fields)
    }
  }
}

async function makeAnew(
  context: StorageContext,
  target: UpkeepTarget,
  { keyStart, keyEnd, startLsn }: LayerDescriptor,
): Promise<LayerDescriptor | undefined> {
  const heaps = (await target.semantics.userHeaps?.(startLsn)) ?? []
  const chunk = heaps
    .flatMap(chunksOf)
    .find(({ range }) => compareKeys(range.start, keyStart) === 0 && compareKeys(range.end, keyEnd) === 0)
  if (!chunk) return undefined
  const { links, release } = target.acquireLinks({ layersOnly: true })
  try {
    return await makeColumns(context, target, links, startLsn, chunk)
  } finally {
    release()
  }
}
