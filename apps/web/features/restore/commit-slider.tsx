'use client'

import { formatCount, formatExactTime } from '@tributary/ui/lib/format'
import { type KeyboardEvent, type PointerEvent, useRef } from 'react'
import { type Bucket, barHeight, neighbour, type Scale, shareOf, timeAt } from './histogram-scale.ts'

export interface CommitSliderProps {
  scale: Scale
  /** undefined: not known yet, or not to be had; the slider works without. */
  buckets: readonly Bucket[] | undefined
  timeMs: number | undefined
  onChange(timeMs: number): void
  /** The buckets are on their way. */
  isCounting: boolean
  marks: readonly { id: string; name: string; timeMs: number }[]
}

const height = 88

/** The commits of a branch over its history window, and the moment chosen among them. Arrow keys go from commit to commit. */
export function CommitSlider({ scale, buckets = [], timeMs, onChange, isCounting, marks }: CommitSliderProps) {
  const area = useRef<HTMLDivElement>(null)
  const most = Math.max(0, ...buckets.map((bucket) => bucket.commits))
  const chosenMs = timeMs ?? scale.toMs
  const share = shareOf(scale, chosenMs)

  function pick(event: PointerEvent) {
    const box = area.current?.getBoundingClientRect()
    if (!box || box.width === 0) return
    onChange(timeAt(scale, (event.clientX - box.left) / box.width))
  }
  function onKeyDown(event: KeyboardEvent) {
    const stepMs = (scale.toMs - scale.fromMs) / 100
    const targets: Record<string, () => number> = {
      ArrowLeft: () => neighbour(buckets, chosenMs, -1) ?? chosenMs - stepMs,
      ArrowRight: () => neighbour(buckets, chosenMs, 1) ?? chosenMs + stepMs,
      PageDown: () => chosenMs - stepMs * 10,
      PageUp: () => chosenMs + stepMs * 10,
      Home: () => scale.fromMs,
      End: () => scale.toMs,
    }
    const target = targets[event.key]?.()
    if (target === undefined) return
    event.preventDefault()
    onChange(Math.round(Math.min(scale.toMs, Math.max(scale.fromMs, target))))
  }
  return (
    <div>
      <div
        ref={area}
        role="slider"
        tabIndex={0}
        aria-label="Moment in the history of this branch"
        aria-valuemin={scale.fromMs}
        aria-valuemax={scale.toMs}
        aria-valuenow={chosenMs}
        aria-valuetext={formatExactTime(chosenMs)}
        onKeyDown={onKeyDown}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId)
          pick(event)
        }}
        onPointerMove={(event) => {
          if (event.buttons === 1) pick(event)
        }}
        className="relative cursor-ew-resize touch-none select-none rounded-md border border-line bg-sunken"
        style={{ height: height + 8 }}
      >
        <span
          aria-hidden="true"
          className="absolute inset-y-0 left-0 rounded-l-md bg-stream-soft/60"
          style={{ width: `${share * 100}%` }}
        />
        <svg
          viewBox={`0 0 ${Math.max(1, buckets.length)} ${height}`}
          preserveAspectRatio="none"
          aria-hidden="true"
          className="absolute inset-x-0 bottom-0 w-full"
          style={{ height }}
        >
          {buckets.map((bucket, index) => {
            const size = barHeight(bucket.commits, most) * (height - 6)
            return size === 0 ? null : (
              <rect
                key={bucket.from}
                x={index + 0.1}
                width={0.8}
                y={height - size}
                height={size}
                fill={(index + 0.5) / buckets.length <= share ? 'var(--stream)' : 'var(--line-strong)'}
              />
            )
          })}
        </svg>
        {marks.map((mark) => (
          <span
            key={mark.id}
            title={mark.name}
            className="absolute top-1 size-2.5 -translate-x-1/2 rotate-45 border border-caution bg-caution-soft"
            style={{ left: `${shareOf(scale, mark.timeMs) * 100}%` }}
          />
        ))}
        <span
          aria-hidden="true"
          className="pointer-events-none absolute -top-1 -bottom-1 w-0.5 -translate-x-1/2 rounded-full bg-ink"
          style={{ left: `${share * 100}%` }}
        >
          <span className="absolute -top-1 left-1/2 size-3 -translate-x-1/2 rounded-full border-2 border-ink bg-surface" />
        </span>
      </div>
      <div className="tabular mt-2 flex justify-between gap-4 text-ink-faint text-label">
        <span>{formatExactTime(scale.fromMs).slice(0, 18)}</span>
        {buckets.length > 0 ? (
          <span className="max-sm:hidden">
            {formatCount(buckets.reduce((sum, bucket) => sum + bucket.commits, 0))} commits in the window
          </span>
        ) : isCounting ? (
          <span role="status">counting commits</span>
        ) : null}
        <span>{formatExactTime(scale.toMs).slice(0, 18)}</span>
      </div>
    </div>
  )
}
