import { isStorageError, StorageError } from '../../base/errors.ts'
import type { Env } from '../../io/env.ts'
import type { Workers } from '../../io/workers.ts'
import type { ObjectStore } from '../../object-store/object-store.ts'
import { type ProjectId, TimelineId } from '../../postgres/ids.ts'
import { Lsn } from '../../postgres/lsn.ts'
import { BlockCache } from '../layer/block-cache.ts'
import { ColumnarSegments } from '../layer/columnar-segments.ts'
import { LayerFiles } from '../layer/layer-reader.ts'
import { LocalPages } from '../layer/local-pages.ts'
import { DeletionQueue } from '../remote/deletion-queue.ts'
import { Generation } from '../remote/generation.ts'
import { decodeIndex, encodeIndex, type TimelineIndex } from '../remote/index-file.ts'
import { assertIndexInvariants } from '../remote/index-invariants.ts'
import {
  indexGeneration,
  indexKey,
  indexPrefix,
  lakePrefix,
  timelinePrefix,
  timelinesPrefix,
} from '../remote/object-paths.ts'
import { UploadQueue } from '../remote/upload-queue.ts'
import { ColumnarMetrics } from '../upkeep/columnar-metrics.ts'
import { LayeredTimelineStorage } from './layered-timeline-storage.ts'
import { LsnLeases } from './lsn-leases.ts'
import { SerialLock } from './serial-lock.ts'
import type { StorageContext } from './storage-context.ts'
import { defaultStorageSettings, type StorageSettings } from './storage-settings.ts'
import type { TimelineStorage, ValueSemantics } from './timeline-storage.ts'

export interface ProjectStorageOptions {
  readonly env: Pick<Env, 'clock' | 'disk' | 'log' | 'metrics'>
  readonly objectStore: ObjectStore
  /** Runs upkeep/upkeep-tasks.ts. */
  readonly workers: Workers
  /** For what reads wait for; `workers` when not given. */
  readonly readWorkers?: Workers
  /** Local cache of this project; anything in it may be deleted while it is closed. */
  readonly directory: string
  readonly projectId: ProjectId
  readonly semanticsOf: (storage: TimelineStorage) => ValueSemantics
  readonly settings?: Partial<StorageSettings>
  /** Written into the claim of the generation, for people who look at it. */
  readonly owner?: string
}

export interface NewTimeline {
  readonly timelineId: TimelineId
  /** Where its WAL begins. A branch begins at its branch point. */
  readonly startLsn: Lsn
  readonly ancestor?: { readonly timelineId: TimelineId; readonly lsn: Lsn }
  readonly attributes?: Readonly<Record<string, string>>
}

/** Claims the project for this process and loads its timelines from object storage. */
export async function openProjectStorage(options: ProjectStorageOptions): Promise<ProjectStorage> {
  const { env, objectStore, projectId } = options
  const settings = { ...defaultStorageSettings, ...options.settings }
  const generation = await Generation.claim(objectStore, projectId, options.owner ?? 'pageserver')
  const abort = new AbortController()
  const retry = {
    env,
    delayMsMin: settings.retryDelayMsMin,
    delayMsMax: settings.retryDelayMsMax,
    signal: abort.signal,
  }
  let layerSerial = 0
  const layerFiles = new LayerFiles({
    disk: env.disk,
    store: objectStore,
    blockCache: new BlockCache(settings.blockCacheBytesMax),
    capacityBytes: settings.layerFilesBytesMax,
  })
  const context: StorageContext = {
    env,
    store: objectStore,
    workers: options.workers,
    readWorkers: options.readWorkers ?? options.workers,
    projectId,
    directory: options.directory,
    generation,
    settings,
    layerFiles,
    columnarSegments: new ColumnarSegments({
      workers: options.readWorkers ?? options.workers,
      store: objectStore,
      layerFiles,
      capacityBytes: settings.columnarSegmentsBytesMax,
      log: env.log,
    }),
    localPages: new LocalPages({ disk: env.disk, layerFiles, workers: options.workers, log: env.log }),
    columnarMetrics: new ColumnarMetrics(env.metrics),
    uploads: new UploadQueue(objectStore, retry),
    deletions: new DeletionQueue(objectStore, generation, env.log),
    retry,
    branchLock: new SerialLock(),
    heavyWorkLock: new SerialLock(),
    newLayerSerial: () => ++layerSerial,
    leasedLsns: (timelineId) => project.leasedLsns(timelineId),
  }
  const project = new ProjectStorage(context, options.semanticsOf, abort)
  await project.load()
  return project
}

/** All timelines of one project, owned by one generation. */
export class ProjectStorage {
  readonly #context: StorageContext
  readonly #semanticsOf: (storage: TimelineStorage) => ValueSemantics
  readonly #abort: AbortController
  readonly #timelines = new Map<TimelineId, LayeredTimelineStorage>()
  readonly #leases: LsnLeases

