'use client'

import { SkeletonLines } from '@tributary/ui/patterns/skeleton'
import { StatusBadge } from '@tributary/ui/patterns/status-badge'
import { isUp, useQuorumHealth } from '@/shell/quorum-pill.tsx'

/** The three SafeKeepers as streams that meet: a commit counts when two of them hold it. */
export function QuorumPicture() {
  const status = useQuorumHealth()
  if (!status) return <SkeletonLines count={3} />
  const keepers = status.safekeepers
  const upCount = keepers.filter((keeper) => isUp(keeper.state)).length
  const isStorageUp = status.pageserver !== null && isUp(status.pageserver.state)
  return (
    <div className="flex items-center gap-4">
      <svg viewBox="0 0 120 84" aria-hidden="true" className="h-20 w-28 shrink-0">
        {keepers.slice(0, 3).map((keeper, index) => {
          const y = 14 + index * 28
          const isAlive = isUp(keeper.state)
          const color = isAlive ? 'var(--stream)' : 'var(--danger)'
          return (
            <g key={keeper.id} fill="none" stroke={color} strokeLinecap="round">
              <path d={`M14 ${y} C 56 ${y} 52 42 92 42`} strokeWidth="5" strokeOpacity="0.18" />
              {isAlive ? (
                <path
                  d={`M14 ${y} C 56 ${y} 52 42 92 42`}
                  strokeWidth="1.5"
                  strokeDasharray="2 6"
                  className="animate-flow"
                />
              ) : null}
              <circle cx="10" cy={y} r="5" fill={color} stroke="none" />
            </g>
          )
        })}
        <circle
          cx="100"
          cy="42"
          r="8"
          fill="var(--surface)"
          stroke={status.quorumHealthy ? 'var(--stream)' : 'var(--danger)'}
          strokeWidth="3"
        />
      </svg>
      <div className="flex min-w-0 flex-col gap-1.5">
        <StatusBadge tone={status.quorumHealthy ? (upCount === keepers.length ? 'positive' : 'caution') : 'danger'}>
          {status.quorumHealthy ? 'Commits are durable' : 'Commits wait: no majority'}
        </StatusBadge>
        <p className="text-data text-ink-soft">
          {upCount} of {keepers.length} SafeKeepers up. A commit returns when a majority has it on disk.
        </p>
        <p className={isStorageUp ? 'text-data text-ink-faint' : 'text-caution text-data'}>
          PageServer {isStorageUp ? 'up' : (status.pageserver?.state ?? 'does not answer')}
        </p>
      </div>
    </div>
  )
}
