'use client'

import { Callout } from '@tributary/ui/patterns/callout'
import { FormField } from '@tributary/ui/patterns/form-field'
import { toast } from '@tributary/ui/patterns/toast'
import { Button } from '@tributary/ui/primitives/button'
import { Input } from '@tributary/ui/primitives/input'
import { Panel } from '@tributary/ui/primitives/panel'
import { Select } from '@tributary/ui/primitives/select'
import { useState } from 'react'
import { UpdateEndpointDocument } from '@/gql/graphql.ts'
import { useAction } from '@/lib/use-action.ts'
import type { EndpointDetails } from './compute-screen.tsx'
import { suspendChoice, suspendOptions, suspendSeconds } from './suspend-choice.ts'

export function EndpointSettings({ endpoint, canWrite }: { endpoint: EndpointDetails; canWrite: boolean }) {
  const update = useAction(UpdateEndpointDocument, (data) => data.updateEndpoint)
  const [suspend, setSuspend] = useState(suspendChoice(endpoint.suspendAfterSeconds))
  const [connections, setConnections] = useState(String(endpoint.maxConnections))
  const isNumber = /^\d+$/.test(connections) && Number(connections) >= 1 && Number(connections) <= 10_000

  async function submit() {
    if (!isNumber) return
    const done = await update.run({
      id: endpoint.id,
      input: { suspendAfterSeconds: suspendSeconds(suspend), maxConnections: Number(connections) },
    })
    if (done) toast.success('Saved', 'A change of the connection limit counts from the next start.')
  }
  return (
    <Panel title="Settings">
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault()
          void submit()
        }}
      >
        <FormField
          label="Suspend when idle"
          hint="Idle means: no connection does anything. It wakes on connect."
          error={update.fieldError('suspendAfterSeconds')}
        >
          {(control) => (
            <Select
              {...control}
              value={suspend}
              onChange={setSuspend}
              options={suspendOptions}
              isDisabled={!canWrite}
            />
          )}
        </FormField>
        <FormField
          label="Connections at most"
          error={isNumber ? update.fieldError('maxConnections') : 'A whole number from 1 to 10,000.'}
        >
          {(control) => (
            <Input
              {...control}
              inputMode="numeric"
              disabled={!canWrite}
              value={connections}
              onChange={(event) => setConnections(event.target.value)}
            />
          )}
        </FormField>
        {update.formError('suspendAfterSeconds', 'maxConnections') ? (
          <Callout tone="danger">{update.error?.message}</Callout>
        ) : null}
        {canWrite ? (
          <div className="flex justify-end">
            <Button type="submit" variant="primary" isBusy={update.isBusy}>
              Save
            </Button>
          </div>
        ) : null}
      </form>
    </Panel>
  )
}
