'use client'

import { Bytes } from '@tributary/ui/patterns/bytes'
import { type Column, DataTable } from '@tributary/ui/patterns/data-table'
import { EmptyState } from '@tributary/ui/patterns/empty-state'
import { PageHeader } from '@tributary/ui/patterns/page-header'
import { RelativeTime } from '@tributary/ui/patterns/relative-time'
import { SearchField } from '@tributary/ui/patterns/search-field'
import { Button } from '@tributary/ui/primitives/button'
import { Panel } from '@tributary/ui/primitives/panel'
import { Plus } from 'lucide-react'
import dynamic from 'next/dynamic'
import Link from 'next/link'
import { useRouter, useSearchParams } from 'next/navigation'
import { useDeferredValue, useState } from 'react'
import { LiveLsn } from '@/domain/live-lsn.tsx'
import { BranchMarks, BranchStateBadge, EndpointStateBadge } from '@/domain/state-badges.tsx'
import { type BranchSummaryFragment, ProjectBranchesDocument } from '@/gql/graphql.ts'
import { routes } from '@/lib/routes.ts'
import { useGraphqlPages } from '@/lib/use-graphql.ts'
import { LoadFailure } from '@/shell/load-failure.tsx'
import { useProjectNav } from '@/shell/place.ts'
import { viewOnlyReason } from '@/shell/view-only-badge.tsx'
import { branchTree, type TreeRow } from './branch-tree.ts'

const CreateBranchDialog = dynamic(
  () => import('./create-branch-dialog.tsx').then((module) => module.CreateBranchDialog),
  { ssr: false },
)

type Row = TreeRow<BranchSummaryFragment>

export function BranchesScreen({ projectId }: { projectId: string }) {
  const router = useRouter()
  const isCreating = useSearchParams().get('create') !== null
  const [search, setSearch] = useState('')
  const term = useDeferredValue(search.trim())
  const project = useProjectNav()
  const branches = useGraphqlPages(
    ProjectBranchesDocument,
    { id: projectId, first: 100, search: term || null },
    (data) => data.project?.branches,
  )
  const setCreating = (isOpen: boolean) =>
    router.replace(`${routes.projectPage(projectId, 'branches')}${isOpen ? '?create=1' : ''}`, { scroll: false })
  return (
    <>
      <PageHeader
        title="Branches"
        description="A branch is the whole database at one point of its history, and goes its own way from there. It copies nothing."
        actions={
          <Button
            variant="primary"
            disabled={!project?.viewerCanWrite}
            title={project && !project.viewerCanWrite ? viewOnlyReason : undefined}
            onClick={() => setCreating(true)}
            data-create
          >
            <Plus /> New branch
          </Button>
        }
      />
      <SearchField className="mb-4 w-full sm:w-72" label="Search branches" value={search} onChange={setSearch} />
      <Panel isFlush>
        <DataTable
          label="Branches"
          columns={columnsFor(projectId)}
          rows={branches.nodes && branchTree(branches.nodes)}
          rowKey={(row) => row.branch.id}
          hasMore={branches.hasMore}
          isLoadingMore={branches.isLoadingMore}
          onLoadMore={branches.loadMore}
          error={
            branches.error && !branches.nodes ? (
              <LoadFailure error={branches.error} what="the branches" onRetry={branches.retry} />
            ) : undefined
          }
          empty={
            <EmptyState
              title={term ? `No branch matches “${term}”` : 'No branches'}
              action={term ? <Button onClick={() => setSearch('')}>Clear search</Button> : undefined}
            />
          }
        />
      </Panel>
      {project && isCreating ? (
        <CreateBranchDialog
          isOpen={isCreating}
          onOpenChange={setCreating}
          project={project}
          onCreated={(id) => router.push(routes.branch(projectId, id))}
        />
      ) : null}
    </>
  )
}

const columnsFor = (projectId: string): Column<Row>[] => [
  {
    key: 'name',
    header: 'Name',
    cell: ({ branch, depth }) => (
      <span className="flex min-w-0 items-center" style={{ paddingLeft: Math.max(0, depth - 1) * 20 }}>
        {depth > 0 ? <Elbow /> : null}
        <span className="flex min-w-0 flex-wrap items-center gap-x-2 gap-y-1">
          <Link href={routes.branch(projectId, branch.id)} className="truncate font-medium hover:text-stream-strong">
            {branch.name}
          </Link>
          <BranchMarks branch={branch} />
          <span className="w-full sm:hidden">
            {branch.state === 'READY' && branch.primaryEndpoint ? (
              <EndpointStateBadge state={branch.primaryEndpoint.state} />
            ) : (
              <BranchStateBadge state={branch.state} />
            )}
          </span>
        </span>
      </span>
    ),
  },
  { key: 'state', header: 'State', hideBelow: 'sm', cell: ({ branch }) => <BranchStateBadge state={branch.state} /> },
  {
    key: 'compute',
    header: 'Compute',
    hideBelow: 'md',
    cell: ({ branch }) =>
      branch.primaryEndpoint ? (
        <EndpointStateBadge state={branch.primaryEndpoint.state} />
      ) : (
        <span className="text-ink-faint">none</span>
      ),
  },
  { key: 'tip', header: 'Tip', cell: ({ branch }) => <LiveLsn tip={branch.tip} isCompact /> },
  {
    key: 'size',
    header: 'Data',
    align: 'end',
    hideBelow: 'sm',
    cell: ({ branch }) => <Bytes value={branch.logicalSizeBytes} />,
  },
  {
    key: 'created',
    header: 'Created',
    align: 'end',
    hideBelow: 'lg',
    cell: ({ branch }) => <RelativeTime at={branch.createdAt} />,
  },
]

/** Where a branch leaves its parent's stream. */
function Elbow() {
  return (
    <svg viewBox="0 0 20 24" fill="none" aria-hidden="true" className="mr-1.5 h-6 w-5 shrink-0 text-stream">
      <path
        d="M6 0 C6 10 8 12 19 12"
        stroke="currentColor"
        strokeWidth="1.75"
        strokeOpacity="0.65"
        strokeLinecap="round"
      />
    </svg>
  )
}
