import type { LayerInfo, LsnAtTime, StorageAdmin, TimelineInfo, UpkeepStep } from '../admin/storage-admin.ts'
import type { CommitHistogram, TimelineEvent } from '../admin/timeline-history.ts'
import { errorText, StorageError } from '../base/errors.ts'
import { ProjectId, type TimelineId } from '../postgres/ids.ts'
import { Lsn } from '../postgres/lsn.ts'
import { Fork } from '../postgres/relation.ts'
import { encodeBootBundle } from '../protocol/boot-bundle.ts'
import type { DeltaPublisher } from '../protocol/delta-publisher.ts'
import type { DeltaTableInfo, PublishOutcome, PublishRequest, StorageReport } from '../protocol/lake.ts'
import type { SnapshotPlan, SnapshotPlanRequest } from '../protocol/snapshot-plan.ts'
import { resolveBranchPoint } from './branch-point.ts'
import { waitForCommittedLsn } from './committed-lsn.ts'
import { findStatistics, saveStatistics } from './compute-statistics.ts'
import { createProject, removeProjectObjects } from './create-project.ts'
import type { Initdb } from './initdb.ts'
import { Lake } from './lake/lake.ts'
import { reportStorage } from './lake/storage-report.ts'
import { type AttachedTimeline, OpenProject, type ProjectOptions } from './open-project.ts'
import { listProjectIds, readProjectFile, removeProjectFile } from './project-file.ts'
import { watchSafekeeper } from './safekeeper-watch.ts'
import { collectBootBundle } from './timeline/boot-bundle.ts'
import { planSnapshot } from './timeline/snapshot-plan.ts'
import type { Timeline } from './timeline/timeline.ts'
import { commitsOverTime, lsnAtTime, timeAtLsn, timelineEvents } from './timeline-history.ts'
import { layerInfos, timelineInfo } from './timeline-info.ts'
import { waitForTip } from './tip.ts'
import { UpkeepLoop } from './upkeep-loop.ts'

/** How long a plan waits for its LSN to be ingested. */
const SNAPSHOT_PLAN_WAIT_MS_MAX = 30_000

const TIP_WAIT_MS_MAX = 10_000

export interface PageServerOptions extends ProjectOptions {
  readonly initdb: Initdb
  /** Writes Delta logs; without it nothing can be published. */
  readonly deltaPublisher?: DeltaPublisher
  /** As UpkeepLoopOptions; 60 s when not given. */
  readonly publishIntervalMs?: number
}

const PUBLISH_INTERVAL_MS_DEFAULT = 60_000

/**
 * All projects and timelines that this process serves. Everything local is a cache: `open` loads what object storage
 * holds and the receivers bring in the WAL after it.
 */
export class PageServerService implements StorageAdmin {
  readonly #options: PageServerOptions
  readonly #projects = new Map<ProjectId, OpenProject>()
  /** Projects and branches being made or deleted: one call at a time each. */
  readonly #busy = new Map<string, Promise<unknown>>()
  readonly #stopped = new AbortController()
  readonly #watches: Promise<void>[] = []
  /** SafeKeepers that have named all their timelines since they were last connected. */
  readonly #subscribed = new Set<number>()
  readonly #upkeep: UpkeepLoop
  readonly #lake: Lake

  static async open(options: PageServerOptions): Promise<PageServerService> {
    const service = new PageServerService(options)
    await options.env.disk.makeDirectory(options.directory)
    for (const text of await listProjectIds(options.objectStore)) {
      const projectId = ProjectId.parse(text)
      const file = await readProjectFile(options.objectStore, projectId)
      if (file) service.#projects.set(projectId, await OpenProject.open(options, file))
    }
    service.#start()
    return service
  }

