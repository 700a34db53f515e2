import type { Branch, Project } from '../../generated/prisma/client.ts'

const stateNames: Readonly<Record<string, string>> = {
  CREATING: 'init',
  READY: 'ready',
  RESETTING: 'resetting',
  RESTORING: 'resetting',
  DELETING: 'ready',
}

/** A branch as the public document has it. Usage is metered per project, so these counters are zero. */
export function branchView(branch: Branch, project: Pick<Project, 'defaultBranchId'>) {
  const isDefault = project.defaultBranchId === branch.id
  return {
    id: branch.id,
    project_id: branch.projectId,
    ...(branch.parentId === null ? {} : { parent_id: branch.parentId }),
    ...(branch.parentLsn === null ? {} : { parent_lsn: branch.parentLsn }),
    ...(branch.parentTime === null ? {} : { parent_timestamp: branch.parentTime.toISOString() }),
    name: branch.name,
    current_state: stateNames[branch.state] ?? 'init',
    ...(branch.state === 'CREATING' || branch.state === 'RESETTING' || branch.state === 'RESTORING'
      ? { pending_state: 'ready' }
      : {}),
    state_changed_at: branch.stateChangedAt.toISOString(),
    ...(branch.logicalSizeBytes === null ? {} : { logical_size: Number(branch.logicalSizeBytes) }),
    creation_source: 'console',
    primary: isDefault,
    default: isDefault,
    protected: branch.isProtected,
    cpu_used_sec: 0,
    compute_time_seconds: 0,
    active_time_seconds: 0,
    written_data_bytes: 0,
    data_transfer_bytes: 0,
    created_at: branch.createdAt.toISOString(),
    updated_at: branch.updatedAt.toISOString(),
    ...(branch.expiresAt === null ? {} : { expires_at: branch.expiresAt.toISOString() }),
    ...(branch.ttlSeconds === null ? {} : { ttl_interval_seconds: branch.ttlSeconds }),
    ...(branch.lastResetAt === null ? {} : { last_reset_at: branch.lastResetAt.toISOString() }),
    ...(branch.createdBy === null ? {} : { created_by: { name: branch.createdBy, image: '' } }),
    init_source: 'parent-data',
  }
}
