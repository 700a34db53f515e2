import { StatusBadge } from '@tributary/ui/patterns/status-badge'
import { Badge } from '@tributary/ui/primitives/badge'
import { Lock, Star, Timer } from 'lucide-react'
import type { BranchState, EndpointState, OperationState } from '@/gql/graphql.ts'
import { branchStates, endpointStates, operationStates, type StateLook } from './states.ts'

function Look({ look }: { look: StateLook }) {
  return (
    <StatusBadge tone={look.tone} isLive={look.isLive}>
      {look.label}
    </StatusBadge>
  )
}

export const BranchStateBadge = ({ state }: { state: BranchState }) => <Look look={branchStates[state]} />
export const EndpointStateBadge = ({ state }: { state: EndpointState }) => <Look look={endpointStates[state]} />
export const OperationStateBadge = ({ state }: { state: OperationState }) => <Look look={operationStates[state]} />

export interface BranchMarksProps {
  branch: { isDefault: boolean; isProtected: boolean; expiresAt?: string | null }
}

/** What is special about a branch. */
export function BranchMarks({ branch }: BranchMarksProps) {
  return (
    <>
      {branch.isDefault ? (
        <Badge tone="active">
          <Star aria-hidden="true" /> default
        </Badge>
      ) : null}
      {branch.isProtected ? (
        <Badge>
          <Lock aria-hidden="true" /> protected
        </Badge>
      ) : null}
      {branch.expiresAt ? (
        <Badge tone="caution">
          <Timer aria-hidden="true" /> expires
        </Badge>
      ) : null}
    </>
  )
}
