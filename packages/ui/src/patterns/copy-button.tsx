'use client'

import { Check, Copy } from 'lucide-react'
import { useCopy } from '../lib/use-copy.ts'
import { IconButton } from '../primitives/icon-button.tsx'

/** Copies `text`; the tick tells that it did, in sight and to screen readers. */
export function CopyButton({ text, label = 'Copy', className }: { text: string; label?: string; className?: string }) {
  const { isCopied, copy } = useCopy()
  return (
    <>
      <IconButton
        label={isCopied ? 'Copied' : label}
        size="small"
        className={className}
        onClick={(event) => {
          event.stopPropagation()
          void copy(text)
        }}
      >
        {isCopied ? <Check className="text-positive" /> : <Copy />}
      </IconButton>
      <span role="status" className="sr-only">
        {isCopied ? 'Copied' : ''}
      </span>
    </>
  )
}
