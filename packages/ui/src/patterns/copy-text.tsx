'use client'

import { classNames } from '../lib/class-names.ts'
import { CopyButton } from './copy-button.tsx'

export interface CopyTextProps {
  text: string
  label?: string
  /** What is shown, when shorter than what is copied. */
  shown?: string
  className?: string
}

/** An identifier in running text: monospace, with a copy button that shows on hover and focus. */
export function CopyText({ text, label = 'Copy', shown, className }: CopyTextProps) {
  return (
    <span className={classNames('group/copy inline-flex max-w-full items-center gap-0.5 align-middle', className)}>
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
