import { z } from 'zod'
import { branchOf, orGone } from '../../http/rest/rest-lookup.ts'
import { OtherStatus, type RestRoute, restRoute } from '../../http/rest/rest-route.ts'
import { unwrap } from '../../shared/result.ts'
import { operationView } from '../operation/operation-view.ts'
import type { DatabaseChange } from './database-service.ts'
import { databaseView } from './database-view.ts'

const list = '/projects/{project_id}/branches/{branch_id}/databases'
const one = `${list}/{database_name}`

const changed = ({ database, operations }: DatabaseChange) => ({
  database: databaseView(database),
  operations: operations.map(operationView),
})

export const databaseRoutes: readonly RestRoute[] = [
  restRoute({
    method: 'GET',
    path: list,
    operationId: 'listProjectBranchDatabases',
    summary: 'Databases of a branch',
    returns: ['databases'],
    async handle(call) {
      const branch = await branchOf(call)
      return { databases: unwrap(await call.services.databases.list(call.actor, branch.id)).map(databaseView) }
    },
  }),
  restRoute({
    method: 'POST',
    path: list,
    operationId: 'createProjectBranchDatabase',
    summary: 'Creates a database',
    status: 201,
    body: z.strictObject({ database: z.strictObject({ name: z.string().min(1), owner_name: z.string().min(1) }) }),
    returns: ['database', 'operations'],
    async handle(call) {
      const branch = await branchOf(call)
      const { name, owner_name } = call.body.database
      const input = { branchId: branch.id, name, ownerName: owner_name }
      return changed(unwrap(await call.services.databases.create(call.actor, input, call.options)))
    },
  }),
  restRoute({
    method: 'GET',
    path: one,
    operationId: 'getProjectBranchDatabase',
    summary: 'One database',
    returns: ['database'],
    async handle(call) {
      const branch = await branchOf(call)
      const database = unwrap(await call.services.databases.get(call.actor, branch.id, call.params['database_name']!))
      return { database: databaseView(database) }
    },
  }),
  restRoute({
    method: 'PATCH',
    path: one,
    operationId: 'updateProjectBranchDatabase',
    summary: 'Renames a database or gives it another owner',
    body: z.strictObject({
      database: z.strictObject({ name: z.string().min(1).optional(), owner_name: z.string().min(1).optional() }),
    }),
    returns: ['database', 'operations'],
    async handle(call) {
      const branch = await branchOf(call)
      const { name, owner_name } = call.body.database
      const input = { branchId: branch.id, name: call.params['database_name']!, newName: name, ownerName: owner_name }
      return changed(unwrap(await call.services.databases.update(call.actor, input, call.options)))
    },
  }),
  restRoute({
    method: 'DELETE',
    path: one,
    operationId: 'deleteProjectBranchDatabase',
    summary: 'Deletes a database; 204 when there is none',
    returns: ['database', 'operations'],
    async handle(call) {
      const branch = await branchOf(call)
      const gone = await orGone(
        call.services.databases.delete(call.actor, branch.id, call.params['database_name']!, call.options).then(unwrap),
      )
      return gone ? changed(gone) : new OtherStatus(204)
    },
  }),
]
