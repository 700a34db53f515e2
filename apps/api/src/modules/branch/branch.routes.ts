import { z } from 'zod'
import type { Branch } from '../../generated/prisma/client.ts'
import {
  branchIn,
  branchOf,
  namingPoint,
  orGone,
  pointOf,
  projectOf,
  settled,
  timeOf,
} from '../../http/rest/rest-lookup.ts'
import { OtherStatus, type RestCall, type RestRoute, restRoute } from '../../http/rest/rest-route.ts'
import { decodeCursor, encodeCursor } from '../../shared/pagination.ts'
import { FailureError, failure, invalid, unwrap } from '../../shared/result.ts'
import { databaseView } from '../database/database-view.ts'
import { endpointFields, sizeOf } from '../endpoint/endpoint.routes.ts'
import { endpointView } from '../endpoint/endpoint-view.ts'
import { operationView } from '../operation/operation-view.ts'
import { roleView } from '../role/role-view.ts'
import type { BranchChange } from './branch-service.ts'
import { branchView } from './branch-view.ts'
import { connectionDetails } from './connection-details.ts'

const list = '/projects/{project_id}/branches'
const one = `${list}/{branch_id}`

const lsnText = z.string().max(32)
const timeText = z.string().max(64)
const parentPoint = { lsn: 'branch.parent_lsn', time: 'branch.parent_timestamp' }
const sourcePoint = { lsn: 'source_lsn', time: 'source_timestamp' }

const createBody = z
  .strictObject({
    branch: z
      .strictObject({
        parent_id: z.string().optional(),
        name: z.string().min(1).max(256).optional(),
        parent_lsn: lsnText.optional(),
        parent_timestamp: timeText.optional(),
        protected: z.boolean().optional(),
        archived: z.literal(false, 'must be false').optional(),
        init_source: z.literal('parent-data', 'only parent-data is offered').optional(),
        expires_at: timeText.optional(),
      })
      .optional(),
    endpoints: z
      .array(
        z.strictObject({ type: z.literal('read_write', 'must be read_write for a new branch'), ...endpointFields }),
      )
      .max(1, 'a new branch has one endpoint at most')
      .optional(),
    /** Accepted, not kept. */
    annotation_value: z.record(z.string(), z.string()).optional(),
  })
  .optional()

const schemaQuery = z.object({
  db_name: z.string().min(1),
  lsn: lsnText.optional(),
  timestamp: timeText.optional(),
  format: z.literal('sql', 'only sql is offered').optional(),
})

