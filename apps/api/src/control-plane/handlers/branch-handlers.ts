import { isStorageError, TimelineId, type TimelineInfo } from '@tributary/storage-engine/admin'
import { z } from 'zod'
import type { App } from '../../app.ts'
import type { Transaction } from '../../db/database.ts'
import type { Branch, Project } from '../../generated/prisma/client.ts'
import { storageIds } from '../compute-control.ts'
import type { CancellableHandler, OperationHandler, OperationInput } from '../operations/operation-runner.ts'
import { bringDown } from './start-compute.ts'

const point = z.union([z.object({ lsn: z.string() }), z.object({ time: z.string() })]).nullable()

export const createBranchInput = z.object({ ancestorTimelineId: z.string(), at: point })
export const restoreBranchInput = z.object({
  sourceTimelineId: z.string(),
  sourceBranchId: z.string(),
  at: point,
  newTimelineId: z.string(),
  /** The old state stays under this id and name; null: it is given up. */
  kept: z.object({ branchId: z.string(), name: z.string() }).nullable(),
})

async function loadBranch(app: App, branchId: string | null): Promise<(Branch & { project: Project }) | null> {
  if (branchId === null) throw new Error('the operation names no branch')
  return app.database.branch.findUnique({ where: { id: branchId }, include: { project: true } })
}

async function setBranchState(app: App, branchId: string, state: string): Promise<void> {
  await app.database.branch.updateMany({ where: { id: branchId }, data: { state, stateChangedAt: new Date() } })
}

/** What storage says of the timeline, as columns of its branch. */
function tipFields(info: TimelineInfo) {
  return {
    tipLsn: info.lastRecordLsn,
    tipCommitTime: info.lastCommitTime === null ? null : new Date(info.lastCommitTime),
    ...(info.logicalSizeBytes === null ? {} : { logicalSizeBytes: BigInt(info.logicalSizeBytes) }),
  }
}

async function timeAt(app: App, project: Project, timelineId: string, lsn: string | null): Promise<Date | null> {
  if (lsn === null) return null
  const { projectId } = storageIds(project, { timelineId })
  const { commitTime } = await app.storage.timeAtLsn(projectId, TimelineId.parse(timelineId), lsn)
  return commitTime === null ? null : new Date(commitTime)
}

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

/** Roles and databases of one branch for another that descends from it. */
export async function copyConfig(tx: Transaction, fromBranchId: string, toBranchId: string): Promise<void> {
  const roles = await tx.role.findMany({ where: { branchId: fromBranchId } })
  const databases = await tx.database.findMany({ where: { branchId: fromBranchId } })
  await tx.role.createMany({
    data: roles.map(({ name, verifier, passwordSealed, isProtected, createdAt }) => ({
      branchId: toBranchId,
      name,
      verifier,
      passwordSealed,
      isProtected,
      createdAt,
      isApplied: false,
    })),
  })
  await tx.database.createMany({
    data: databases.map(({ name, ownerName, createdAt }) => ({
      branchId: toBranchId,
      name,
      ownerName,
      createdAt,
      isApplied: true,
    })),
  })
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

async function stopAll(app: App, where: { branchId: string } | { projectId: string }): Promise<void> {
  const endpoints = await app.database.endpoint.findMany({ where })
  await app.database.endpoint.updateMany({ where, data: { desiredState: 'SUSPENDED' } })
  for (const endpoint of endpoints) await bringDown(app, endpoint.id, 'graceful')
}

/** Deletes a timeline; one that others descend from stays in storage, hidden, until they are gone. */
async function giveUpTimeline(app: App, project: Project, timelineId: string): Promise<void> {
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
