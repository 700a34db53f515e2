import { errorText, isStorageError, ProjectId, TimelineId } from '@tributary/storage-engine/admin'
import type { App } from '../app.ts'
import { systemActor } from '../auth/permission.ts'
import type { DeletedTimeline } from '../generated/prisma/client.ts'
import { BranchService } from '../modules/branch/branch-service.ts'
import { SnapshotService } from '../modules/snapshot/snapshot-service.ts'
import { noteDeleted } from './handlers/branch-timeline.ts'

const DAY_MS = 24 * 3600 * 1000
/** What the catalog keeps of each kind of record. */
const SAMPLES_MS_MAX = 7 * DAY_MS
const STORAGE_SAMPLES_MS_MAX = 90 * DAY_MS
const HISTORY_MS_MAX = 30 * DAY_MS
const OPERATIONS_MS_MAX = 90 * DAY_MS
const AUDIT_MS_MAX = 400 * DAY_MS
/** A snapshot in the making is noted as a timeline to remove: it gets the time to be made. */
const HIDDEN_MS_MIN = 120_000
/** Timelines whose logs are dropped in one pass, and at the same time. */
const FORGET_BATCH = 100
const FORGET_CONCURRENCY = 10

/** Ends what has run out: branches and snapshots by their time, old records by their age. */
export class Retention {
  readonly #app: App
  /** The last timeline looked at for its logs: the next pass goes on behind it. */
  #forgottenUpTo = ''

  constructor(app: App) {
    this.#app = app
  }

  /** Called every few seconds. */
  async expire(): Promise<void> {
    const { database, log } = this.#app
    const now = new Date()
    const branches = new BranchService(this.#app)
    const isDue = { expiresAt: { lte: now } }
    await this.#each(await database.branch.findMany({ where: { ...isDue, state: 'READY' } }), async ({ id }) => {
      const deleted = await branches.delete(systemActor('expiry'), id)
      if (!deleted.ok) log.debug({ branchId: id, error: deleted.error.message }, 'an expired branch stays')
    })
    const snapshots = new SnapshotService(this.#app)
    await this.#each(await database.snapshot.findMany({ where: isDue }), async ({ id }) => {
      await snapshots.delete(systemActor('expiry'), id)
    })
    await this.#removeHiddenTimelines()
  }

  /**
   * Called every few seconds. The logs of a deleted timeline are asked for until no SafeKeeper has them: one that was away
   * may have told the others' copies to one that had dropped its own.
   */
  async forgetDeletedTimelines(): Promise<void> {
    const { database } = this.#app
    const due = await database.deletedTimeline.findMany({
      where: { timelineId: { gt: this.#forgottenUpTo } },
      orderBy: { timelineId: 'asc' },
      take: FORGET_BATCH,
    })
    this.#forgottenUpTo = due.length < FORGET_BATCH ? '' : (due.at(-1)?.timelineId ?? '')
    for (let from = 0; from < due.length; from += FORGET_CONCURRENCY)
      await Promise.all(
        due.slice(from, from + FORGET_CONCURRENCY).map((timeline) => this.#each([timeline], this.#forget)),
      )
  }

  readonly #forget = async ({ timelineId, projectStorageId }: DeletedTimeline): Promise<void> => {
    const { database, stack } = this.#app
    try {
      const { found } = await stack.forgetTimeline(ProjectId.parse(projectStorageId), TimelineId.parse(timelineId))
      if (!found) await database.deletedTimeline.deleteMany({ where: { timelineId } })
    } catch (error) {
      // Those that answered have dropped it; the others are asked again.
      if (!isStorageError(error, 'conflict') && !isStorageError(error, 'unavailable')) throw error
    }
  }

  /** One that cannot be dealt with does not keep the others waiting. */
  async #each<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
    for (const item of items)
      try {
        await work(item)
      } catch (error) {
        this.#app.log.warn({ error: errorText(error) }, 'what has run out could not be ended, goes on later')
      }
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
    await this.#each(due, async ({ timelineId, projectId }) => {
      const project = await database.project.findUnique({ where: { id: projectId } })
      try {
        if (project && !project.deletedAt)
          await storage.deleteTimeline(ProjectId.parse(project.storageId), TimelineId.parse(timelineId))
      } catch (error) {
        if (isStorageError(error, 'conflict') || isStorageError(error, 'unavailable')) return
        if (!isStorageError(error, 'not-found')) throw error
      }
      if (project) await noteDeleted(database, project, [{ timelineId }])
      await database.hiddenTimeline.deleteMany({ where: { timelineId } })
    })
  }
}
