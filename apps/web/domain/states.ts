import type { Tone } from '@tributary/ui/lib/tone'
import type { BranchState, EndpointState, OperationState } from '../gql/graphql.ts'

/** How a state is shown: its word, its tone, and whether something is moving. */
export interface StateLook {
  readonly label: string
  readonly tone: Tone
  readonly isLive?: boolean
}

export const branchStates: Record<BranchState, StateLook> = {
  CREATING: { label: 'Creating', tone: 'active', isLive: true },
  READY: { label: 'Ready', tone: 'positive' },
  RESTORING: { label: 'Restoring', tone: 'active', isLive: true },
  RESETTING: { label: 'Resetting', tone: 'active', isLive: true },
  DELETING: { label: 'Deleting', tone: 'caution', isLive: true },
  FAILED: { label: 'Failed', tone: 'danger' },
}

export const endpointStates: Record<EndpointState, StateLook> = {
  IDLE: { label: 'Suspended', tone: 'neutral' },
  STARTING: { label: 'Starting', tone: 'active', isLive: true },
  ACTIVE: { label: 'Active', tone: 'positive' },
  STOPPING: { label: 'Stopping', tone: 'active', isLive: true },
  FAILED: { label: 'Failed', tone: 'danger' },
}

export const operationStates: Record<OperationState, StateLook> = {
  SCHEDULING: { label: 'Waiting', tone: 'neutral' },
  RUNNING: { label: 'Running', tone: 'active', isLive: true },
  FINISHED: { label: 'Finished', tone: 'positive' },
  FAILED: { label: 'Failed', tone: 'danger' },
  CANCELLED: { label: 'Cancelled', tone: 'neutral' },
  SKIPPED: { label: 'Skipped', tone: 'neutral' },
}

export function isFinal(state: OperationState): boolean {
  return state === 'FINISHED' || state === 'FAILED' || state === 'CANCELLED' || state === 'SKIPPED'
}

export type EndpointAction = 'start' | 'suspend' | 'restart' | 'failover'

/** What can be done to an endpoint in this state. A failover needs something to fail over from. */
export function endpointActions(state: EndpointState, isReadWrite: boolean): readonly EndpointAction[] {
  switch (state) {
    case 'IDLE':
    case 'FAILED':
      return ['start']
    case 'ACTIVE':
      return isReadWrite ? ['suspend', 'restart', 'failover'] : ['suspend', 'restart']
    case 'STARTING':
    case 'STOPPING':
      return []
    default:
      return state satisfies never
  }
}
