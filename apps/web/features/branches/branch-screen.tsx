'use client'

import { Bytes } from '@tributary/ui/patterns/bytes'
import { Callout } from '@tributary/ui/patterns/callout'
import { CopyText } from '@tributary/ui/patterns/copy-text'
import { DefinitionList } from '@tributary/ui/patterns/definition-list'
import { Lsn } from '@tributary/ui/patterns/lsn'
import { PageHeader } from '@tributary/ui/patterns/page-header'
import { RelativeTime } from '@tributary/ui/patterns/relative-time'
import { Skeleton, SkeletonLines } from '@tributary/ui/patterns/skeleton'
import { Button } from '@tributary/ui/primitives/button'
import { Panel } from '@tributary/ui/primitives/panel'
import { ChevronDown, Undo2 } from 'lucide-react'
import dynamic from 'next/dynamic'
import Link from 'next/link'
import { useSearchParams } from 'next/navigation'
import { ConnectionPanel } from '@/domain/connection-panel.tsx'
import { LiveLsn } from '@/domain/live-lsn.tsx'
import { OperationProgress } from '@/domain/operation-progress.tsx'
import { BranchMarks, BranchStateBadge, EndpointStateBadge } from '@/domain/state-badges.tsx'
import { BranchDocument, type BranchQuery } from '@/gql/graphql.ts'
import { routes } from '@/lib/routes.ts'
import { useGraphql } from '@/lib/use-graphql.ts'
import { LoadFailure, NotAvailable } from '@/shell/load-failure.tsx'
import { SnapshotsPanel } from './snapshots-panel.tsx'

const BranchMenu = dynamic(() => import('./branch-menu.tsx').then((module) => module.BranchMenu), {
  ssr: false,
  loading: () => (
    <Button disabled>
      Actions <ChevronDown />
    </Button>
  ),
})

export type BranchDetails = NonNullable<NonNullable<BranchQuery['project']>['branch']>

export function BranchScreen({ projectId, branchId }: { projectId: string; branchId: string }) {
  const { data, error, refetch } = useGraphql(BranchDocument, { projectId, branchId })
  const operationId = useSearchParams().get('operation')
  const branch = data?.project?.branch
  if (error && !data) return <LoadFailure error={error} what="the branch" onRetry={() => void refetch()} />
  if (data && !branch) {
    return (
      <NotAvailable
        what="this branch"
        back={{ label: 'All branches', href: routes.projectPage(projectId, 'branches') }}
      />
    )
  }
  return (
    <>
      <PageHeader
        title={branch?.name ?? <Skeleton className="h-7 w-40" />}
        meta={branch ? <BranchMarks branch={branch} /> : null}
        actions={
          branch ? (
            <>
              {branch.viewerCanRestore ? (
                <Button asChild>
                  <Link href={routes.projectPage(projectId, 'restore', { branch: branchId })}>
                    <Undo2 /> Restore
                  </Link>
                </Button>
              ) : null}
              <BranchMenu projectId={projectId} branch={branch} />
            </>
          ) : null
        }
      />
      <div className="flex flex-col gap-6">
        {branch?.state === 'FAILED' ? (
          <Callout tone="danger" title="The last operation on this branch failed">
            Its data is as it was before. See the operations for the reason, then try again.
          </Callout>
        ) : null}
        {operationId ? (
          <Panel title="Progress">
            <OperationProgress operationId={operationId} onFinished={() => void refetch()} />
          </Panel>
        ) : null}
        <Panel title="Details">{branch ? <Details projectId={projectId} branch={branch} /> : <SkeletonLines />}</Panel>
        <div className="grid items-start gap-6 lg:grid-cols-2">
          <Panel title="Connection">
            <ConnectionPanel projectId={projectId} branchId={branchId} />
          </Panel>
          <div className="flex min-w-0 flex-col gap-6">
            <EndpointsPanel projectId={projectId} branch={branch ?? undefined} />
            <ChildrenPanel projectId={projectId} branch={branch ?? undefined} />
          </div>
        </div>
        {branch ? (
          <SnapshotsPanel
            projectId={projectId}
            branch={branch}
            snapshots={(data?.project?.snapshots ?? []).filter((snapshot) => snapshot.branch.id === branchId)}
          />
        ) : null}
      </div>
    </>
  )
}

