'use client'

import { Checkbox } from '@tributary/ui/primitives/checkbox'
import { useEffect, useRef } from 'react'
import type { MarkKind } from './timeline-model.ts'
import { markColor, traceMark } from './timeline-painter.ts'
import { markKinds, markWords } from './timeline-words.ts'
import { useCanvasTheme } from './use-canvas-theme.ts'

export interface TimelineLegendProps {
  hidden: ReadonlySet<MarkKind>
  counts: Readonly<Record<MarkKind, number>>
  onToggle(kind: MarkKind): void
}

/** What the marks mean; each can be left out. */
export function TimelineLegend({ hidden, counts, onToggle }: TimelineLegendProps) {
  return (
    <fieldset className="flex flex-wrap items-center gap-x-4 gap-y-2">
      <legend className="sr-only">Marks that are shown</legend>
      {markKinds.map((kind) => (
        <div key={kind} className="flex items-center gap-1.5 text-data" title={markWords[kind].explanation}>
          <Checkbox
            isChecked={!hidden.has(kind)}
            onChange={() => onToggle(kind)}
            label={
              <span className="inline-flex items-center gap-1.5 text-data">
                <MarkGlyph kind={kind} />
                {markWords[kind].label}
                <span className="tabular text-ink-faint">{counts[kind]}</span>
              </span>
            }
          />
        </div>
      ))}
    </fieldset>
  )
}

/** The mark as the picture shows it. */
export function MarkGlyph({ kind }: { kind: MarkKind }) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const theme = useCanvasTheme(canvas)
  useEffect(() => {
    const context = canvas.current?.getContext('2d')
    if (!context || !theme) return
    context.setTransform(2, 0, 0, 2, 16, 16)
    context.clearRect(-8, -8, 16, 16)
    context.beginPath()
    traceMark(context, kind)
    context.fillStyle = markColor(theme, kind)
    context.fill()
  }, [kind, theme])
  return (
    <span aria-hidden="true" className="shrink-0">
      <canvas ref={canvas} width={32} height={32} className="size-4" />
    </span>
  )
}
