import { TimelineId } from '@tributary/storage-engine/admin'
import type { Actor, App, CallOptions } from '../../app.ts'
import { actorName } from '../../auth/permission.ts'
import { storageIds } from '../../control-plane/compute-control.ts'
import type { Project, Snapshot } from '../../generated/prisma/client.ts'
import { newSnapshotId, newStorageId } from '../../shared/ids.ts'
import { catchFailure, FailureError, failure, invalid, notFound, type Result, unwrap } from '../../shared/result.ts'
import { accessBranch, accessProject, canInProject, notAllowed } from '../access.ts'
import { recordAudit } from '../audit/audit-service.ts'
import { settlePoint } from '../branch/branch-point.ts'
import type { PointInput } from '../branch/branch-rules.ts'
import { checkName } from '../project/project-rules.ts'

const SNAPSHOTS_PER_PROJECT_MAX = 1000

export interface CreateSnapshotInput {
  readonly branchId: string
  readonly name: string
  readonly at?: PointInput | null | undefined
  readonly expiresAt?: Date | null | undefined
}

export class SnapshotService {
  readonly #app: App

  constructor(app: App) {
    this.#app = app
  }

  async get(actor: Actor, snapshotId: string): Promise<Result<Snapshot & { project: Project }>> {
    const snapshot = await this.#app.database.snapshot.findUnique({
      where: { id: snapshotId },
      include: { project: true },
    })
    if (!snapshot || !canInProject(actor, 'project.view', snapshot.project)) return notFound('snapshot')
    return { ok: true, value: snapshot }
  }

  async list(actor: Actor, projectId: string): Promise<Result<Snapshot[]>> {
    return catchFailure(async () => {
      unwrap(await accessProject(this.#app, actor, projectId, 'project.view'))
      return this.#app.database.snapshot.findMany({ where: { projectId }, orderBy: { createdAt: 'asc' } })
    })
  }

  /** A name for a moment: nothing is copied, a timeline that begins there keeps the history it needs. */
  async create(actor: Actor, input: CreateSnapshotInput, options: CallOptions = {}): Promise<Result<Snapshot>> {
    const { database, storage } = this.#app
    return catchFailure(async () => {
      const branch = unwrap(await accessBranch(this.#app, actor, input.branchId, 'project.write'))
      if (branch.state !== 'READY') throw new FailureError(failure('CONFLICT', `the branch is ${branch.state}`).error)
      const name = unwrap(checkName('name', input.name))
      checkExpiry(input.expiresAt)
      const point = unwrap(await settlePoint(this.#app, branch, input.at))
      const [id, pinId] = [newSnapshotId(), newStorageId()]
      const { projectId } = storageIds(branch.project, branch)
      // Noted as one to remove until the snapshot is in the catalog: a crash in between leaves nothing behind.
      await database.hiddenTimeline.create({ data: { timelineId: pinId, projectId: branch.projectId } })
      const pin = await storage.createBranch({
        projectId,
        timelineId: TimelineId.parse(pinId),
        ancestorTimelineId: TimelineId.parse(point.timelineId),
        ...(point.isTip ? {} : { at: { lsn: point.lsn } }),
      })
      return database.$transaction(async (tx) => {
        const taken = await tx.snapshot.findUnique({ where: { projectId_name: { projectId: branch.projectId, name } } })
        if (taken)
          throw new FailureError(
            failure('NAME_TAKEN', `name: the project has a snapshot ${name} already`, 'name').error,
          )
        if ((await tx.snapshot.count({ where: { projectId: branch.projectId } })) >= SNAPSHOTS_PER_PROJECT_MAX)
          throw new FailureError(
            failure('QUOTA_EXCEEDED', `a project may have ${SNAPSHOTS_PER_PROJECT_MAX} snapshots`).error,
          )
        await tx.hiddenTimeline.delete({ where: { timelineId: pinId } })
        const snapshot = await tx.snapshot.create({
          data: {
            id,
            projectId: branch.projectId,
            branchId: branch.id,
            timelineId: pinId,
            name,
            lsn: pin.ancestorLsn ?? point.lsn,
            time: point.time,
            sizeBytes: point.isTip ? branch.logicalSizeBytes : null,
            expiresAt: input.expiresAt ?? null,
            createdBy: actorName(actor),
          },
        })
        await recordAudit(
          tx,
          actor,
          {
            action: 'snapshot.create',
            subject: name,
            organizationId: branch.project.organizationId,
            projectId: branch.projectId,
            detail: { snapshotId: id, branchId: branch.id, lsn: point.lsn },
          },
          options,
        )
        return snapshot
      })
    })
  }

  async update(
    actor: Actor,
    snapshotId: string,
    input: { name?: string | undefined; expiresAt?: Date | null | undefined },
    options: CallOptions = {},
  ): Promise<Result<Snapshot>> {
    return catchFailure(async () => {
      const snapshot = unwrap(await this.#writable(actor, snapshotId))
      const name = input.name === undefined ? undefined : unwrap(checkName('name', input.name))
      checkExpiry(input.expiresAt)
      return this.#app.database.$transaction(async (tx) => {
        if (name !== undefined && name !== snapshot.name) {
          const taken = await tx.snapshot.findUnique({
            where: { projectId_name: { projectId: snapshot.projectId, name } },
          })
          if (taken)
            throw new FailureError(
              failure('NAME_TAKEN', `name: the project has a snapshot ${name} already`, 'name').error,
            )
        }
        const updated = await tx.snapshot.update({
          where: { id: snapshotId },
          data: {
            ...(name === undefined ? {} : { name }),
            ...(input.expiresAt === undefined ? {} : { expiresAt: input.expiresAt }),
          },
        })
        await recordAudit(tx, actor, this.#note('snapshot.update', snapshot), options)
        return updated
      })
    })
  }

  async delete(actor: Actor, snapshotId: string, options: CallOptions = {}): Promise<Result<Snapshot>> {
    return catchFailure(async () => {
      const snapshot = unwrap(await this.#writable(actor, snapshotId))
      await this.#app.database.$transaction(async (tx) => {
        await tx.snapshot.delete({ where: { id: snapshotId } })
        await tx.hiddenTimeline.create({ data: { timelineId: snapshot.timelineId, projectId: snapshot.projectId } })
        await recordAudit(tx, actor, this.#note('snapshot.delete', snapshot), options)
      })
      return snapshot
    })
  }

  #note(action: string, snapshot: Snapshot & { project: Project }) {
    return {
      action,
      subject: snapshot.name,
      organizationId: snapshot.project.organizationId,
      projectId: snapshot.projectId,
      detail: { snapshotId: snapshot.id },
    }
  }

  async #writable(actor: Actor, snapshotId: string): Promise<Result<Snapshot & { project: Project }>> {
    const found = await this.get(actor, snapshotId)
    if (found.ok && !canInProject(actor, 'project.write', found.value.project))
      return notAllowed(actor, 'project.write')
    return found
  }
}

function checkExpiry(expiresAt: Date | null | undefined): void {
  if (expiresAt && !(expiresAt.getTime() > Date.now()))
    throw new FailureError(invalid('expiresAt', 'must lie in the future').error)
}
