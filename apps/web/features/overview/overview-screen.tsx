'use client'

import { formatBytes, formatCounted, formatDuration } from '@tributary/ui/lib/format'
import { CalendarDay } from '@tributary/ui/patterns/calendar-day'
import { CopyText } from '@tributary/ui/patterns/copy-text'
import { Meter } from '@tributary/ui/patterns/meter'
import { PageHeader } from '@tributary/ui/patterns/page-header'
import { RelativeTime } from '@tributary/ui/patterns/relative-time'
import { Skeleton, SkeletonLines } from '@tributary/ui/patterns/skeleton'
import { Stat, StatRow } from '@tributary/ui/patterns/stat'
import { Button } from '@tributary/ui/primitives/button'
import { Panel } from '@tributary/ui/primitives/panel'
import { SquareTerminal } from 'lucide-react'
import dynamic from 'next/dynamic'
import Link from 'next/link'
import { useState } from 'react'
import { ProjectOverviewDocument } from '@/gql/graphql.ts'
import { routes } from '@/lib/routes.ts'
import { useGraphql } from '@/lib/use-graphql.ts'
import { LoadFailure } from '@/shell/load-failure.tsx'
import { DemoPanel } from './demo-panel.tsx'
import { BranchesPanel, EndpointsPanel, OperationsPanel, type Project } from './overview-panels.tsx'
import { QuorumPicture } from './quorum-picture.tsx'

const ConnectDialog = dynamic(() => import('@/domain/connect-dialog.tsx').then((module) => module.ConnectDialog), {
  ssr: false,
})

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
