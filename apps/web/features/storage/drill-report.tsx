'use client'

import { formatCount, formatDuration } from '@tributary/ui/lib/format'
import { Callout } from '@tributary/ui/patterns/callout'
import { RelativeTime } from '@tributary/ui/patterns/relative-time'
import { Stat, StatRow } from '@tributary/ui/patterns/stat'
import { OperationStateBadge } from '@/domain/state-badges.tsx'
import type { FaultDrillDetailsFragment } from '@/gql/graphql.ts'
import { drillTitle } from './storage-words.ts'

export type Drill = FaultDrillDetailsFragment

const count = (value: number | null) => (value === null ? '–' : formatCount(value))
const duration = (value: number | null) => (value === null ? '–' : formatDuration(value))

/** A drill while it runs, and what it measured. */
export function DrillReport({ drill }: { drill: Drill }) {
  return (
    <section aria-label="Drill" className="flex flex-col gap-3 border-line border-t pt-4">
      <div className="flex flex-wrap items-center justify-between gap-2">
        <h3 className="font-medium text-body">
          {drillTitle(drill)}{' '}
          <span className="font-normal text-data text-ink-faint">
            on {drill.branch?.name ?? 'a branch that is gone'}, <RelativeTime at={drill.startedAt} />
            {drill.createdBy ? ` by ${drill.createdBy}` : ''}
          </span>
        </h3>
        <OperationStateBadge state={drill.state} />
      </div>
      <ol
        aria-live="polite"
        aria-label="Log of the drill"
        className="flex flex-col gap-1 rounded-md bg-sunken px-3 py-2.5 font-mono text-ink-soft text-label"
      >
        {drill.log.length === 0 ? <li>waking the compute</li> : null}
        {drill.log.map((line, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a log that only grows at its end
          <li key={index} className="break-words">
            {line}
          </li>
        ))}
      </ol>
      {drill.state === 'FAILED' || drill.state === 'CANCELLED' ? (
        <Callout tone="caution" title="The drill did not come to its end">
          The last lines of the log say why. The fault was undone; nothing was measured.
        </Callout>
      ) : null}
      {drill.state === 'FINISHED' ? (
        <>
          <Callout
            tone={drill.lost === 0 ? 'positive' : 'danger'}
            title={
              drill.lost === 0
                ? 'Every acknowledged commit was found'
                : `${count(drill.lost)} acknowledged commits were lost`
            }
          >
            Found may be more than acknowledged: commits whose answer did not reach the writer count as neither.
          </Callout>
          <StatRow>
            <Stat label="Acknowledged before the fault" value={count(drill.acknowledgedBefore)} />
            <Stat label="Found at the end" value={count(drill.foundAfter)} />
            <Stat label="Lost" value={count(drill.lost)} />
            <Stat label="Without service" value={duration(drill.unavailableMs)} note="longest time without a commit" />
            <Stat label="Slowest commit" value={duration(drill.maxCommitMs)} />
          </StatRow>
        </>
      ) : null}
    </section>
  )
}