  constructor(
    context: StorageContext,
    semanticsOf: (storage: TimelineStorage) => ValueSemantics,
    abort: AbortController,
  ) {
    this.#context = context
    this.#semanticsOf = semanticsOf
    this.#abort = abort
    this.#leases = new LsnLeases(context.env.clock)
  }

  get generation(): number {
    return this.#context.generation.number
  }

  get context(): StorageContext {
    return this.#context
  }

  timelineIds(): TimelineId[] {
    return [...this.#timelines.keys()].sort()
  }

  timeline(timelineId: TimelineId): LayeredTimelineStorage {
    const timeline = this.#timelines.get(timelineId)
    if (!timeline) throw new StorageError('not-found', 'no such timeline', { timelineId })
    return timeline
  }

  has(timelineId: TimelineId): boolean {
    return this.#timelines.has(timelineId)
  }

  /** Durable when it resolves. Repeating it with the same values returns the same timeline. */
  createTimeline(spec: NewTimeline): Promise<LayeredTimelineStorage> {
    return this.#context.branchLock.run(async () => {
      const existing = this.#timelines.get(spec.timelineId)
      if (existing) return sameTimeline(existing, spec)
      const ancestor = spec.ancestor && this.timeline(spec.ancestor.timelineId)
      if (ancestor && spec.ancestor) {
        // A garbage collection whose index write failed may have taken effect: not to be found out after a restart.
        await ancestor.settleLine()
        ancestor.requireReadable(spec.ancestor.lsn)
      }
      const beginLsn = spec.ancestor?.lsn ?? Lsn.zero
      const index: TimelineIndex = {
        timelineId: spec.timelineId,
        generation: this.generation,
        startLsn: spec.startLsn,
        ancestor: spec.ancestor,
        consistentLsn: beginLsn,
        gcCutoffLsn: Lsn.zero,
        retainedLsns: [],
        leases: [],
        attributes: spec.attributes ?? {},
        layers: [],
      }
      assertIndexInvariants(index)
      const { store, projectId, generation } = this.#context
      await store.put(indexKey(projectId, spec.timelineId, generation.number), encodeIndex(index))
      await generation.confirm()
      return this.#open(index)
    })
  }

  /**
   * Keeps reads of the timeline at `lsn` possible for `seconds`. Durable when it resolves; the same id again replaces its
   * lease. Rejects with `not-found` when the history kept begins later.
   */
  leaseLsn(timelineId: TimelineId, lease: { id: string; lsn: Lsn; seconds: number }): Promise<void> {
    return this.#context.branchLock.run(async () => {
      const timeline = this.timeline(timelineId)
      await timeline.settleLine()
      timeline.requireReadable(lease.lsn)
      await timeline.publish((index) => ({ fields: { leases: this.#leases.with(index.leases, lease) } }))
    })
  }

  leasedLsns(timelineId: TimelineId): Lsn[] {
    const found: Lsn[] = []
    for (const holder of this.#timelines.values()) {
      for (const lease of holder.index.leases) {
        const { lsn } = lease
        if (this.#leases.isHeld(lease) && holder.lineAt(lsn).some((storage) => storage.timelineId === timelineId))
          found.push(lsn)
      }
    }
    return found
  }

  /** Refused with `conflict` while branches of it exist. */
  deleteTimeline(timelineId: TimelineId): Promise<void> {
    return this.#context.branchLock.run(async () => {
      const timeline = this.#timelines.get(timelineId)
      if (!timeline) return
      if (timeline.branchPoints.size > 0) {
        throw new StorageError('conflict', 'timeline has branches', { timelineId, count: timeline.branchPoints.size })
      }
      const { store, projectId, generation, deletions, layerFiles, env } = this.#context
      await generation.confirm()
      await timeline.close()
      // The newest index goes last: until then the timeline is whole for the next owner.
      const indexes = await this.#indexKeys(timelineId)
      await store.delete(indexes.slice(0, -1))
      await store.delete(indexes.slice(-1))
      this.#timelines.delete(timelineId)
      timeline.forgetBranchPoint()
      const { files, index } = timeline
      for (const { name } of index.layers) await layerFiles.drop(name)
      deletions.push(index.layers.map((layer) => files.objectKey(layer)))
      await this.#deleteLake(timelineId)
      await env.disk.removeTree(`${this.#context.directory}/timelines/${timelineId}`)
      env.log.info('timeline deleted', { projectId, timelineId })
    })
  }

  /** Columns that only Delta versions still named, deletion vectors and logs. */
  async #deleteLake(timelineId: TimelineId): Promise<void> {
    const { store, projectId, deletions } = this.#context
    const prefix = lakePrefix(projectId, timelineId)
    for (let startAfter: string | undefined; ; ) {
      const { objects, truncated } = await store.list(prefix, startAfter === undefined ? {} : { startAfter })
      deletions.push(objects.map(({ key }) => key))
      startAfter = objects.at(-1)?.key
      if (!truncated || startAfter === undefined) return
    }
  }

  async close(): Promise<void> {
    this.#abort.abort()
    for (const timeline of this.#timelines.values()) await timeline.close()
    await this.#context.localPages.close()
    await this.#context.deletions.drain()
    await this.#context.layerFiles.close()
  }

  /** Opens every timeline that has an index, ancestors first; one without its ancestor is left out. */
  async load(): Promise<void> {
    const indexes = new Map<TimelineId, TimelineIndex>()
    for (const timelineId of await this.#listTimelines()) {
      const index = await this.#loadIndex(timelineId)
      if (index) indexes.set(timelineId, index)
    }
    const open = async (index: TimelineIndex): Promise<boolean> => {
      if (this.#timelines.has(index.timelineId)) return true
      const ancestor = index.ancestor && indexes.get(index.ancestor.timelineId)
      if (index.ancestor && !(ancestor && (await open(ancestor)))) {
        // An ancestor is not deleted while it has branches: this one's creation failed, and nobody was told of it.
        const fields = { timelineId: index.timelineId, ancestorTimelineId: index.ancestor.timelineId }
        this.#context.env.log.error('a timeline whose ancestor is gone is not served', fields)
        return false
      }
      await this.#open(index)
      return true
    }
    for (const index of indexes.values()) await open(index)
  }

  async #open(index: TimelineIndex): Promise<LayeredTimelineStorage> {
    const timeline = new LayeredTimelineStorage({
      context: this.#context,
      index,
      ancestor: index.ancestor && this.timeline(index.ancestor.timelineId),
      semanticsOf: this.#semanticsOf,
    })
    await timeline.openLocalFiles()
    for (const lease of index.leases) this.#leases.isHeld(lease)
    this.#timelines.set(index.timelineId, timeline)
    return timeline
  }

  /** The index of the highest generation. An older one is never taken instead: layers it names may be gone. */
  async #loadIndex(timelineId: TimelineId): Promise<TimelineIndex | undefined> {
    const key = (await this.#indexKeys(timelineId)).at(-1)
    if (key === undefined) return undefined
    const index = decodeIndex(await this.#context.store.get(key), key)
    if (index.timelineId !== timelineId) {
      throw new StorageError('corruption', 'index file of another timeline', {
        object: key,
        timelineId: index.timelineId,
      })
    }
    return index
  }

  /** Ascending by generation, up to this owner's. */
  async #indexKeys(timelineId: TimelineId): Promise<string[]> {
    const prefix = indexPrefix(this.#context.projectId, timelineId)
    const keys: string[] = []
    for (let startAfter: string | undefined; ; startAfter = keys.at(-1)) {
      const { objects, truncated } = await this.#context.store.list(
        prefix,
        startAfter === undefined ? {} : { startAfter },
      )
      keys.push(...objects.map(({ key }) => key))
      if (!truncated || objects.length === 0) break
    }
    return keys.filter((key) => (indexGeneration(key) ?? Number.POSITIVE_INFINITY) <= this.generation)
  }

  /** One listing call a timeline: each skips what lies below the last timeline's prefix. */
  async #listTimelines(): Promise<TimelineId[]> {
    const { store, projectId } = this.#context
    const prefix = timelinesPrefix(projectId)
    const found: TimelineId[] = []
    for (let startAfter: string | undefined; ; ) {
      const options = startAfter === undefined ? { limit: 1 } : { limit: 1, startAfter }
      const { objects } = await store.list(prefix, options)
      const first = objects[0]
      if (!first) return found
      const text = first.key.slice(prefix.length).split('/')[0] ?? ''
      if (/^[0-9a-f]{32}$/.test(text)) found.push(TimelineId.parse(text))
      // '0' is the character after '/'.
      startAfter = `${timelinePrefix(projectId, text as TimelineId).slice(0, -1)}0`
    }
  }
}

function sameTimeline(existing: LayeredTimelineStorage, spec: NewTimeline): LayeredTimelineStorage {
  const isSame =
    existing.startLsn === spec.startLsn &&
    existing.ancestor?.storage.timelineId === spec.ancestor?.timelineId &&
    existing.ancestor?.lsn === spec.ancestor?.lsn
  if (isSame) return existing
  throw new StorageError('conflict', 'a timeline with this id and another origin exists', {
    timelineId: spec.timelineId,
  })
}

/** True for failures that mean another process owns the project now. */
export function isOwnershipLost(error: unknown): boolean {
  return isStorageError(error, 'fenced')
}