  private constructor(options: PageServerOptions) {
    this.#options = options
    this.#lake = new Lake(options)
    this.#upkeep = new UpkeepLoop({
      env: options.env,
      projects: () => [...this.#projects.values()],
      lake: this.#lake,
      ...(options.openLayerPool ? { openLayerPool: options.openLayerPool } : {}),
      publishIntervalMs: options.publishIntervalMs ?? PUBLISH_INTERVAL_MS_DEFAULT,
    })
  }

  async close(): Promise<void> {
    this.#stopped.abort()
    await this.#upkeep.stop()
    await Promise.all(this.#watches)
    await Promise.all([...this.#projects.values()].map((project) => project.close()))
  }

  /** Throws `not-found`. */
  timeline(projectId: ProjectId, timelineId: TimelineId): Timeline {
    return this.attached(projectId, timelineId).timeline
  }

  /** A timeline with its storage and receiver. Throws `not-found`. */
  attached(projectId: ProjectId, timelineId: TimelineId): AttachedTimeline {
    return this.#project(projectId).timeline(timelineId)
  }

  async bootBundle(projectId: ProjectId, timelineId: TimelineId, lsn: Lsn, waitMs: number): Promise<Uint8Array> {
    const project = this.#project(projectId)
    const attached = project.timeline(timelineId)
    const { objectStore, env } = this.#options
    const [statistics] = await Promise.all([
      findStatistics(objectStore, project, attached, lsn, env.log),
      waitForCommittedLsn(attached, lsn, { waitMs, safekeepersKnown: () => this.#safekeepersKnown() }),
    ])
    const bundle = await collectBootBundle(attached.timeline, lsn)
    const files = statistics ? [{ path: 'pg_stat/pgstat.stat', mode: 0o600, bytes: statistics }] : []
    return encodeBootBundle({ ...bundle, files: [...bundle.files, ...files] })
  }

  /** Keeps the statistics file of a compute that was stopped cleanly with all WAL up to `lsn`. */
  saveStatistics(projectId: ProjectId, timelineId: TimelineId, lsn: Lsn, file: Uint8Array): Promise<void> {
    const attached = this.attached(projectId, timelineId)
    return saveStatistics(this.#options.objectStore, attached, lsn, file)
  }

  /** docs/storage-admin-http.md. `waitMs` is cut to 10 s. */
  async tip(projectId: ProjectId, timelineId: TimelineId, atLeast: Lsn, waitMs: number): Promise<{ lsn: string }> {
    const attached = this.attached(projectId, timelineId)
    return { lsn: Lsn.format(await waitForTip(attached, atLeast, Math.min(waitMs, TIP_WAIT_MS_MAX))) }
  }

  /** Where a compute reads that shows `lsn`: as a branch there would begin, with nothing made. */
  async readPoint(projectId: ProjectId, timelineId: TimelineId, lsn: string): Promise<unknown> {
    const project = this.#project(projectId)
    const point = await resolveBranchPoint(
      project.timeline(timelineId),
      { lsn },
      { timelineOf: (id) => project.timeline(id), safekeepersKnown: () => this.#safekeepersKnown() },
    )
    return { timelineId: point.ancestor.timeline.identity.timelineId, lsn: Lsn.format(point.lsn) }
  }

  status(): unknown {
    const timelines = [...this.#projects.values()].flatMap((project) => project.timelines)
    return {
      projects: this.#projects.size,
      timelines: timelines.map((attached) => {
        const { timeline } = attached
        const upkeepFailures = this.#upkeep.failures(attached)
        return {
          projectId: timeline.identity.projectId,
          timelineId: timeline.identity.timelineId,
          state: timeline.state.kind,
          ...(timeline.state.kind === 'broken' ? { reason: timeline.state.reason } : {}),
          lastRecordLsn: Lsn.format(timeline.lastRecordLsn),
          remoteConsistentLsn: Lsn.format(timeline.storage.remoteConsistentLsn),
          ...(upkeepFailures.length > 0 ? { upkeepFailures } : {}),
        }
      }),
    }
  }

  createProject(input: { projectId: ProjectId; timelineId: TimelineId }): Promise<TimelineInfo> {
    return this.#exclusively(input.projectId, async () => {
      let project = this.#projects.get(input.projectId)
      if (!project) {
        project = await createProject(this.#options, input.projectId, input.timelineId)
        this.#projects.set(input.projectId, project)
      }
      if (project.file.rootTimelineId !== input.timelineId) {
        throw new StorageError('conflict', 'project has another root timeline', {
          timelineId: project.file.rootTimelineId,
        })
      }
      return timelineInfo(project.timeline(input.timelineId))
    })
  }

  deleteProject(projectId: ProjectId): Promise<void> {
    return this.#exclusively(projectId, async () => {
      const project = this.#projects.get(projectId)
      await removeProjectFile(this.#options.objectStore, projectId)
      this.#projects.delete(projectId)
      await project?.close()
      await removeProjectObjects(this.#options, projectId)
    })
  }

  listProjects(): Promise<ProjectId[]> {
    return Promise.resolve([...this.#projects.keys()])
  }

  /** A caller who gave up waiting and asks again gets the branch that the first call makes. */
  createBranch(input: Parameters<StorageAdmin['createBranch']>[0]): Promise<TimelineInfo> {
    return this.#exclusively(`${input.projectId}/${input.timelineId}`, () => this.#createBranch(input))
  }

  async #createBranch(input: Parameters<StorageAdmin['createBranch']>[0]): Promise<TimelineInfo> {
    const project = this.#project(input.projectId)
    const existing = project.find(input.timelineId)
    if (existing) {
      if (!existing.timeline.identity.ancestor) {
        throw new StorageError('conflict', 'timeline id is taken', { timelineId: input.timelineId })
      }
      return timelineInfo(existing)
    }
    const { clock, log } = this.#options.env
    const startMs = clock.monotonicMs()
    const parent = project.timeline(input.ancestorTimelineId)
    const point = await resolveBranchPoint(parent, input.at, {
      timelineOf: (timelineId) => project.timeline(timelineId),
      safekeepersKnown: () => this.#safekeepersKnown(),
    })
    const resolvedMs = clock.monotonicMs()
    const { timelineId: ancestorTimelineId } = point.ancestor.timeline.identity
    const branch = await project.createBranch(input.timelineId, ancestorTimelineId, point.lsn)
    log.info('branch created', {
      timelineId: input.timelineId,
      ancestorTimelineId,
      lsn: Lsn.format(point.lsn),
      resolveMs: Math.round((resolvedMs - startMs) * 10) / 10,
      publishMs: Math.round((clock.monotonicMs() - resolvedMs) * 10) / 10,
    })
    return timelineInfo(branch)
  }

  async deleteTimeline(projectId: ProjectId, timelineId: TimelineId): Promise<void> {
    const project = this.#project(projectId)
    if (project.file.rootTimelineId === timelineId) {
      throw new StorageError('conflict', 'the root timeline goes only with its project', { timelineId })
    }
    await this.#exclusively(`${projectId}/${timelineId}`, () => project.deleteTimeline(timelineId))
  }

  async getTimeline(projectId: ProjectId, timelineId: TimelineId): Promise<TimelineInfo> {
    return timelineInfo(this.attached(projectId, timelineId))
  }

  async listTimelines(projectId: ProjectId): Promise<TimelineInfo[]> {
    return Promise.all(this.#project(projectId).timelines.map(timelineInfo))
  }

  async lsnAtTime(projectId: ProjectId, timelineId: TimelineId, time: string): Promise<LsnAtTime> {
    return lsnAtTime(this.attached(projectId, timelineId), time)
  }

  async timeAtLsn(projectId: ProjectId, timelineId: TimelineId, lsn: string): Promise<{ commitTime: string | null }> {
    return timeAtLsn(this.attached(projectId, timelineId), lsn)
  }

  async timelineEvents(input: Parameters<StorageAdmin['timelineEvents']>[0]): Promise<TimelineEvent[]> {
    return timelineEvents(this.attached(input.projectId, input.timelineId), input)
  }

  async commitHistogram(input: Parameters<StorageAdmin['commitHistogram']>[0]): Promise<CommitHistogram> {
    const { clock } = this.#options.env
    return commitsOverTime(this.attached(input.projectId, input.timelineId), input, () => clock.sleep(0))
  }

  async leaseLsn(input: Parameters<StorageAdmin['leaseLsn']>[0]): Promise<void> {
    const project = this.#project(input.projectId)
    const { timelineId } = project.timeline(input.timelineId).storage
    const { leaseId: id, seconds } = input
    await project.storage.leaseLsn(timelineId, { id, lsn: Lsn.parse(input.lsn), seconds })
  }

  async holdReads(input: Parameters<StorageAdmin['holdReads']>[0]): Promise<void> {
    const project = this.#project(input.projectId)
    const { timelineId } = project.timeline(input.timelineId).storage
    const { holdId: id, seconds } = input
    await project.storage.holdReads(timelineId, { id, lsn: Lsn.parse(input.lsn), seconds })
  }

  async releaseReads(projectId: ProjectId, timelineId: TimelineId, holdId: string): Promise<void> {
    this.#project(projectId).storage.releaseReads(timelineId, holdId)
  }

  async setPitrWindow(projectId: ProjectId, seconds: number): Promise<void> {
    const project = this.#project(projectId)
    if (!Number.isFinite(seconds) || seconds < 0)
      throw new StorageError('invalid-input', 'seconds is negative', { seconds })
    await project.setPitrWindow(seconds)
  }

  async runUpkeep(projectId: ProjectId, timelineId: TimelineId, steps: readonly UpkeepStep[]): Promise<void> {
    const project = this.#project(projectId)
    await this.#upkeep.runSteps(project, project.timeline(timelineId), steps)
  }

  async snapshotPlan(request: SnapshotPlanRequest): Promise<SnapshotPlan> {
    const project = this.#project(request.projectId)
    const attached = project.timeline(request.timelineId)
    const lsn = Lsn.parse(request.lsn)
    const waitMs = SNAPSHOT_PLAN_WAIT_MS_MAX
    await waitForCommittedLsn(attached, lsn, { waitMs, safekeepersKnown: () => this.#safekeepersKnown() })
    const { spcOid, dbOid, relNumber } = request
    const blockCount = Math.max(0, await attached.timeline.sizes.at(spcOid, dbOid, relNumber, Fork.main, lsn))
    const relation = { spcOid, dbOid, relNumber }
    const sinceLsn = request.changedSinceLsn === undefined ? undefined : Lsn.parse(request.changedSinceLsn)
    return planSnapshot(project.storage.context, attached.storage, relation, { lsn, blockCount, sinceLsn })
  }

  async publishTables(request: PublishRequest): Promise<PublishOutcome> {
    const project = this.#project(request.projectId)
    const attached = project.timeline(request.timelineId)
    const lsn = request.lsn === undefined ? attached.timeline.lastRecordLsn : Lsn.parse(request.lsn)
    const waitMs = SNAPSHOT_PLAN_WAIT_MS_MAX
    await waitForCommittedLsn(attached, lsn, { waitMs, safekeepersKnown: () => this.#safekeepersKnown() })
    return this.#lake.publish(project, attached, lsn, request)
  }

  deltaTables(projectId: ProjectId, timelineId: TimelineId): Promise<DeltaTableInfo[]> {
    const project = this.#project(projectId)
    return this.#lake.tables(project, project.timeline(timelineId))
  }

  storageReport(projectId: ProjectId): Promise<StorageReport> {
    return reportStorage(this.#options.objectStore, this.#project(projectId))
  }

  /** Resolves when local caches that reads asked for are made; for tests. */
  async settle(projectId: ProjectId): Promise<void> {
    await this.#project(projectId).storage.context.localPages.settle()
  }

  async layerMap(projectId: ProjectId, timelineId: TimelineId): Promise<LayerInfo[]> {
    return layerInfos(this.attached(projectId, timelineId))
  }

  #start(): void {
    const { env, safekeepers } = this.#options
    const { signal } = this.#stopped
    for (const safekeeper of safekeepers) {
      const watch = watchSafekeeper({
        env,
        safekeeper,
        signal,
        onSubscribed: () => this.#subscribed.add(safekeeper.id),
        onLost: () => this.#subscribed.delete(safekeeper.id),
        onStatus: (status) => {
          this.#projects.get(status.projectId)?.find(status.timelineId)?.receiver.onStatus(status)
        },
      })
      this.#watches.push(watch.catch((error: unknown) => env.log.error('watch ended', { error: errorText(error) })))
    }
    this.#upkeep.start()
  }

  /** True when enough SafeKeepers are heard for one of them to know every committed record. */
  #safekeepersKnown(): boolean {
    return this.#subscribed.size > this.#options.safekeepers.length / 2
  }

  #project(projectId: ProjectId): OpenProject {
    const project = this.#projects.get(projectId)
    if (!project) throw new StorageError('not-found', 'no such project', { projectId })
    return project
  }

  async #exclusively<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
    const before = this.#busy.get(name) ?? Promise.resolve()
    const mine = before.catch(() => undefined).then(work)
    this.#busy.set(name, mine)
    try {
      return await mine
    } finally {
      if (this.#busy.get(name) === mine) this.#busy.delete(name)
    }
  }
}
