import { errorText, isStorageError, ProjectId, TimelineId } from '@tributary/storage-engine/admin'
import type { App } from '../app.ts'
import { systemActor } from '../auth/permission.ts'
import { BranchService } from '../modules/branch/branch-service.ts'
import { SNAPSHOT_LEASE_SECONDS } from '../modules/snapshot/snapshot-service.ts'

const DAY_MS = 24 * 3600 * 1000
/** What the catalog keeps of each kind of record. */
const SAMPLES_MS_MAX = 7 * DAY_MS
const STORAGE_SAMPLES_MS_MAX = 90 * DAY_MS
const HISTORY_MS_MAX = 30 * DAY_MS
const OPERATIONS_MS_MAX = 90 * DAY_MS
const AUDIT_MS_MAX = 400 * DAY_MS
const LEASE_RENEWAL_MS = DAY_MS

/** Ends what has run out: branches and snapshots by their time, old records by their age; renews leases of snapshots. */
export class Retention {
  readonly #app: App
  #leasesRenewedMs = Number.NEGATIVE_INFINITY

  constructor(app: App) {
    this.#app = app
  }

  /** Called every few seconds. */
  async expire(): Promise<void> {
    const now = new Date()
    const branches = await this.#app.database.branch.findMany({ where: { expiresAt: { lte: now }, state: 'READY' } })
    const service = new BranchService(this.#app)
    for (const branch of branches) {
      const deleted = await service.delete(systemActor('expiry'), branch.id)
      if (!deleted.ok)
        this.#app.log.info({ branchId: branch.id, error: deleted.error.message }, 'an expired branch stays')
    }
    await this.#app.database.snapshot.deleteMany({ where: { expiresAt: { lte: now } } })
    await this.#removeHiddenTimelines()
    await this.#renewLeases()
  }

  /** Called every hour. */
  async trim(): Promise<void> {
    const { database } = this.#app
    const before = (ms: number) => new Date(Date.now() - ms)
    await database.usageSample.deleteMany({ where: { at: { lt: before(SAMPLES_MS_MAX) } } })
    await database.storageSample.deleteMany({ where: { at: { lt: before(STORAGE_SAMPLES_MS_MAX) } } })
    await database.queryHistoryEntry.deleteMany({ where: { at: { lt: before(HISTORY_MS_MAX) } } })
    await database.wakeRecord.deleteMany({ where: { at: { lt: before(HISTORY_MS_MAX) } } })
    await database.startReport.deleteMany({ where: { at: { lt: before(HISTORY_MS_MAX) } } })
    await database.operation.deleteMany({
      where: { finishedAt: { lt: before(OPERATIONS_MS_MAX) }, state: { notIn: ['SCHEDULING', 'RUNNING'] } },
    })
    await database.auditEntry.deleteMany({ where: { at: { lt: before(AUDIT_MS_MAX) } } })
    // The workflow library keeps its own record of each operation for ever.
    await database.$executeRaw`DELETE FROM dbos.workflow_status WHERE status IN ('SUCCESS', 'ERROR') AND updated_at < ${BigInt(Date.now() - OPERATIONS_MS_MAX)}`
  }

  /** Timelines of deleted branches, once nothing descends from them. */
  async #removeHiddenTimelines(): Promise<void> {
    const { database, storage } = this.#app
    for (const { timelineId, projectId } of await database.hiddenTimeline.findMany()) {
      const project = await database.project.findUnique({ where: { id: projectId } })
      try {
        if (project && !project.deletedAt)
          await storage.deleteTimeline(ProjectId.parse(project.storageId), TimelineId.parse(timelineId))
      } catch (error) {
        if (isStorageError(error, 'conflict') || isStorageError(error, 'unavailable')) continue
        if (!isStorageError(error, 'not-found')) throw error
      }
      await database.hiddenTimeline.deleteMany({ where: { timelineId } })
    }
  }

  async #renewLeases(): Promise<void> {
    if (performance.now() - this.#leasesRenewedMs < LEASE_RENEWAL_MS) return
    this.#leasesRenewedMs = performance.now()
    const snapshots = await this.#app.database.snapshot.findMany({ include: { project: true } })
    for (const { id, lsn, timelineId, project } of snapshots) {
      try {
        await this.#app.storage.leaseLsn({
          projectId: ProjectId.parse(project.storageId),
          timelineId: TimelineId.parse(timelineId),
          leaseId: id,
          lsn,
          seconds: SNAPSHOT_LEASE_SECONDS,
        })
      } catch (error) {
        this.#app.log.warn({ snapshotId: id, error: errorText(error) }, 'the lease of a snapshot was not renewed')
        if (isStorageError(error, 'unavailable')) this.#leasesRenewedMs = Number.NEGATIVE_INFINITY
      }
    }
  }
}
