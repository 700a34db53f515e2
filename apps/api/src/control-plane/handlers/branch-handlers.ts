import { isStorageError, TimelineId } from '@tributary/storage-engine/admin'
import { z } from 'zod'
import type { App } from '../../app.ts'
import { storageIds } from '../compute-control.ts'
import type { CancellableHandler, OperationHandler, OperationInput } from '../operations/operation-runner.ts'
import { giveUpTimeline, loadBranch, noteDeleted, point, setBranchState, timeAt, tipFields } from './branch-timeline.ts'
import { stopAll } from './start-compute.ts'

export const createBranchInput = z.object({ ancestorTimelineId: z.string(), at: point })

/** A new project: its storage and its first branch. */
export function createTimelineHandler(app: App): OperationHandler {
  return {
    async run(operation, steps) {
      await steps.run('create-storage', async () => {
        const branch = await loadBranch(app, operation.branchId)
        if (!branch) return
        const ids = storageIds(branch.project, branch)
        const info = await app.storage.createProject(ids)
        await app.storage.setPitrWindow(ids.projectId, branch.project.pitrWindowSeconds)
        await app.database.$transaction([
          app.database.branch.update({
            where: { id: branch.id },
            data: { state: 'READY', stateChangedAt: new Date(), ...tipFields(info) },
          }),
          app.database.project.update({ where: { id: operation.projectId }, data: { state: 'READY' } }),
        ])
      })
    },
    async onFailure(operation) {
      if (operation.branchId) await setBranchState(app, operation.branchId, 'FAILED')
      await app.database.project.update({ where: { id: operation.projectId }, data: { state: 'FAILED' } })
    },
  }
}

export function createBranchHandler(app: App): OperationHandler {
  return {
    async run(operation, steps) {
      const input = createBranchInput.parse(operation.input)
      await steps.run('create-branch', async () => {
        const branch = await loadBranch(app, operation.branchId)
        if (!branch) return
        const ids = storageIds(branch.project, branch)
        const info = await app.storage.createBranch({
          ...ids,
          ancestorTimelineId: TimelineId.parse(input.ancestorTimelineId),
          ...(input.at === null ? {} : { at: input.at }),
        })
        const parentTime = await timeAt(app, branch.project, input.ancestorTimelineId, info.ancestorLsn)
        // A point below the parent's own beginning lies in the history of one of its ancestors.
        const parent = await app.database.branch.findUnique({ where: { timelineId: info.ancestorTimelineId ?? '' } })
        await app.database.branch.update({
          where: { id: branch.id },
          data: {
            state: 'READY',
            stateChangedAt: new Date(),
            parentLsn: info.ancestorLsn,
            parentTime,
            ...(parent ? { parentId: parent.id } : {}),
            ...tipFields(info),
          },
        })
        app.bus.publish('branchTip', { projectId: operation.projectId, branchId: branch.id })
      })
    },
    async onFailure(operation) {
      if (operation.branchId) await setBranchState(app, operation.branchId, 'FAILED')
    },
  }
}

export function deleteBranchHandler(app: App): OperationHandler {
  return {
    async run(operation, steps) {
      await steps.run('stop-computes', () => stopAll(app, { branchId: operation.branchId ?? '' }))
      await steps.run('delete-timeline', async () => {
        const branch = await loadBranch(app, operation.branchId)
        if (branch) await giveUpTimeline(app, branch.project, branch.timelineId)
      })
      await steps.run('remove', async () => {
        const branchId = operation.branchId ?? ''
        await app.database.$transaction(async (tx) => {
          const branch = await tx.branch.findUnique({ where: { id: branchId } })
          if (!branch) return
          await tx.branch.updateMany({ where: { parentId: branchId }, data: { parentId: branch.parentId } })
          const snapshots = await tx.snapshot.findMany({ where: { branchId } })
          await tx.hiddenTimeline.createMany({
            data: snapshots.map(({ timelineId, projectId }) => ({ timelineId, projectId })),
          })
          await tx.endpoint.deleteMany({ where: { branchId } })
          await tx.branch.delete({ where: { id: branchId } })
        })
      })
    },
    async onFailure(operation) {
      if (operation.branchId) await setBranchState(app, operation.branchId, 'FAILED')
    },
  }
}

export function deleteProjectHandler(app: App): CancellableHandler {
  return {
    async run(operation, steps) {
      const { projectId } = operation
      await steps.run('stop-computes', () => stopAll(app, { projectId }))
      await steps.run('delete-storage', async () => {
        const project = await app.database.project.findUniqueOrThrow({ where: { id: projectId } })
        try {
          await app.storage.deleteProject(storageIds(project, { timelineId: project.storageId }).projectId)
        } catch (error) {
          if (!isStorageError(error, 'not-found')) throw error
        }
      })
      await steps.run('remove', () => removeProjectRows(app, projectId))
    },
    async onFailure(operation: OperationInput) {
      await app.database.project.update({ where: { id: operation.projectId }, data: { state: 'FAILED' } })
    },
    async onCancel(operation: OperationInput) {
      const before = operation.input['stateBefore']
      const state = typeof before === 'string' ? before : 'READY'
      await app.database.project.update({ where: { id: operation.projectId }, data: { state } })
    },
  }
}

async function removeProjectRows(app: App, projectId: string): Promise<void> {
  await app.database.$transaction(async (tx) => {
    const project = await tx.project.findUniqueOrThrow({ where: { id: projectId } })
    const branches = await tx.branch.findMany({ where: { projectId }, select: { timelineId: true } })
    const hidden = await tx.hiddenTimeline.findMany({ where: { projectId }, select: { timelineId: true } })
    await noteDeleted(tx, project, [...branches, ...hidden])
    await tx.project.update({ where: { id: projectId }, data: { defaultBranchId: null } })
    await tx.endpoint.deleteMany({ where: { projectId } })
    await tx.branch.updateMany({ where: { projectId }, data: { parentId: null } })
    await tx.branch.deleteMany({ where: { projectId } })
    await tx.savedQuery.deleteMany({ where: { projectId } })
    await tx.queryHistoryEntry.deleteMany({ where: { projectId } })
    await tx.hiddenTimeline.deleteMany({ where: { projectId } })
    await tx.apikey.updateMany({ where: { projectId }, data: { enabled: false } })
    await tx.project.update({ where: { id: projectId }, data: { state: 'DELETED', deletedAt: new Date() } })
  })
}
