'use client'

import { Button } from '@tributary/ui/primitives/button'
import { Pause, Play, RotateCw, Shuffle } from 'lucide-react'
import { useRouter } from 'next/navigation'
import { useState } from 'react'
import { ConfirmDialog } from '@/domain/confirm-dialog.tsx'
import { type EndpointAction, endpointActions } from '@/domain/states.ts'
import {
  type EndpointSummaryFragment,
  FailoverEndpointDocument,
  RestartEndpointDocument,
  StartEndpointDocument,
  SuspendEndpointDocument,
} from '@/gql/graphql.ts'
import { routes } from '@/lib/routes.ts'
import { useAction } from '@/lib/use-action.ts'

export interface EndpointButtonsProps {
  endpoint: EndpointSummaryFragment
  projectId: string
  size?: 'small' | 'medium'
  /** Why the reader may not use them. */
  refusal?: string | undefined
  /** Called with the operation that carries the action out. */
  onStarted?(action: EndpointAction, operationId: string): void
}

const failureTitle = 'The compute refused'

export function EndpointButtons({ endpoint, projectId, size = 'medium', refusal, onStarted }: EndpointButtonsProps) {
  const router = useRouter()
  const [asking, setAsking] = useState<'suspend' | 'restart' | 'failover'>()
  const actions = {
    start: useAction(StartEndpointDocument, (data) => data.result, { failureTitle }),
    suspend: useAction(SuspendEndpointDocument, (data) => data.result, { failureTitle }),
    restart: useAction(RestartEndpointDocument, (data) => data.result, { failureTitle }),
    failover: useAction(FailoverEndpointDocument, (data) => data.result, { failureTitle }),
  }
  const possible = endpointActions(endpoint.state, endpoint.type === 'READ_WRITE')
  const has = (action: EndpointAction) => possible.includes(action)

  async function run(action: EndpointAction) {
    const payload = await actions[action].run({ id: endpoint.id })
    setAsking(undefined)
    const operation = payload?.operations[0]
    if (!operation) return
    if (onStarted) onStarted(action, operation.id)
    else if (action === 'failover') {
      router.push(`${routes.compute(projectId, endpoint.id)}?operation=${encodeURIComponent(operation.id)}`)
    }
  }
  const connections = endpoint.connections ?? 0
  const cut = connections === 0 ? 'Nobody is connected now.' : `${connections} open connections are cut.`

  const refused = refusal === undefined ? {} : { disabled: true, title: refusal }
  return (
    <span className="inline-flex flex-wrap justify-end gap-2">
      {has('start') ? (
        <Button {...refused} size={size} isBusy={actions.start.isBusy} onClick={() => void run('start')}>
          <Play /> Start
        </Button>
      ) : null}
      {has('suspend') ? (
        <Button
          {...refused}
          size={size}
          isBusy={actions.suspend.isBusy}
          onClick={() => (connections > 0 ? setAsking('suspend') : void run('suspend'))}
        >
          <Pause /> Suspend
        </Button>
      ) : null}
      {has('restart') && size === 'medium' ? (
        <Button {...refused} size={size} onClick={() => setAsking('restart')}>
          <RotateCw /> Restart
        </Button>
      ) : null}
      {has('failover') ? (
        <Button {...refused} size={size} onClick={() => setAsking('failover')}>
          <Shuffle /> Fail over
        </Button>
      ) : null}
      <ConfirmDialog
        isOpen={asking === 'suspend'}
        onOpenChange={(isOpen) => !isOpen && setAsking(undefined)}
        title="Suspend compute"
        action="Suspend"
        isDanger={false}
        isBusy={actions.suspend.isBusy}
        onConfirm={() => void run('suspend')}
      >
        <p>{cut} The next connection wakes it again.</p>
      </ConfirmDialog>
      <ConfirmDialog
        isOpen={asking === 'restart'}
        onOpenChange={(isOpen) => !isOpen && setAsking(undefined)}
        title="Restart compute"
        action="Restart"
        isDanger={false}
        isBusy={actions.restart.isBusy}
        onConfirm={() => void run('restart')}
      >
        <p>{cut} A new Postgres starts at the end of the log, with a new term and empty caches.</p>
      </ConfirmDialog>
      <ConfirmDialog
        isOpen={asking === 'failover'}
        onOpenChange={(isOpen) => !isOpen && setAsking(undefined)}
        title="Fail over"
        action="Fail over"
        confirmName={endpoint.branch.name}
        isBusy={actions.failover.isBusy}
        onConfirm={() => void run('failover')}
      >
        <p>
          A new compute takes over while the old one still runs, as if it had been lost. {cut} What was acknowledged is
          kept: the SafeKeepers accept nothing from the old one once the new term is elected.
        </p>
        <p>The report says how long each step took and how many acknowledged transactions were missing.</p>
      </ConfirmDialog>
    </span>
  )
}
