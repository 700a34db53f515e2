import { CorruptionError, errorText, isStorageError } from '../../base/errors.ts'
import { listObjects } from '../../object-store/list-objects.ts'
import { parseLayerName } from '../layer/layer-name.ts'
import { listIndexes } from '../remote/list-indexes.ts'
import { layersPrefix } from '../remote/object-paths.ts'
import type { StorageContext } from '../timeline/storage-context.ts'
import { pinLayers } from './local-inputs.ts'
import type { UpkeepTarget } from './upkeep-target.ts'
import type { VerifyLayerTask } from './verify-layer.ts'

export interface ScrubReport {
  readonly verifiedCount: number
  /** Layers whose object is damaged or gone, with what was found. */
  readonly damaged: readonly { readonly name: string; readonly error: string }[]
  /** Objects removed because no index names them. */
  readonly orphanCount: number
}

/** Reads every layer whole, replacing damaged local copies, and removes objects that earlier generations left behind. */
export async function scrubTimeline(context: StorageContext, target: UpkeepTarget): Promise<ScrubReport> {
  const { release } = target.acquireLinks({ layersOnly: true })
  const damaged: { name: string; error: string }[] = []
  const { layers } = target.index
  try {
    for (const descriptor of layers) {
      try {
        // Between two layers others get their turn.
        await context.heavyWorkLock.run(() => verify(context, target, descriptor))
      } catch (error) {
        if (!isStorageError(error, 'corruption') && !isStorageError(error, 'not-found')) throw error
        damaged.push({ name: descriptor.name, error: errorText(error) })
        if (descriptor.kind !== 'columnar') continue
        // Reads and garbage collection look to the layers below from now on, and image making puts another in its place.
        const fields = { object: target.files.objectKey(descriptor), found: errorText(error) }
        context.columnarSegments.markDamaged(
          descriptor.name,
          new CorruptionError('columnar layer is damaged', fields, { cause: error }),
        )
      }
    }
  } finally {
    release()
  }
  const orphans = await findOrphans(context, target)
  context.deletions.push(orphans)
  await context.deletions.drain()
  return { verifiedCount: layers.length - damaged.length, damaged, orphanCount: orphans.length }
}

async function verify(
  context: StorageContext,
  target: UpkeepTarget,
  descriptor: UpkeepTarget['index']['layers'][number],
): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const pinned = await pinLayers(context, [{ descriptor, place: target.files }])
    try {
      await context.workers.run<VerifyLayerTask, number>('verify-layer', { input: pinned.inputs[0]! })
      return
    } catch (error) {
      if (!isStorageError(error, 'corruption') || attempt > 0) throw error
    } finally {
      pinned.release()
    }
    await context.layerFiles.drop(descriptor.name)
  }
}

/**
 * Objects of older generations that the newest index does not name. Objects of this generation may belong to an upload
 * whose index is still to come, so they are left alone.
 */
async function findOrphans(context: StorageContext, target: UpkeepTarget): Promise<string[]> {
  const { store, projectId, generation } = context
  // The index of this generation must be the one that counts before anything is called unnamed.
  await target.publish(() => ({}))
  const named = target.layerNamesInUse()
  const orphans: string[] = []
  const prefix = layersPrefix(projectId, target.timelineId)
  for await (const { key } of listObjects(store, prefix)) {
    const name = key.slice(prefix.length)
    const parsed = parseLayerName(name)
    // Files of columns belong to Delta tables, too: lake/vacuum.ts knows which versions need them.
    if (parsed && parsed.kind !== 'columnar' && parsed.generation < generation.number && !named.has(name))
      orphans.push(key)
  }
  const indexes = await listIndexes(context, target.timelineId)
  // The newest that is there counts, or one that was written since; a write that came late is among the others.
  orphans.push(...indexes.slice(0, -1).map(({ key }) => key))
  return orphans
}
