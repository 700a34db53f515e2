'use client'

import { formatBytes, formatCounted, formatDuration } from '@tributary/ui/lib/format'
import { Bytes } from '@tributary/ui/patterns/bytes'
import { CalendarDay } from '@tributary/ui/patterns/calendar-day'
import { CopyText } from '@tributary/ui/patterns/copy-text'
import { EmptyState } from '@tributary/ui/patterns/empty-state'
import { Meter } from '@tributary/ui/patterns/meter'
import { PageHeader } from '@tributary/ui/patterns/page-header'
import { RelativeTime } from '@tributary/ui/patterns/relative-time'
import { Skeleton, SkeletonLines } from '@tributary/ui/patterns/skeleton'
import { Stat, StatRow } from '@tributary/ui/patterns/stat'
import { Button } from '@tributary/ui/primitives/button'
import { Panel } from '@tributary/ui/primitives/panel'
import { GitBranch, SquareTerminal } from 'lucide-react'
import dynamic from 'next/dynamic'
import Link from 'next/link'
import { useState } from 'react'
import { LiveLsn } from '@/domain/live-lsn.tsx'
import { BranchMarks, EndpointStateBadge, OperationStateBadge } from '@/domain/state-badges.tsx'
import { ProjectOverviewDocument, type ProjectOverviewQuery } from '@/gql/graphql.ts'
import { operationLabel } from '@/lib/operation-label.ts'
import { routes } from '@/lib/routes.ts'
import { useGraphql } from '@/lib/use-graphql.ts'
import { LoadFailure } from '@/shell/load-failure.tsx'
import { DemoPanel } from './demo-panel.tsx'
import { QuorumPicture } from './quorum-picture.tsx'

const ConnectDialog = dynamic(() => import('@/domain/connect-dialog.tsx').then((module) => module.ConnectDialog), {
  ssr: false,
})

type Project = NonNullable<ProjectOverviewQuery['project']>

export function OverviewScreen({ projectId }: { projectId: string }) {
  const { data, error, refetch } = useGraphql(ProjectOverviewDocument, { id: projectId }, { refetchEveryMs: 30_000 })
  const [isConnecting, setIsConnecting] = useState(false)
  const project = data?.project ?? undefined
  if (error && !data) return <LoadFailure error={error} what="the project" onRetry={() => void refetch()} />
  return (
    <>
      <PageHeader
        title={project?.name ?? <Skeleton className="h-7 w-44" />}
        meta={<CopyText text={projectId} className="text-ink-faint" />}
        actions={
          <>
            <Button asChild>
              <Link href={routes.projectPage(projectId, 'sql')}>
                <SquareTerminal /> SQL editor
              </Link>
            </Button>
            <Button variant="primary" disabled={!project} onClick={() => setIsConnecting(true)}>
              Connect
            </Button>
          </>
        }
      />
      <div className="flex flex-col gap-6">
        <OverviewStats project={project} />
        <div className="grid items-start gap-6 lg:grid-cols-[3fr_2fr]">
          <div className="flex min-w-0 flex-col gap-6">
            <DemoPanel projectId={projectId} canWrite={project?.viewerCanWrite ?? false} />
            <BranchesPanel projectId={projectId} project={project} />
            <EndpointsPanel projectId={projectId} project={project} />
          </div>
          <div className="flex min-w-0 flex-col gap-6">
            <Panel title="Durability">
              <QuorumPicture />
            </Panel>
            <Panel title="Limits">{project ? <Limits project={project} /> : <SkeletonLines count={4} />}</Panel>
            <OperationsPanel projectId={projectId} project={project} />
          </div>
        </div>
      </div>
      {project ? (
        <ConnectDialog
          isOpen={isConnecting}
          onOpenChange={setIsConnecting}
          projectId={projectId}
          branch={project.defaultBranch}
        />
      ) : null}
    </>
  )
}

function OverviewStats({ project }: { project: Project | undefined }) {
  const waiting = <Skeleton className="mt-1 w-24" />
  return (
    <StatRow>
      <Stat
        label={`Tip of ${project?.defaultBranch.name ?? 'the default branch'}`}
        value={
          project ? (
            <span className="font-mono text-lead" key={project.defaultBranch.tip.lsn}>
              {project.defaultBranch.tip.lsn}
            </span>
          ) : (
            waiting
          )
        }
        note={
          project ? (
            <>
              last commit <RelativeTime at={project.defaultBranch.tip.commitTime} />
            </>
          ) : null
        }
      />
      <Stat
        label="Data"
        value={project ? formatBytes(project.storage.logicalSizeBytes) : waiting}
        note={project ? <>{formatBytes(project.storage.objectSizeBytes)} in object storage</> : null}
      />
      <Stat
        label="Compute time"
        value={project ? formatDuration(project.usage.computeSeconds * 1000) : waiting}
        note={
          project ? (
            <>
              since <CalendarDay at={project.usage.from} />
            </>
          ) : null
        }
      />
      <Stat
        label="History"
        value={project ? formatDuration(project.pitrWindowSeconds * 1000) : waiting}
        note={project ? formatCounted(project.snapshots.length, 'snapshot') : null}
      />
    </StatRow>
  )
}

