/**
 * Columnar layers as local files. Those of a folder store are read where they lie; those of S3 are downloaded whole into a
 * bounded cache, from which the least recently used go first.
 */
import { StorageError } from '../base/errors.ts'
import type { Disk } from '../io/disk.ts'
import type { ObjectStore } from '../object-store/object-store.ts'

export interface LocalLayers {
  /** The file's path. It stays there until `release`, as far as this process goes. */
  acquire(objectKey: string, sizeBytes: number): Promise<string>
  release(objectKey: string): void
  /** Removes what earlier processes left. */
  open(): Promise<void>
}

/** Layers of a folder store: PageServer may delete one that a newer layer replaced; then the query is planned anew. */
export function folderLayers(folder: string): LocalLayers {
  return {
    acquire: (objectKey) => Promise.resolve(`${folder}/${objectKey}`),
    release: () => undefined,
    open: () => Promise.resolve(),
  }
}

interface CachedLayer {
  readonly path: string
  readonly sizeBytes: number
  readonly ready: Promise<void>
  users: number
}

export class DownloadedLayers implements LocalLayers {
  readonly #disk: Disk
  readonly #store: ObjectStore
  readonly #directory: string
  readonly #bytesMax: number
  /** Least recently used first. */
  readonly #layers = new Map<string, CachedLayer>()
  #sizeBytes = 0
  #serial = 0

  constructor(options: { disk: Disk; store: ObjectStore; directory: string; bytesMax: number }) {
    this.#disk = options.disk
    this.#store = options.store
    this.#directory = options.directory
    this.#bytesMax = options.bytesMax
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  async open(): Promise<void> {
    await this.#disk.removeTree(this.#directory)
    await this.#disk.makeDirectory(this.#directory)
  }

  async acquire(objectKey: string, sizeBytes: number): Promise<string> {
    let layer = this.#layers.get(objectKey)
    if (layer) this.#layers.delete(objectKey)
    else {
      await this.#makeRoom(sizeBytes)
      layer = this.#layers.get(objectKey) ?? this.#download(objectKey, sizeBytes)
    }
    this.#layers.set(objectKey, layer)
    layer.users++
    try {
      await layer.ready
      return layer.path
    } catch (error) {
      layer.users--
      throw error
    }
  }

  release(objectKey: string): void {
    const layer = this.#layers.get(objectKey)
    if (layer) layer.users--
  }

  #download(objectKey: string, sizeBytes: number): CachedLayer {
    const path = `${this.#directory}/${++this.#serial}.parquet`
    this.#sizeBytes += sizeBytes
    const ready = this.#store.getFile(objectKey, path)
    ready.catch(() => {
      this.#layers.delete(objectKey)
      this.#sizeBytes -= sizeBytes
    })
    return { path, sizeBytes, ready, users: 0 }
  }

  async #makeRoom(sizeBytes: number): Promise<void> {
    for (const [objectKey, layer] of this.#layers) {
      if (this.#sizeBytes + sizeBytes <= this.#bytesMax) return
      if (layer.users > 0) continue
      this.#layers.delete(objectKey)
      this.#sizeBytes -= layer.sizeBytes
      await this.#disk.remove(layer.path)
    }
    if (this.#sizeBytes + sizeBytes > this.#bytesMax) {
      throw new StorageError('exhausted', 'layers of the running queries do not fit the cache', {
        bytesMax: this.#bytesMax,
      })
    }
  }
}
