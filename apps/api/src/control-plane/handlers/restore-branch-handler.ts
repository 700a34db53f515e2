import { TimelineId } from '@tributary/storage-engine/admin'
import { z } from 'zod'
import type { App } from '../../app.ts'
import type { Transaction } from '../../db/database.ts'
import type { Branch } from '../../generated/prisma/client.ts'
import { storageIds } from '../compute-control.ts'
import { copyConfig } from '../copy-config.ts'
import type { OperationHandler } from '../operations/operation-runner.ts'
import { giveUpTimeline, loadBranch, point, setBranchState, timeAt, tipFields } from './branch-timeline.ts'
import { stopAll } from './start-compute.ts'

export const restoreBranchInput = z.object({
  sourceTimelineId: z.string(),
  sourceBranchId: z.string(),
  at: point,
  newTimelineId: z.string(),
  /** The old state stays under this id and name; null: it is given up. */
  kept: z.object({ branchId: z.string(), name: z.string() }).nullable(),
})

/**
 * The branch continues from another point: a new timeline takes its place, under the same id, name and endpoints. Nothing
 * is lost before the new timeline exists; a failure until then leaves the branch as it was.
 */
export function restoreBranchHandler(app: App): OperationHandler {
  return {
    async run(operation, steps) {
      const input = restoreBranchInput.parse(operation.input)
      const branchId = operation.branchId ?? ''
      await steps.run('stop-computes', () => stopAll(app, { branchId }))
      const oldTimelineId = await steps.run('create-timeline', async () => {
        const branch = await loadBranch(app, branchId)
        if (!branch) throw new Error(`branch ${branchId} is gone`)
        await app.storage.createBranch({
          ...storageIds(branch.project, { timelineId: input.newTimelineId }),
          ancestorTimelineId: TimelineId.parse(input.sourceTimelineId),
          ...(input.at === null ? {} : { at: input.at }),
        })
        return branch.timelineId
      })
      await steps.run('swap', () => swapTimeline(app, branchId, input))
      if (input.kept === null && oldTimelineId !== input.newTimelineId)
        await steps.run('delete-old', async () => {
          const branch = await loadBranch(app, branchId)
          if (branch) await giveUpTimeline(app, branch.project, oldTimelineId)
        })
    },
    async onFailure(operation) {
      const input = restoreBranchInput.parse(operation.input)
      const branch = await loadBranch(app, operation.branchId)
      if (!branch) return
      if (branch.timelineId !== input.newTimelineId)
        await app.storage
          .deleteTimeline(storageIds(branch.project, branch).projectId, TimelineId.parse(input.newTimelineId))
          .catch(() => undefined)
      await setBranchState(app, branch.id, 'READY')
    },
  }
}

async function swapTimeline(app: App, branchId: string, input: z.infer<typeof restoreBranchInput>): Promise<void> {
  const branch = await loadBranch(app, branchId)
  if (!branch) throw new Error(`branch ${branchId} is gone`)
  const ids = storageIds(branch.project, { timelineId: input.newTimelineId })
  const info = await app.storage.getTimeline(ids.projectId, ids.timelineId)
  const parentTime = await timeAt(app, branch.project, input.sourceTimelineId, info.ancestorLsn)
  await app.database.$transaction(async (tx) => {
    const now = await tx.branch.findUniqueOrThrow({ where: { id: branchId } })
    if (now.timelineId === input.newTimelineId) return
    await tx.branch.update({
      where: { id: branchId },
      data: {
        timelineId: input.newTimelineId,
        state: 'READY',
        stateChangedAt: new Date(),
        lastResetAt: new Date(),
        parentLsn: info.ancestorLsn,
        parentTime,
        ...tipFields(info),
        ...(now.ttlSeconds === null ? {} : { expiresAt: new Date(Date.now() + now.ttlSeconds * 1000) }),
      },
    })
    if (input.kept !== null) await keepOldState(tx, now, input.kept)
    const isFromItself = input.sourceBranchId === branchId
    await tx.branch.update({
      where: { id: branchId },
      data: { parentId: isFromItself ? (input.kept?.branchId ?? null) : input.sourceBranchId },
    })
    // Connection strings stay: passwords of today are set again in the restored catalog.
    await tx.role.updateMany({ where: { branchId }, data: { isApplied: false } })
  })
  app.bus.publish('branchTip', { projectId: branch.projectId, branchId })
}

async function keepOldState(tx: Transaction, old: Branch, kept: { branchId: string; name: string }): Promise<void> {
  await tx.branch.create({
    data: {
      id: kept.branchId,
      projectId: old.projectId,
      name: kept.name,
      timelineId: old.timelineId,
      state: 'READY',
      parentId: old.parentId,
      parentLsn: old.parentLsn,
      parentTime: old.parentTime,
      tipLsn: old.tipLsn,
      tipCommitTime: old.tipCommitTime,
      logicalSizeBytes: old.logicalSizeBytes,
      createdBy: old.createdBy,
    },
  })
  await copyConfig(tx, old.id, kept.branchId)
  await tx.branch.updateMany({
    where: { parentId: old.id, id: { not: kept.branchId } },
    data: { parentId: kept.branchId },
  })
  await tx.snapshot.updateMany({ where: { branchId: old.id }, data: { branchId: kept.branchId } })
}
