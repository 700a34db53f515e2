'use client'

import { formatDuration } from '@tributary/ui/lib/format'
import { type Column, DataTable } from '@tributary/ui/patterns/data-table'
import { EmptyState } from '@tributary/ui/patterns/empty-state'
import { PageHeader } from '@tributary/ui/patterns/page-header'
import { RelativeTime } from '@tributary/ui/patterns/relative-time'
import { Button } from '@tributary/ui/primitives/button'
import { Panel } from '@tributary/ui/primitives/panel'
import { Plus } from 'lucide-react'
import dynamic from 'next/dynamic'
import Link from 'next/link'
import { useRouter } from 'next/navigation'
import { useState } from 'react'
import { EndpointStateBadge } from '@/domain/state-badges.tsx'
import { WakeLedger } from '@/domain/wake-ledger.tsx'
import { type EndpointSummaryFragment, ProjectComputesDocument } from '@/gql/graphql.ts'
import { routes } from '@/lib/routes.ts'
import { useGraphql } from '@/lib/use-graphql.ts'
import { LoadFailure } from '@/shell/load-failure.tsx'
import { useProjectNav } from '@/shell/place.ts'
import { viewOnlyReason } from '@/shell/view-only-badge.tsx'
import { EndpointButtons } from './endpoint-buttons.tsx'

const CreateEndpointDialog = dynamic(
  () => import('./create-endpoint-dialog.tsx').then((module) => module.CreateEndpointDialog),
  { ssr: false },
)

export function ComputesScreen({ projectId }: { projectId: string }) {
  const { data, error, refetch } = useGraphql(ProjectComputesDocument, { id: projectId })
  const project = useProjectNav()
  const router = useRouter()
  const [isCreating, setIsCreating] = useState(false)
  const canWrite = data?.project?.viewerCanWrite ?? false
  const refusal = data?.project && !canWrite ? viewOnlyReason : undefined
  const create = (
    <Button variant="primary" disabled={!canWrite} title={refusal} onClick={() => setIsCreating(true)} data-create>
      <Plus /> New compute
    </Button>
  )
  const columns: Column<EndpointSummaryFragment>[] = [
    {
      key: 'host',
      header: 'Endpoint',
      cell: (row) => (
        <span className="block min-w-0 max-sm:max-w-52">
          <Link href={routes.compute(projectId, row.id)} className="block truncate font-mono hover:text-stream-strong">
            {row.host}
          </Link>
          <span className="block truncate text-ink-faint text-label">
            {row.branch.name} · {row.type === 'READ_WRITE' ? 'read-write' : 'read-only'} · {row.size}
          </span>
        </span>
      ),
    },
    {
      key: 'state',
      header: 'State',
      cell: (row) => (
        <span className="flex flex-col">
          <EndpointStateBadge state={row.state} />
          {row.lastError ? <span className="max-w-56 truncate text-danger text-label">{row.lastError}</span> : null}
        </span>
      ),
    },
    {
      key: 'term',
      header: 'Term',
      align: 'end',
      hideBelow: 'md',
      cell: (row) => <span className="tabular">{row.compute?.term ?? '–'}</span>,
    },
    {
      key: 'connections',
      header: 'Connections',
      align: 'end',
      hideBelow: 'md',
      cell: (row) => (
        <span className="tabular">
          {row.connections ?? 0} <span className="text-ink-faint">of {row.maxConnections}</span>
        </span>
      ),
    },
    {
      key: 'suspend',
      header: 'Suspends',
      hideBelow: 'lg',
      cell: (row) => (
        <span className="text-ink-soft">
          {row.suspendAfterSeconds === null ? 'never' : `after ${formatDuration(row.suspendAfterSeconds * 1000)}`}
        </span>
      ),
    },
    {
      key: 'active',
      header: 'Last active',
      hideBelow: 'lg',
      cell: (row) => <RelativeTime at={row.lastActiveAt} />,
    },
    {
      key: 'actions',
      header: <span className="sr-only">Actions</span>,
      align: 'end',
      hideBelow: 'sm',
      cell: (row) => <EndpointButtons endpoint={row} projectId={projectId} size="small" refusal={refusal} />,
    },
  ]
  return (
    <>
      <PageHeader
        title="Computes"
        description="Postgres processes without durable state. They suspend when idle, wake on connect, and can be replaced at any moment."
        actions={create}
      />
      <div className="flex flex-col gap-6">
        <Panel isFlush>
          <DataTable
            label="Computes"
            columns={columns}
            rows={data?.project?.endpoints}
            rowKey={(row) => row.id}
            skeletonRows={2}
            error={
              error && !data ? (
                <LoadFailure error={error} what="the computes" onRetry={() => void refetch()} />
              ) : undefined
            }
            empty={
              <EmptyState title="No computes" action={create}>
                Analytics and the tables browser work without one. Postgres clients need one to connect to.
              </EmptyState>
            }
          />
        </Panel>
        <WakeLedger
          projectId={projectId}
          records={data?.project?.wakeLedger}
          endpoints={data?.project?.endpoints ?? []}
        />
      </div>
      {project ? (
        <CreateEndpointDialog
          isOpen={isCreating}
          onOpenChange={setIsCreating}
          project={project}
          onCreated={(id) => router.push(routes.compute(projectId, id))}
        />
      ) : null}
    </>
  )
}
