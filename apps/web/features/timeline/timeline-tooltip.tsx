import { formatBytes, formatExactTime } from '@tributary/ui/lib/format'
import type { HitTarget } from './timeline-hit.ts'
import type { Axis, Lane } from './timeline-model.ts'
import { axisHeightPx, laneY } from './timeline-painter.ts'
import { markWords, positionLabel } from './timeline-words.ts'

const widthMaxPx = 288
const listedMarksMax = 6

export interface TimelineTooltipProps {
  hover: HitTarget
  /** Of what is pointed at, from the left edge. */
  px: number
  lane: Lane
  axis: Axis
  scrollPx: number
  widthPx: number
}

/** What is under the pointer, beside it. */
export function TimelineTooltip({ hover, px, lane, axis, scrollPx, widthPx }: TimelineTooltipProps) {
  const marks = hover.group?.marks ?? []
  const top = laneY(hover.laneIndex)
  const isLow = top - scrollPx > axisHeightPx + 160
  return (
    <div
      aria-hidden="true"
      className="pointer-events-none absolute z-10 rounded-md border border-line bg-raised px-2.5 py-2 text-label shadow-raised"
      style={{
        left: Math.max(8, Math.min(px + 14, widthPx - widthMaxPx - 8)),
        top: top + (isLow ? -16 : 16),
        transform: isLow ? 'translateY(-100%)' : undefined,
        maxWidth: widthMaxPx,
      }}
    >
      <p className="font-medium text-ink">{lane.name}</p>
      <p className="font-mono text-ink-soft">{positionLabel(axis, hover.position)}</p>
      {marks.slice(0, listedMarksMax).map((mark) => (
        <div key={`${mark.lsn}-${mark.kind}-${mark.summary}`} className="mt-1.5 border-line border-t pt-1.5">
          <p className="text-ink">
            {markWords[mark.kind].label}
            {mark.sizeBytes ? <span className="text-ink-faint"> · {formatBytes(mark.sizeBytes)}</span> : null}
          </p>
          <p className="break-words text-ink-soft">{mark.summary}</p>
          {mark.timeMs !== undefined ? <p className="text-ink-faint">{formatExactTime(mark.timeMs)}</p> : null}
        </div>
      ))}
      {marks.length > listedMarksMax ? (
        <p className="mt-1.5 text-ink-faint">{marks.length - listedMarksMax} more; zoom in to tell them apart</p>
      ) : null}
    </div>
  )
}
