import { z } from 'zod'
import type { Snapshot } from '../../generated/prisma/client.ts'
import { branchOf, namingPoint, pointOf, projectOf, timeOf } from '../../http/rest/rest-lookup.ts'
import { type RestCall, type RestRoute, restRoute } from '../../http/rest/rest-route.ts'
import { FailureError, invalid, notFound, unwrap } from '../../shared/result.ts'
import { branchView } from '../branch/branch-view.ts'
import { endpointView } from '../endpoint/endpoint-view.ts'
import { operationView } from '../operation/operation-view.ts'

function snapshotView(snapshot: Snapshot) {
  return {
    id: snapshot.id,
    name: snapshot.name,
    lsn: snapshot.lsn,
    ...(snapshot.time === null ? {} : { timestamp: snapshot.time.toISOString() }),
    source_branch_id: snapshot.branchId,
    created_at: snapshot.createdAt.toISOString(),
    ...(snapshot.expiresAt === null ? {} : { expires_at: snapshot.expiresAt.toISOString() }),
    manual: true,
    ...(snapshot.sizeBytes === null ? {} : { full_size: Number(snapshot.sizeBytes) }),
  }
}

async function snapshotOf(call: RestCall): Promise<Snapshot> {
  await projectOf(call)
  const snapshot = unwrap(await call.services.snapshots.get(call.actor, call.params['snapshot_id']!))
  if (snapshot.projectId !== call.params['project_id']) throw new FailureError(notFound('snapshot').error)
  return snapshot
}

const list = '/projects/{project_id}/snapshots'
const one = `${list}/{snapshot_id}`
const fields = { lsn: 'lsn', time: 'timestamp' }

export const snapshotRoutes: readonly RestRoute[] = [
  restRoute({
    method: 'GET',
    path: list,
    operationId: 'listSnapshots',
    summary: 'Snapshots of a project',
    returns: ['snapshots'],
    async handle(call) {
      const project = await projectOf(call)
      return { snapshots: unwrap(await call.services.snapshots.list(call.actor, project.id)).map(snapshotView) }
    },
  }),
  restRoute({
    method: 'POST',
    path: '/projects/{project_id}/branches/{branch_id}/snapshot',
    operationId: 'createSnapshot',
    summary: 'Names a moment of a branch; nothing is copied',
    query: z.object({
      lsn: z.string().max(32).optional(),
      timestamp: z.string().max(64).optional(),
      name: z.string().min(1).max(256).optional(),
      expires_at: z.string().max(64).optional(),
    }),
    returns: ['snapshot', 'operations'],
    async handle(call) {
      const branch = await branchOf(call)
      const at = pointOf(fields, call.query.lsn, call.query.timestamp)
      const snapshot = await namingPoint(
        fields,
        at,
        call.services.snapshots
          .create(
            call.actor,
            {
              branchId: branch.id,
              name: call.query.name ?? `${branch.name} ${new Date().toISOString()}`,
              at,
              expiresAt: timeOf('expires_at', call.query.expires_at),
            },
            call.options,
          )
          .then(unwrap),
      )
      return { snapshot: snapshotView(snapshot), operations: [] }
    },
  }),
  restRoute({
    method: 'PATCH',
    path: one,
    operationId: 'updateSnapshot',
    summary: 'Renames a snapshot or changes when it expires',
    body: z.strictObject({
      snapshot: z.strictObject({
        name: z.string().min(1).max(256).optional(),
        expires_at: z.string().max(64).nullable().optional(),
      }),
    }),
    returns: ['snapshot'],
    async handle(call) {
      const snapshot = await snapshotOf(call)
      const { name, expires_at } = call.body.snapshot
      const input = {
        ...(name === undefined ? {} : { name }),
        expiresAt: timeOf('snapshot.expires_at', expires_at),
      }
      return {
        snapshot: snapshotView(
          unwrap(await call.services.snapshots.update(call.actor, snapshot.id, input, call.options)),
        ),
      }
    },
  }),
  restRoute({
    method: 'DELETE',
    path: one,
    operationId: 'deleteSnapshot',
    summary: 'Forgets a snapshot',
    status: 202,
    returns: ['operations'],
    async handle(call) {
      const snapshot = await snapshotOf(call)
      unwrap(await call.services.snapshots.delete(call.actor, snapshot.id, call.options))
      return { operations: [] }
    },
  }),
  restRoute({
    method: 'POST',
    path: `${one}/restore`,
    operationId: 'restoreSnapshot',
    summary: 'Makes a branch as it was at the snapshot, with an endpoint',
    query: z.object({ name: z.string().min(1).max(256).optional() }),
    body: z
      .strictObject({
        name: z.string().min(1).max(256).optional(),
        target_branch_id: z.string().optional(),
        finalize_restore: z.literal(false, 'only false is offered: restore the branch itself instead').optional(),
      })
      .optional(),
    returns: ['branch', 'endpoints', 'operations'],
    async handle(call) {
      const snapshot = await snapshotOf(call)
      const target = call.body?.target_branch_id
      if (target !== undefined && target !== snapshot.branchId)
        throw new FailureError(invalid('target_branch_id', 'must be the branch of the snapshot').error)
      const made = unwrap(
        await call.services.branches.create(
          call.actor,
          {
            projectId: snapshot.projectId,
            parentId: snapshot.branchId,
            name: call.body?.name ?? call.query.name,
            at: { snapshotId: snapshot.id },
            withEndpoint: true,
          },
          call.options,
        ),
      )
      const project = await projectOf(call)
      return {
        branch: branchView(made.branch, project),
        endpoints: made.endpoints.map((endpoint) => endpointView(call.app, endpoint)),
        operations: made.operations.map(operationView),
      }
    },
  }),
]
