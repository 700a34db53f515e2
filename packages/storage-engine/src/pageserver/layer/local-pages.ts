import { errorText, isStorageError } from '../../base/errors.ts'
import type { Disk } from '../../io/disk.ts'
import type { Log } from '../../io/log.ts'
import type { Workers } from '../../io/workers.ts'
import type { LayerPlace } from '../timeline/read-layers.ts'
import type { WriteLocalPagesTask } from '../upkeep/write-local-pages.ts'
import type { LayerDescriptor } from './layer-descriptor.ts'
import type { LayerFiles } from './layer-reader.ts'

const SUFFIX = '.pages'
/** Segments of one layer that reads rebuild before the pages of all of it are put on the local disk. */
const REBUILDS_MIN = 2
/** Layers whose rebuilds are counted. */
const COUNTED_LAYERS_MAX = 10_000

/**
 * The local page images of a columnar layer: the same pages in a file of the local cache, in the format of a page-image
 * layer, so that reads of single pages stay off Parquet. They are never uploaded and may go at any time.
 */
export function localPagesOf(layer: LayerDescriptor, sizeBytes: number): LayerDescriptor {
  return { ...layer, kind: 'page-image', name: localPagesName(layer.name), sizeBytes }
}

export function localPagesName(layerName: string): string {
  return `${layerName}${SUFFIX}`
}

/** The columnar layer whose local pages a file of this name holds; undefined for other files. */
export function layerOfLocalPages(fileName: string): string | undefined {
  return fileName.endsWith(SUFFIX) ? fileName.slice(0, -SUFFIX.length) : undefined
}

/** Makes local page images again for columnar layers that are read while they have none; one at a time. */
export class LocalPages {
  readonly #options: {
    readonly disk: Disk
    readonly layerFiles: LayerFiles
    readonly workers: Workers
    readonly log: Log
  }
  readonly #rebuilds = new Map<string, number>()
  readonly #wanted = new Map<string, { layer: LayerDescriptor; place: LayerPlace }>()
  #running: Promise<void> | undefined
  #isClosed = false

  constructor(options: { disk: Disk; layerFiles: LayerFiles; workers: Workers; log: Log }) {
    this.#options = options
  }

  /** A read had to rebuild a segment of the layer. */
  noteRebuild(layer: LayerDescriptor, place: LayerPlace): void {
    const count = (this.#rebuilds.get(layer.name) ?? 0) + 1
    if (this.#rebuilds.size >= COUNTED_LAYERS_MAX) this.#rebuilds.clear()
    this.#rebuilds.set(layer.name, count)
    if (count < REBUILDS_MIN || this.#isClosed) return
    this.#wanted.set(layer.name, { layer, place })
    this.#start()
  }

  /** Resolves when none is being made. */
  async settle(): Promise<void> {
    while (this.#running) await this.#running
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#wanted.clear()
    await this.settle()
  }

  #start(): void {
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
      // What was wanted between the last look and here.
      if (this.#wanted.size > 0 && !this.#isClosed) this.#start()
    })
  }

  async #run(): Promise<void> {
    for (let next = this.#take(); next; next = this.#take()) {
      try {
        await this.#make(next.layer, next.place)
      } catch (error) {
        if (isStorageError(error, 'aborted')) return
        this.#options.log.warn('local pages could not be made', { name: next.layer.name, error: errorText(error) })
      }
    }
  }

  #take(): { layer: LayerDescriptor; place: LayerPlace } | undefined {
    const next = this.#wanted.values().next()
    if (next.done) return undefined
    this.#wanted.delete(next.value.layer.name)
    this.#rebuilds.delete(next.value.layer.name)
    return next.value
  }

  async #make(layer: LayerDescriptor, place: LayerPlace): Promise<void> {
    const { layerFiles, workers, disk } = this.#options
    if (layerFiles.isLocal(localPagesName(layer.name))) return
    const path = await layerFiles.pin(layer, place.objectKey(layer), place.path(layer.name))
    try {
      const target = place.path(localPagesName(layer.name))
      const outputPath = `${target}.tmp`
      await disk.remove(outputPath)
      const sizeBytes = await workers.run<WriteLocalPagesTask, number>('write-local-pages', {
        timelineId: place.timelineId,
        path,
        keyStart: layer.keyStart,
        keyEnd: layer.keyEnd,
        lsn: layer.startLsn,
        outputPath,
      })
      await disk.rename(outputPath, target)
      // The layer may have gone meanwhile: then so will this file, at the next start at the latest.
      layerFiles.adopt(localPagesOf(layer, sizeBytes), target)
    } finally {
      layerFiles.unpin(layer.name)
    }
  }
}
