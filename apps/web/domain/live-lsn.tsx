'use client'

import { Lsn } from '@tributary/ui/patterns/lsn'
import { RelativeTime } from '@tributary/ui/patterns/relative-time'

/** The tip of a branch; it lights up when it moves. */
export function LiveLsn({ tip }: { tip: { lsn: string; commitTime?: string | null } }) {
  return (
    <span className="inline-flex items-center gap-2">
      <span key={tip.lsn} className="animate-appear rounded-sm">
        <Lsn value={tip.lsn} />
      </span>
      {tip.commitTime ? <RelativeTime at={tip.commitTime} className="text-data text-ink-faint" /> : null}
    </span>
  )
}
