'use client'

import { formatDuration } from '@tributary/ui/lib/format'
import { Bytes } from '@tributary/ui/patterns/bytes'
import { type Column, DataTable } from '@tributary/ui/patterns/data-table'
import { EmptyState } from '@tributary/ui/patterns/empty-state'
import { PageHeader } from '@tributary/ui/patterns/page-header'
import { RelativeTime } from '@tributary/ui/patterns/relative-time'
import { SearchField } from '@tributary/ui/patterns/search-field'
import { StatusBadge } from '@tributary/ui/patterns/status-badge'
import { Button } from '@tributary/ui/primitives/button'
import { Panel } from '@tributary/ui/primitives/panel'
import { Plus } from 'lucide-react'
import Link from 'next/link'
import { useDeferredValue, useState } from 'react'
import { OrganizationProjectsDocument, type OrganizationProjectsQuery } from '@/gql/graphql.ts'
import { routes } from '@/lib/routes.ts'
import { useGraphqlPages } from '@/lib/use-graphql.ts'
import { LoadFailure } from '@/shell/load-failure.tsx'
import { useViewer } from '@/shell/session-guard.tsx'

type ProjectRow = NonNullable<OrganizationProjectsQuery['organization']>['projects']['nodes'][number]

export function ProjectsScreen({ slug }: { slug: string }) {
  const [search, setSearch] = useState('')
  const term = useDeferredValue(search.trim())
  const viewer = useViewer()
  const organization = viewer?.organizations.find((each) => each.slug === slug)
  const projects = useGraphqlPages(
    OrganizationProjectsDocument,
    { slug, first: 50, search: term || null },
    (data) => data.organization?.projects,
  )
  const isEmptyOrganization = projects.nodes?.length === 0 && term === ''
  const create =
    organization === undefined ? null : organization.viewerCanCreateProject ? (
      <Button asChild variant="primary" data-create>
        <Link href={routes.newProject(slug)}>
          <Plus /> New project
        </Link>
      </Button>
    ) : (
      <Button
        variant="primary"
        disabled
        title="Your role may look at projects. Owners, admins and members of this organization create them."
      >
        <Plus /> New project
      </Button>
    )

  return (
    <>
      <PageHeader title="Projects" actions={isEmptyOrganization ? null : create} />
      {isEmptyOrganization ? null : (
        <SearchField className="mb-4 w-full sm:w-72" label="Search projects" value={search} onChange={setSearch} />
      )}
      <Panel isFlush>
        <DataTable
          label="Projects"
          columns={columns}
          rows={projects.nodes}
          rowKey={(row) => row.id}
          hasMore={projects.hasMore}
          isLoadingMore={projects.isLoadingMore}
          onLoadMore={projects.loadMore}
          error={
            projects.error && !projects.nodes ? (
              <LoadFailure error={projects.error} what="the projects" onRetry={projects.retry} />
            ) : undefined
          }
          empty={
            term ? (
              <EmptyState
                title={`No project matches “${term}”`}
                action={<Button onClick={() => setSearch('')}>Clear search</Button>}
              />
            ) : (
              <EmptyState title="No projects yet" action={create}>
                {organization?.viewerCanCreateProject
                  ? 'A project is a Postgres database with its whole history: branch it, go back in it, query it at any moment.'
                  : 'Your role may look at projects. Owners, admins and members of this organization create them.'}
              </EmptyState>
            )
          }
        />
      </Panel>
    </>
  )
}

const columns: Column<ProjectRow>[] = [
  {
    key: 'name',
    header: 'Name',
    cell: (row) => (
      <Link href={routes.project(row.id)} className="block min-w-0 rounded-sm">
        <span className="block truncate font-medium hover:text-stream-strong">{row.name}</span>
        <span className="block truncate font-mono text-ink-faint text-label">{row.id}</span>
      </Link>
    ),
  },
  { key: 'state', header: 'State', cell: (row) => <ProjectState endpoints={row.endpoints} /> },
  {
    key: 'branches',
    header: 'Branches',
    align: 'end',
    hideBelow: 'sm',
    cell: (row) => <span className="tabular">{row.usage.branches}</span>,
  },
  {
    key: 'size',
    header: 'Data',
    align: 'end',
    hideBelow: 'sm',
    cell: (row) => <Bytes value={row.storage.logicalSizeBytes} />,
  },
  {
    key: 'compute',
    header: 'Compute time',
    align: 'end',
    hideBelow: 'md',
    cell: (row) => <span className="tabular">{formatDuration(row.usage.computeSeconds * 1000)}</span>,
  },
  {
    key: 'created',
    header: 'Created',
    align: 'end',
    hideBelow: 'lg',
    cell: (row) => <RelativeTime at={row.createdAt} />,
  },
]

/** A project is as awake as its most awake endpoint. */
function ProjectState({ endpoints }: { endpoints: ProjectRow['endpoints'] }) {
  const states = new Set(endpoints.map((endpoint) => endpoint.state))
  if (states.has('FAILED')) return <StatusBadge tone="danger">Failed</StatusBadge>
  if (states.has('STARTING'))
    return (
      <StatusBadge tone="active" isLive>
        Starting
      </StatusBadge>
    )
  if (states.has('ACTIVE')) return <StatusBadge tone="positive">Active</StatusBadge>
  return <StatusBadge tone="neutral">{endpoints.length === 0 ? 'No endpoint' : 'Suspended'}</StatusBadge>
}
