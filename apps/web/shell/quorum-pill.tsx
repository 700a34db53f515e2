'use client'

import { useQueryClient } from '@tanstack/react-query'
import { StatusDot } from '@tributary/ui/patterns/status-badge'
import { Tooltip } from '@tributary/ui/primitives/tooltip'
import { QuorumHealthChangedDocument, QuorumHealthDocument, type QuorumHealthQuery } from '@/gql/graphql.ts'
import { useGraphql } from '@/lib/use-graphql.ts'
import { useLive } from '@/lib/use-live.ts'

const key = ['QuorumHealth', {}]

/** The storage as the SafeKeepers and the PageServer report it, live. */
export function useQuorumHealth(): QuorumHealthQuery['storageStatus'] | undefined {
  const client = useQueryClient()
  const { data } = useGraphql(QuorumHealthDocument, {})
  useLive(QuorumHealthChangedDocument, {}, ({ storageStatusChanged }) => {
    client.setQueryData(key, { storageStatus: storageStatusChanged })
  })
  return data?.storageStatus
}

export const isUp = (state: string) => /^(up|running|ready|healthy|ok|active)$/i.test(state)

/** One dot for each SafeKeeper, and what they amount to. */
export function QuorumPill() {
  const status = useQuorumHealth()
  if (!status || status.safekeepers.length === 0) return <span />
  const up = status.safekeepers.filter((each) => isUp(each.state)).length
  const text = status.quorumHealthy
    ? up === status.safekeepers.length
      ? 'Quorum healthy'
      : `Quorum holds, ${up} of ${status.safekeepers.length}`
    : 'Quorum lost'
  return (
    <Tooltip content={status.safekeepers.map((each) => `${each.name}: ${each.state}`).join(' · ')}>
      <button type="button" className="flex cursor-default items-center gap-2 text-ink-soft text-label">
        <span className="flex gap-1">
          {status.safekeepers.map((each) => (
            <StatusDot key={each.id} tone={isUp(each.state) ? 'positive' : 'danger'} />
          ))}
        </span>
        {text}
      </button>
    </Tooltip>
  )
}
