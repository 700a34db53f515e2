'use client'

import { type ReactNode, useEffect, useRef } from 'react'

export interface PageHeaderProps {
  title: ReactNode
  /** Badges beside the title. */
  meta?: ReactNode
  description?: ReactNode
  actions?: ReactNode
  /** It takes the place of what was worked in (a form that is done): the focus goes to the title. */
  takesFocus?: boolean
}

export function PageHeader({ title, meta, description, actions, takesFocus }: PageHeaderProps) {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    if (takesFocus) heading.current?.focus()
  }, [takesFocus])
  return (
    <header className="mb-6 flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
      <div className="min-w-0">
        <div className="flex flex-wrap items-center gap-x-3 gap-y-1.5">
          <h1 ref={heading} tabIndex={-1} className="min-w-0 break-words font-semibold text-h2 outline-none">
            {title}
          </h1>
          {meta}
        </div>
        {description ? <div className="mt-1 max-w-3xl text-pretty text-ink-soft text-body">{description}</div> : null}
      </div>
      {actions ? <div className="flex flex-wrap items-center gap-2">{actions}</div> : null}
    </header>
  )
}
