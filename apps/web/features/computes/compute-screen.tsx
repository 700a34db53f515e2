'use client'

import { formatDuration } from '@tributary/ui/lib/format'
import { Callout } from '@tributary/ui/patterns/callout'
import { CopyText } from '@tributary/ui/patterns/copy-text'
import { DefinitionList } from '@tributary/ui/patterns/definition-list'
import { Lsn } from '@tributary/ui/patterns/lsn'
import { PageHeader } from '@tributary/ui/patterns/page-header'
import { PhaseBar } from '@tributary/ui/patterns/phase-bar'
import { RelativeTime } from '@tributary/ui/patterns/relative-time'
import { Skeleton, SkeletonLines } from '@tributary/ui/patterns/skeleton'
import { Button } from '@tributary/ui/primitives/button'
import { Panel } from '@tributary/ui/primitives/panel'
import Link from 'next/link'
import { useRouter, useSearchParams } from 'next/navigation'
import { useState } from 'react'
import { ConfirmDialog } from '@/domain/confirm-dialog.tsx'
import { OperationProgress } from '@/domain/operation-progress.tsx'
import { EndpointStateBadge } from '@/domain/state-badges.tsx'
import { WakeLedger } from '@/domain/wake-ledger.tsx'
import { DeleteEndpointDocument, ProjectEndpointDocument, type ProjectEndpointQuery } from '@/gql/graphql.ts'
import { operationLabel } from '@/lib/operation-label.ts'
import { routes } from '@/lib/routes.ts'
import { useAction } from '@/lib/use-action.ts'
import { useGraphql } from '@/lib/use-graphql.ts'
import { LoadFailure, NotAvailable } from '@/shell/load-failure.tsx'
import { viewOnlyReason } from '@/shell/view-only-badge.tsx'
import { EndpointButtons } from './endpoint-buttons.tsx'
import { EndpointSettings } from './endpoint-settings.tsx'
import { FailoversPanel } from './failovers-panel.tsx'
import { restOfStart, startPhases, wholeStart } from './start-phases.ts'

export type EndpointDetails = NonNullable<ProjectEndpointQuery['project']>['endpoints'][number]

export function ComputeScreen({ projectId, endpointId }: { projectId: string; endpointId: string }) {
  const { data, error, refetch } = useGraphql(ProjectEndpointDocument, { id: projectId })
  const router = useRouter()
  const linkedOperation = useSearchParams().get('operation')
  const [operationId, setOperationId] = useState(linkedOperation)
  const endpoint = data?.project?.endpoints.find((each) => each.id === endpointId)
  const back = routes.projectPage(projectId, 'computes')
  if (error && !data) return <LoadFailure error={error} what="the compute" onRetry={() => void refetch()} />
  if (data && !endpoint) return <NotAvailable what="this compute" back={{ label: 'All computes', href: back }} />
  const canWrite = data?.project?.viewerCanWrite ?? false
  return (
    <>
      <PageHeader
        title={endpoint ? `Compute of ${endpoint.branch.name}` : <Skeleton className="h-7 w-56" />}
        meta={endpoint ? <EndpointStateBadge state={endpoint.state} /> : null}
        description={endpoint ? <CopyText text={endpoint.host} /> : null}
        actions={
          endpoint ? (
            <EndpointButtons
              endpoint={endpoint}
              projectId={projectId}
              refusal={canWrite ? undefined : viewOnlyReason}
              onStarted={(_, started) => setOperationId(started)}
            />
          ) : null
        }
      />
      <div className="flex flex-col gap-6">
        {endpoint?.state === 'FAILED' ? (
          <Callout tone="danger" title="The compute failed">
            {endpoint.lastError ?? 'No reason was recorded.'} Committed data is safe on the SafeKeepers; start it again.
          </Callout>
        ) : null}
        {operationId ? (
          <Panel title="Progress">
            <OperationProgress key={operationId} operationId={operationId} onFinished={() => void refetch()} />
          </Panel>
        ) : null}
        <Panel title="Now">
          {endpoint ? <Details projectId={projectId} endpoint={endpoint} /> : <SkeletonLines />}
        </Panel>
        {endpoint ? <FailoversPanel reports={endpoint.failovers} /> : null}
        <div className="grid items-start gap-6 lg:grid-cols-2">
          <Panel title="Starts" isFlush>
            {endpoint ? <Starts endpoint={endpoint} /> : null}
          </Panel>
          {endpoint ? (
            <EndpointSettings key={endpoint.id} endpoint={endpoint} canWrite={canWrite} />
          ) : (
            <Panel title="Settings">
              <SkeletonLines />
            </Panel>
          )}
        </div>
        <WakeLedger
          projectId={projectId}
          records={data?.project?.wakeLedger.filter((record) => record.endpointId === endpointId)}
          endpoints={data?.project?.endpoints ?? []}
        />
        {endpoint && canWrite ? <DeleteEndpoint endpoint={endpoint} onDeleted={() => router.push(back)} /> : null}
      </div>
    </>
  )
}

