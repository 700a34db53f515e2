import { z } from 'zod'
import { projectOf } from '../../http/rest/rest-lookup.ts'
import { type RestRoute, restRoute } from '../../http/rest/rest-route.ts'
import { pageRequest } from '../../shared/pagination.ts'
import { FailureError, notFound, unwrap } from '../../shared/result.ts'
import { operationView } from './operation-view.ts'

export const operationRoutes: readonly RestRoute[] = [
  restRoute({
    method: 'GET',
    path: '/projects/{project_id}/operations',
    operationId: 'listProjectOperations',
    summary: 'Operations of a project, newest first',
    query: z.object({ cursor: z.string().optional(), limit: z.coerce.number().int().min(1).max(1000).optional() }),
    returns: ['operations', 'pagination'],
    async handle(call) {
      const project = await projectOf(call)
      const page = await call.services.operations.page(
        project.id,
        pageRequest(call.query.limit, call.query.cursor, 1000),
      )
      const last = page.nodes.at(-1)
      return {
        operations: page.nodes.map(operationView),
        ...(last && page.hasNextPage ? { pagination: { cursor: page.cursorOf(last) } } : {}),
      }
    },
  }),
  restRoute({
    method: 'GET',
    path: '/projects/{project_id}/operations/{operation_id}',
    operationId: 'getProjectOperation',
    summary: 'One operation: poll it until its status is final',
    returns: ['operation'],
    async handle({ services, actor, params }) {
      const operation = unwrap(await services.operations.get(actor, params['operation_id'] ?? ''))
      if (operation.projectId !== params['project_id']) throw new FailureError(notFound('operation').error)
      return { operation: operationView(operation) }
    },
  }),
]
