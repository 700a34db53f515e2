/**
 * What an operation may be, and which two may not run at once. Kinds are named as the public REST interface names its
 * actions where it has one.
 */
export const operationKinds = [
  'create_timeline',
  'delete_project',
  'create_branch',
  'delete_branch',
  'restore_branch',
  'create_compute',
  'delete_compute',
  'start_compute',
  'suspend_compute',
  'restart_compute',
  'failover_compute',
  'replace_compute',
  'apply_config',
  'publish_lake',
] as const

export type OperationKind = (typeof operationKinds)[number]

export type OperationState = 'SCHEDULING' | 'RUNNING' | 'FINISHED' | 'FAILED' | 'CANCELLED' | 'SKIPPED'

export const activeStates: readonly OperationState[] = ['SCHEDULING', 'RUNNING']

export function isFinal(state: string): boolean {
  return state !== 'SCHEDULING' && state !== 'RUNNING'
}

/** Scopes are branch ids, or the project's id for all of it. */
export function scopesOverlap(left: readonly string[], right: readonly string[], projectId: string): boolean {
  if (left.includes(projectId) || right.includes(projectId)) return true
  return left.some((scope) => right.includes(scope))
}

/** Kinds that a second request may wait behind, instead of being refused: they end by themselves and soon. */
export const yieldingKinds: ReadonlySet<string> = new Set<OperationKind>(['suspend_compute', 'replace_compute'])
