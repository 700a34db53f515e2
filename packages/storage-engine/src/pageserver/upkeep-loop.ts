import type { UpkeepStep } from '../admin/storage-admin.ts'
import { errorText, isStorageError } from '../base/errors.ts'
import type { Env } from '../io/env.ts'
import type { Gauge } from '../io/metrics.ts'
import { POSTGRES_EPOCH_UNIX_SECONDS } from '../postgres/constants.ts'
import { Lsn } from '../postgres/lsn.ts'
import type { Lake } from './lake/lake.ts'
import { OPEN_LAYER_CHUNK_BYTES, type OpenLayerPool } from './layer/open-layer-pool.ts'
import type { AttachedTimeline, OpenProject } from './open-project.ts'
import { SteadyTime } from './steady-time.ts'
import { findCommitAtTime } from './timeline/time-index.ts'

const ROUND_INTERVAL_MS = 5_000
/** WAL this old is flushed even when the open layer is small, so that SafeKeepers can let go of it. */
const UNFLUSHED_MS_MAX = 30_000
const GC_INTERVAL_MS = 10 * 60_000

/** Every layer is read whole this often, and what earlier owners left in object storage is removed. */
const SCRUB_INTERVAL_MS = 24 * 3600_000
/** The first time after a start: others have more to do then. */
const SCRUB_DELAY_MS = 30 * 60_000

export interface UpkeepFailure {
  readonly step: UpkeepStep
  readonly error: string
}

interface TimelineClock {
  unflushedSinceMs: number | undefined
  collectedMs: number
  publishedMs: number
  publishedLsn: Lsn
  /** Layers that were found damaged before the start and not looked at since. */
  hasSuspects: boolean
  scrubDueMs: number
}

export interface UpkeepLoopOptions {
  readonly env: Pick<Env, 'clock' | 'log' | 'metrics'>
  readonly projects: () => readonly OpenProject[]
  readonly lake: Lake
  readonly openLayerPool?: OpenLayerPool
  /** Tables that were published once are published again when they have changed for this long; 0: never. */
  readonly publishIntervalMs: number
}

/**
 * Flushes timelines that have gone quiet and collects garbage; one timeline at a time. Compaction and image making follow
 * from flushes inside the storage.
 */
