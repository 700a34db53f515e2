'use client'

import { useQueryClient } from '@tanstack/react-query'
import { Callout } from '@tributary/ui/patterns/callout'
import { PageHeader } from '@tributary/ui/patterns/page-header'
import { Button } from '@tributary/ui/primitives/button'
import { Panel } from '@tributary/ui/primitives/panel'
import { useRouter } from 'next/navigation'
import { useState } from 'react'
import { errorText } from '@/lib/api-errors.ts'
import { auth } from '@/lib/auth.ts'
import { routes } from '@/lib/routes.ts'
import { refreshAll } from '@/lib/use-graphql.ts'
import { useViewer } from '@/shell/session-guard.tsx'

/** Reached by the link of an invitation, after signing in. */
export function InvitationScreen({ id }: { id: string }) {
  const viewer = useViewer()
  const router = useRouter()
  const client = useQueryClient()
  const [isBusy, setIsBusy] = useState(false)
  const [failure, setFailure] = useState<string>()

  async function accept() {
    setIsBusy(true)
    setFailure(undefined)
    try {
      await auth.acceptInvitation(id)
      await refreshAll(client)
      router.replace(routes.home())
    } catch (error) {
      setFailure(errorText(error))
      setIsBusy(false)
    }
  }
  return (
    <div className="mx-auto max-w-xl">
      <PageHeader title="Join an organization" />
      <Panel>
        <p className="mb-4 text-ink-soft">
          You are signed in as <b className="text-ink">{viewer?.user.email}</b>. An invitation counts for the address it
          was made for.
        </p>
        {failure ? (
          <Callout tone="danger" title="The invitation was not accepted" className="mb-4">
            {failure}
          </Callout>
        ) : null}
        <Button variant="primary" isBusy={isBusy} onClick={() => void accept()}>
          Accept the invitation
        </Button>
      </Panel>
    </div>
  )
}
