import type { ReactNode } from 'react'
import { classNames } from '../lib/class-names.ts'
import { type Tone, toneSoft } from '../lib/tone.ts'

export function Badge({
  tone = 'neutral',
  children,
  className,
}: {
  tone?: Tone
  children: ReactNode
  className?: string
}) {
  return (
    <span
      className={classNames(
        'inline-flex h-5 shrink-0 items-center gap-1 whitespace-nowrap rounded-sm px-1.5 font-medium text-label [&>svg]:size-3',
        toneSoft[tone],
        className,
      )}
    >
      {children}
    </span>
  )
}
