'use client'

import { useQueryClient } from '@tanstack/react-query'
import { Dialog, DialogBody } from '@tributary/ui/primitives/dialog'
import { refreshAll } from '@/lib/use-graphql.ts'
import { sessionState } from './session-state.ts'
import { SignInForm } from './sign-in-form.tsx'

/** Over whatever is open when the login ends; nothing below it is lost. */
export default function SessionExpiredDialog({ email }: { email: string }) {
  const client = useQueryClient()
  return (
    <Dialog
      isOpen
      onOpenChange={() => undefined}
      isBlocking
      width="narrow"
      title="Your session has ended"
      description="Sign in to go on. What you have open stays as it is."
    >
      <DialogBody>
        <SignInForm
          email={email}
          onSignedIn={() => {
            sessionState.renew()
            void refreshAll(client)
          }}
        />
      </DialogBody>
    </Dialog>
  )
}
