import { z } from 'zod'
import type { Project } from '../../generated/prisma/client.ts'
import { projectOf } from '../../http/rest/rest-lookup.ts'
import { type RestCall, type RestRoute, restRoute } from '../../http/rest/rest-route.ts'
import { pageRequest } from '../../shared/pagination.ts'
import { FailureError, invalid, notFound, unwrap } from '../../shared/result.ts'
import { branchView } from '../branch/branch-view.ts'
import { connectionDetails } from '../branch/connection-details.ts'
import { connectionUri } from '../branch/connection-uri.ts'
import { databaseView } from '../database/database-view.ts'
import { sizeForComputeUnits } from '../endpoint/endpoint-rules.ts'
import { endpointView } from '../endpoint/endpoint-view.ts'
import { operationView } from '../operation/operation-view.ts'
import { roleView } from '../role/role-view.ts'
import { PG_VERSION, projectListItem, projectView, REGION } from './project-view.ts'

const listQuery = z.object({
  cursor: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(400).optional(),
  search: z.string().max(256).optional(),
  org_id: z.string().optional(),
  /** Answers come from one catalog: never incomplete. */
  timeout: z.coerce.number().int().min(100).max(30_000).optional(),
  recoverable: z.stringbool().optional(),
})

const quota = z.strictObject({
  compute_time_seconds: z.number().int().min(0).optional(),
  written_data_bytes: z.number().int().min(0).optional(),
  logical_size_bytes: z.number().int().min(0).optional(),
})
const settings = z.strictObject({ quota: quota.optional() })
const retention = z.number().int().min(0).max(2_592_000)

const createBody = z.strictObject({
  project: z.strictObject({
    name: z.string().min(1).max(256).optional(),
    pg_version: z.literal(PG_VERSION, `must be ${PG_VERSION}`).optional(),
    region_id: z.literal(REGION, `must be ${REGION}`).optional(),
    org_id: z.string().optional(),
    history_retention_seconds: retention.optional(),
    store_passwords: z.literal(true, 'must be true').optional(),
    settings: settings.optional(),
    default_endpoint_settings: z
      .strictObject({
        autoscaling_limit_min_cu: z.number().min(0.25).max(2).optional(),
        autoscaling_limit_max_cu: z.number().min(0.25).max(2).optional(),
        suspend_timeout_seconds: z.number().int().min(-1).max(604_800).optional(),
        pg_settings: z.record(z.string(), z.string()).optional(),
      })
      .optional(),
    branch: z
      .strictObject({
        name: z.string().min(1).max(256).optional(),
        role_name: z.string().min(1).optional(),
        database_name: z.string().min(1).optional(),
      })
      .optional(),
  }),
})

export const projectRoutes: readonly RestRoute[] = [
  restRoute({
    method: 'GET',
    path: '/projects',
    operationId: 'listProjects',
    summary: 'Projects the key may see, newest first',
    query: listQuery,
    returns: ['projects', 'pagination', 'applications', 'integrations'],
    async handle(call) {
      const { cursor, limit, search, org_id, recoverable } = call.query
      // Deletion is final here: nothing is recoverable.
      if (recoverable) return { projects: [], applications: {}, integrations: {} }
      const organizations = await call.services.organizations.listOf(call.actor)
      if (org_id !== undefined && !organizations.some(({ id }) => id === org_id))
        throw new FailureError(notFound('organization').error)
      const page = await call.services.projects.list(
        call.actor,
        { organizationId: org_id ?? null, search: search ?? null },
        pageRequest(limit, cursor, 10),
      )
      const usages = await call.services.usage.summaries(page.nodes)
      const last = page.nodes.at(-1)
      return {
        projects: page.nodes.map((project, i) =>
          projectListItem(
            call.app,
            project,
            usages[i]!,
            organizations.find(({ id }) => id === project.organizationId)?.name,
          ),
        ),
        ...(last && page.hasNextPage ? { pagination: { cursor: page.cursorOf(last) } } : {}),
        applications: {},
        integrations: {},
      }
    },
  }),
  restRoute({
    method: 'GET',
    path: '/projects/shared',
    operationId: 'listSharedProjects',
    summary: 'Projects shared by others: none, members of an organization see its projects in the main list',
    query: listQuery.pick({ cursor: true, limit: true, search: true, timeout: true }),
    returns: ['projects'],
    handle: async () => ({ projects: [] }),
  }),
  restRoute({
    method: 'POST',
    path: '/projects',
    operationId: 'createProject',
    summary: 'Creates a project with a branch, a database, a role and an endpoint',
    status: 201,
    body: createBody,
    returns: ['project', 'connection_uris', 'roles', 'databases', 'operations', 'branch', 'endpoints'],
    handle: createProject,
  }),
  restRoute({
    method: 'GET',
    path: '/projects/{project_id}',
    operationId: 'getProject',
    summary: 'One project',
    returns: ['project'],
    handle: async (call) => ({ project: await viewOf(call, await projectOf(call)) }),
  }),
  restRoute({
    method: 'PATCH',
    path: '/projects/{project_id}',
    operationId: 'updateProject',
    summary: 'Changes name, history retention and quotas',
    body: z.strictObject({
      project: z.strictObject({
        name: z.string().min(1).max(256).optional(),
        history_retention_seconds: retention.optional(),
        settings: settings.optional(),
      }),
    }),
    returns: ['project', 'operations'],
    async handle(call) {
      const project = await projectOf(call)
      const { name, history_retention_seconds, settings: given } = call.body.project
      const updated = unwrap(
        await call.services.projects.update(
          call.actor,
          project.id,
          { name, pitrWindowSeconds: history_retention_seconds, quotas: quotasOf(given?.quota) },
          call.options,
        ),
      )
      return { project: await viewOf(call, updated), operations: [] }
    },
  }),
  restRoute({
    method: 'DELETE',
    path: '/projects/{project_id}',
    operationId: 'deleteProject',
    summary: 'Deletes a project with all its branches; final',
    returns: ['project'],
    async handle(call) {
      const project = await projectOf(call)
      const view = await viewOf(call, project)
      unwrap(await call.services.projects.delete(call.actor, project.id, call.options))
      return { project: view }
    },
  }),
  restRoute({
    method: 'GET',
    path: '/projects/{project_id}/connection_uri',
    operationId: 'getConnectionURI',
    summary: 'A connection string with its password',
    query: z.object({
      branch_id: z.string().optional(),
      endpoint_id: z.string().optional(),
      database_name: z.string().min(1),
      role_name: z.string().min(1),
      pooled: z.stringbool().optional(),
    }),
    returns: ['uri'],
    handle: connectionUriOf,
  }),
]

