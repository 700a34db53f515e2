import type { ReactNode } from 'react'
import { classNames } from '../lib/class-names.ts'
import { type Tone, toneFill, toneText } from '../lib/tone.ts'

export interface StatusBadgeProps {
  tone: Tone
  children: ReactNode
  /** Something is moving: the dot ripples. */
  isLive?: boolean
  className?: string
}

/** A state as a dot and a word. The dot's shape differs too: a ring when neutral, a square when in danger. */
export function StatusBadge({ tone, children, isLive, className }: StatusBadgeProps) {
  return (
    <span className={classNames('inline-flex items-center gap-2 whitespace-nowrap text-data', className)}>
      <StatusDot tone={tone} isLive={isLive} />
      <span className={tone === 'danger' || tone === 'caution' ? toneText[tone] : 'text-ink'}>{children}</span>
    </span>
  )
}

export function StatusDot({ tone, isLive }: { tone: Tone; isLive?: boolean }) {
  const shape = tone === 'danger' ? 'rounded-[2px]' : 'rounded-full'
  return (
    <span className="relative inline-flex size-2 shrink-0" aria-hidden="true">
      {isLive ? <span className={classNames('absolute inset-0 animate-ripple', shape, toneFill[tone])} /> : null}
      <span
        className={classNames(
          'relative size-2',
          shape,
          tone === 'neutral' ? 'border-[1.5px] border-ink-faint' : toneFill[tone],
        )}
      />
    </span>
  )
}
