import { isStorageError, TimelineId, type TimelineInfo } from '@tributary/storage-engine/admin'
import { z } from 'zod'
import type { App } from '../../app.ts'
import type { Transaction } from '../../db/database.ts'
import type { Branch, Project } from '../../generated/prisma/client.ts'
import { storageIds } from '../compute-control.ts'

/** A moment of a timeline as operations are given it; null: its tip. */
export const point = z.union([z.object({ lsn: z.string() }), z.object({ time: z.string() })]).nullable()

export async function loadBranch(app: App, branchId: string | null): Promise<(Branch & { project: Project }) | null> {
  if (branchId === null) throw new Error('the operation names no branch')
  return app.database.branch.findUnique({ where: { id: branchId }, include: { project: true } })
}

export async function setBranchState(app: App, branchId: string, state: string): Promise<void> {
  await app.database.branch.updateMany({ where: { id: branchId }, data: { state, stateChangedAt: new Date() } })
}

/** What storage says of the timeline, as columns of its branch. */
export function tipFields(info: TimelineInfo) {
  return {
    tipLsn: info.lastRecordLsn,
    tipCommitTime: info.lastCommitTime === null ? null : new Date(info.lastCommitTime),
    ...(info.logicalSizeBytes === null ? {} : { logicalSizeBytes: BigInt(info.logicalSizeBytes) }),
  }
}

export async function timeAt(app: App, project: Project, timelineId: string, lsn: string | null): Promise<Date | null> {
  if (lsn === null) return null
  const { projectId } = storageIds(project, { timelineId })
  const { commitTime } = await app.storage.timeAtLsn(projectId, TimelineId.parse(timelineId), lsn)
  return commitTime === null ? null : new Date(commitTime)
}

/** Deletes a timeline; one that others descend from stays in storage, hidden, until they are gone. */
export async function giveUpTimeline(app: App, project: Project, timelineId: string): Promise<void> {
  const ids = storageIds(project, { timelineId })
  try {
    await app.storage.deleteTimeline(ids.projectId, ids.timelineId)
  } catch (error) {
    if (isStorageError(error, 'conflict')) {
      await app.database.hiddenTimeline.upsert({
        where: { timelineId },
        create: { timelineId, projectId: project.id },
        update: {},
      })
      return
    }
    if (!isStorageError(error, 'not-found')) throw error
  }
  await noteDeleted(app.database, project, [{ timelineId }])
}

/** Gone from the PageServer: retention has the SafeKeepers drop their logs. */
export async function noteDeleted(
  tx: Pick<Transaction, 'deletedTimeline'>,
  { storageId }: Pick<Project, 'storageId'>,
  timelines: readonly { readonly timelineId: string }[],
): Promise<void> {
  await tx.deletedTimeline.createMany({
    data: timelines.map(({ timelineId }) => ({ timelineId, projectStorageId: storageId })),
    skipDuplicates: true,
  })
}