async function viewOf(call: Pick<RestCall, 'app' | 'services'>, project: Project) {
  const [usage] = await call.services.usage.summaries([project])
  return projectView(call.app, project, usage!)
}

function quotasOf(given: z.infer<typeof quota> | undefined) {
  if (!given) return undefined
  return {
    computeSeconds: given.compute_time_seconds,
    writtenBytes: given.written_data_bytes === undefined ? undefined : BigInt(given.written_data_bytes),
    storageBytes: given.logical_size_bytes === undefined ? undefined : BigInt(given.logical_size_bytes),
  }
}

async function createProject(call: RestCall<object, z.infer<typeof createBody>>) {
  const { app, services, actor, options } = call
  const given = call.body.project
  const made = unwrap(
    await services.projects.create(
      actor,
      {
        organizationId: given.org_id,
        name: given.name,
        branchName: given.branch?.name,
        databaseName: given.branch?.database_name,
        roleName: given.branch?.role_name,
        pitrWindowSeconds: given.history_retention_seconds,
      },
      options,
    ),
  )
  let { project, endpoint } = made
  const quotas = quotasOf(given.settings?.quota)
  if (quotas) project = unwrap(await services.projects.update(actor, project.id, { quotas }, options))
  const wanted = given.default_endpoint_settings
  if (wanted) {
    const units = wanted.autoscaling_limit_max_cu ?? wanted.autoscaling_limit_min_cu
    const { endpoint: changed } = unwrap(
      await services.endpoints.update(
        actor,
        endpoint.id,
        {
          size: units === undefined ? undefined : sizeForComputeUnits(units).name,
          ...(wanted.suspend_timeout_seconds === undefined
            ? {}
            : { suspendAfterSeconds: wanted.suspend_timeout_seconds }),
          settings: wanted.pg_settings,
        },
        options,
      ),
    )
    endpoint = changed
  }
  const { branch, roleName, databaseName, password } = made
  const [roles, databases] = await Promise.all([
    services.roles.list(actor, branch.id),
    services.databases.list(actor, branch.id),
  ])
  return {
    project: await viewOf(call, project),
    connection_uris: [connectionDetails(app, endpoint, { role: roleName, database: databaseName, password })],
    roles: unwrap(roles).map((role) => roleView(role, role.name === roleName ? password : null)),
    databases: unwrap(databases).map(databaseView),
    operations: made.operations.map(operationView),
    branch: branchView(branch, project),
    endpoints: [endpointView(app, endpoint)],
  }
}

async function connectionUriOf(
  call: RestCall<{
    branch_id?: string | undefined
    endpoint_id?: string | undefined
    database_name: string
    role_name: string
    pooled?: boolean | undefined
  }>,
) {
  const project = await projectOf(call)
  const { query, app, services, actor } = call
  if (query.pooled && !app.config.proxy.hasPooler)
    throw new FailureError(invalid('pooled', 'pooled connections are not available').error)
  const branchId = query.branch_id ?? project.defaultBranchId ?? ''
  const endpoint = query.endpoint_id
    ? await app.database.endpoint.findFirst({ where: { id: query.endpoint_id, projectId: project.id } })
    : await app.database.endpoint.findFirst({
        where: { projectId: project.id, branchId },
        orderBy: [{ type: 'desc' }, { createdAt: 'asc' }],
      })
  if (!endpoint || (query.branch_id !== undefined && endpoint.branchId !== query.branch_id))
    throw new FailureError(notFound('endpoint').error)
  unwrap(await services.databases.get(actor, endpoint.branchId, query.database_name))
  const { password } = unwrap(await services.roles.reveal(actor, endpoint.branchId, query.role_name, call.options))
  return {
    uri: connectionUri(app.config.proxy, endpoint.id, {
      role: query.role_name,
      database: query.database_name,
      password: password ?? '',
      isPooled: query.pooled ?? false,
      requiresChannelBinding: true,
    }),
  }
}
