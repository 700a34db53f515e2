import type { ReactNode } from 'react'
import { Confluence } from '../icons/confluence.tsx'

export interface EmptyStateProps {
  title: ReactNode
  /** What would be here, and how to get it. */
  children?: ReactNode
  action?: ReactNode
}

export function EmptyState({ title, children, action }: EmptyStateProps) {
  return (
    <div className="flex flex-col items-center px-6 py-10 text-center">
      <Confluence className="mb-3 h-10 w-24 text-line-strong" />
      <div className="font-medium text-body">{title}</div>
      {children ? <div className="mt-1 max-w-md text-balance text-ink-soft text-data">{children}</div> : null}
      {action ? <div className="mt-4">{action}</div> : null}
    </div>
  )
}
