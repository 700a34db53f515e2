import { CorruptionError, errorText, isStorageError, type StorageError } from '../../base/errors.ts'
import type { Log } from '../../io/log.ts'
import type { Workers } from '../../io/workers.ts'
import type { ObjectStore } from '../../object-store/object-store.ts'
import { PAGE_SIZE } from '../../postgres/constants.ts'
import type {
  FetchedRange,
  ReadColumnarSegmentResult,
  ReadColumnarSegmentTask,
} from '../upkeep/read-columnar-segment.ts'
import type { LayerDescriptor } from './layer-descriptor.ts'
import type { LayerFiles } from './layer-reader.ts'
import { localPagesName } from './local-pages.ts'
import { blockOf } from './open-layer-index.ts'

/** Heap pages that are rebuilt together: one data page of every column (columnar/columnar-encoder.ts). */
export const SEGMENT_PAGES = 256
/** Heap pages of one columnar layer: 8192 x 8 KiB = 64 MiB. */
export const COLUMNAR_LAYER_PAGES = 8192

/** Tail, checksums, page directory and column indexes of a file, then the columns: more would be a damaged file. */
const FETCH_ROUNDS_MAX = 16
/** Layers whose footer and directory stay here for the next read from the object store: about 200 KiB each. */
const KNOWN_FOOTERS_MAX = 64

/** Pages of one segment, one after the other; the last segment of a table's last layer is shorter. */
export type SegmentPages = Uint8Array

export interface ColumnarSegmentsOptions {
  readonly workers: Workers
  readonly store: ObjectStore
  readonly layerFiles: LayerFiles
  readonly capacityBytes: number
  readonly log: Log
}

/**
 * Rebuilt pages of columnar layers, least recently used out first. A segment comes from the local file of its layer, or
 * from ranges of the object when there is none, and is rebuilt on a worker thread.
 */
export class ColumnarSegments {
  readonly #options: ColumnarSegmentsOptions
  readonly #segments = new Map<string, SegmentPages>()
  readonly #loads = new Map<string, Promise<SegmentPages>>()
  /** First ranges read of a layer's object: its footer and directory. */
  readonly #footers = new Map<string, readonly FetchedRange[]>()
  readonly #damaged = new Map<string, CorruptionError>()
  #sizeBytes = 0
  rebuildCount = 0

  constructor(options: ColumnarSegmentsOptions) {
    this.#options = options
  }

  /** Layers whose object was found damaged by this process, the last time that it was read; reads pass them over where older layers can answer. */
  get damaged(): ReadonlyMap<string, CorruptionError> {
    return this.#damaged
  }

