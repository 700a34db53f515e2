import { ProjectId } from '@tributary/storage-engine/admin'
import type { Actor, App, CallOptions } from '../../app.ts'
import { actorName, can } from '../../auth/permission.ts'
import type { Branch, Endpoint, Operation, Prisma, Project } from '../../generated/prisma/client.ts'
import { newBranchId, newEndpointId, newPassword, newProjectId, newStorageId } from '../../shared/ids.ts'
import { decodeCursor, encodeCursor, type Page, type PageRequest, pageOf } from '../../shared/pagination.ts'
import { catchFailure, failure, notFound, type Result, success, unwrap } from '../../shared/result.ts'
import { makeScramVerifier } from '../../shared/scram.ts'
import { accessProject, notAllowed } from '../access.ts'
import { recordAudit } from '../audit/audit-service.ts'
import { SIZE_DEFAULT, SUSPEND_SECONDS_DEFAULT } from '../endpoint/endpoint-rules.ts'
import { sealRolePassword } from '../role/role-password.ts'
import {
  checkDatabaseName,
  checkName,
  checkPitrWindow,
  checkQuota,
  checkRoleName,
  DATABASE_DEFAULT,
  PITR_SECONDS_DEFAULT,
} from './project-rules.ts'

export interface CreateProjectInput {
  readonly organizationId?: string | null | undefined
  readonly name?: string | null | undefined
  readonly branchName?: string | null | undefined
  readonly databaseName?: string | null | undefined
  readonly roleName?: string | null | undefined
  readonly pitrWindowSeconds?: number | null | undefined
  readonly isDemo?: boolean
}

export interface UpdateProjectInput {
  readonly name?: string | null | undefined
  readonly pitrWindowSeconds?: number | null | undefined
  readonly quotas?:
    | {
        readonly branches?: number | null | undefined
        readonly storageBytes?: bigint | null | undefined
        readonly computeSeconds?: number | bigint | null | undefined
        readonly writtenBytes?: bigint | null | undefined
      }
    | null
    | undefined
}

export interface CreatedProject {
  readonly project: Project
  readonly branch: Branch
  readonly endpoint: Endpoint
  readonly roleName: string
  readonly databaseName: string
  /** Shown once to the caller. */
  readonly password: string
  readonly operations: Operation[]
}

export class ProjectService {
  readonly #app: App

  constructor(app: App) {
    this.#app = app
  }

