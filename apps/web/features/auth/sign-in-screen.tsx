'use client'

import { useQueryClient } from '@tanstack/react-query'
import { Callout } from '@tributary/ui/patterns/callout'
import Link from 'next/link'
import { useRouter, useSearchParams } from 'next/navigation'
import { ServerInfoDocument } from '@/gql/graphql.ts'
import { routes, safeNext } from '@/lib/routes.ts'
import { useGraphql } from '@/lib/use-graphql.ts'
import { sessionState } from '@/shell/session-state.ts'
import { ownerHint, SignInForm } from '@/shell/sign-in-form.tsx'
import { AuthFrame } from './auth-frame.tsx'

export function SignInScreen() {
  const server = useGraphql(ServerInfoDocument, {}, { staleMs: 300_000 }).data?.serverInfo
  const router = useRouter()
  const client = useQueryClient()
  const search = useSearchParams()
  const next = safeNext(search.get('next'))
  return (
    <AuthFrame
      title="Sign in"
      footer={
        <>
          {server?.isLocalStack ? <p className="mb-3">{ownerHint}</p> : null}
          {server?.allowsSignUp === false ? null : (
            <p>
              New here?{' '}
              <Link
                className="font-medium text-stream-strong underline-offset-4 hover:underline"
                href={routes.signUp(next)}
              >
                Create an account
              </Link>
            </p>
          )}
        </>
      }
    >
      {search.get('link') === 'used' ? (
        <Callout tone="caution" className="mb-4" title="This sign-in link is no longer good">
          It was used already, or is older than a day. Stop Tributary and start it again: each start prints a new one.
        </Callout>
      ) : null}
      <SignInForm
        onSignedIn={() => {
          client.clear()
          sessionState.renew()
          router.replace(next)
        }}
      />
    </AuthFrame>
  )
}
