'use client'

import { useQueryClient } from '@tanstack/react-query'
import { Button } from '@tributary/ui/primitives/button'
import { Dialog, DialogBody } from '@tributary/ui/primitives/dialog'
import { ServerInfoDocument } from '@/gql/graphql.ts'
import { refreshAll, useGraphql } from '@/lib/use-graphql.ts'
import { sessionState } from './session-state.ts'
import { ownerHint, SignInForm } from './sign-in-form.tsx'

/** Over whatever is open when the login ends; nothing below it is lost. */
export default function SessionExpiredDialog({ email }: { email: string }) {
  const client = useQueryClient()
  const server = useGraphql(ServerInfoDocument, {}, { staleMs: 300_000 }).data?.serverInfo
  const goOn = () => {
    sessionState.renew()
    void refreshAll(client)
  }
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
        <SignInForm email={email} onSignedIn={goOn} />
        {server?.isLocalStack ? (
          <div className="border-line border-t pt-4 text-data text-ink-soft">
            <p>{ownerHint} Open it in another tab, then go on here.</p>
            <Button className="mt-2" size="small" onClick={goOn}>
              I have signed in
            </Button>
          </div>
        ) : null}
      </DialogBody>
    </Dialog>
  )
}
