'use client'

import { useQueryClient } from '@tanstack/react-query'
import { Callout } from '@tributary/ui/patterns/callout'
import { FormField } from '@tributary/ui/patterns/form-field'
import { Button } from '@tributary/ui/primitives/button'
import { Input } from '@tributary/ui/primitives/input'
import Link from 'next/link'
import { useRouter, useSearchParams } from 'next/navigation'
import { useState } from 'react'
import { errorText } from '@/lib/api-errors.ts'
import { auth } from '@/lib/auth.ts'
import { routes, safeNext } from '@/lib/routes.ts'
import { validateEmail, validateName, validatePassword } from '@/lib/validate.ts'
import { sessionState } from '@/shell/session-state.ts'
import { AuthFrame } from './auth-frame.tsx'

const empty = { name: '', email: '', password: '' }

export function SignUpScreen() {
  const router = useRouter()
  const client = useQueryClient()
  const next = safeNext(useSearchParams().get('next'))
  const [values, setValues] = useState(empty)
  const [wasSubmitted, setWasSubmitted] = useState(false)
  const [isBusy, setIsBusy] = useState(false)
  const [failure, setFailure] = useState<string>()
  const problems = {
    name: validateName(values.name, 'account'),
    email: validateEmail(values.email),
    password: validatePassword(values.password),
  }
  const set = (field: keyof typeof empty) => (event: { target: { value: string } }) =>
    setValues({ ...values, [field]: event.target.value })

  async function submit() {
    setWasSubmitted(true)
    if (Object.values(problems).some(Boolean)) return
    setIsBusy(true)
    setFailure(undefined)
    try {
      await auth.signUp({ name: values.name.trim(), email: values.email.trim(), password: values.password })
      client.clear()
      sessionState.renew()
      router.replace(next)
    } catch (error) {
      setFailure(errorText(error))
      setIsBusy(false)
    }
  }

  return (
    <AuthFrame
      title="Create an account"
      footer={
        <>
          Have one already?{' '}
          <Link
            className="font-medium text-stream-strong underline-offset-4 hover:underline"
            href={routes.signIn(next)}
          >
            Sign in
          </Link>
        </>
      }
    >
      <form
        noValidate
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault()
          void submit()
        }}
      >
        <FormField label="Name" error={wasSubmitted ? problems.name : undefined}>
          {(control) => (
            <Input {...control} name="name" autoComplete="name" value={values.name} onChange={set('name')} />
          )}
        </FormField>
        <FormField label="Email" error={wasSubmitted ? problems.email : undefined}>
          {(control) => (
            <Input
              {...control}
              type="email"
              name="email"
              autoComplete="username"
              value={values.email}
              onChange={set('email')}
            />
          )}
        </FormField>
        <FormField label="Password" error={wasSubmitted ? problems.password : undefined} hint="At least 8 characters.">
          {(control) => (
            <Input
              {...control}
              type="password"
              name="password"
              autoComplete="new-password"
              value={values.password}
              onChange={set('password')}
            />
          )}
        </FormField>
        {failure ? <Callout tone="danger">{failure}</Callout> : null}
        <Button type="submit" variant="primary" size="large" isBusy={isBusy}>
          Create account
        </Button>
      </form>
    </AuthFrame>
  )
}
