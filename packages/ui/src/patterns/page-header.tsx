import type { ReactNode } from 'react'

export interface PageHeaderProps {
  title: ReactNode
  /** Badges beside the title. */
  meta?: ReactNode
  description?: ReactNode
  actions?: ReactNode
}

export function PageHeader({ title, meta, description, actions }: PageHeaderProps) {
  return (
    <header className="mb-6 flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
      <div className="min-w-0">
        <div className="flex flex-wrap items-center gap-x-3 gap-y-1.5">
          <h1 className="min-w-0 break-words font-semibold text-h2">{title}</h1>
          {meta}
        </div>
        {description ? <div className="mt-1 max-w-3xl text-pretty text-ink-soft text-body">{description}</div> : null}
      </div>
      {actions ? <div className="flex flex-wrap items-center gap-2">{actions}</div> : null}
    </header>
  )
}
