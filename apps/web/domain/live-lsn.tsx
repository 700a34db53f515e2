'use client'

import { Lsn } from '@tributary/ui/patterns/lsn'
import { RelativeTime } from '@tributary/ui/patterns/relative-time'

export interface LiveLsnProps {
  tip: { lsn: string; commitTime?: string | null }
  /** On a phone the LSN alone, where room is short. */
  isCompact?: boolean
  align?: 'start' | 'end'
}

/** The tip of a branch; it lights up when it moves. */
export function LiveLsn({ tip, isCompact, align }: LiveLsnProps) {
  return (
    <span className="inline-flex flex-wrap items-center gap-x-2">
      <span key={tip.lsn} className="animate-appear rounded-sm">
        <Lsn value={tip.lsn} align={align} />
      </span>
      {tip.commitTime ? (
        <RelativeTime
          at={tip.commitTime}
          className={isCompact ? 'text-data text-ink-faint max-sm:hidden' : 'text-data text-ink-faint'}
        />
      ) : null}
    </span>
  )
}
