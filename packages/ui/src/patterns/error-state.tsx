import { CircleAlert, Lock, RotateCw } from 'lucide-react'
import type { ReactNode } from 'react'
import { Button } from '../primitives/button.tsx'

export interface ErrorStateProps {
  title: ReactNode
  /** What went wrong and what to do next. */
  children?: ReactNode
  onRetry?(): void
  action?: ReactNode
  /** `denied`: the reader may not see this. */
  kind?: 'failure' | 'denied'
}

export function ErrorState({ title, children, onRetry, action, kind = 'failure' }: ErrorStateProps) {
  const Icon = kind === 'denied' ? Lock : CircleAlert
  return (
    <div role="alert" className="flex flex-col items-center px-6 py-10 text-center">
      <Icon
        className={kind === 'denied' ? 'mb-3 size-6 text-ink-faint' : 'mb-3 size-6 text-danger'}
        aria-hidden="true"
      />
      <div className="font-medium text-body">{title}</div>
      {children ? <div className="mt-1 max-w-lg text-ink-soft text-data">{children}</div> : null}
      {onRetry || action ? (
        <div className="mt-4 flex gap-2">
          {onRetry ? (
            <Button size="small" onClick={onRetry}>
              <RotateCw /> Try again
            </Button>
          ) : null}
          {action}
        </div>
      ) : null}
    </div>
  )
}
