import { describeLayer, type LayerDescriptor } from '../layer/layer-descriptor.ts'
import type { LayerName } from '../layer/layer-name.ts'
import type { StorageContext } from '../timeline/storage-context.ts'
import type { FrozenLayer } from '../timeline/storage-version.ts'
import type { TimelineFiles } from '../timeline/timeline-files.ts'
import type { WriteDeltaLayerTask, WrittenLayer } from './write-delta-layer.ts'

/** Writes a frozen layer as a level-0 delta layer and uploads it. It exists once an index names it. */
export async function buildFrozenLayer(
  context: StorageContext,
  files: TimelineFiles,
  frozen: FrozenLayer,
): Promise<LayerDescriptor> {
  const task: WriteDeltaLayerTask = {
    timelineId: files.timelineId,
    source: frozen.layer.pack(),
    path: files.newScratchPath('delta'),
    startLsn: frozen.afterLsn + 1,
    endLsn: frozen.lastLsn + 1,
  }
  const written = await context.flushWorkers.run<WriteDeltaLayerTask, WrittenLayer>('write-delta-layer', task)
  return keepLayer(context, files, 'delta', 0, written)
}

/** Gives a finished file its name among the local layers, and uploads it. */
export async function keepLayer(
  context: StorageContext,
  files: TimelineFiles,
  kind: LayerName['kind'],
  level: LayerName['level'],
  written: WrittenLayer,
): Promise<LayerDescriptor> {
  const { keyStart, keyEnd, startLsn, endLsn } = written.summary
  const name = {
    kind,
    level,
    keyStart,
    keyEnd,
    startLsn,
    endLsn,
    generation: context.generation.number,
    serial: context.newLayerSerial(),
  } as LayerName
  const descriptor = describeLayer(name, written.sizeBytes, written.summary)
  const path = files.path(descriptor.name)
  await context.env.disk.rename(written.path, path)
  await context.uploads.upload(files.objectKey(descriptor), path)
  context.layerFiles.adopt(descriptor, path)
  return descriptor
}
