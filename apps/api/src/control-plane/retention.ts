import { isStorageError, ProjectId, TimelineId } from '@tributary/storage-engine/admin'
import type { App } from '../app.ts'
import { systemActor } from '../auth/permission.ts'
import { BranchService } from '../modules/branch/branch-service.ts'
import { SnapshotService } from '../modules/snapshot/snapshot-service.ts'
import { noteDeleted } from './handlers/branch-handlers.ts'

const DAY_MS = 24 * 3600 * 1000
/** What the catalog keeps of each kind of record. */
const SAMPLES_MS_MAX = 7 * DAY_MS
const STORAGE_SAMPLES_MS_MAX = 90 * DAY_MS
const HISTORY_MS_MAX = 30 * DAY_MS
const OPERATIONS_MS_MAX = 90 * DAY_MS
const AUDIT_MS_MAX = 400 * DAY_MS
/** A snapshot in the making is noted as a timeline to remove: it gets the time to be made. */
const HIDDEN_MS_MIN = 120_000
/** Timelines whose logs are dropped in one pass. */
const FORGET_BATCH = 100

/** Ends what has run out: branches and snapshots by their time, old records by their age. */
export class Retention {
  readonly #app: App

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
    const snapshots = await this.#app.database.snapshot.findMany({ where: { expiresAt: { lte: now } } })
    for (const { id } of snapshots) await new SnapshotService(this.#app).delete(systemActor('expiry'), id)
    await this.#removeHiddenTimelines()
    await this.#forgetDeletedTimelines()
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
    await database.faultDrill.deleteMany({ where: { startedAt: { lt: before(OPERATIONS_MS_MAX) } } })
    await database.auditEntry.deleteMany({ where: { at: { lt: before(AUDIT_MS_MAX) } } })
    // The workflow library keeps its own record of each operation for ever.
    await database.$executeRaw`DELETE FROM dbos.workflow_status WHERE status IN ('SUCCESS', 'ERROR') AND updated_at < ${BigInt(Date.now() - OPERATIONS_MS_MAX)}`
  }

  /** Timelines of deleted branches, once nothing descends from them. */
  async #removeHiddenTimelines(): Promise<void> {
    const { database, storage } = this.#app
    const due = await database.hiddenTimeline.findMany({
      where: { createdAt: { lt: new Date(Date.now() - HIDDEN_MS_MIN) } },
      orderBy: { createdAt: 'desc' },
    })
    for (const { timelineId, projectId } of due) {
      const project = await database.project.findUnique({ where: { id: projectId } })
      try {
        if (project && !project.deletedAt)
          await storage.deleteTimeline(ProjectId.parse(project.storageId), TimelineId.parse(timelineId))
      } catch (error) {
        if (isStorageError(error, 'conflict') || isStorageError(error, 'unavailable')) continue
        if (!isStorageError(error, 'not-found')) throw error
      }
      if (project) await noteDeleted(database, project, [{ timelineId }])
      await database.hiddenTimeline.deleteMany({ where: { timelineId } })
    }
  }

  /** Until no SafeKeeper has them: one that was away may have told the others' copies to one that had dropped its own. */
  async #forgetDeletedTimelines(): Promise<void> {
    const { database, stack } = this.#app
    const due = await database.deletedTimeline.findMany({ orderBy: { createdAt: 'asc' }, take: FORGET_BATCH })
    for (const { timelineId, projectStorageId } of due) {
      try {
        const { found } = await stack.forgetTimeline(ProjectId.parse(projectStorageId), TimelineId.parse(timelineId))
        if (!found) await database.deletedTimeline.delete({ where: { timelineId } })
      } catch (error) {
        if (isStorageError(error, 'conflict')) continue
        if (isStorageError(error, 'unavailable')) return
        throw error
      }
    }
  }
}
