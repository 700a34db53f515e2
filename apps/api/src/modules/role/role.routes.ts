import { z } from 'zod'
import { branchOf, orGone } from '../../http/rest/rest-lookup.ts'
import { OtherStatus, type RestRoute, restRoute } from '../../http/rest/rest-route.ts'
import { unwrap } from '../../shared/result.ts'
import { operationView } from '../operation/operation-view.ts'
import { roleView } from './role-view.ts'

const list = '/projects/{project_id}/branches/{branch_id}/roles'
const one = `${list}/{role_name}`

export const roleRoutes: readonly RestRoute[] = [
  restRoute({
    method: 'GET',
    path: list,
    operationId: 'listProjectBranchRoles',
    summary: 'Roles of a branch',
    returns: ['roles'],
    async handle(call) {
      const branch = await branchOf(call)
      return { roles: unwrap(await call.services.roles.list(call.actor, branch.id)).map((role) => roleView(role)) }
    },
  }),
  restRoute({
    method: 'POST',
    path: list,
    operationId: 'createProjectBranchRole',
    summary: 'Creates a role that may log in; its password is in the answer',
    status: 201,
    body: z.strictObject({
      role: z.strictObject({ name: z.string().min(1), no_login: z.literal(false, 'must be false').optional() }),
    }),
    returns: ['role', 'operations'],
    async handle(call) {
      const branch = await branchOf(call)
      const made = unwrap(await call.services.roles.create(call.actor, branch.id, call.body.role.name, call.options))
      return { role: roleView(made.role, made.password), operations: made.operations.map(operationView) }
    },
  }),
  restRoute({
    method: 'GET',
    path: one,
    operationId: 'getProjectBranchRole',
    summary: 'One role',
    returns: ['role'],
    async handle(call) {
      const branch = await branchOf(call)
      return { role: roleView(unwrap(await call.services.roles.get(call.actor, branch.id, call.params['role_name']!))) }
    },
  }),
  restRoute({
    method: 'DELETE',
    path: one,
    operationId: 'deleteProjectBranchRole',
    summary: 'Deletes a role; 204 when there is none',
    returns: ['role', 'operations'],
    async handle(call) {
      const branch = await branchOf(call)
      const gone = await orGone(
        call.services.roles.delete(call.actor, branch.id, call.params['role_name']!, call.options).then(unwrap),
      )
      if (!gone) return new OtherStatus(204)
      return { role: roleView(gone.role), operations: gone.operations.map(operationView) }
    },
  }),
  restRoute({
    method: 'GET',
    path: `${one}/reveal_password`,
    operationId: 'getProjectBranchRolePassword',
    summary: 'The password of a role; 412 when it was set by SQL',
    returns: ['password'],
    async handle(call) {
      const branch = await branchOf(call)
      const { password } = unwrap(
        await call.services.roles.reveal(call.actor, branch.id, call.params['role_name']!, call.options),
      )
      return { password }
    },
  }),
  restRoute({
    method: 'POST',
    path: `${one}/reset_password`,
    operationId: 'resetProjectBranchRolePassword',
    summary: 'Gives a role a new password, which is in the answer',
    returns: ['role', 'operations'],
    async handle(call) {
      const branch = await branchOf(call)
      const made = unwrap(
        await call.services.roles.resetPassword(call.actor, branch.id, call.params['role_name']!, call.options),
      )
      return { role: roleView(made.role, made.password), operations: made.operations.map(operationView) }
    },
  }),
]
