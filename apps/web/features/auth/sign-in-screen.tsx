'use client'

import { useQueryClient } from '@tanstack/react-query'
import Link from 'next/link'
import { useRouter, useSearchParams } from 'next/navigation'
import { routes, safeNext } from '@/lib/routes.ts'
import { sessionState } from '@/shell/session-state.ts'
import { SignInForm } from '@/shell/sign-in-form.tsx'
import { AuthFrame } from './auth-frame.tsx'

export function SignInScreen() {
  const router = useRouter()
  const client = useQueryClient()
  const next = safeNext(useSearchParams().get('next'))
  return (
    <AuthFrame
      title="Sign in"
      footer={
        <>
          New here?{' '}
          <Link
            className="font-medium text-stream-strong underline-offset-4 hover:underline"
            href={routes.signUp(next)}
          >
            Create an account
          </Link>
        </>
      }
    >
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
