'use client'

import { classNames } from '../lib/class-names.ts'
import { formatExactTime, formatRelativeTime } from '../lib/format.ts'
import { useNow } from '../lib/use-now.ts'
import { Tooltip } from '../primitives/tooltip.tsx'

/** A moment as its distance from now; the exact one on hover and focus. */
export function RelativeTime({ at, className }: { at: string | null | undefined; className?: string }) {
  const nowMs = useNow()
  if (!at) return <span className="text-ink-faint">–</span>
  const timeMs = Date.parse(at)
  return (
    <Tooltip content={<span className="tabular">{formatExactTime(timeMs)}</span>}>
      <time dateTime={at} className={classNames('tabular whitespace-nowrap', className)}>
        {formatRelativeTime(timeMs, nowMs)}
      </time>
    </Tooltip>
  )
}