export class UpkeepLoop {
  readonly #env: Pick<Env, 'clock' | 'log'>
  readonly #time: SteadyTime
  readonly #gauges: {
    readonly timelines: Gauge
    readonly broken: Gauge
    readonly lag: Gauge
    readonly unflushed: Gauge
    readonly damaged: Gauge
    readonly failing: Gauge
    readonly openLayers: Gauge
  }
  readonly #projects: () => readonly OpenProject[]
  readonly #lake: Lake
  readonly #openLayerPool: OpenLayerPool | undefined
  readonly #publishIntervalMs: number
  /** As the last scrub found. */
  readonly #damagedLayers = new WeakMap<AttachedTimeline, number>()
  /** Steps of the rounds that failed the last time. */
  readonly #failures = new WeakMap<AttachedTimeline, Map<UpkeepStep, string>>()
  #scrubbing: Promise<void> | undefined
  readonly #clocks = new WeakMap<AttachedTimeline, TimelineClock>()
  readonly #stopped = new AbortController()
  #running: Promise<void> | undefined

  constructor({ env, projects, lake, openLayerPool, publishIntervalMs }: UpkeepLoopOptions) {
    this.#env = env
    this.#time = new SteadyTime(env.clock)
    this.#projects = projects
    this.#lake = lake
    this.#openLayerPool = openLayerPool
    this.#publishIntervalMs = publishIntervalMs
    const gauge = (name: string, help: string) => env.metrics.gauge(`tributary_pageserver_${name}`, help)
    this.#gauges = {
      timelines: gauge('timelines', 'Timelines served.'),
      broken: gauge('broken_timelines', 'Timelines whose ingest has stopped at a record it cannot apply.'),
      lag: gauge('ingest_lag_bytes', 'Committed WAL not ingested yet, of the timeline that is furthest behind.'),
      damaged: gauge('damaged_layers', 'Layers that the last scrub could not read whole from object storage.'),
      failing: gauge('failing_upkeep_timelines', 'Timelines with a step of upkeep that failed the last time.'),
      openLayers: gauge('open_layer_bytes', 'Memory for WAL that is not in layer files yet, in use and kept.'),
      unflushed: gauge('unflushed_wal_bytes', 'WAL ingested and not in object storage yet, over all timelines.'),
    }
  }

  start(): void {
    this.#running ??= this.#run()
  }

  async stop(): Promise<void> {
    this.#stopped.abort()
    await this.#running
  }

  /** At once, in the order given. */
  async runSteps(project: OpenProject, attached: AttachedTimeline, steps: readonly UpkeepStep[]): Promise<void> {
    for (const step of steps) await this.#step(project, attached, step)
  }

  /** What failed the last time, until it succeeds; `images` stands for compaction, too, which runs with it. */
  failures(attached: AttachedTimeline): readonly UpkeepFailure[] {
    const { upkeepFailure } = attached.storage
    return [
      ...(upkeepFailure === undefined ? [] : [{ step: 'images', error: upkeepFailure } as const]),
      ...[...(this.#failures.get(attached) ?? [])].map(([step, error]) => ({ step, error })),
    ]
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped
    while (!signal.aborted) {
      this.#observe()
      this.#openLayerPool?.trim()
      for (const project of this.#projects()) {
        for (const attached of project.timelines) {
          if (signal.aborted) return
          await this.#round(project, attached)
        }
        await project.storage.sweepDeleted()
      }
      await this.#env.clock.sleep(ROUND_INTERVAL_MS, { signal }).catch(() => undefined)
    }
  }

  #observe(): void {
    const timelines = this.#projects().flatMap((project) => project.timelines)
    let lagBytes = 0
    let unflushedBytes = 0
    for (const { storage, receiver } of timelines) {
      lagBytes = Math.max(lagBytes, receiver.knownCommitLsn - storage.lastRecordLsn)
      unflushedBytes += storage.lastRecordLsn - storage.index.consistentLsn
    }
    this.#gauges.timelines.set(timelines.length)
    this.#gauges.broken.set(timelines.filter(({ timeline }) => timeline.state.kind === 'broken').length)
    this.#gauges.lag.set(lagBytes)
    this.#gauges.damaged.set(timelines.reduce((sum, attached) => sum + (this.#damagedLayers.get(attached) ?? 0), 0))
    this.#gauges.failing.set(timelines.filter((attached) => this.failures(attached).length > 0).length)
    this.#gauges.openLayers.set((this.#openLayerPool?.chunkCount ?? 0) * OPEN_LAYER_CHUNK_BYTES)
    this.#gauges.unflushed.set(unflushedBytes)
  }

  async #round(project: OpenProject, attached: AttachedTimeline): Promise<void> {
    const due = this.#dueSteps(attached)
    await attached.storage.noteDamage().catch((error: unknown) => {
      const { timelineId } = attached.timeline.identity
      this.#env.log.warn('damage is not noted yet', { timelineId, error: errorText(error) })
    })
    const failures = this.#failures.get(attached) ?? new Map<UpkeepStep, string>()
    this.#failures.set(attached, failures)
    for (const step of due) {
      try {
        await this.#step(project, attached, step)
        failures.delete(step)
      } catch (error) {
        // Closed, or deleted since the round began.
        if (this.#stopped.signal.aborted || isStorageError(error, 'aborted')) return
        const { timelineId } = attached.timeline.identity
        this.#env.log.error('upkeep failed', { timelineId, step, error: errorText(error) })
        failures.set(step, errorText(error))
        // Though no WAL may come any more.
        if (step === 'publish') this.#clocks.get(attached)!.publishedLsn = Lsn.zero
      }
    }
  }

  #dueSteps(attached: AttachedTimeline): UpkeepStep[] {
    const nowMs = this.#env.clock.monotonicMs()
    let times = this.#clocks.get(attached)
    if (!times) {
      times = {
        unflushedSinceMs: undefined,
        collectedMs: nowMs,
        publishedMs: nowMs,
        publishedLsn: Lsn.zero,
        hasSuspects: attached.storage.index.damagedLayers.length > 0,
        scrubDueMs: nowMs + SCRUB_DELAY_MS,
      }
      this.#clocks.set(attached, times)
    }
    const due: UpkeepStep[] = []
    const { lastRecordLsn, remoteConsistentLsn } = attached.storage
    if (lastRecordLsn <= remoteConsistentLsn) times.unflushedSinceMs = undefined
    else times.unflushedSinceMs ??= nowMs
    if (times.unflushedSinceMs !== undefined && nowMs - times.unflushedSinceMs > UNFLUSHED_MS_MAX) {
      times.unflushedSinceMs = undefined
      due.push('flush')
    }
    const isPublishDue = this.#publishIntervalMs > 0 && nowMs - times.publishedMs >= this.#publishIntervalMs
    if (isPublishDue && lastRecordLsn > times.publishedLsn) {
      times.publishedMs = nowMs
      times.publishedLsn = lastRecordLsn
      due.push('publish')
    }
    if (nowMs - times.collectedMs > GC_INTERVAL_MS) {
      times.collectedMs = nowMs
      due.push('gc')
    }
    if (this.#scrubbing === undefined && times.hasSuspects) {
      times.hasSuspects = false
      this.#startScrub(attached, () => attached.storage.scrubSuspects())
    } else if (this.#scrubbing === undefined && nowMs >= times.scrubDueMs) {
      times.scrubDueMs = nowMs + SCRUB_INTERVAL_MS
      this.#startScrub(attached, () => this.#scrub(attached))
    }
    return due
  }

  /** Beside the rounds, which must not wait for it: it may read for hours. One at a time. */
  #startScrub(attached: AttachedTimeline, scrub: () => Promise<void>): void {
    this.#scrubbing = scrub()
      .catch((error: unknown) => {
        if (this.#stopped.signal.aborted) return
        const { timelineId } = attached.timeline.identity
        this.#env.log.error('upkeep failed', { timelineId, step: 'scrub', error: errorText(error) })
      })
      .finally(() => {
        this.#scrubbing = undefined
      })
  }

  async #scrub(attached: AttachedTimeline): Promise<void> {
    const { storage } = attached
    const { damaged } = await storage.scrub()
    for (const { name, error } of damaged) {
      this.#env.log.error('layer is damaged in object storage', { timelineId: storage.timelineId, name, error })
    }
    this.#damagedLayers.set(attached, damaged.length)
    await storage.repairImages()
  }

  async #step(project: OpenProject, attached: AttachedTimeline, step: UpkeepStep): Promise<void> {
    const { storage } = attached
    switch (step) {
      case 'flush':
        return storage.flush()
      case 'compact':
        return storage.compact()
      case 'images':
        return storage.makeImages()
      case 'gc': {
        const horizonLsn = await this.#horizonLsn(project, attached)
        await storage.repairImages()
        if (horizonLsn !== undefined) await storage.collectGarbage({ horizonLsn, retainLsns: [] })
        return this.#lake.vacuum(project, attached)
      }
      case 'publish':
        return this.#lake.publishAgain(project, attached)
      case 'scrub':
        return this.#scrub(attached)
      default:
        return step satisfies never
    }
  }

  /** The state as of the start of the restore window; undefined when all history is younger. */
  async #horizonLsn(project: OpenProject, attached: AttachedTimeline): Promise<Lsn | undefined> {
    const unixSeconds = this.#time.nowMs() / 1000 - project.pitrWindowSeconds
    const time = (unixSeconds - POSTGRES_EPOCH_UNIX_SECONDS) * 1e6
    const found = await findCommitAtTime(attached.storage, attached.storage.lastRecordLsn, time)
    return found.kind === 'exact' || found.kind === 'future' ? found.commit.endLsn : undefined
  }
}
