'use client'

import { ErrorState } from '@tributary/ui/patterns/error-state'
import dynamic from 'next/dynamic'
import { useRouter } from 'next/navigation'
import { type ReactNode, useEffect, useRef } from 'react'
import { ViewerDocument, type ViewerQuery } from '@/gql/graphql.ts'
import { ConnectionLostError, errorText, SessionExpiredError } from '@/lib/api-errors.ts'
import { routes } from '@/lib/routes.ts'
import { useGraphql } from '@/lib/use-graphql.ts'
import { ConnectionBanner } from './connection-banner.tsx'
import { sessionState, useIsSessionExpired } from './session-state.ts'

const SessionExpiredDialog = dynamic(() => import('./session-expired-dialog.tsx'), { ssr: false })

export type Viewer = NonNullable<ViewerQuery['viewer']>

export function useViewer(): Viewer | undefined {
  return useGraphql(ViewerDocument, {}, { staleMs: 60_000 }).data?.viewer ?? undefined
}

/**
 * Lets only signed-in readers in. Who never was signed in goes to the log-in page and comes back; whose login ends while
 * at work signs in again in place and loses nothing that was typed.
 */
export function SessionGuard({ children }: { children: ReactNode }) {
  const { data, error, refetch } = useGraphql(ViewerDocument, {}, { staleMs: 60_000 })
  const router = useRouter()
  const isExpired = useIsSessionExpired()
  const email = useRef<string>(undefined)
  if (data?.viewer) email.current = data.viewer.user.email
  const isAnonymous = data?.viewer === null || (error instanceof SessionExpiredError && !data)
  const wasSignedIn = email.current !== undefined

  useEffect(() => {
    if (!isAnonymous) return
    if (wasSignedIn) return sessionState.expire()
    sessionState.renew()
    router.replace(routes.signIn(`${window.location.pathname}${window.location.search}`))
  }, [isAnonymous, wasSignedIn, router])

  if (error && !data && !(error instanceof SessionExpiredError) && !(error instanceof ConnectionLostError)) {
    return (
      <ErrorState title="The console could not start" onRetry={() => void refetch()}>
        {errorText(error)}
      </ErrorState>
    )
  }
  if (!wasSignedIn) return <ConnectionBanner />
  return (
    <>
      {children}
      {isExpired ? <SessionExpiredDialog email={email.current ?? ''} /> : null}
    </>
  )
}
