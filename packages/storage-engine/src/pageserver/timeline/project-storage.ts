import { errorText, isStorageError, StorageError } from '../../base/errors.ts'
import { SerialLock } from '../../base/serial-lock.ts'
import type { Env } from '../../io/env.ts'
import type { Workers } from '../../io/workers.ts'
import type { ObjectStore } from '../../object-store/object-store.ts'
import type { ProjectId, TimelineId } from '../../postgres/ids.ts'
import { Lsn } from '../../postgres/lsn.ts'
import { BlockCache } from '../layer/block-cache.ts'
import { ColumnarSegments } from '../layer/columnar-segments.ts'
import { LayerFiles } from '../layer/layer-reader.ts'
import { LocalPages, localPagesName } from '../layer/local-pages.ts'
import { OpenLayerPool } from '../layer/open-layer-pool.ts'
import { DeletionQueue } from '../remote/deletion-queue.ts'
import { Generation } from '../remote/generation.ts'
import { encodeIndex, type TimelineIndex } from '../remote/index-file.ts'
import { assertIndexInvariants } from '../remote/index-invariants.ts'
import { type IndexName, indexKey } from '../remote/index-key.ts'
import { UploadQueue } from '../remote/upload-queue.ts'
import { ColumnarMetrics } from '../upkeep/columnar-metrics.ts'
import { DeletedTimelines, encodeDeletion } from './deleted-timelines.ts'
import { LayeredTimelineStorage } from './layered-timeline-storage.ts'
import { type LoadedIndex, loadTimelines } from './load-timelines.ts'
import { LsnLeases } from './lsn-leases.ts'
import { ReadHolds } from './read-holds.ts'
import type { StorageContext } from './storage-context.ts'
import { defaultStorageSettings, type StorageSettings } from './storage-settings.ts'
import type { TimelineStorage, ValueSemantics } from './timeline-storage.ts'

export interface ProjectStorageOptions {
  readonly env: Pick<Env, 'clock' | 'disk' | 'log' | 'metrics' | 'random'>
  readonly objectStore: ObjectStore
  /** Runs upkeep/upkeep-tasks.ts. */
  readonly workers: Workers
  /** For flushes; `workers` when not given. */
  readonly flushWorkers?: Workers
  /** For what reads wait for; `workers` when not given. */
  readonly readWorkers?: Workers
  /** Local cache of this project; anything in it may be deleted while it is closed. */
  readonly directory: string
  readonly projectId: ProjectId
  readonly semanticsOf: (storage: TimelineStorage) => ValueSemantics
  readonly settings?: Partial<StorageSettings>
  /** Shared by all projects of the process; without it the project has its own. */
  readonly openLayerPool?: OpenLayerPool
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
  const generation = await Generation.claim(objectStore, projectId, options.owner ?? 'pageserver', env.random)
  const abort = new AbortController()
  const retry = {
    env,
    delayMsMin: settings.retryDelayMsMin,
    delayMsMax: settings.retryDelayMsMax,
    signal: abort.signal,
  }
  let layerSerial = 0
  let indexSequence = 0
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
    flushWorkers: options.flushWorkers ?? options.workers,
    readWorkers: options.readWorkers ?? options.workers,
    projectId,
    directory: options.directory,
    generation,
    settings,
    openLayerPool: options.openLayerPool ?? new OpenLayerPool(),
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
    newIndexSequence: () => ++indexSequence,
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
  readonly #readHolds: ReadHolds
  readonly #deleted: DeletedTimelines
  #settling: Promise<void> = Promise.resolve()

