import { CorruptionError, errorText, isStorageError, type StorageError } from '../../base/errors.ts'
import { listObjects } from '../../object-store/list-objects.ts'
import type { LayerDescriptor } from '../layer/layer-descriptor.ts'
import { parseLayerName } from '../layer/layer-name.ts'
import { listIndexes } from '../remote/list-indexes.ts'
import { layersPrefix } from '../remote/object-paths.ts'
import { retryForever } from '../remote/retry-forever.ts'
import type { StorageContext } from '../timeline/storage-context.ts'
import { noteDamage } from './damage-notes.ts'
import type { UpkeepTarget } from './upkeep-target.ts'
import type { VerifyLayerTask } from './verify-layer.ts'

export interface ScrubReport {
  readonly verifiedCount: number
  /** Layers whose object is damaged or gone, with what was found. */
  readonly damaged: readonly { readonly name: string; readonly error: string }[]
  /** Layers whose object was, and is not any more: a good local copy was put in its place. */
  readonly mendedCount: number
  /** Objects removed because no index names them. */
  readonly orphanCount: number
}

/**
 * Reads the object of every layer whole, at a bounded rate, and the local copy where there is one. A damaged local copy is
 * dropped; a damaged object gets the bytes of a good local copy. Then removes objects that earlier generations left behind.
 */
export async function scrubTimeline(context: StorageContext, target: UpkeepTarget): Promise<ScrubReport> {
  const { layers } = target.index
  const { damaged, mendedCount } = await scrubLayers(context, target, layers)
  const orphans = await findOrphans(context, target)
  context.deletions.push(orphans)
  await context.deletions.drain()
  return { verifiedCount: layers.length - damaged.length, damaged, mendedCount, orphanCount: orphans.length }
}

/** Looks again at the layers that were found damaged before this process started: garbage collection waits for it. */
export async function scrubSuspects(context: StorageContext, target: UpkeepTarget): Promise<void> {
  const suspects = new Set(target.index.damagedLayers.map(({ name }) => name))
  const layers = target.index.layers.filter(({ name }) => suspects.has(name))
  await scrubLayers(context, target, layers)
}

async function scrubLayers(
  context: StorageContext,
  target: UpkeepTarget,
  layers: readonly LayerDescriptor[],
): Promise<Pick<ScrubReport, 'damaged' | 'mendedCount'>> {
  const { clock, log } = context.env
  const { release } = target.acquireLinks({ layersOnly: true })
  const damaged: { name: string; error: string }[] = []
  let mendedCount = 0
  try {
    for (const descriptor of layers) {
      const { name, kind, sizeBytes } = descriptor
      // One read that fails would have all others made again.
      const outcome = await retryForever('scrub of a layer', context.retry, () =>
        scrubLayer(context, target, descriptor),
      )
      if (outcome.kind === 'damaged') {
        damaged.push({ name, error: errorText(outcome.error) })
        // Reads and garbage collection look to the layers below from now on, and image making puts another in its place.
        if (kind === 'columnar') {
          context.columnarSegments.markDamaged(name, target.files.objectKey(descriptor), outcome.error)
          await noteDamage(context, target)
        }
      } else {
        if (outcome.kind === 'mended') {
          mendedCount++
          log.warn('a damaged object was replaced by the local copy', { timelineId: target.timelineId, name })
        }
        context.columnarSegments.markWhole(name)
        await noteDamage(context, target, name)
      }
      const pauseMs = (sizeBytes * 1000) / context.settings.scrubBytesPerSecond
      await clock.sleep(pauseMs, { signal: context.retry.signal })
    }
    return { damaged, mendedCount }
  } finally {
    release()
  }
}

/** `mended`: the object was damaged, and a good local copy was put in its place. */
type Outcome = { readonly kind: 'whole' | 'mended' } | { readonly kind: 'damaged'; readonly error: StorageError }

async function scrubLayer(
  context: StorageContext,
  target: UpkeepTarget,
  descriptor: LayerDescriptor,
): Promise<Outcome> {
  const { layerFiles, uploads } = context
  const localPath = layerFiles.pinLocal(descriptor.name)
  try {
    const isLocalGood = localPath !== undefined && (await isWhole(context, descriptor, localPath))
    if (localPath !== undefined && !isLocalGood) await layerFiles.drop(descriptor.name)
    const outcome = await verifyObject(context, target, descriptor)
    if (outcome.kind === 'whole' || !isLocalGood) return outcome
    await uploads.upload(target.files.objectKey(descriptor), localPath)
    const again = await verifyObject(context, target, descriptor)
    return again.kind === 'whole' ? { kind: 'mended' } : again
  } finally {
    if (localPath !== undefined) layerFiles.unpin(descriptor.name)
  }
}

async function isWhole(context: StorageContext, descriptor: LayerDescriptor, path: string): Promise<boolean> {
  try {
    await verifyFile(context, descriptor, path)
    return true
  } catch (error) {
    if (!isStorageError(error, 'corruption')) throw error
    return false
  }
}

/** Rejects when the object store does not answer. */
async function verifyObject(
  context: StorageContext,
  target: UpkeepTarget,
  descriptor: LayerDescriptor,
): Promise<Outcome> {
  const { disk } = context.env
  const object = target.files.objectKey(descriptor)
  const path = target.files.newScratchPath('scrub')
  try {
    await context.store.getFile(object, path)
    const stat = await disk.stat(path)
    if (stat?.sizeBytes !== descriptor.sizeBytes) {
      const fields = { object, sizeBytes: stat?.sizeBytes, expectedBytes: descriptor.sizeBytes }
      return { kind: 'damaged', error: new CorruptionError('layer has another size than its index says', fields) }
    }
    await verifyFile(context, descriptor, path)
    return { kind: 'whole' }
  } catch (error) {
    if (isStorageError(error, 'corruption') || isStorageError(error, 'not-found')) return { kind: 'damaged', error }
    throw error
  } finally {
    await disk.remove(path).catch(() => undefined)
  }
}

/** Between two files others get their turn. */
async function verifyFile(context: StorageContext, descriptor: LayerDescriptor, path: string): Promise<void> {
  const { name, kind, keyStart } = descriptor
  await context.heavyWorkLock.run(() =>
    context.workers.run<VerifyLayerTask, number>('verify-layer', { input: { name, kind, keyStart, path } }),
  )
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
