import { describeLayer, type LayerDescriptor } from '../layer/layer-descriptor.ts'
import type { LayerName } from '../layer/layer-name.ts'
import type { StorageContext } from '../timeline/storage-context.ts'
import type { FrozenLayer } from '../timeline/storage-version.ts'
import type { TimelineFiles } from '../timeline/timeline-files.ts'
import type { WriteDeltaLayerTask, WrittenLayer } from './write-delta-layer.ts'

/** Writes a frozen layer as a level-0 delta layer and uploads it. It exists once an index names it. */
async function buildFrozenLayer(
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

/** Layers that are built at a time: one is written by the flush thread while the one before it is uploaded. */
const BUILDS_MAX = 2

/** The layers that are flushed next. Nothing of them counts before it is published, in their order. */
export class LayerBuilds {
  readonly #context: StorageContext
  readonly #files: TimelineFiles
  readonly #builds = new Map<FrozenLayer, Promise<LayerDescriptor | undefined>>()

  constructor(context: StorageContext, files: TimelineFiles) {
    this.#context = context
    this.#files = files
  }

  /** Begins with the oldest of `frozen`, newest first as in a version, that are not begun yet. */
  begin(frozen: readonly FrozenLayer[]): void {
    for (const layer of frozen.slice(-BUILDS_MAX).reverse()) this.#begin(layer)
  }

  /** Undefined for a layer without a value. A build that failed is begun anew by the next call. */
  async built(frozen: FrozenLayer): Promise<LayerDescriptor | undefined> {
    try {
      return await this.#begin(frozen)
    } catch (error) {
      this.#builds.delete(frozen)
      throw error
    }
  }

  published(frozen: FrozenLayer): void {
    this.#builds.delete(frozen)
  }

  /** Resolves when none is under way: their memory may go then. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.#builds.values())
  }

  #begin(frozen: FrozenLayer): Promise<LayerDescriptor | undefined> {
    let build = this.#builds.get(frozen)
    if (!build) {
      build = frozen.layer.isEmpty ? Promise.resolve(undefined) : buildFrozenLayer(this.#context, this.#files, frozen)
      // Who waits for it hears of a failure; perhaps nobody does yet.
      build.catch(() => undefined)
      this.#builds.set(frozen, build)
    }
    return build
  }
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
