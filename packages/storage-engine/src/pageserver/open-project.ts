import { CorruptionError, StorageError } from '../base/errors.ts'
import type { Env } from '../io/env.ts'
import type { Workers } from '../io/workers.ts'
import type { ObjectStore } from '../object-store/object-store.ts'
import type { TimelineId } from '../postgres/ids.ts'
import type { Lsn } from '../postgres/lsn.ts'
import type { OpenLayerPool } from './layer/open-layer-pool.ts'
import { materializeValue } from './materialize-value.ts'
import type { ProjectFile } from './project-file.ts'
import type { SafekeeperAddress } from './safekeeper-watch.ts'
import type { LayeredTimelineStorage } from './timeline/layered-timeline-storage.ts'
import { liveKeyRanges } from './timeline/live-key-ranges.ts'
import type { PageCache } from './timeline/page-cache.ts'
import { openProjectStorage, type ProjectStorage } from './timeline/project-storage.ts'
import type { StorageSettings } from './timeline/storage-settings.ts'
import { Timeline } from './timeline/timeline.ts'
import { pagesOfStorage, TimelineSnapshot } from './timeline/timeline-snapshot.ts'
import { readUserHeaps } from './timeline/user-heaps.ts'
import { type WalArchive, WalReceiver } from './wal-receiver.ts'

export interface ProjectOptions {
  readonly env: Pick<Env, 'clock' | 'disk' | 'log' | 'metrics' | 'network' | 'random'>
  readonly objectStore: ObjectStore
  readonly workers: Workers
  /** For flushes; `workers` when not given. */
  readonly flushWorkers?: Workers
  /** For what reads wait for; `workers` when not given. */
  readonly readWorkers?: Workers
  /** Cache of layers; may be empty or gone at any start. */
  readonly directory: string
  readonly safekeepers: readonly SafekeeperAddress[]
  readonly archive?: WalArchive
  readonly storageSettings?: Partial<StorageSettings>
  readonly openLayerPool?: OpenLayerPool
  /** Shared by all timelines of the process; without it each has a small one of its own. */
  readonly pageCache?: PageCache
}

/** Of the root timeline. */
const PITR_ATTRIBUTE = 'pitrWindowSeconds'

export interface AttachedTimeline {
  readonly timeline: Timeline
  readonly storage: LayeredTimelineStorage
  readonly receiver: WalReceiver
}

/** One project as this process serves it: its storage generation, and a receiver for each timeline. */
export class OpenProject {
  readonly storage: ProjectStorage
  readonly #options: ProjectOptions
  readonly #timelines = new Map<TimelineId, AttachedTimeline>()
  readonly #file: ProjectFile

  /** Claims a generation and loads every timeline. */
  static async open(options: ProjectOptions, file: ProjectFile): Promise<OpenProject> {
    const project = new OpenProject(options, file, await openStorage(options, file))
    for (const timelineId of project.storage.timelineIds()) project.attach(timelineId)
    return project
  }

  constructor(options: ProjectOptions, file: ProjectFile, storage: ProjectStorage) {
    this.#options = options
    this.#file = file
    this.storage = storage
  }

  get file(): ProjectFile {
    return this.#file
  }