function Details({ projectId, endpoint }: { projectId: string; endpoint: EndpointDetails }) {
  const compute = endpoint.compute
  return (
    <div className="flex flex-col gap-5">
      <DefinitionList
        items={[
          {
            term: 'Branch',
            value: (
              <Link className="hover:text-stream-strong" href={routes.branch(projectId, endpoint.branch.id)}>
                {endpoint.branch.name}
              </Link>
            ),
          },
          { term: 'Kind', value: endpoint.type === 'READ_WRITE' ? 'read-write' : 'read-only' },
          { term: 'Term', value: <span className="tabular">{compute?.term ?? '–'}</span> },
          { term: 'Started at LSN', value: <Lsn value={compute?.startLsn ?? endpoint.atLsn} /> },
          { term: 'Connections', value: `${endpoint.connections ?? 0} of ${endpoint.maxConnections}` },
          { term: 'Size', value: endpoint.size },
          { term: 'Running since', value: <RelativeTime at={compute?.readyAt ?? endpoint.startedAt} /> },
          { term: 'Last active', value: <RelativeTime at={endpoint.lastActiveAt} /> },
          {
            term: 'Kept awake by',
            value: endpoint.keepsAwake ?? <span className="text-ink-faint">nothing</span>,
            isWide: true,
          },
        ]}
      />
      {compute && compute.phases.length > 0 ? (
        <div>
          <p className="mb-2 text-ink-faint text-label">Last start</p>
          <PhaseBar
            label="Phases of the last start"
            whole={wholeStart}
            rest={restOfStart}
            phases={startPhases(compute.phases)}
          />
        </div>
      ) : null}
    </div>
  )
}

function Starts({ endpoint }: { endpoint: EndpointDetails }) {
  if (endpoint.starts.length === 0) return <p className="p-4 text-center text-data text-ink-faint">Not started yet</p>
  return (
    <ul>
      {endpoint.starts.map((start) => (
        <li key={start.at} className="border-line border-b px-4 py-3 last:border-b-0">
          <div className="mb-2 flex justify-between gap-3 text-data">
            <span>{operationLabel(start.cause)}</span>
            <span className="text-ink-faint">
              <RelativeTime at={start.at} /> · <span className="tabular text-ink">{formatDuration(start.totalMs)}</span>
            </span>
          </div>
          <PhaseBar label="Phases" whole={wholeStart} rest={restOfStart} phases={startPhases(start.phases)} isFolded />
        </li>
      ))}
    </ul>
  )
}

function DeleteEndpoint({ endpoint, onDeleted }: { endpoint: EndpointDetails; onDeleted(): void }) {
  const [isAsking, setIsAsking] = useState(false)
  const remove = useAction(DeleteEndpointDocument, (data) => data.deleteEndpoint)
  return (
    <Panel title="Delete" description="The branch and its data stay; the address stops answering.">
      <Button variant="danger" onClick={() => setIsAsking(true)}>
        Delete compute
      </Button>
      <ConfirmDialog
        isOpen={isAsking}
        onOpenChange={setIsAsking}
        title="Delete compute"
        action="Delete compute"
        confirmName={endpoint.host}
        isBusy={remove.isBusy}
        error={remove.error?.message}
        onConfirm={async () => {
          if (await remove.run({ id: endpoint.id })) onDeleted()
        }}
      >
        <p>
          Connection strings with <code>{endpoint.host}</code> stop working for good, and {endpoint.connections ?? 0}{' '}
          open connections are cut. No data is deleted.
        </p>
      </ConfirmDialog>
    </Panel>
  )
}
