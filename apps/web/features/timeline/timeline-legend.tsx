'use client'

import { Checkbox } from '@tributary/ui/primitives/checkbox'
import { colorTokens, markLooks } from './timeline-mark-looks.ts'
import type { MarkKind } from './timeline-model.ts'
import { markKinds, markWords } from './timeline-words.ts'

export interface TimelineLegendProps {
  hidden: ReadonlySet<MarkKind>
  counts: Readonly<Record<MarkKind, number>>
  onToggle(kind: MarkKind): void
}

/** What the marks mean; each can be left out. */
export function TimelineLegend({ hidden, counts, onToggle }: TimelineLegendProps) {
  return (
    <fieldset className="grid grid-cols-2 gap-x-4 gap-y-2 sm:flex sm:flex-wrap sm:items-center">
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
  const { path, color } = markLooks[kind]
  return (
    <svg viewBox="-8 -8 16 16" aria-hidden="true" className="size-4 shrink-0">
      <path d={path} fill={`var(--${colorTokens[color]})`} />
    </svg>
  )
}
