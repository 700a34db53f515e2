'use client'

import { Lsn } from '@tributary/ui/patterns/lsn'
import { RelativeTime } from '@tributary/ui/patterns/relative-time'

export interface LiveLsnProps {
  tip: { lsn: string; commitTime?: string | null }
  /** On a phone the LSN alone, where room is short. */
  isCompact?: boolean
}

/** The tip of a branch; it lights up when it moves. */
export function LiveLsn({ tip, isCompact }: LiveLsnProps) {
  return (
    <span className="inline-flex items-center gap-2">
      <span key={tip.lsn} className="animate-appear rounded-sm">
        <Lsn value={tip.lsn} />
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
