import { Bytes } from '@tributary/ui/patterns/bytes'
import { EmptyState } from '@tributary/ui/patterns/empty-state'
import { RelativeTime } from '@tributary/ui/patterns/relative-time'
import { SkeletonLines } from '@tributary/ui/patterns/skeleton'
import { Button } from '@tributary/ui/primitives/button'
import { Panel } from '@tributary/ui/primitives/panel'
import { GitBranch } from 'lucide-react'
import Link from 'next/link'
import type { ReactNode } from 'react'
import { LiveLsn } from '@/domain/live-lsn.tsx'
import { BranchMarks, EndpointStateBadge, OperationStateBadge } from '@/domain/state-badges.tsx'
import type { ProjectOverviewQuery } from '@/gql/graphql.ts'
import { operationLabel } from '@/lib/operation-label.ts'
import { routes } from '@/lib/routes.ts'

export type Project = NonNullable<ProjectOverviewQuery['project']>

interface OverviewPanelProps {
  projectId: string
  project: Project | undefined
}

export function BranchesPanel({ projectId, project }: OverviewPanelProps) {
  return (
    <ListPanel
      title="Branches"
      meta={project?.branches.totalCount}
      all={{ label: 'All branches', href: routes.projectPage(projectId, 'branches') }}
      isLoading={project === undefined}
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
      ) : null}
    </ListPanel>
  )
}

export function EndpointsPanel({ projectId, project }: OverviewPanelProps) {
  return (
    <ListPanel
      title="Computes"
      meta={project?.endpoints.length}
      all={{ label: 'All computes', href: routes.projectPage(projectId, 'computes') }}
      isLoading={project === undefined}
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
      ) : null}
    </ListPanel>
  )
}

export function OperationsPanel({ projectId, project }: OverviewPanelProps) {
  return (
    <ListPanel
      title="Recent operations"
      all={{ label: 'All operations', href: routes.projectPage(projectId, 'operations') }}
      isLoading={project === undefined}
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
      ) : null}
    </ListPanel>
  )
}

interface ListPanelProps {
  title: string
  meta?: ReactNode
  /** The page that has all of them. */
  all: { label: string; href: string }
  isLoading: boolean
  children: ReactNode
}

function ListPanel({ title, meta, all, isLoading, children }: ListPanelProps) {
  return (
    <Panel
      title={title}
      meta={meta}
      isFlush
      actions={
        <Button asChild size="small" variant="quiet" className="-mr-2.5">
          <Link href={all.href}>{all.label}</Link>
        </Button>
      }
    >
      {isLoading ? (
        <div className="p-4">
          <SkeletonLines count={4} />
        </div>
      ) : (
        children
      )}
    </Panel>
  )
}
