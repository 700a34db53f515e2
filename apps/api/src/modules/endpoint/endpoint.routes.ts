import { z } from 'zod'
import { branchIn, branchOf, endpointOf, orGone, projectOf } from '../../http/rest/rest-lookup.ts'
import { OtherStatus, type RestCall, type RestRoute, restRoute } from '../../http/rest/rest-route.ts'
import { FailureError, invalid, type Result, unwrap } from '../../shared/result.ts'
import { operationView } from '../operation/operation-view.ts'
import { REGION } from '../project/project-view.ts'
import { sizeForComputeUnits } from './endpoint-rules.ts'
import type { EndpointChange } from './endpoint-service.ts'
import { endpointView } from './endpoint-view.ts'

const list = '/projects/{project_id}/endpoints'
const one = `${list}/{endpoint_id}`

const units = z.number().min(0.25).max(2)
/** Fields that a created and a changed endpoint share. One size at a time: there is no scaling by load. */
export const endpointFields = {
  autoscaling_limit_min_cu: units.optional(),
  autoscaling_limit_max_cu: units.optional(),
  suspend_timeout_seconds: z.number().int().min(-1).max(604_800).optional(),
  settings: z.strictObject({ pg_settings: z.record(z.string(), z.string()).optional() }).optional(),
  disabled: z.literal(false, 'must be false').optional(),
  provisioner: z.string().optional(),
} as const

export function sizeOf(given: {
  autoscaling_limit_min_cu?: number | undefined
  autoscaling_limit_max_cu?: number | undefined
}): string | undefined {
  const { autoscaling_limit_min_cu: min, autoscaling_limit_max_cu: max } = given
  if (min !== undefined && max !== undefined && min > max)
    throw new FailureError(invalid('autoscaling_limit_min_cu', 'must not be above autoscaling_limit_max_cu').error)
  const wanted = max ?? min
  return wanted === undefined ? undefined : sizeForComputeUnits(wanted).name
}

const changed = (call: Pick<RestCall, 'app'>, change: Result<EndpointChange>) => {
  const { endpoint, operations } = unwrap(change)
  return { endpoint: endpointView(call.app, endpoint), operations: operations.map(operationView) }
}

export const endpointRoutes: readonly RestRoute[] = [
  restRoute({
    method: 'GET',
    path: list,
    operationId: 'listProjectEndpoints',
    summary: 'Endpoints of a project',
    returns: ['endpoints'],
    async handle(call) {
      const project = await projectOf(call)
      const rows = await call.app.database.endpoint.findMany({
        where: { projectId: project.id },
        orderBy: { createdAt: 'asc' },
      })
      return { endpoints: rows.map((endpoint) => endpointView(call.app, endpoint)) }
    },
  }),
  restRoute({
    method: 'GET',
    path: '/projects/{project_id}/branches/{branch_id}/endpoints',
    operationId: 'listProjectBranchEndpoints',
    summary: 'Endpoints of a branch',
    returns: ['endpoints'],
    async handle(call) {
      const branch = await branchOf(call)
      const rows = await call.app.database.endpoint.findMany({
        where: { branchId: branch.id },
        orderBy: { createdAt: 'asc' },
      })
      return { endpoints: rows.map((endpoint) => endpointView(call.app, endpoint)) }
    },
  }),
  restRoute({
    method: 'POST',
    path: list,
    operationId: 'createProjectEndpoint',
    summary: 'Creates an endpoint of a branch and starts it',
    status: 201,
    body: z.strictObject({
      endpoint: z.strictObject({
        branch_id: z.string(),
        type: z.enum(['read_write', 'read_only']),
        region_id: z.literal(REGION, `must be ${REGION}`).optional(),
        ...endpointFields,
      }),
    }),
    returns: ['endpoint', 'operations'],
    async handle(call) {
      await projectOf(call)
      const given = call.body.endpoint
      const branch = await branchIn(call, given.branch_id)
      return changed(
        call,
        await call.services.endpoints.create(
          call.actor,
          {
            branchId: branch.id,
            type: given.type === 'read_only' ? 'READ_ONLY' : 'READ_WRITE',
            size: sizeOf(given),
            suspendAfterSeconds: given.suspend_timeout_seconds,
            settings: given.settings?.pg_settings,
          },
          call.options,
        ),
      )
    },
  }),
  restRoute({
    method: 'GET',
    path: one,
    operationId: 'getProjectEndpoint',
    summary: 'One endpoint',
    returns: ['endpoint'],
    handle: async (call) => ({ endpoint: endpointView(call.app, await endpointOf(call)) }),
  }),
  restRoute({
    method: 'PATCH',
    path: one,
    operationId: 'updateProjectEndpoint',
    summary: 'Changes size, idle time and settings; restarts a running compute when that is needed',
    body: z.strictObject({ endpoint: z.strictObject(endpointFields) }),
    returns: ['endpoint', 'operations'],
    async handle(call) {
      const endpoint = await endpointOf(call)
      const given = call.body.endpoint
      return changed(
        call,
        await call.services.endpoints.update(
          call.actor,
          endpoint.id,
          {
            size: sizeOf(given),
            ...(given.suspend_timeout_seconds === undefined
              ? {}
              : { suspendAfterSeconds: given.suspend_timeout_seconds }),
            settings: given.settings?.pg_settings,
          },
          call.options,
        ),
      )
    },
  }),
  restRoute({
    method: 'DELETE',
    path: one,
    operationId: 'deleteProjectEndpoint',
    summary: 'Deletes an endpoint; 204 when there is none',
    returns: ['endpoint', 'operations'],
    async handle(call) {
      await projectOf(call)
      const endpoint = await orGone(endpointOf(call))
      if (!endpoint) return new OtherStatus(204)
      return changed(call, await call.services.endpoints.delete(call.actor, endpoint.id, call.options))
    },
  }),
  ...(['start', 'suspend', 'restart'] as const).map((verb) =>
    restRoute({
      method: 'POST',
      path: `${one}/${verb}`,
      operationId: `${verb}ProjectEndpoint`,
      summary: `Does ${verb} the compute of an endpoint`,
      returns: ['endpoint', 'operations'],
      async handle(call) {
        const endpoint = await endpointOf(call)
        return changed(call, await call.services.endpoints[verb](call.actor, endpoint.id, call.options))
      },
    }),
  ),
]
