import { CircleAlert, CircleCheck, Info, TriangleAlert } from 'lucide-react'
import type { ReactNode } from 'react'
import { classNames } from '../lib/class-names.ts'
import { type Tone, toneText } from '../lib/tone.ts'

const icons = {
  neutral: Info,
  active: Info,
  positive: CircleCheck,
  caution: TriangleAlert,
  danger: CircleAlert,
} as const

const edges: Record<Tone, string> = {
  neutral: 'border-line bg-sunken',
  active: 'border-stream/30 bg-stream-soft',
  positive: 'border-positive/30 bg-positive-soft',
  caution: 'border-caution/30 bg-caution-soft',
  danger: 'border-danger/30 bg-danger-soft',
}

export interface CalloutProps {
  tone?: Tone
  title?: ReactNode
  children?: ReactNode
  action?: ReactNode
  className?: string
}

/** Something the reader must know before going on. A danger is announced to screen readers. */
export function Callout({ tone = 'neutral', title, children, action, className }: CalloutProps) {
  const Icon = icons[tone]
  return (
    <div
      role={tone === 'danger' ? 'alert' : undefined}
      className={classNames('flex gap-3 rounded-md border px-3.5 py-3 text-data', edges[tone], className)}
    >
      <Icon className={classNames('mt-0.5 size-4 shrink-0', toneText[tone])} aria-hidden="true" />
      <div className="min-w-0 flex-1">
        {title ? <p className="font-medium text-ink">{title}</p> : null}
        {children ? <div className="text-ink-soft">{children}</div> : null}
      </div>
      {action}
    </div>
  )
}
