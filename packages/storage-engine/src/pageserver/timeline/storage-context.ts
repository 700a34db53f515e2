import type { SerialLock } from '../../base/serial-lock.ts'
import type { Env } from '../../io/env.ts'
import type { Workers } from '../../io/workers.ts'
import type { ObjectStore } from '../../object-store/object-store.ts'
import type { ProjectId, TimelineId } from '../../postgres/ids.ts'
import type { Lsn } from '../../postgres/lsn.ts'
import type { ColumnarSegments } from '../layer/columnar-segments.ts'
import type { LayerFiles } from '../layer/layer-reader.ts'
import type { LocalPages } from '../layer/local-pages.ts'
import type { OpenLayerPool } from '../layer/open-layer-pool.ts'
import type { DeletionQueue } from '../remote/deletion-queue.ts'
import type { Generation } from '../remote/generation.ts'
import type { RetryOptions } from '../remote/retry-forever.ts'
import type { UploadQueue } from '../remote/upload-queue.ts'
import type { ColumnarMetrics } from '../upkeep/columnar-metrics.ts'
import type { StorageSettings } from './storage-settings.ts'

/** What the timelines of one project share. */
export interface StorageContext {
  readonly env: Pick<Env, 'clock' | 'disk' | 'log' | 'metrics'>
  readonly store: ObjectStore
  readonly workers: Workers
  /** Never busy with anything but flushes: ingest waits for them. */
  readonly flushWorkers: Workers
  /** Never busy with upkeep: reads wait for it. */
  readonly readWorkers: Workers
  readonly projectId: ProjectId
  readonly directory: string
  readonly generation: Generation
  readonly settings: StorageSettings
  readonly openLayerPool: OpenLayerPool
  readonly layerFiles: LayerFiles
  readonly columnarSegments: ColumnarSegments
  readonly localPages: LocalPages
  readonly columnarMetrics: ColumnarMetrics
  readonly uploads: UploadQueue
  readonly deletions: DeletionQueue
  readonly retry: RetryOptions
  /** LSNs of leases whose reads pass a timeline: its own, and those of its descendants below their branch points. */
  readonly leasedLsns: (timelineId: TimelineId) => Lsn[]
  /** Held by whoever adds or removes a branch point or a lease, and by garbage collection from plan to publication. */
  readonly branchLock: SerialLock
  /** One merge or image making at a time in a project. */
  readonly heavyWorkLock: SerialLock
  newLayerSerial(): number
  /** Of the next index write, of whatever timeline. */
  newIndexSequence(): number
}
