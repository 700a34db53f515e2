import { isStorageError, type LsnAtTime } from '@tributary/storage-engine/admin'
import type { Actor, App, CallOptions } from '../../app.ts'
import { actorName } from '../../auth/permission.ts'
import { storageIds } from '../../control-plane/compute-control.ts'
import { copyConfig } from '../../control-plane/copy-config.ts'
import { lockProject, type NewOperation } from '../../control-plane/operations/operation-queue.ts'
import type { Database, Transaction } from '../../db/database.ts'
import type { Branch, Endpoint, Operation, Project } from '../../generated/prisma/client.ts'
import { newBranchId, newEndpointId, newStorageId } from '../../shared/ids.ts'
import { decodeCursor, encodeCursor, type Page, type PageRequest, pageOf } from '../../shared/pagination.ts'
import { catchFailure, FailureError, failure, invalid, type Result, success, unwrap } from '../../shared/result.ts'
import { accessBranch, accessProject } from '../access.ts'
import { recordAudit } from '../audit/audit-service.ts'
import { SIZE_DEFAULT, SUSPEND_SECONDS_DEFAULT } from '../endpoint/endpoint-rules.ts'
import { checkName } from '../project/project-rules.ts'
import { branchRefusal } from '../project/quota.ts'
import { type HistoryWindow, historyWindow, settlePoint } from './branch-point.ts'
import { type BranchView, checkExpiry, deletionRefusal, type PointInput } from './branch-rules.ts'

export type BranchWithProject = Branch & { project: Project }

export interface CreateBranchInput {
  readonly projectId: string
  readonly parentId?: string | null | undefined
  readonly name?: string | null | undefined
  readonly at?: PointInput | null | undefined
  readonly expiresAt?: Date | null | undefined
  readonly isProtected?: boolean | null | undefined
  readonly withEndpoint?: boolean | null | undefined
  readonly endpoint?: { readonly size?: string; readonly suspendAfterSeconds?: number | null } | undefined
}

export interface UpdateBranchInput {
  readonly name?: string | null | undefined
  readonly isProtected?: boolean | null | undefined
  readonly isDefault?: boolean | null | undefined
  /** Null: does not expire any more. */
  readonly expiresAt?: Date | null | undefined
}

export interface BranchChange {
  readonly branch: Branch
  readonly endpoints: Endpoint[]
  readonly operations: Operation[]
}

export class BranchService {
  readonly #app: App

  constructor(app: App) {
    this.#app = app
  }

