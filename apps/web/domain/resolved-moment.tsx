'use client'

import { Lsn } from '@tributary/ui/patterns/lsn'
import { RelativeTime } from '@tributary/ui/patterns/relative-time'
import { Skeleton } from '@tributary/ui/patterns/skeleton'
import { BranchLsnAtTimeDocument, BranchTimeAtLsnDocument } from '@/gql/graphql.ts'
import { errorText } from '@/lib/api-errors.ts'
import { useGraphql } from '@/lib/use-graphql.ts'
import type { Moment } from './moment.ts'

export interface ResolvedMomentProps {
  projectId: string
  branchId: string
  moment: Moment
}

export interface ResolvedMomentState {
  /** undefined at the tip, and until it is known. */
  lsn: string | undefined
  /** Of the last commit at or before the moment. */
  commitTime: string | undefined
  isLoading: boolean
  error: Error | null
}

/** What a time means as an LSN, or an LSN as a time. */
export function useResolvedMoment({ projectId, branchId, moment }: ResolvedMomentProps): ResolvedMomentState {
  const byTime = useGraphql(
    BranchLsnAtTimeDocument,
    { projectId, branchId, time: moment.kind === 'time' ? moment.time : '' },
    { isEnabled: moment.kind === 'time' },
  )
  const byLsn = useGraphql(
    BranchTimeAtLsnDocument,
    { projectId, branchId, lsn: moment.kind === 'lsn' ? moment.lsn : '' },
    { isEnabled: moment.kind === 'lsn' },
  )
  const at = byTime.data?.project?.branch?.lsnAtTime
  switch (moment.kind) {
    case 'tip':
      return { lsn: undefined, commitTime: undefined, isLoading: false, error: null }
    case 'time':
      return {
        lsn: at?.lsn,
        commitTime: at?.commitTime ?? undefined,
        isLoading: byTime.isLoading,
        error: byTime.error,
      }
    case 'lsn':
      return {
        lsn: moment.lsn,
        commitTime: byLsn.data?.project?.branch?.timeAtLsn ?? undefined,
        isLoading: byLsn.isLoading,
        error: byLsn.error,
      }
    default:
      return moment satisfies never
  }
}

export function ResolvedMoment(props: ResolvedMomentProps) {
  const resolved = useResolvedMoment(props)
  if (resolved.error) return <p className="text-danger text-data">{errorText(resolved.error)}</p>
  if (!resolved.lsn) return <Skeleton className="w-56" />
  return (
    <p className="flex flex-wrap items-center gap-x-2 text-data text-ink-soft">
      <Lsn value={resolved.lsn} />
      {resolved.commitTime ? (
        <span>
          last commit <RelativeTime at={resolved.commitTime} />
        </span>
      ) : null}
    </p>
  )
}
