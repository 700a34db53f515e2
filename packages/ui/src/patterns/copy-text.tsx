'use client'

import { classNames } from '../lib/class-names.ts'
import { CopyButton } from './copy-button.tsx'

export interface CopyTextProps {
  text: string
  label?: string
  /** What is shown, when shorter than what is copied. */
  shown?: string
  /** In right-aligned places the button stands before the text, so that the texts stay in line. */
  align?: 'start' | 'end' | undefined
  className?: string
}

/** An identifier in running text: monospace, with a copy button that shows on hover and focus. */
export function CopyText({ text, label = 'Copy', shown, align, className }: CopyTextProps) {
  return (
    <span
      className={classNames(
        'group/copy inline-flex max-w-full items-center gap-0.5 align-middle',
        align === 'end' && 'flex-row-reverse',
        className,
      )}
    >
      <span className="truncate font-mono text-data" title={shown ? text : undefined}>
        {shown ?? text}
      </span>
      <CopyButton
        text={text}
        label={label}
        className="opacity-0 focus-visible:opacity-100 group-hover/copy:opacity-100 pointer-coarse:opacity-100"
      />
    </span>
  )
}
