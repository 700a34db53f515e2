'use client'

import { classNames } from '@tributary/ui/lib/class-names'
import { Bytes } from '@tributary/ui/patterns/bytes'
import { Callout } from '@tributary/ui/patterns/callout'
import { EmptyState } from '@tributary/ui/patterns/empty-state'
import { Lsn } from '@tributary/ui/patterns/lsn'
import { SkeletonLines } from '@tributary/ui/patterns/skeleton'
import { StatusBadge } from '@tributary/ui/patterns/status-badge'
import { Panel } from '@tributary/ui/primitives/panel'
import type { ReactNode } from 'react'
import { isMoving, stateTone } from './storage-words.ts'
import type { StorageState } from './use-storage-state.ts'

export interface QuorumPanelProps {
  state: StorageState | undefined
  branchName: string | undefined
  timelineId: string | undefined
}

/** The SafeKeepers one by one, as they stand for the chosen branch. */
export function QuorumPanel({ state, branchName, timelineId }: QuorumPanelProps) {
  return (
    <Panel
      title="SafeKeepers"
      meta={branchName ? `for ${branchName}` : undefined}
      description="A commit returns to the client when a majority has it on disk."
      actions={
        state && state.safekeepers.length > 0 ? (
          <StatusBadge tone={state.quorumHealthy ? 'positive' : 'danger'}>
            {state.quorumHealthy ? 'Majority is up' : 'No majority: commits wait'}
          </StatusBadge>
        ) : null
      }
    >
      {state === undefined ? (
        <SkeletonLines count={4} />
      ) : state.safekeepers.length === 0 ? (
        <EmptyState title="The SafeKeepers do not answer">
          Their state is shown here as soon as the supervisor can be reached again.
        </EmptyState>
      ) : (
        <ul className="grid gap-3 md:grid-cols-3">
          {state.safekeepers.map((keeper) => (
            <Keeper key={keeper.id} keeper={keeper} timelineId={timelineId} />
          ))}
        </ul>
      )}
    </Panel>
  )
}

function Keeper({
  keeper,
  timelineId,
}: {
  keeper: StorageState['safekeepers'][number]
  timelineId: string | undefined
}) {
  const tone = stateTone(keeper.state)
  const timeline = keeper.timelines.find((each) => each.timelineId === timelineId)
  return (
    <li
      className={classNames(
        'min-w-0 rounded-md border p-3.5 transition-colors',
        tone === 'danger' ? 'border-danger bg-danger-soft' : 'border-line bg-sunken',
      )}
    >
      {/* The state is read out when it changes; the LSNs below change all the time. */}
      <div aria-live="polite" aria-atomic className="mb-3 flex flex-wrap items-center justify-between gap-2">
        <span className="font-medium text-body">{keeper.name}</span>
        <StatusBadge tone={tone} isLive={isMoving(keeper.state)}>
          {keeper.state}
        </StatusBadge>
      </div>
      <dl className="flex flex-col gap-1.5">
        <Row term="Term">
          <span className="tabular font-mono">{timeline?.term ?? '–'}</span>
        </Row>
        <Row term="Flush LSN">
          <Lsn value={timeline?.flushLsn} align="end" />
        </Row>
        <Row term="Commit LSN">
          <Lsn value={timeline?.commitLsn} align="end" />
        </Row>
        <Row term="Behind">
          <Bytes value={timeline?.lagBytes} />
        </Row>
        {keeper.address ? (
          <Row term="Address">
            <span className="truncate font-mono">{keeper.address}</span>
          </Row>
        ) : null}
      </dl>
    </li>
  )
}

function Row({ term, children }: { term: string; children: ReactNode }) {
  return (
    <div className="flex min-w-0 items-center justify-between gap-3 text-data">
      <dt className="shrink-0 text-ink-soft">{term}</dt>
      <dd className="min-w-0 truncate">{children}</dd>
    </div>
  )
}

/** Shown above all else while commits cannot return. */
export function QuorumLost({ state }: { state: StorageState | undefined }) {
  if (!state || state.safekeepers.length === 0 || state.quorumHealthy) return null
  return (
    <Callout tone="danger" title="No majority of SafeKeepers">
      Commits wait and nothing that was acknowledged is lost. They go on as soon as two SafeKeepers are up again.
    </Callout>
  )
}