function BranchesPanel({ projectId, project }: { projectId: string; project: Project | undefined }) {
  return (
    <Panel
      title="Branches"
      meta={project?.branches.totalCount}
      isFlush
      actions={
        <Button asChild size="small" variant="quiet" className="-mr-2.5">
          <Link href={routes.projectPage(projectId, 'branches')}>All branches</Link>
        </Button>
      }
    >
      {project ? (
        <ul>
          {project.branches.nodes.map((branch) => (
            <li
              key={branch.id}
              className="flex flex-wrap items-center gap-x-3 gap-y-1 border-line border-b px-4 py-2.5 last:border-b-0"
            >
              <GitBranch className="size-4 text-ink-faint" aria-hidden="true" />
              <Link
                href={routes.branch(projectId, branch.id)}
                className="min-w-0 truncate font-medium text-data hover:text-stream-strong"
              >
                {branch.name}
              </Link>
              <BranchMarks branch={branch} />
              <span className="flex-1" />
              <LiveLsn tip={branch.tip} align="end" />
              <span className="w-18 text-right text-data text-ink-faint max-sm:hidden">
                <Bytes value={branch.logicalSizeBytes} />
              </span>
            </li>
          ))}
        </ul>
      ) : (
        <div className="p-4">
          <SkeletonLines count={4} />
        </div>
      )}
    </Panel>
  )
}

function EndpointsPanel({ projectId, project }: { projectId: string; project: Project | undefined }) {
  return (
    <Panel
      title="Computes"
      meta={project?.endpoints.length}
      isFlush
      actions={
        <Button asChild size="small" variant="quiet" className="-mr-2.5">
          <Link href={routes.projectPage(projectId, 'computes')}>All computes</Link>
        </Button>
      }
    >
      {project ? (
        project.endpoints.length === 0 ? (
          <EmptyState title="No computes">
            Branches can be read by analytics without one; Postgres clients need one.
          </EmptyState>
        ) : (
          <ul>
            {project.endpoints.map((endpoint) => (
              <li
                key={endpoint.id}
                className="flex flex-wrap items-center gap-x-3 gap-y-1 border-line border-b px-4 py-2.5 text-data last:border-b-0"
              >
                <span className="w-24">
                  <EndpointStateBadge state={endpoint.state} />
                </span>
                <Link
                  href={routes.compute(projectId, endpoint.id)}
                  className="min-w-0 flex-1 truncate font-mono hover:text-stream-strong"
                >
                  {endpoint.host}
                </Link>
                <span className="text-ink-faint">{endpoint.branch.name}</span>
                <span className="text-ink-faint max-sm:hidden">
                  {endpoint.type === 'READ_WRITE' ? 'read-write' : 'read-only'}
                </span>
              </li>
            ))}
          </ul>
        )
      ) : (
        <div className="p-4">
          <SkeletonLines count={2} />
        </div>
      )}
    </Panel>
  )
}

function Limits({ project }: { project: Project }) {
  const { usage, quotas } = project
  const row = (label: string, used: number, limit: number | null, format: (value: number) => string) => (
    <Meter
      label={label}
      value={used}
      max={limit ?? undefined}
      valueText={limit === null ? format(used) : `${format(used)} of ${format(limit)}`}
    />
  )
  const bytes = (text: string | null) => (text === null ? null : Number(text))
  return (
    <div className="flex flex-col gap-3">
      {row('Storage', Number(usage.storageBytes), bytes(quotas.storageBytes), formatBytes)}
      {row('Compute time', usage.computeSeconds, quotas.computeSeconds, (seconds) => formatDuration(seconds * 1000))}
      {row('Written', Number(usage.writtenBytes), bytes(quotas.writtenBytes), formatBytes)}
      {row('Branches', usage.branches, quotas.branches, String)}
    </div>
  )
}

function OperationsPanel({ projectId, project }: { projectId: string; project: Project | undefined }) {
  return (
    <Panel
      title="Recent operations"
      isFlush
      actions={
        <Button asChild size="small" variant="quiet" className="-mr-2.5">
          <Link href={routes.projectPage(projectId, 'operations')}>All operations</Link>
        </Button>
      }
    >
      {project ? (
        <ul>
          {project.operations.nodes.map((operation) => (
            <li key={operation.id} className="border-line border-b last:border-b-0">
              <Link
                href={routes.operation(projectId, operation.id)}
                className="flex items-center gap-3 px-4 py-2.5 text-data outline-offset-[-2px] hover:bg-hover/50"
              >
                <span className="min-w-0 flex-1 truncate">
                  {operationLabel(operation.kind)}
                  {operation.branch ? <span className="text-ink-faint"> · {operation.branch.name}</span> : null}
                </span>
                <OperationStateBadge state={operation.state} />
                <span className="w-21 text-right text-ink-faint">
                  <RelativeTime at={operation.createdAt} />
                </span>
              </Link>
            </li>
          ))}
          {project.operations.nodes.length === 0 ? (
            <li className="px-4 py-6 text-center text-data text-ink-faint">Nothing has been done yet</li>
          ) : null}
        </ul>
      ) : (
        <div className="p-4">
          <SkeletonLines count={4} />
        </div>
      )}
    </Panel>
  )
}