  /** Those of them whose pages are not in the local cache either. */
  get unreadable(): ReadonlyMap<string, CorruptionError> {
    if (this.#damaged.size === 0) return this.#damaged
    const { layerFiles } = this.#options
    return new Map([...this.#damaged].filter(([name]) => !layerFiles.isLocal(localPagesName(name))))
  }

  get(layerName: string, segment: number): SegmentPages | undefined {
    const id = segmentId(layerName, segment)
    const pages = this.#segments.get(id)
    if (!pages) return undefined
    this.#segments.delete(id)
    this.#segments.set(id, pages)
    return pages
  }

  /** Throws CorruptionError naming the object; the layer is then in `damaged`. */
  load(descriptor: LayerDescriptor, objectKey: string, segment: number): Promise<SegmentPages> {
    const id = segmentId(descriptor.name, segment)
    const found = this.get(descriptor.name, segment)
    if (found) return Promise.resolve(found)
    const running = this.#loads.get(id)
    if (running) return running
    const load = this.#load(descriptor, objectKey, segment)
      .then((pages) => {
        this.#add(id, pages)
        return pages
      })
      .finally(() => this.#loads.delete(id))
    this.#loads.set(id, load)
    return load
  }

  /** To be called when the object turns out to be damaged or gone; returns the error of those who need it. */
  markDamaged(name: string, objectKey: string, cause: StorageError): CorruptionError {
    const fields = { object: objectKey, offsetBytes: offsetOf(cause.fields), found: cause.reason }
    const damage = new CorruptionError('columnar layer is damaged', fields, { cause })
    this.#damaged.set(name, damage)
    this.#footers.delete(name)
    this.#options.log.error('columnar layer is damaged', { name, error: errorText(damage) })
    return damage
  }

  /** To be called when the object was read whole and is right: what was found before did not last. */
  markWhole(name: string): void {
    if (this.#damaged.delete(name)) this.#options.log.info('columnar layer is whole again', { name })
  }

  async #load(descriptor: LayerDescriptor, objectKey: string, segment: number): Promise<SegmentPages> {
    this.rebuildCount++
    const { layerFiles } = this.#options
    const path = layerFiles.pinLocal(descriptor.name)
    if (path !== undefined) {
      try {
        const result = await this.#run({ name: descriptor.name, segment, source: { kind: 'file', path } })
        if (result instanceof Uint8Array) return result
      } catch (error) {
        if (!isStorageError(error, 'corruption')) throw error
        this.#options.log.error('damaged local layer, reading the object', { error: errorText(error) })
        await layerFiles.drop(descriptor.name)
      } finally {
        layerFiles.unpin(descriptor.name)
      }
    }
    try {
      return await this.#loadFromStore(descriptor, objectKey, segment)
    } catch (error) {
      if (!isStorageError(error, 'corruption') && !isStorageError(error, 'not-found')) throw error
      throw this.markDamaged(descriptor.name, objectKey, error)
    }
  }

  async #loadFromStore(descriptor: LayerDescriptor, objectKey: string, segment: number): Promise<SegmentPages> {
    const { name, sizeBytes } = descriptor
    let ranges = this.#footers.get(name) ?? []
    for (let round = 0; round < FETCH_ROUNDS_MAX; round++) {
      const result = await this.#run({ name, segment, source: { kind: 'ranges', sizeBytes, ranges } })
      if (result instanceof Uint8Array) return result
      if (result.isFooterRead) this.#keepFooter(name, ranges)
      const fetched = await Promise.all(
        result.needs.map(async ([start, end]): Promise<FetchedRange> => {
          const bytes = await this.#options.store.get(objectKey, { range: { start, end } })
          if (bytes.length !== end - start) {
            throw new CorruptionError('object is shorter than its index says', { offset: start + bytes.length })
          }
          return { start, bytes }
        }),
      )
      ranges = [...ranges, ...fetched]
    }
    throw new CorruptionError('columnar layer needs too many reads', { rounds: FETCH_ROUNDS_MAX })
  }

  #run(task: ReadColumnarSegmentTask): Promise<ReadColumnarSegmentResult> {
    return this.#options.workers.run<ReadColumnarSegmentTask, ReadColumnarSegmentResult>('read-columnar-segment', task)
  }

  #keepFooter(name: string, ranges: readonly FetchedRange[]): void {
    if (this.#footers.has(name)) return
    this.#footers.set(name, ranges)
    if (this.#footers.size <= KNOWN_FOOTERS_MAX) return
    const oldest = this.#footers.keys().next()
    if (!oldest.done) this.#footers.delete(oldest.value)
  }

  #add(id: string, pages: SegmentPages): void {
    this.#segments.set(id, pages)
    this.#sizeBytes += pages.length
    for (const [oldest, { length }] of this.#segments) {
      if (this.#sizeBytes <= this.#options.capacityBytes || oldest === id) return
      this.#segments.delete(oldest)
      this.#sizeBytes -= length
    }
  }
}

/** Position of a block in its layer. The layer's key range begins with its first block. */
export function blockInLayer(layer: LayerDescriptor, packedKey: Uint8Array, offset: number): number {
  return blockOf(packedKey, offset) - blockOf(layer.keyStart, 0)
}

/** Undefined: the layer holds no such block. Borrowed. */
export function pageOfSegment(pages: SegmentPages, position: number): Uint8Array | undefined {
  const at = (position % SEGMENT_PAGES) * PAGE_SIZE
  return at < pages.length ? pages.subarray(at, at + PAGE_SIZE) : undefined
}

/** Blocks in a columnar layer's file. */
export function columnarBlockCount(layer: LayerDescriptor): number {
  return layer.valueBytes / PAGE_SIZE
}

function segmentId(name: string, segment: number): string {
  return `${name}/${segment}`
}

function offsetOf(fields: Readonly<Record<string, unknown>>): number | undefined {
  const offset = fields.offset ?? fields.offsetBytes
  return typeof offset === 'number' ? offset : undefined
}
