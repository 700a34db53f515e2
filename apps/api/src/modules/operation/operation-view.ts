import type { OperationKind } from '../../control-plane/operations/operation-kinds.ts'
import type { Operation } from '../../generated/prisma/client.ts'

/** The public document's actions; kinds it does not know go by the nearest. */
const actions: Readonly<Record<OperationKind, string>> = {
  create_timeline: 'create_timeline',
  delete_project: 'delete_timeline',
  create_branch: 'create_branch',
  delete_branch: 'delete_timeline',
  restore_branch: 'create_timeline',
  create_compute: 'create_compute',
  delete_compute: 'suspend_compute',
  start_compute: 'start_compute',
  suspend_compute: 'suspend_compute',
  restart_compute: 'start_compute',
  failover_compute: 'start_compute',
  replace_compute: 'start_compute',
  apply_config: 'apply_config',
  publish_lake: 'apply_storage_config',
}

export function operationView(operation: Operation) {
  const begin = operation.startedAt ?? operation.createdAt
  const end = operation.finishedAt ?? (operation.startedAt === null ? begin : new Date())
  return {
    id: operation.id,
    project_id: operation.projectId,
    ...(operation.branchId === null ? {} : { branch_id: operation.branchId }),
    ...(operation.endpointId === null ? {} : { endpoint_id: operation.endpointId }),
    action: actions[operation.kind as OperationKind] ?? 'update_catalog',
    status: operation.state.toLowerCase(),
    ...(operation.error === null ? {} : { error: operation.error }),
    failures_count: operation.state === 'FAILED' ? 1 : 0,
    created_at: operation.createdAt.toISOString(),
    updated_at: operation.updatedAt.toISOString(),
    total_duration_ms: Math.max(0, Math.min(2 ** 31 - 1, end.getTime() - begin.getTime())),
  }
}