function Details({ projectId, branch }: { projectId: string; branch: BranchDetails }) {
  return (
    <DefinitionList
      items={[
        { term: 'State', value: <BranchStateBadge state={branch.state} /> },
        { term: 'Tip', value: <LiveLsn tip={{ lsn: branch.tip.lsn }} /> },
        { term: 'Last commit', value: <RelativeTime at={branch.tip.commitTime} /> },
        { term: 'Data', value: <Bytes value={branch.logicalSizeBytes} /> },
        { term: 'Id', value: <CopyText text={branch.id} />, isWide: true },
        { term: 'Timeline', value: <CopyText text={branch.timelineId} />, isWide: true },
        {
          term: 'Parent',
          value: branch.parent ? (
            <Link className="hover:text-stream-strong" href={routes.branch(projectId, branch.parent.id)}>
              {branch.parent.name}
            </Link>
          ) : (
            <span className="text-ink-faint">none, the root</span>
          ),
        },
        ...(branch.parent
          ? [
              { term: 'Branched at', value: <Lsn value={branch.parentLsn} /> },
              { term: 'Branched', value: <RelativeTime at={branch.parentTime} /> },
            ]
          : []),
        { term: 'Created', value: <RelativeTime at={branch.createdAt} /> },
        { term: 'By', value: branch.createdBy ?? '–' },
        {
          term: 'Expires',
          value: branch.expiresAt ? (
            <RelativeTime at={branch.expiresAt} />
          ) : (
            <span className="text-ink-faint">never</span>
          ),
        },
        {
          term: 'History from',
          value: branch.restoreWindow.fromTime ? (
            <RelativeTime at={branch.restoreWindow.fromTime} />
          ) : (
            <Lsn value={branch.restoreWindow.fromLsn} />
          ),
        },
      ]}
    />
  )
}

function EndpointsPanel({ projectId, branch }: { projectId: string; branch: BranchDetails | undefined }) {
  return (
    <Panel
      title="Computes"
      meta={branch?.endpoints.length}
      isFlush
      actions={
        <Button asChild size="small" variant="quiet">
          <Link href={routes.projectPage(projectId, 'computes')}>Manage</Link>
        </Button>
      }
    >
      <ul>
        {branch?.endpoints.map((endpoint) => (
          <li
            key={endpoint.id}
            className="flex items-center gap-3 border-line border-b px-4 py-2.5 text-data last:border-b-0"
          >
            <EndpointStateBadge state={endpoint.state} />
            <Link
              href={routes.compute(projectId, endpoint.id)}
              className="min-w-0 flex-1 truncate text-right font-mono hover:text-stream-strong"
            >
              {endpoint.host}
            </Link>
          </li>
        ))}
        {branch?.endpoints.length === 0 ? (
          <li className="px-4 py-5 text-center text-data text-ink-faint">No compute. Analytics work without one.</li>
        ) : null}
        {branch ? null : (
          <li className="p-4">
            <SkeletonLines count={2} />
          </li>
        )}
      </ul>
    </Panel>
  )
}

function ChildrenPanel({ projectId, branch }: { projectId: string; branch: BranchDetails | undefined }) {
  if (!branch || branch.children.length === 0) return null
  return (
    <Panel title="Children" meta={branch.children.length} isFlush>
      <ul>
        {branch.children.map((child) => (
          <li
            key={child.id}
            className="flex items-center gap-3 border-line border-b px-4 py-2.5 text-data last:border-b-0"
          >
            <Link
              href={routes.branch(projectId, child.id)}
              className="min-w-0 flex-1 truncate font-medium hover:text-stream-strong"
            >
              {child.name}
            </Link>
            <span className="text-ink-faint">at</span>
            <Lsn value={child.parentLsn} align="end" />
          </li>
        ))}
      </ul>
    </Panel>
  )
}