  get(actor: Actor, branchId: string): Promise<Result<BranchWithProject>> {
    return accessBranch(this.#app, actor, branchId, 'project.view')
  }

  /** The caller has checked the project. Oldest first. */
  async page(projectId: string, search: string | null | undefined, request: PageRequest): Promise<Page<Branch>> {
    const text = search?.trim()
    const where = {
      projectId,
      ...(text ? { OR: [{ name: { contains: text, mode: 'insensitive' as const } }, { id: text }] } : {}),
    }
    const after = request.after === null ? undefined : decodeCursor(request.after, 2)
    const position = after
      ? { OR: [{ createdAt: { gt: new Date(after[0]!) } }, { createdAt: new Date(after[0]!), id: { gt: after[1]! } }] }
      : {}
    const [rows, totalCount] = await Promise.all([
      this.#app.database.branch.findMany({
        where: { AND: [where, position] },
        orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
        take: request.first + 1,
      }),
      this.#app.database.branch.count({ where }),
    ])
    return pageOf(rows, request, totalCount, (row) => encodeCursor([row.createdAt.toISOString(), row.id]))
  }

  async create(actor: Actor, input: CreateBranchInput, options: CallOptions = {}): Promise<Result<BranchChange>> {
    const { database, operations } = this.#app
    return catchFailure(async () => {
      const project = unwrap(await accessProject(this.#app, actor, input.projectId, 'project.write'))
      const parent = await database.branch.findFirst({
        where: { projectId: project.id, id: input.parentId ?? project.defaultBranchId ?? '' },
        include: { project: true },
      })
      requireReadyParent(parent)
      const id = newBranchId()
      const name = unwrap(checkName('name', input.name ?? id))
      const point = unwrap(await settlePoint(this.#app, parent, input.at))
      const endpointId = newEndpointId()
      const expiresAt = input.expiresAt
        ? unwrap(
            checkExpiry(
              { id, name, isDefault: false, isProtected: input.isProtected === true, childCount: 0 },
              input.expiresAt,
              Date.now(),
            ),
          )
        : null
      const added: NewOperation[] = [
        {
          kind: 'create_branch',
          branchId: id,
          scope: [id, parent.id],
          input: { ancestorTimelineId: point.timelineId, at: point.isTip ? null : { lsn: point.lsn } },
        },
      ]
      if (input.withEndpoint)
        added.push({
          kind: 'create_compute',
          branchId: id,
          endpointId,
          scope: [id],
          input: { cause: 'branch created' },
        })
      const made = unwrap(
        await operations.submit({
          actor,
          projectId: project.id,
          organizationId: project.organizationId,
          requestId: options.requestId,
          operations: added,
          audit: {
            action: 'branch.create',
            subject: name,
            detail: { branchId: id, parentId: parent.id, lsn: point.lsn },
          },
          change: async (tx) => {
            requireReadyParent(await tx.branch.findUnique({ where: { id: parent.id } }))
            unwrap(branchRefusal(project, await tx.branch.count({ where: { projectId: project.id } })))
            await refuseTakenBranchName(tx, project.id, name)
            await tx.branch.create({
              data: {
                id,
                projectId: project.id,
                name,
                timelineId: newStorageId(),
                parentId: parent.id,
                parentLsn: point.lsn,
                parentTime: point.time,
                isProtected: input.isProtected === true,
                expiresAt,
                ttlSeconds: expiresAt === null ? null : Math.round((expiresAt.getTime() - Date.now()) / 1000),
                createdBy: actorName(actor),
              },
            })
            await copyConfig(tx, parent.id, id)
            if (input.withEndpoint)
              await tx.endpoint.create({
                data: {
                  id: endpointId,
                  projectId: project.id,
                  branchId: id,
                  type: 'READ_WRITE',
                  desiredState: 'RUNNING',
                  size: input.endpoint?.size ?? SIZE_DEFAULT,
                  suspendAfterSeconds:
                    input.endpoint?.suspendAfterSeconds === undefined
                      ? SUSPEND_SECONDS_DEFAULT
                      : input.endpoint.suspendAfterSeconds,
                  createdBy: actorName(actor),
                },
              })
          },
        }),
      )
      return branchChange(database, id, made)
    })
  }

  async update(
    actor: Actor,
    branchId: string,
    input: UpdateBranchInput,
    options: CallOptions = {},
  ): Promise<Result<BranchChange>> {
    const { database } = this.#app
    return catchFailure(async () => {
      const { projectId, project } = unwrap(await accessBranch(this.#app, actor, branchId, 'project.write'))
      const name = typeof input.name === 'string' ? unwrap(checkName('name', input.name)) : undefined
      await database.$transaction(async (tx) => {
        // Whoever deletes the branch, or makes another one the default, is done or waits.
        await lockProject(tx, projectId)
        const branch = await tx.branch.findUniqueOrThrow({ where: { id: branchId } })
        if (branch.state === 'DELETING')
          throw new FailureError(failure('OPERATION_IN_PROGRESS', 'the branch is being deleted').error)
        const view = await branchView(tx, branch)
        const isProtected = input.isProtected ?? branch.isProtected
        const isDefault = input.isDefault === true || view.isDefault
        if (input.isDefault === false && view.isDefault)
          throw new FailureError(invalid('isDefault', 'make another branch the default instead').error)
        const expiresAt =
          input.expiresAt instanceof Date
            ? unwrap(checkExpiry({ ...view, isProtected, isDefault }, input.expiresAt, Date.now()))
            : input.expiresAt
        if ((isProtected || isDefault) && branch.expiresAt !== null && expiresAt !== null)
          throw new FailureError(
            invalid('expiresAt', 'a branch that expires can be neither protected nor the default').error,
          )
        if (name !== undefined && name !== branch.name) await refuseTakenBranchName(tx, projectId, name)
        await tx.branch.update({
          where: { id: branchId },
          data: {
            ...(name === undefined ? {} : { name }),
            isProtected,
            ...(expiresAt === undefined
              ? {}
              : {
                  expiresAt,
                  ttlSeconds: expiresAt === null ? null : Math.round((expiresAt.getTime() - Date.now()) / 1000),
                }),
          },
        })
        if (input.isDefault === true)
          await tx.project.update({ where: { id: projectId }, data: { defaultBranchId: branchId } })
        await recordAudit(
          tx,
          actor,
          {
            action: 'branch.update',
            subject: name ?? branch.name,
            organizationId: project.organizationId,
            projectId,
            detail: JSON.parse(JSON.stringify(input)),
          },
          options,
        )
      })
      this.#app.bus.publish('branchTip', { projectId, branchId })
      return branchChange(database, branchId, [])
    })
  }

  async delete(
    actor: Actor,
    branchId: string,
    input: { reparentChildren?: boolean } = {},
    options: CallOptions = {},
  ): Promise<Result<BranchChange>> {
    return catchFailure(async () => {
      const branch = unwrap(await accessBranch(this.#app, actor, branchId, 'project.write'))
      unwrap(deletionRefusal(await branchView(this.#app.database, branch), input.reparentChildren === true))
      const endpoints = await this.#app.database.endpoint.findMany({ where: { branchId } })
      const operations = unwrap(
        await this.#app.operations.submit({
          actor,
          projectId: branch.projectId,
          organizationId: branch.project.organizationId,
          requestId: options.requestId,
          operations: [
            { kind: 'delete_branch', branchId, scope: [branchId, ...(branch.parentId ? [branch.parentId] : [])] },
          ],
          audit: { action: 'branch.delete', subject: branch.name, detail: { branchId } },
          change: async (tx) => {
            const now = await tx.branch.findUniqueOrThrow({ where: { id: branchId } })
            unwrap(deletionRefusal(await branchView(tx, now), input.reparentChildren === true))
            await tx.branch.update({ where: { id: branchId }, data: { state: 'DELETING', stateChangedAt: new Date() } })
            await tx.endpoint.updateMany({ where: { branchId }, data: { desiredState: 'SUSPENDED' } })
          },
        }),
      )
      return { branch, endpoints, operations }
    })
  }

  window(branch: BranchWithProject): Promise<HistoryWindow> {
    return historyWindow(this.#app, branch)
  }

  async lsnAtTime(branch: BranchWithProject, time: Date): Promise<Result<LsnAtTime>> {
    const { projectId, timelineId } = storageIds(branch.project, branch)
    try {
      return success(await this.#app.storage.lsnAtTime(projectId, timelineId, time.toISOString()))
    } catch (error) {
      if (isStorageError(error, 'invalid-input')) return invalid('time', error.message)
      throw error
    }
  }

  async timeAtLsn(branch: BranchWithProject, lsn: string): Promise<Result<Date | null>> {
    const { projectId, timelineId } = storageIds(branch.project, branch)
    try {
      const { commitTime } = await this.#app.storage.timeAtLsn(projectId, timelineId, lsn)
      return success(commitTime === null ? null : new Date(commitTime))
    } catch (error) {
      if (isStorageError(error, 'invalid-input')) return invalid('lsn', error.message)
      throw error
    }
  }
}

async function branchView(tx: Transaction, branch: Branch): Promise<BranchView> {
  const [project, childCount] = [
    await tx.project.findUniqueOrThrow({ where: { id: branch.projectId } }),
    await tx.branch.count({ where: { parentId: branch.id } }),
  ]
  const { id, name, isProtected } = branch
  return { id, name, isProtected, isDefault: project.defaultBranchId === id, childCount }
}

/** What a change of a branch is answered with. */
export async function branchChange(
  database: Database,
  branchId: string,
  operations: Operation[],
): Promise<BranchChange> {
  const [branch, endpoints] = await Promise.all([
    database.branch.findUniqueOrThrow({ where: { id: branchId } }),
    database.endpoint.findMany({ where: { branchId } }),
  ])
  return { branch, endpoints, operations }
}

/** Branches in the making become ready; a deleted one never does. */
function requireReadyParent<Parent extends Pick<Branch, 'state'>>(parent: Parent | null): asserts parent is Parent {
  if (parent === null) throw new FailureError(failure('NOT_FOUND', 'parentId: branch not found', 'parentId').error)
  if (parent.state === 'READY') return
  const passes = ['CREATING', 'RESTORING', 'RESETTING'].includes(parent.state)
  const code = passes ? 'OPERATION_IN_PROGRESS' : 'CONFLICT'
  throw new FailureError(failure(code, `parentId: the parent branch is ${parent.state}`, 'parentId').error)
}

export async function refuseTakenBranchName(tx: Transaction, projectId: string, name: string): Promise<void> {
  const taken = await tx.branch.findUnique({ where: { projectId_name: { projectId, name } } })
  if (taken)
    throw new FailureError(failure('NAME_TAKEN', `name: the project has a branch ${name} already`, 'name').error)
}