  get(actor: Actor, projectId: string): Promise<Result<Project>> {
    return accessProject(this.#app, actor, projectId, 'project.view')
  }

  /** Projects the actor may see, newest first; of one organization when it is named. `search`: part of the name, or an id. */
  async list(
    actor: Actor,
    input: { organizationId?: string | null; search?: string | null },
    request: PageRequest,
  ): Promise<Page<Project>> {
    const where = this.#visible(actor, input)
    const after = request.after === null ? undefined : decodeCursor(request.after, 2)
    const position: Prisma.ProjectWhereInput = after
      ? {
          OR: [{ createdAt: { lt: new Date(after[0]!) } }, { createdAt: new Date(after[0]!), id: { lt: after[1]! } }],
        }
      : {}
    const [rows, totalCount] = await Promise.all([
      this.#app.database.project.findMany({
        where: { AND: [where, position] },
        orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
        take: request.first + 1,
      }),
      this.#app.database.project.count({ where }),
    ])
    return pageOf(rows, request, totalCount, (row) => encodeCursor([row.createdAt.toISOString(), row.id]))
  }

  #visible(actor: Actor, input: { organizationId?: string | null; search?: string | null }): Prisma.ProjectWhereInput {
    const search = input.search?.trim()
    const organizations =
      actor.kind === 'system'
        ? undefined
        : [...actor.roles.keys()].filter((id) => !input.organizationId || id === input.organizationId)
    return {
      deletedAt: null,
      ...(organizations
        ? { organizationId: { in: organizations } }
        : input.organizationId
          ? { organizationId: input.organizationId }
          : {}),
      ...(actor.kind === 'api-key' && actor.projectId !== null ? { id: actor.projectId } : {}),
      ...(search ? { OR: [{ name: { contains: search, mode: 'insensitive' } }, { id: search }] } : {}),
    }
  }

  async create(actor: Actor, input: CreateProjectInput, options: CallOptions = {}): Promise<Result<CreatedProject>> {
    const { database, operations, secrets } = this.#app
    return catchFailure(async () => {
      const organizationId = unwrap(this.#organizationFor(actor, input.organizationId))
      const id = newProjectId()
      const name = unwrap(checkName('name', input.name ?? id))
      const branchName = unwrap(checkName('branchName', input.branchName ?? 'main'))
      const databaseName = unwrap(checkDatabaseName('databaseName', input.databaseName ?? DATABASE_DEFAULT))
      const roleName = unwrap(checkRoleName('roleName', input.roleName ?? `${databaseName}_owner`))
      const pitrWindowSeconds = unwrap(checkPitrWindow(input.pitrWindowSeconds ?? PITR_SECONDS_DEFAULT))
      const [branchId, endpointId, password] = [newBranchId(), newEndpointId(), newPassword()]
      const verifier = await makeScramVerifier(password)
      const submitted = unwrap(
        await operations.submit({
          actor,
          projectId: id,
          organizationId,
          requestId: options.requestId,
          operations: [
            { kind: 'create_timeline', branchId, scope: [id] },
            { kind: 'start_compute', branchId, endpointId, scope: [id], input: { cause: 'project created' } },
          ],
          audit: { action: 'project.create', subject: name, detail: { projectId: id } },
          change: async (tx) => {
            await tx.project.create({
              data: {
                id,
                storageId: newStorageId(),
                organizationId,
                name,
                pitrWindowSeconds,
                isDemo: input.isDemo ?? false,
                defaultBranchId: branchId,
                superuserPasswordSealed: secrets.seal(newPassword(), `project:${id}:superuser`),
                createdBy: actorName(actor),
                branches: {
                  create: { id: branchId, name: branchName, timelineId: newStorageId(), createdBy: actorName(actor) },
                },
              },
            })
            await tx.endpoint.create({
              data: {
                id: endpointId,
                projectId: id,
                branchId,
                type: 'READ_WRITE',
                desiredState: 'RUNNING',
                size: SIZE_DEFAULT,
                suspendAfterSeconds: SUSPEND_SECONDS_DEFAULT,
                createdBy: actorName(actor),
              },
            })
            await tx.role.create({
              data: {
                branchId,
                name: roleName,
                verifier,
                passwordSealed: sealRolePassword(secrets, id, roleName, password),
              },
            })
            await tx.database.create({ data: { branchId, name: databaseName, ownerName: roleName } })
          },
        }),
      )
      const [project, branch, endpoint] = await Promise.all([
        database.project.findUniqueOrThrow({ where: { id } }),
        database.branch.findUniqueOrThrow({ where: { id: branchId } }),
        database.endpoint.findUniqueOrThrow({ where: { id: endpointId } }),
      ])
      return { project, branch, endpoint, roleName, databaseName, password, operations: submitted }
    })
  }

  /** The organization named, or the only one in which the actor may create. */
  #organizationFor(actor: Actor, organizationId: string | null | undefined): Result<string> {
    if (actor.kind === 'system') {
      if (organizationId) return success(organizationId)
      return failure('INVALID_INPUT', 'organizationId: is needed', 'organizationId')
    }
    const candidates = [...actor.roles.keys()].filter((id) => can(actor, 'project.create', { organizationId: id }))
    if (organizationId) {
      if (!actor.roles.has(organizationId)) return notFound('organization')
      return candidates.includes(organizationId) ? success(organizationId) : notAllowed(actor, 'project.create')
    }
    const [only, ...others] = candidates
    if (only === undefined) return notAllowed(actor, 'project.create')
    // These words make the public command line ask for an organization.
    if (others.length > 0) return failure('INVALID_INPUT', 'org_id is required', 'organizationId')
    return success(only)
  }

  async update(
    actor: Actor,
    projectId: string,
    input: UpdateProjectInput,
    options: CallOptions = {},
  ): Promise<Result<Project>> {
    const { database, storage } = this.#app
    return catchFailure(async () => {
      const project = unwrap(await accessProject(this.#app, actor, projectId, 'project.write'))
      const data: Prisma.ProjectUpdateInput = {}
      if (input.name !== null && input.name !== undefined) data.name = unwrap(checkName('name', input.name))
      if (input.pitrWindowSeconds !== null && input.pitrWindowSeconds !== undefined)
        data.pitrWindowSeconds = unwrap(checkPitrWindow(input.pitrWindowSeconds))
      const { quotas } = input
      if (quotas) {
        if (quotas.branches !== undefined) {
          const branches = unwrap(checkQuota('quotas.branches', quotas.branches))
          data.quotaBranches = branches === null ? null : Number(branches)
        }
        if (quotas.storageBytes !== undefined)
          data.quotaStorageBytes = unwrap(checkQuota('quotas.storageBytes', quotas.storageBytes))
        if (quotas.computeSeconds !== undefined)
          data.quotaComputeSeconds = unwrap(checkQuota('quotas.computeSeconds', quotas.computeSeconds))
        if (quotas.writtenBytes !== undefined)
          data.quotaWrittenBytes = unwrap(checkQuota('quotas.writtenBytes', quotas.writtenBytes))
      }
      if (data.pitrWindowSeconds !== undefined) {
        await storage.setPitrWindow(ProjectId.parse(project.storageId), Number(data.pitrWindowSeconds))
      }
      return database.$transaction(async (tx) => {
        const updated = await tx.project.update({ where: { id: projectId }, data })
        await recordAudit(
          tx,
          actor,
          {
            action: 'project.update',
            subject: updated.name,
            organizationId: updated.organizationId,
            projectId,
            detail: { fields: Object.keys(data) },
          },
          options,
        )
        return updated
      })
    })
  }

  /** All of it: branches, computes, storage. */
  async delete(
    actor: Actor,
    projectId: string,
    options: CallOptions = {},
  ): Promise<Result<{ project: Project; operations: Operation[] }>> {
    return catchFailure(async () => {
      const project = unwrap(await accessProject(this.#app, actor, projectId, 'project.delete'))
      const guarded = await this.#app.database.branch.findFirst({ where: { projectId, isProtected: true } })
      if (guarded) unwrap(failure('PROTECTED', `the project has a protected branch: ${guarded.name}`))
      const operations = unwrap(
        await this.#app.operations.submit({
          actor,
          projectId,
          organizationId: project.organizationId,
          requestId: options.requestId,
          mayWait: true,
          operations: [{ kind: 'delete_project', scope: [projectId], input: { stateBefore: project.state } }],
          audit: { action: 'project.delete', subject: project.name },
          change: async (tx) => {
            await tx.project.update({ where: { id: projectId }, data: { state: 'DELETING' } })
          },
        }),
      )
      return { project, operations }
    })
  }
}
