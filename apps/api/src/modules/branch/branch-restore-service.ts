import type { Actor, App, CallOptions } from '../../app.ts'
import type { NewOperation } from '../../control-plane/operations/operation-queue.ts'
import { newBranchId, newStorageId } from '../../shared/ids.ts'
import { catchFailure, FailureError, failure, invalid, type Result, unwrap } from '../../shared/result.ts'
import { accessBranch } from '../access.ts'
import { checkName } from '../project/project-rules.ts'
import { type SettledPoint, settlePoint } from './branch-point.ts'
import { keptName, type PointInput } from './branch-rules.ts'
import { type BranchChange, type BranchWithProject, branchChange, refuseTakenBranchName } from './branch-service.ts'

export interface RestoreBranchInput {
  readonly to: PointInput
  readonly sourceBranchId?: string | null | undefined
  readonly keepAs?: string | null | undefined
  /** Keep the old state also when nobody asked: what restores in the console do. */
  readonly keepByDefault?: boolean
}

/** Restore and reset: checked and asked for here, done by control-plane/handlers/restore-branch-handler.ts. */
export class BranchRestoreService {
  readonly #app: App

  constructor(app: App) {
    this.#app = app
  }

  /** The branch continues from another point; connection strings stay. */
  async restore(
    actor: Actor,
    branchId: string,
    input: RestoreBranchInput,
    options: CallOptions = {},
  ): Promise<Result<BranchChange>> {
    return catchFailure(async () => {
      const branch = unwrap(await accessBranch(this.#app, actor, branchId, 'project.write'))
      const source =
        input.sourceBranchId && input.sourceBranchId !== branchId
          ? unwrap(await accessBranch(this.#app, actor, input.sourceBranchId, 'project.view'))
          : branch
      if (source.projectId !== branch.projectId)
        throw new FailureError(invalid('sourceBranchId', 'is of another project').error)
      const point = unwrap(await settlePoint(this.#app, source, input.to, 'to'))
      if (source.id === branchId && point.isTip)
        throw new FailureError(
          invalid('to', 'a restore of a branch from itself needs an lsn, a time or a snapshot').error,
        )
      return unwrap(await this.#restoreTo(actor, branch, source, point, input, 'branch.restore', options))
    })
  }

  /** To the tip of the parent. */
  async resetFromParent(
    actor: Actor,
    branchId: string,
    input: { keepAs?: string | null | undefined } = {},
    options: CallOptions = {},
  ): Promise<Result<BranchChange>> {
    return catchFailure(async () => {
      const branch = unwrap(await accessBranch(this.#app, actor, branchId, 'project.write'))
      if (branch.parentId === null) throw new FailureError(failure('CONFLICT', 'the branch has no parent').error)
      if (branch.isProtected) throw new FailureError(failure('PROTECTED', 'the branch is protected').error)
      const parent = unwrap(await accessBranch(this.#app, actor, branch.parentId, 'project.view'))
      const point = unwrap(await settlePoint(this.#app, parent, null, 'to'))
      return unwrap(
        await this.#restoreTo(actor, branch, parent, point, { keepAs: input.keepAs }, 'branch.reset', options),
      )
    })
  }

  async #restoreTo(
    actor: Actor,
    branch: BranchWithProject,
    source: BranchWithProject,
    point: SettledPoint,
    input: { keepAs?: string | null | undefined; keepByDefault?: boolean },
    action: string,
    options: CallOptions,
  ): Promise<Result<BranchChange>> {
    const { database, operations } = this.#app
    return catchFailure(async () => {
      const childCount = await database.branch.count({ where: { parentId: branch.id } })
      const mustKeep = source.id === branch.id || childCount > 0 || point.timelineId === branch.timelineId
      const wanted = input.keepAs ?? (mustKeep || input.keepByDefault ? keptName(branch.name, new Date()) : null)
      const kept = wanted === null ? null : { branchId: newBranchId(), name: unwrap(checkName('keepAs', wanted)) }
      const running = await database.endpoint.findMany({ where: { branchId: branch.id, desiredState: 'RUNNING' } })
      const scope = [branch.id, source.id]
      const made = unwrap(
        await operations.submit({
          actor,
          projectId: branch.projectId,
          organizationId: branch.project.organizationId,
          requestId: options.requestId,
          operations: [
            {
              kind: 'restore_branch',
              branchId: branch.id,
              scope,
              input: {
                sourceTimelineId: point.timelineId,
                sourceBranchId: source.id,
                at: point.isTip ? null : { lsn: point.lsn },
                newTimelineId: newStorageId(),
                kept,
                reset: action === 'branch.reset',
              },
            },
            ...running.map(
              (endpoint): NewOperation => ({
                kind: 'start_compute',
                branchId: branch.id,
                endpointId: endpoint.id,
                scope,
                input: { cause: 'branch restored' },
              }),
            ),
          ],
          audit: {
            action,
            subject: branch.name,
            detail: { lsn: point.lsn, sourceBranchId: source.id, keptAs: wanted },
          },
          change: async (tx) => {
            if (kept !== null) await refuseTakenBranchName(tx, branch.projectId, kept.name)
            await tx.branch.update({
              where: { id: branch.id },
              data: { state: action === 'branch.reset' ? 'RESETTING' : 'RESTORING', stateChangedAt: new Date() },
            })
          },
        }),
      )
      return branchChange(database, branch.id, made)
    })
  }
}
