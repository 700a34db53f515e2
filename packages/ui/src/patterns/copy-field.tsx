'use client'

import { type ReactNode, useId } from 'react'
import { classNames } from '../lib/class-names.ts'
import { CopyButton } from './copy-button.tsx'

export interface CopyFieldProps {
  label: string
  text: string
  /** What is shown instead, for example with the password hidden. */
  shown?: string
  hint?: ReactNode
  actions?: ReactNode
  className?: string
}

/** A string to take away: one click copies, the whole of it can be selected and scrolled. */
export function CopyField({ label, text, shown, hint, actions, className }: CopyFieldProps) {
  const id = useId()
  return (
    <div className={classNames('min-w-0', className)}>
      <div className="mb-1 flex items-end justify-between gap-2">
        <span id={id} className="font-medium text-ink-soft text-data">
          {label}
        </span>
        {actions}
      </div>
      <div className="flex items-center rounded-md border border-line bg-sunken pr-1">
        <code
          // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling area must be reachable from the keyboard
          tabIndex={0}
          role="group"
          aria-labelledby={id}
          className="min-w-0 flex-1 select-all overflow-x-auto whitespace-nowrap px-2.5 py-2 font-mono text-data [scrollbar-width:none]"
        >
          {shown ?? text}
        </code>
        <CopyButton text={text} label={`Copy ${label.toLowerCase()}`} className="size-7" />
      </div>
      {hint ? <p className="mt-1 text-ink-faint text-data">{hint}</p> : null}
    </div>
  )
}
