import type { Actor, App, CallOptions } from '../../app.ts'
import type { Operation, Role } from '../../generated/prisma/client.ts'
import { newPassword } from '../../shared/ids.ts'
import { catchFailure, FailureError, failure, notFound, type Result, unwrap } from '../../shared/result.ts'
import { makeScramVerifier } from '../../shared/scram.ts'
import { accessBranch } from '../access.ts'
import { recordAudit } from '../audit/audit-service.ts'
import { checkRoleName } from '../project/project-rules.ts'
import { checkComputeQuota } from '../project/quota.ts'
import { openRolePassword, sealRolePassword } from './role-password.ts'

export interface RoleChange {
  readonly role: Role
  /** Only when it was made or asked for in this call. */
  readonly password: string | null
  readonly operations: Operation[]
}

export class RoleService {
  readonly #app: App

  constructor(app: App) {
    this.#app = app
  }

  async list(actor: Actor, branchId: string): Promise<Result<Role[]>> {
    return catchFailure(async () => {
      unwrap(await accessBranch(this.#app, actor, branchId, 'project.view'))
      return this.#app.database.role.findMany({ where: { branchId }, orderBy: { createdAt: 'asc' } })
    })
  }

  async get(actor: Actor, branchId: string, name: string): Promise<Result<Role>> {
    return catchFailure(async () => {
      unwrap(await accessBranch(this.#app, actor, branchId, 'project.view'))
      const role = await this.#app.database.role.findUnique({ where: { branchId_name: { branchId, name } } })
      if (!role) throw new FailureError(notFound('role').error)
      return role
    })
  }

  async create(actor: Actor, branchId: string, name: string, options: CallOptions = {}): Promise<Result<RoleChange>> {
    return this.#setPassword(actor, branchId, checkRoleName('name', name), 'role.create', options)
  }

  async resetPassword(
    actor: Actor,
    branchId: string,
    name: string,
    options: CallOptions = {},
  ): Promise<Result<RoleChange>> {
    return this.#setPassword(actor, branchId, { ok: true, value: name }, 'role.reset-password', options)
  }

  async #setPassword(
    actor: Actor,
    branchId: string,
    checkedName: Result<string>,
    action: 'role.create' | 'role.reset-password',
    options: CallOptions,
  ): Promise<Result<RoleChange>> {
    const { database, operations, secrets } = this.#app
    return catchFailure(async () => {
      const branch = unwrap(await accessBranch(this.#app, actor, branchId, 'project.write'))
      const name = unwrap(checkedName)
      unwrap(await checkComputeQuota(this.#app, branch.project))
      const password = newPassword()
      const verifier = await makeScramVerifier(password)
      const passwordSealed = sealRolePassword(secrets, branch.projectId, name, password)
      const key = { branchId_name: { branchId, name } }
      const made = unwrap(
        await operations.submit({
          actor,
          projectId: branch.projectId,
          organizationId: branch.project.organizationId,
          requestId: options.requestId,
          operations: [{ kind: 'apply_config', branchId, scope: [branchId], input: { change: 'sync' } }],
          audit: { action, subject: name, detail: { branchId } },
          change: async (tx) => {
            const existing = await tx.role.findUnique({ where: key })
            if (action === 'role.create') {
              if (existing)
                throw new FailureError(
                  failure('NAME_TAKEN', `name: the branch has a role ${name} already`, 'name').error,
                )
              await tx.role.create({ data: { branchId, name, verifier, passwordSealed } })
            } else {
              if (!existing) throw new FailureError(notFound('role').error)
              await tx.role.update({ where: key, data: { verifier, passwordSealed, isApplied: false } })
            }
          },
        }),
      )
      return { role: await database.role.findUniqueOrThrow({ where: key }), password, operations: made }
    })
  }

  async delete(
    actor: Actor,
    branchId: string,
    name: string,
    options: CallOptions = {},
  ): Promise<Result<{ role: Role; operations: Operation[] }>> {
    const { database, operations } = this.#app
    return catchFailure(async () => {
      const branch = unwrap(await accessBranch(this.#app, actor, branchId, 'project.write'))
      const role = await database.role.findUnique({ where: { branchId_name: { branchId, name } } })
      if (!role) throw new FailureError(notFound('role').error)
      const owned = await database.database.findFirst({ where: { branchId, ownerName: name } })
      if (owned) throw new FailureError(failure('CONFLICT', `the role owns the database ${owned.name}`).error)
      unwrap(await checkComputeQuota(this.#app, branch.project))
      const made = unwrap(
        await operations.submit({
          actor,
          projectId: branch.projectId,
          organizationId: branch.project.organizationId,
          requestId: options.requestId,
          operations: [{ kind: 'apply_config', branchId, scope: [branchId], input: { change: 'drop-role', name } }],
          audit: { action: 'role.delete', subject: name, detail: { branchId } },
        }),
      )
      return { role, operations: made }
    })
  }

  /** Fails with PASSWORD_NOT_STORED when somebody set it by SQL. */
  async reveal(actor: Actor, branchId: string, name: string, options: CallOptions = {}): Promise<Result<RoleChange>> {
    const { database, secrets } = this.#app
    return catchFailure(async () => {
      const branch = unwrap(await accessBranch(this.#app, actor, branchId, 'project.reveal-password'))
      const role = await database.role.findUnique({ where: { branchId_name: { branchId, name } } })
      if (!role) throw new FailureError(notFound('role').error)
      if (role.passwordSealed === null)
        throw new FailureError(
          failure('PASSWORD_NOT_STORED', 'the password of this role is not known here; reset it').error,
        )
      const password = openRolePassword(secrets, branch.projectId, name, role.passwordSealed)
      await recordAudit(
        database,
        actor,
        {
          action: 'role.reveal-password',
          subject: name,
          organizationId: branch.project.organizationId,
          projectId: branch.projectId,
          detail: { branchId },
        },
        options,
      )
      return { role, password, operations: [] }
    })
  }
}