export const branchRoutes: readonly RestRoute[] = [
  restRoute({
    method: 'GET',
    path: list,
    operationId: 'listProjectBranches',
    summary: 'Branches of a project',
    query: z.object({
      search: z.string().max(256).optional(),
      sort_by: z.enum(['name', 'created_at', 'updated_at']).optional(),
      sort_order: z.enum(['asc', 'desc']).optional(),
      limit: z.coerce.number().int().min(1).max(10_000).optional(),
      cursor: z.string().optional(),
      /** Deletion is final: there are none. */
      include_deleted: z.stringbool().optional(),
    }),
    returns: ['branches', 'annotations', 'pagination'],
    handle: listBranches,
  }),
  restRoute({
    method: 'GET',
    path: `${list}/count`,
    operationId: 'countProjectBranches',
    summary: 'How many branches a project has',
    query: z.object({ search: z.string().max(256).optional() }),
    returns: ['count'],
    async handle(call) {
      const project = await projectOf(call)
      const page = await call.services.branches.page(project.id, call.query.search, { first: 0, after: null })
      return { count: page.totalCount }
    },
  }),
  restRoute({
    method: 'POST',
    path: list,
    operationId: 'createProjectBranch',
    summary: 'Creates a branch at the tip of its parent, at an LSN or at a time',
    status: 201,
    body: createBody,
    returns: ['branch', 'endpoints', 'operations', 'roles', 'databases', 'connection_uris'],
    handle: createBranch,
  }),
  restRoute({
    method: 'GET',
    path: one,
    operationId: 'getProjectBranch',
    summary: 'One branch',
    returns: ['branch', 'annotation'],
    async handle(call) {
      const branch = await branchOf(call)
      return {
        branch: branchView(branch, branch.project),
        annotation: { object: { type: 'console/branch', id: branch.id }, value: {} },
      }
    },
  }),
  restRoute({
    method: 'PATCH',
    path: one,
    operationId: 'updateProjectBranch',
    summary: 'Renames, protects, or changes when a branch expires',
    body: z.strictObject({
      branch: z.strictObject({
        name: z.string().min(1).max(256).optional(),
        protected: z.boolean().optional(),
        expires_at: timeText.nullable().optional(),
      }),
    }),
    returns: ['branch', 'operations'],
    async handle(call) {
      const branch = await branchOf(call)
      const { name, protected: isProtected, expires_at } = call.body.branch
      const input = { name, isProtected, expiresAt: timeOf('branch.expires_at', expires_at) }
      return changed(call, unwrap(await call.services.branches.update(call.actor, branch.id, input, call.options)))
    },
  }),
  restRoute({
    method: 'DELETE',
    path: one,
    operationId: 'deleteProjectBranch',
    summary: 'Deletes a branch; 204 when there is none; final',
    query: z.object({ hard_delete: z.stringbool().optional() }),
    returns: ['branch', 'operations'],
    async handle(call) {
      await projectOf(call)
      const branch = await orGone(branchOf(call))
      if (!branch) return new OtherStatus(204)
      return changed(call, unwrap(await call.services.branches.delete(call.actor, branch.id, {}, call.options)))
    },
  }),
  restRoute({
    method: 'POST',
    path: `${one}/restore`,
    operationId: 'restoreProjectBranch',
    summary: 'Lets a branch continue from a point of itself or of another branch',
    body: z.strictObject({
      source_branch_id: z.string(),
      source_lsn: lsnText.optional(),
      source_timestamp: timeText.optional(),
      preserve_under_name: z.string().min(1).max(256).optional(),
    }),
    returns: ['branch', 'operations'],
    handle: restoreBranch,
  }),
  restRoute({
    method: 'POST',
    path: `${one}/set_as_default`,
    operationId: 'setDefaultProjectBranch',
    summary: 'Makes a branch the default one',
    returns: ['branch', 'operations'],
    async handle(call) {
      const branch = await branchOf(call)
      return changed(
        call,
        unwrap(await call.services.branches.update(call.actor, branch.id, { isDefault: true }, call.options)),
      )
    },
  }),
  restRoute({
    method: 'GET',
    path: `${one}/schema`,
    operationId: 'getProjectBranchSchema',
    summary: 'The schema of a database as SQL: now, at an LSN or at a time',
    query: schemaQuery,
    returns: ['sql'],
    async handle(call) {
      const branch = await branchOf(call)
      const { db_name, lsn, timestamp } = call.query
      return { sql: await schemaText(call, branch, db_name, { lsn, timestamp }, { lsn: 'lsn', time: 'timestamp' }) }
    },
  }),
  restRoute({
    method: 'GET',
    path: `${one}/compare_schema`,
    operationId: 'getProjectBranchSchemaComparison',
    summary: 'What differs from the schema of another branch or moment, as a unified diff',
    query: schemaQuery.omit({ format: true }).extend({
      base_branch_id: z.string().optional(),
      base_lsn: lsnText.optional(),
      base_timestamp: timeText.optional(),
    }),
    returns: ['diff'],
    async handle(call) {
      const branch = await branchOf(call)
      const { query, services, actor } = call
      const base = await branchIn(call, query.base_branch_id ?? branch.parentId ?? branch.id)
      const [at, baseAt] = [
        pointOf({ lsn: 'lsn', time: 'timestamp' }, query.lsn, query.timestamp),
        pointOf({ lsn: 'base_lsn', time: 'base_timestamp' }, query.base_lsn, query.base_timestamp),
      ]
      await requireDatabase(call, branch, query.db_name)
      const diff = unwrap(
        await services.catalogs.diff(
          actor,
          { branchId: base.id, database: query.db_name, at: baseAt },
          { branchId: branch.id, database: query.db_name, at },
        ),
      )
      return { diff: diff.unified }
    },
  }),
]

