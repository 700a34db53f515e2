'use client'

import { formatDay, formatExactTime } from '../lib/format.ts'
import { useNow } from '../lib/use-now.ts'
import { Tooltip } from '../primitives/tooltip.tsx'

/** The day of a moment, where its distance from now says little; the exact moment on hover and focus. */
export function CalendarDay({ at }: { at: string | null | undefined }) {
  const nowMs = useNow()
  if (!at) return <span className="text-ink-faint">–</span>
  const timeMs = Date.parse(at)
  return (
    <Tooltip content={<span className="tabular">{formatExactTime(timeMs)}</span>}>
      <time dateTime={at} className="tabular whitespace-nowrap">
        {formatDay(timeMs, nowMs)}
      </time>
    </Tooltip>
  )
}
