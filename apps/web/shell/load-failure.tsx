'use client'

import { ErrorState } from '@tributary/ui/patterns/error-state'
import { Button } from '@tributary/ui/primitives/button'
import Link from 'next/link'
import { ApiError, errorText, isDenied } from '@/lib/api-errors.ts'
import { routes } from '@/lib/routes.ts'

export interface LoadFailureProps {
  error: unknown
  /** What did not come: "the branches". */
  what: string
  onRetry?(): void
}

/** The failure of a query in the place of its data. Not allowed and not there look the same, as the API means it. */
export function LoadFailure({ error, what, onRetry }: LoadFailureProps) {
  if (isDenied(error)) return <NotAvailable what={what} isPart />
  return (
    <ErrorState title={`Could not load ${what}`} onRetry={onRetry}>
      <p>{errorText(error)}</p>
      {error instanceof ApiError && error.requestId ? (
        <p className="mt-1 font-mono text-ink-faint text-label">Request {error.requestId}</p>
      ) : null}
    </ErrorState>
  )
}

/** The thing of this address is not there for this reader: deleted, moved, or someone else's. */
export function NotAvailable({
  what,
  back,
  isPart,
}: {
  what: string
  back?: { label: string; href: string }
  /** The page around it has a heading of its own. */
  isPart?: boolean
}) {
  const target = back ?? { label: 'Go to projects', href: routes.home() }
  const title = `You have no access to ${what}, or it is gone`
  return (
    <ErrorState
      kind="denied"
      title={isPart ? title : <h1>{title}</h1>}
      action={
        <Button asChild size="small">
          <Link href={target.href}>{target.label}</Link>
        </Button>
      }
    >
      It may have been deleted in the meantime. If you think you should see it, ask an owner of the organization.
    </ErrorState>
  )
}
