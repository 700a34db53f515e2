'use client'

import { Callout } from '@tributary/ui/patterns/callout'
import { FormField } from '@tributary/ui/patterns/form-field'
import { Button } from '@tributary/ui/primitives/button'
import { Input } from '@tributary/ui/primitives/input'
import { useState } from 'react'
import { errorText } from '@/lib/api-errors.ts'
import { auth } from '@/lib/auth.ts'
import { validateEmail } from '@/lib/validate.ts'

/** The owner of a local stack has no password that anybody knows. */
export const ownerHint =
  'The owner of this machine signs in by the link that the start of Tributary printed. It is good once; each start prints a new one.'

export function SignInForm({ onSignedIn, email: initialEmail = '' }: { onSignedIn(): void; email?: string }) {
  const [email, setEmail] = useState(initialEmail)
  const [password, setPassword] = useState('')
  const [isBusy, setIsBusy] = useState(false)
  const [error, setError] = useState<string>()
  const [wasSubmitted, setWasSubmitted] = useState(false)
  const emailError = wasSubmitted ? validateEmail(email) : undefined
  const passwordError = wasSubmitted && password === '' ? 'Enter your password.' : undefined

  async function submit() {
    setWasSubmitted(true)
    if (validateEmail(email) || password === '') return
    setIsBusy(true)
    setError(undefined)
    try {
      await auth.signIn({ email: email.trim(), password })
      onSignedIn()
    } catch (failure) {
      setError(errorText(failure))
      setIsBusy(false)
    }
  }

  return (
    <form
      noValidate
      className="flex flex-col gap-4"
      onSubmit={(event) => {
        event.preventDefault()
        void submit()
      }}
    >
      <FormField label="Email" error={emailError}>
        {(control) => (
          <Input
            {...control}
            type="email"
            name="email"
            autoComplete="username"
            value={email}
            onChange={(event) => setEmail(event.target.value)}
          />
        )}
      </FormField>
      <FormField label="Password" error={passwordError}>
        {(control) => (
          <Input
            {...control}
            type="password"
            name="password"
            autoComplete="current-password"
            value={password}
            onChange={(event) => setPassword(event.target.value)}
          />
        )}
      </FormField>
      {error ? <Callout tone="danger">{error}</Callout> : null}
      <Button type="submit" variant="primary" size="large" isBusy={isBusy}>
        Sign in
      </Button>
    </form>
  )
}
