import type { Metadata } from 'next'
import { Suspense } from 'react'
import { SignUpScreen } from '@/features/auth/sign-up-screen.tsx'

export const metadata: Metadata = { title: 'Sign up' }

export default function SignUpPage() {
  return (
    <Suspense>
      <SignUpScreen />
    </Suspense>
  )
}