  constructor(
    context: StorageContext,
    semanticsOf: (storage: TimelineStorage) => ValueSemantics,
    abort: AbortController,
  ) {
    this.#context = context
    this.#semanticsOf = semanticsOf
    this.#abort = abort
    this.#leases = new LsnLeases(context.env.clock)
    this.#readHolds = new ReadHolds(context.env.clock)
    this.#deleted = new DeletedTimelines(context)
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

  /**
   * Durable when it resolves. Repeating it with the same values returns the same timeline. The id of a deleted timeline is
   * a `conflict`.
   */
  createTimeline(spec: NewTimeline): Promise<LayeredTimelineStorage> {
    return this.#context.branchLock.run(async () => {
      const existing = this.#timelines.get(spec.timelineId)
      if (existing) return sameTimeline(existing, spec)
      if (this.#deleted.has(spec.timelineId)) {
        throw new StorageError('conflict', 'a timeline with this id was deleted', { timelineId: spec.timelineId })
      }
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
        damagedLayers: [],
      }
      assertIndexInvariants(index)
      const { store, projectId, generation } = this.#context
      const sequence = this.#context.newIndexSequence()
      const name: IndexName = { generation: generation.number, sequence, kind: 'index' }
      const key = indexKey(projectId, spec.timelineId, name)
      await store.put(key, encodeIndex(index))
      await generation.confirm()
      return this.#open(index, [key])
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

  /**
   * Keeps reads of the timeline at `lsn` possible for `seconds`, or until this process ends: for readers that would rather
   * fail then than wait for a lease to be durable. Rejects as `leaseLsn`.
   */
  holdReads(timelineId: TimelineId, hold: { id: string; lsn: Lsn; seconds: number }): Promise<void> {
    return this.#context.branchLock.run(async () => {
      const timeline = this.timeline(timelineId)
      await timeline.settleLine()
      timeline.requireReadable(hold.lsn)
      this.#readHolds.add(timelineId, hold)
    })
  }

  releaseReads(timelineId: TimelineId, id: string): void {
    this.#readHolds.remove(timelineId, id)
  }

  leasedLsns(timelineId: TimelineId): Lsn[] {
    const found: Lsn[] = []
    for (const hold of this.#readHolds.current()) {
      const holder = this.#timelines.get(hold.timelineId)
      if (holder?.lineAt(hold.lsn).some((storage) => storage.timelineId === timelineId)) found.push(hold.lsn)
    }
    for (const holder of this.#timelines.values()) {
      for (const lease of holder.index.leases) {
        const { lsn } = lease
        if (this.#leases.isHeld(lease) && holder.lineAt(lsn).some((storage) => storage.timelineId === timelineId))
          found.push(lsn)
      }
    }
    return found
  }

  /** Refused with `conflict` while branches of it exist. `beforeClose` runs when nothing but a fault is in the way any more. */
  deleteTimeline(timelineId: TimelineId, beforeClose: () => void = () => undefined): Promise<void> {
    return this.#context.branchLock.run(async () => {
      const timeline = this.#timelines.get(timelineId)
      if (!timeline) return
      if (timeline.branchPoints.size > 0) {
        throw new StorageError('conflict', 'timeline has branches', { timelineId, count: timeline.branchPoints.size })
      }
      const { projectId, generation, layerFiles, env } = this.#context
      await generation.confirm()
      beforeClose()
      await timeline.close()
      const deletedUnixMs = env.clock.nowMs()
      const key = await timeline.publisher.retire(encodeDeletion(deletedUnixMs))
      this.#timelines.delete(timelineId)
      timeline.forgetBranchPoint()
      for (const { name, kind } of timeline.index.layers) {
        await layerFiles.drop(name)
        if (kind === 'columnar') await layerFiles.drop(localPagesName(name))
      }
      await env.disk.removeTree(`${this.#context.directory}/timelines/${timelineId}`)
      env.log.info('timeline deleted', { projectId, timelineId })
      this.#deleted.add(timelineId, key, deletedUnixMs)
    })
  }

  /** Removes what timelines deleted here or by earlier owners left behind, and what arrived there late. */
  sweepDeleted(): Promise<void> {
    return this.#deleted.sweep()
  }

  async close(): Promise<void> {
    this.#abort.abort()
    for (const timeline of this.#timelines.values()) await timeline.close()
    await this.#settling
    await this.#context.localPages.close()
    await this.#context.deletions.drain()
    await this.#context.layerFiles.close()
  }

  /** Opens every timeline that has an index, ancestors first; one without its ancestor is left out. */
  async load(): Promise<void> {
    const indexes = new Map<TimelineId, LoadedIndex>()
    for (const loaded of await loadTimelines(this.#context)) {
      if (loaded.kind === 'deletion') this.#deleted.add(loaded.timelineId, loaded.key)
      else indexes.set(loaded.index.timelineId, loaded)
    }
    const open = async ({ index, keys }: LoadedIndex): Promise<boolean> => {
      if (this.#timelines.has(index.timelineId)) return true
      const ancestor = index.ancestor && indexes.get(index.ancestor.timelineId)
      if (index.ancestor && !(ancestor && (await open(ancestor)))) {
        // An ancestor is not deleted while it has branches: this one's creation failed, and nobody was told of it.
        const fields = { timelineId: index.timelineId, ancestorTimelineId: index.ancestor.timelineId }
        this.#context.env.log.error('a timeline whose ancestor is gone is not served', fields)
        return false
      }
      if (index.ancestor && !this.timeline(index.ancestor.timelineId).keepsHistoryAt(index.ancestor.lsn)) {
        // A branch point that counts is retained: this creation failed, too, and its ancestor has moved on since.
        const fields = { timelineId: index.timelineId, ancestorTimelineId: index.ancestor.timelineId }
        this.#context.env.log.error('a timeline whose branch point is collected is not served', fields)
        return false
      }
      await this.#open(index, keys)
      return true
    }
    for (const loaded of indexes.values()) await open(loaded)
    this.#settling = this.#settle([...this.#timelines.values()])
  }

  /** One after the other, beside all else: each costs a write and a listing. */
  async #settle(timelines: readonly LayeredTimelineStorage[]): Promise<void> {
    for (const timeline of timelines) {
      try {
        await timeline.settle()
      } catch (error) {
        // Closed or deleted meanwhile.
        if (isStorageError(error, 'aborted')) continue
        const fields = { timelineId: timeline.timelineId, error: errorText(error) }
        this.#context.env.log.error('index cannot be settled', fields)
      }
    }
  }

  async #open(index: TimelineIndex, indexKeys: readonly string[]): Promise<LayeredTimelineStorage> {
    const timeline = new LayeredTimelineStorage({
      context: this.#context,
      index,
      indexKeys,
      ancestor: index.ancestor && this.timeline(index.ancestor.timelineId),
      semanticsOf: this.#semanticsOf,
    })
    await timeline.openLocalFiles()
    for (const lease of index.leases) this.#leases.loaded(lease)
    this.#timelines.set(index.timelineId, timeline)
    return timeline
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
