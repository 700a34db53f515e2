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

/**
 * Kinds that may wait for their turn, behind an operation of the same request or by their nature, and that can be called off
 * until it comes. All others begin at once, or are refused.
 */
export const cancellableKinds = ['delete_project', 'create_compute', 'start_compute', 'publish_lake'] as const

export type CancellableKind = (typeof cancellableKinds)[number]

export function isCancellable(kind: string): kind is CancellableKind {
  return (cancellableKinds as readonly string[]).includes(kind)
}

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