  /** How far back every moment can be restored. */
  get pitrWindowSeconds(): number {
    const text = this.storage.timeline(this.#file.rootTimelineId).attributes[PITR_ATTRIBUTE]
    const seconds = text === undefined ? this.#file.pitrWindowSeconds : Number(text)
    if (!Number.isFinite(seconds) || seconds < 0) throw new CorruptionError('not a restore window', { seconds: text })
    return seconds
  }

  /** Durable when it resolves. */
  async setPitrWindow(seconds: number): Promise<void> {
    const root = this.storage.timeline(this.#file.rootTimelineId)
    await root.publish(({ attributes }) => {
      return { fields: { attributes: { ...attributes, [PITR_ATTRIBUTE]: String(seconds) } } }
    })
  }

  get timelines(): readonly AttachedTimeline[] {
    return [...this.#timelines.values()]
  }

  /** Throws `not-found`. */
  timeline(timelineId: TimelineId): AttachedTimeline {
    const attached = this.#timelines.get(timelineId)
    if (!attached) throw new StorageError('not-found', 'no such timeline', { timelineId })
    return attached
  }

  find(timelineId: TimelineId): AttachedTimeline | undefined {
    return this.#timelines.get(timelineId)
  }

  /** Starts serving a timeline that the storage holds. */
  attach(timelineId: TimelineId): AttachedTimeline {
    const { env, safekeepers, archive, pageCache } = this.#options
    const storage = this.storage.timeline(timelineId)
    const { projectId } = this.#file
    const timeline = new Timeline(
      env,
      {
        projectId,
        timelineId,
        systemIdentifier: BigInt(this.#file.systemIdentifier),
        startLsn: storage.startLsn,
        ancestor: storage.ancestor && { timelineId: storage.ancestor.storage.timelineId, lsn: storage.ancestor.lsn },
        controlFile: Uint8Array.from(atob(this.#file.controlFile), (char) => char.charCodeAt(0)),
      },
      storage,
      pageCache,
    )
    const receiver = new WalReceiver({ env, timeline, safekeepers, ...(archive ? { archive } : {}) })
    const attached = { timeline, storage, receiver }
    this.#timelines.set(timelineId, attached)
    receiver.start()
    return attached
  }

  async createBranch(timelineId: TimelineId, ancestorTimelineId: TimelineId, lsn: Lsn): Promise<AttachedTimeline> {
    await this.storage.createTimeline({
      timelineId,
      startLsn: lsn,
      ancestor: { timelineId: ancestorTimelineId, lsn },
    })
    // Somebody who asked for the same branch at the same time may have attached it.
    return this.find(timelineId) ?? this.attach(timelineId)
  }

  /** Throws `conflict` while the timeline has children. */
  async deleteTimeline(timelineId: TimelineId): Promise<void> {
    const attached = this.timeline(timelineId)
    const child = this.timelines.find(({ timeline }) => timeline.identity.ancestor?.timelineId === timelineId)
    if (child) {
      const fields = { timelineId, childTimelineId: child.timeline.identity.timelineId }
      throw new StorageError('conflict', 'timeline has children', fields)
    }
    // Until it is gone for good it can be found, and deleted again when this attempt fails; one that is refused takes WAL on.
    let stopped: Promise<void> = Promise.resolve()
    try {
      // Closing the storage ends what the receiver may wait for.
      await this.storage.deleteTimeline(timelineId, () => {
        stopped = attached.receiver.stop()
      })
    } finally {
      await stopped
    }
    this.#timelines.delete(timelineId)
    await this.storage.sweepDeleted()
  }

  async close(): Promise<void> {
    const stopped = this.timelines.map(({ receiver }) => receiver.stop())
    // A receiver may wait for a flush, and that for object storage: closing ends both.
    await this.storage.close()
    await Promise.all(stopped)
  }
}

/** The storage of a project with the meaning of its values. */
export function openStorage(options: ProjectOptions, project: Pick<ProjectFile, 'projectId'>): Promise<ProjectStorage> {
  const { env, objectStore, workers, directory } = options
  return openProjectStorage({
    env,
    objectStore,
    workers,
    directory: `${directory}/${project.projectId}`,
    projectId: project.projectId,
    ...(options.flushWorkers ? { flushWorkers: options.flushWorkers } : {}),
    ...(options.readWorkers ? { readWorkers: options.readWorkers } : {}),
    ...(options.openLayerPool ? { openLayerPool: options.openLayerPool } : {}),
    ...(options.storageSettings ? { settings: options.storageSettings } : {}),
    semanticsOf: (storage) => ({
      materialize: materializeValue,
      liveKeyRanges: (lsn) => liveKeyRanges(storage, lsn),
      userHeaps: (lsn) => readUserHeaps(new TimelineSnapshot(pagesOfStorage(storage), lsn, env.clock)),
    }),
  })
}