async function listBranches(
  call: RestCall<{
    search?: string | undefined
    sort_by?: 'name' | 'created_at' | 'updated_at' | undefined
    sort_order?: 'asc' | 'desc' | undefined
    limit?: number | undefined
    cursor?: string | undefined
  }>,
) {
  const project = await projectOf(call)
  const { search, limit, cursor, sort_by = 'updated_at', sort_order = 'desc' } = call.query
  const all: Branch[] = []
  for (let after: string | null = null; ; ) {
    const page = await call.services.branches.page(project.id, search, { first: 1000, after })
    all.push(...page.nodes)
    const last = page.nodes.at(-1)
    if (!page.hasNextPage || !last) break
    after = page.cursorOf(last)
  }
  const keyOf = (branch: Branch): string =>
    sort_by === 'name' ? branch.name : (sort_by === 'created_at' ? branch.createdAt : branch.updatedAt).toISOString()
  const sign = sort_order === 'asc' ? 1 : -1
  const compare = (a: readonly string[], b: readonly string[]) =>
    sign * (a[0]! < b[0]! ? -1 : a[0]! > b[0]! ? 1 : a[1]! < b[1]! ? -1 : a[1]! > b[1]! ? 1 : 0)
  const sorted = all
    .map((branch) => ({ branch, key: [keyOf(branch), branch.id] as const }))
    .sort((a, b) => compare(a.key, b.key))
  const after = cursor === undefined ? undefined : decodeCursor(cursor, 2)
  const rest = after === undefined ? sorted : sorted.filter(({ key }) => compare(key, after) > 0)
  const page = rest.slice(0, limit ?? rest.length)
  const last = page.at(-1)
  return {
    branches: page.map(({ branch }) => branchView(branch, project)),
    annotations: {},
    pagination: {
      ...(last && page.length < rest.length ? { next: encodeCursor(last.key) } : {}),
      sort_by,
      sort_order: sort_order.toUpperCase(),
    },
  }
}

async function createBranch(call: RestCall<object, z.infer<typeof createBody>>) {
  const project = await projectOf(call)
  const { app, services, actor, options } = call
  const given = call.body?.branch ?? {}
  const wanted = call.body?.endpoints?.[0]
  const at = pointOf(parentPoint, given.parent_lsn, given.parent_timestamp)
  if (given.parent_id !== undefined) await branchIn(call, given.parent_id)
  const size = wanted === undefined ? undefined : sizeOf(wanted)
  const suspend = wanted?.suspend_timeout_seconds
  const made = unwrap(
    await namingPoint(
      parentPoint,
      at,
      services.branches
        .create(
          actor,
          {
            projectId: project.id,
            parentId: given.parent_id,
            name: given.name,
            at,
            expiresAt: timeOf('branch.expires_at', given.expires_at),
            isProtected: given.protected,
            withEndpoint: wanted !== undefined,
            endpoint: {
              ...(size === undefined ? {} : { size }),
              ...(suspend === undefined ? {} : { suspendAfterSeconds: suspend === -1 ? null : suspend || 300 }),
            },
          },
          options,
        )
        .then((result) => {
          if (!result.ok) throw new FailureError(result.error)
          return result
        }),
    ),
  )
  const [roles, databases] = await Promise.all([
    services.roles.list(actor, made.branch.id),
    services.databases.list(actor, made.branch.id),
  ])
  const endpoint = made.endpoints[0]
  return {
    branch: branchView(made.branch, project),
    endpoints: made.endpoints.map((each) => endpointView(app, each)),
    operations: made.operations.map(operationView),
    roles: unwrap(roles).map((role) => roleView(role)),
    databases: unwrap(databases).map(databaseView),
    ...(endpoint ? { connection_uris: await connectionUris(call, made.branch, endpoint, unwrap(databases)) } : {}),
  }
}

