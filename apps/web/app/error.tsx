'use client'

import { ErrorState } from '@tributary/ui/patterns/error-state'

export default function PageError({ error, reset }: { error: Error & { digest?: string }; reset(): void }) {
  return (
    <ErrorState title={<h1>This page broke</h1>} onRetry={reset}>
      {error.message}
    </ErrorState>
  )
}
