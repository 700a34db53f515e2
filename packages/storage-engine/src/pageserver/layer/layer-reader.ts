import { assert } from '../../base/assert.ts'
import { CorruptionError } from '../../base/errors.ts'
import type { Disk } from '../../io/disk.ts'
import type { ObjectStore } from '../../object-store/object-store.ts'
import type { BlockCache } from './block-cache.ts'
import { DeltaLayer } from './delta-layer.ts'
import type { LayerDescriptor } from './layer-descriptor.ts'
import { PageImageLayer } from './page-image-layer.ts'

/** File descriptors held for layers. */
const OPEN_LAYER_FILES_MAX = 512

export type OpenLayerFile = { kind: 'delta'; layer: DeltaLayer } | { kind: 'page-image'; layer: PageImageLayer }

interface LocalFile {
  readonly descriptor: LayerDescriptor
  readonly path: string
  /** Identifies the content in the block cache; a file that is fetched again gets a new number. */
  readonly layerNumber: number
  pinCount: number
  open: OpenLayerFile | undefined
}

/**
 * Local copies of layer files: a cache of object storage, bounded in bytes, least recently used out first. A layer is
 * fetched whole when a read first needs it. A copy with bad bytes is thrown away and fetched again by its reader.
 */
export class LayerFiles {
  readonly #disk: Disk
  readonly #store: ObjectStore
  readonly #blockCache: BlockCache
  readonly #capacityBytes: number
  /** Insertion order is the order of last use. */
  readonly #files = new Map<string, LocalFile>()
  readonly #fetches = new Map<string, Promise<void>>()
  readonly #removals = new Map<string, Promise<void>>()
  /** Callers that wait for a fetch: what they wait for is not evicted before they have it. */
  readonly #waitCounts = new Map<string, number>()
  #sizeBytes = 0
  #openCount = 0
  #nextLayerNumber = 1
  fetchCount = 0

  constructor(options: { disk: Disk; store: ObjectStore; blockCache: BlockCache; capacityBytes: number }) {
    this.#disk = options.disk
    this.#store = options.store
    this.#blockCache = options.blockCache
    this.#capacityBytes = options.capacityBytes
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  isLocal(name: string): boolean {
    return this.#files.has(name)
  }

  /** Takes over a complete file at `path`: one that was just written, or found at start. */
  adopt(descriptor: LayerDescriptor, path: string): void {
    if (this.#files.has(descriptor.name)) return
    const layerNumber = this.#nextLayerNumber++
    this.#files.set(descriptor.name, { descriptor, path, layerNumber, pinCount: 0, open: undefined })
    this.#sizeBytes += descriptor.sizeBytes
    this.#evict()
  }

  /** The layer, open, or undefined when it must be fetched first. Throws `corruption` when its copy is damaged. */
  openNow(name: string): OpenLayerFile | undefined {
    const file = this.#files.get(name)
    if (!file) return undefined
    this.#files.delete(name)
    this.#files.set(name, file)
    if (!file.open) {
      file.open = this.#open(file)
      this.#openCount++
      if (this.#openCount > OPEN_LAYER_FILES_MAX) this.#closeIdle()
    }
    return file.open
  }

  /**
   * Brings the layer here unless it is, and keeps its file from being evicted until `unpin`. Several callers share one
   * download. Returns the path. The bound on bytes is passed by what is pinned.
   */
  async pin(descriptor: LayerDescriptor, objectKey: string, path: string): Promise<string> {
    const { name } = descriptor
    for (;;) {
      const file = this.#files.get(name)
      if (file) {
        file.pinCount++
        return file.path
      }
      this.#waitCounts.set(name, (this.#waitCounts.get(name) ?? 0) + 1)
      try {
        let fetch = this.#fetches.get(name)
        if (!fetch) {
          fetch = this.#fetch(descriptor, objectKey, path).finally(() => this.#fetches.delete(name))
          this.#fetches.set(name, fetch)
        }
        await fetch
      } finally {
        const waitCount = this.#waitCounts.get(name)! - 1
        if (waitCount === 0) this.#waitCounts.delete(name)
        else this.#waitCounts.set(name, waitCount)
      }
    }
  }

  /** Keeps the local copy, if there is one, until `unpin`, and returns its path. */
  pinLocal(name: string): string | undefined {
    const file = this.#files.get(name)
    if (!file) return undefined
    file.pinCount++
    this.#files.delete(name)
    this.#files.set(name, file)
    return file.path
  }

  unpin(name: string): void {
    const file = this.#files.get(name)
    if (file && file.pinCount > 0) file.pinCount--
    this.#evict()
  }

  /** Removes the local copy: the layer is gone, or its bytes are bad. */
  async drop(name: string): Promise<void> {
    const file = this.#files.get(name)
    if (!file) return
    this.#forget(file)
    await this.#remove(file.path)
  }

  async close(): Promise<void> {
    const files = [...this.#files.values()]
    this.#files.clear()
    for (const file of files) await file.open?.layer.reader.close()
  }

  async #fetch(descriptor: LayerDescriptor, objectKey: string, path: string): Promise<void> {
    this.fetchCount++
    await this.#removals.get(path)?.catch(() => undefined)
    await this.#store.getFile(objectKey, path)
    const stat = await this.#disk.stat(path)
    if (stat?.sizeBytes !== descriptor.sizeBytes) {
      await this.#disk.remove(path)
      throw new CorruptionError('layer has another size than its index says', {
        object: objectKey,
        offsetBytes: Math.min(stat?.sizeBytes ?? 0, descriptor.sizeBytes),
        sizeBytes: stat?.sizeBytes,
        expectedBytes: descriptor.sizeBytes,
      })
    }
    this.adopt(descriptor, path)
  }

  #open(file: LocalFile): OpenLayerFile {
    const { descriptor, layerNumber } = file
    const handle = this.#disk.openNow(file.path, 'read')
    try {
      const options = { file: handle, objectName: descriptor.name, layerNumber, cache: this.#blockCache }
      assert(descriptor.kind !== 'columnar', 'columnar layers are read by ColumnarSegments')
      if (descriptor.kind === 'delta') return { kind: 'delta', layer: new DeltaLayer(options) }
      return { kind: 'page-image', layer: new PageImageLayer(options) }
    } catch (error) {
      void handle.close()
      throw error
    }
  }

  #evict(): void {
    if (this.#sizeBytes <= this.#capacityBytes) return
    for (const file of [...this.#files.values()]) {
      if (this.#sizeBytes <= this.#capacityBytes) return
      if (file.pinCount > 0 || this.#waitCounts.has(file.descriptor.name)) continue
      this.#forget(file)
      // A name that could not be removed is found and removed at the next start.
      this.#remove(file.path).catch(() => undefined)
    }
  }

  /** A fetch of the same layer waits for this, lest the removal hits the new file. */
  #remove(path: string): Promise<void> {
    const removal = this.#disk.remove(path).finally(() => {
      if (this.#removals.get(path) === removal) this.#removals.delete(path)
    })
    this.#removals.set(path, removal)
    return removal
  }

  #forget(file: LocalFile): void {
    this.#files.delete(file.descriptor.name)
    this.#sizeBytes -= file.descriptor.sizeBytes
    this.#closeFile(file)
  }

  #closeIdle(): void {
    for (const file of this.#files.values()) {
      if (this.#openCount <= OPEN_LAYER_FILES_MAX / 2) return
      if (file.open) this.#closeFile(file)
    }
  }

  #closeFile(file: LocalFile): void {
    const open = file.open
    if (!open) return
    file.open = undefined
    this.#openCount--
    void open.layer.reader.close()
  }
}