/** One for each database, as its owner; owners whose password nobody stored are left out. */
async function connectionUris(
  call: Pick<RestCall, 'app' | 'services' | 'actor' | 'options'>,
  branch: Branch,
  endpoint: { id: string },
  databases: readonly { name: string; ownerName: string }[],
) {
  const uris: ReturnType<typeof connectionDetails>[] = []
  for (const { name, ownerName } of databases) {
    const revealed = await call.services.roles.reveal(call.actor, branch.id, ownerName, call.options)
    if (!revealed.ok || revealed.value.password === null) continue
    uris.push(
      connectionDetails(call.app, endpoint, { role: ownerName, database: name, password: revealed.value.password }),
    )
  }
  return uris
}

async function restoreBranch(
  call: RestCall<
    object,
    {
      source_branch_id: string
      source_lsn?: string | undefined
      source_timestamp?: string | undefined
      preserve_under_name?: string | undefined
    }
  >,
) {
  const branch = await branchOf(call)
  const { body, services, actor, options } = call
  const source = await branchIn(call, body.source_branch_id)
  const at = pointOf(sourcePoint, body.source_lsn, body.source_timestamp)
  const isFromItself = source.id === branch.id
  if (isFromItself && at === null)
    throw new FailureError(
      invalid('source_lsn', 'a branch restored from itself needs source_lsn or source_timestamp').error,
    )
  const childCount = await call.app.database.branch.count({ where: { parentId: branch.id } })
  if ((isFromItself || childCount > 0) && body.preserve_under_name === undefined)
    throw new FailureError(
      invalid(
        'preserve_under_name',
        isFromItself ? 'is needed when a branch is restored from itself' : 'is needed when the branch has children',
      ).error,
    )
  if (branch.isProtected) throw new FailureError(failure('PROTECTED', 'the branch is protected').error)
  const input = { to: at ?? {}, sourceBranchId: source.id, keepAs: body.preserve_under_name }
  const change = await namingPoint(
    sourcePoint,
    at,
    services.restores.restore(actor, branch.id, input, options).then(unwrap),
  )
  // Clients look at the parent in the answer: it is the kept state.
  await settled(call, change.operations, 'restore_branch')
  const [after, operations] = await Promise.all([
    services.branches.get(actor, branch.id).then(unwrap),
    call.app.database.operation.findMany({
      where: { id: { in: change.operations.map(({ id }) => id) } },
      orderBy: { seq: 'asc' },
    }),
  ])
  return { branch: branchView(after, after.project), operations: operations.map(operationView) }
}

async function schemaText(
  call: RestCall,
  branch: Branch,
  database: string,
  moment: { lsn: string | undefined; timestamp: string | undefined },
  fields: { lsn: string; time: string },
): Promise<string> {
  const at = pointOf(fields, moment.lsn, moment.timestamp)
  await requireDatabase(call, branch, database)
  const { text } = await namingPoint(
    fields,
    at,
    call.services.catalogs.schemaText(call.actor, { branchId: branch.id, database, at }).then(unwrap),
  )
  return text
}

async function requireDatabase(call: RestCall, branch: Branch, name: string): Promise<void> {
  unwrap(await call.services.databases.get(call.actor, branch.id, name))
}

async function changed(call: RestCall, change: BranchChange) {
  const project = await call.app.database.project.findUniqueOrThrow({ where: { id: change.branch.projectId } })
  return { branch: branchView(change.branch, project), operations: change.operations.map(operationView) }
}
