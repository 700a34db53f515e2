import type { LayerDescriptor } from '../layer/layer-descriptor.ts'
import { retryForever } from '../remote/retry-forever.ts'
import type { StorageContext } from '../timeline/storage-context.ts'
import { planMerge } from './compaction-plan.ts'
import { keepLayer } from './flush.ts'
import { discardLayers, pinLayers } from './local-inputs.ts'
import type { MergeDeltaLayersTask } from './merge-delta-layers.ts'
import type { UpkeepTarget } from './upkeep-target.ts'
import type { WrittenLayer } from './write-delta-layer.ts'

/** Merges level-0 layers into level-1 layers cut by key, until too few are left. One index write swaps old for new. */
export async function mergeLevel0(
  context: StorageContext,
  target: UpkeepTarget,
  bounds: { readonly level0LayersMin: number },
): Promise<void> {
  const { settings } = context
  for (;;) {
    const plan = planMerge(target.index.layers, { ...bounds, mergeInputsMax: settings.mergeInputsMax })
    if (!plan) return
    const { files } = target
    const pinned = await pinLayers(
      context,
      plan.inputs.map((descriptor) => ({ descriptor, place: files })),
    )
    const added: LayerDescriptor[] = []
    try {
      const outputs = await context.workers.run<MergeDeltaLayersTask, WrittenLayer[]>('merge-delta-layers', {
        timelineId: target.timelineId,
        inputs: pinned.inputs,
        outputPath: files.newScratchPath('merge'),
        outputBytesTarget: settings.layerBytesTarget,
        startLsn: plan.startLsn,
        endLsn: plan.endLsn,
      })
      for (const written of outputs) added.push(await keepLayer(context, files, 'delta', 1, written))
    } finally {
      pinned.release()
    }
    const removed = new Set(plan.inputs.map((layer) => layer.name))
    await retryForever('publish merged layers', context.retry, () =>
      target.publish(
        () => ({ removed, added }),
        () => discardLayers(context, files, plan.inputs),
      ),
    )
  }
}
