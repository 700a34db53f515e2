'use client'

import { formatDuration } from '@tributary/ui/lib/format'
import { CopyText } from '@tributary/ui/patterns/copy-text'
import { type Column, DataTable } from '@tributary/ui/patterns/data-table'
import { DefinitionList } from '@tributary/ui/patterns/definition-list'
import { EmptyState } from '@tributary/ui/patterns/empty-state'
import { PageHeader } from '@tributary/ui/patterns/page-header'
import { RelativeTime } from '@tributary/ui/patterns/relative-time'
import { Panel } from '@tributary/ui/primitives/panel'
import { Sheet } from '@tributary/ui/primitives/sheet'
import Link from 'next/link'
import { useRouter, useSearchParams } from 'next/navigation'
import { OperationProgress } from '@/domain/operation-progress.tsx'
import { OperationStateBadge } from '@/domain/state-badges.tsx'
import { type OperationDetailsFragment, ProjectOperationListDocument } from '@/gql/graphql.ts'
import { operationLabel } from '@/lib/operation-label.ts'
import { routes } from '@/lib/routes.ts'
import { useGraphqlPages } from '@/lib/use-graphql.ts'
import { LoadFailure } from '@/shell/load-failure.tsx'

export function OperationsScreen({ projectId }: { projectId: string }) {
  const router = useRouter()
  const openId = useSearchParams().get('open')
  const operations = useGraphqlPages(
    ProjectOperationListDocument,
    { id: projectId, first: 25 },
    (data) => data.project?.operations,
  )
  const open = operations.nodes?.find((operation) => operation.id === openId)
  const list = routes.projectPage(projectId, 'operations')
  const columns: Column<OperationDetailsFragment>[] = [
    {
      key: 'kind',
      header: 'Operation',
      cell: (row) => (
        <Link
          href={routes.operation(projectId, row.id)}
          scroll={false}
          className="font-medium hover:text-stream-strong"
        >
          {operationLabel(row.kind)}
          <span className="block max-w-40 truncate font-normal text-ink-faint text-label sm:hidden">
            {[row.branch?.name, row.durationMs === null ? undefined : formatDuration(row.durationMs)]
              .filter((each) => each !== undefined)
              .join(' · ')}
          </span>
        </Link>
      ),
    },
    { key: 'state', header: 'State', cell: (row) => <OperationStateBadge state={row.state} /> },
    {
      key: 'branch',
      header: 'Branch',
      hideBelow: 'sm',
      cell: (row) =>
        row.branch ? (
          <Link href={routes.branch(projectId, row.branch.id)} className="hover:text-stream-strong">
            {row.branch.name}
          </Link>
        ) : (
          <span className="text-ink-faint">–</span>
        ),
    },
    {
      key: 'steps',
      header: 'Steps',
      hideBelow: 'md',
      cell: (row) => <StepDots steps={row.steps} />,
    },
    {
      key: 'duration',
      header: 'Took',
      align: 'end',
      hideBelow: 'sm',
      cell: (row) => <span className="tabular">{row.durationMs === null ? '–' : formatDuration(row.durationMs)}</span>,
    },
    { key: 'by', header: 'By', hideBelow: 'lg', cell: (row) => row.createdBy ?? '–' },
    { key: 'at', header: 'When', align: 'end', cell: (row) => <RelativeTime at={row.createdAt} /> },
  ]
  return (
    <>
      <PageHeader
        title="Operations"
        description="Every change is a recorded operation. It goes on by itself after a crash or a restart."
      />
      <Panel isFlush>
        <DataTable
          label="Operations"
          columns={columns}
          rows={operations.nodes}
          rowKey={(row) => row.id}
          isSelected={(row) => row.id === openId}
          skeletonRows={8}
          hasMore={operations.hasMore}
          isLoadingMore={operations.isLoadingMore}
          onLoadMore={operations.loadMore}
          error={
            operations.error && !operations.nodes ? (
              <LoadFailure error={operations.error} what="the operations" onRetry={operations.retry} />
            ) : undefined
          }
          empty={<EmptyState title="Nothing has been done yet" />}
        />
      </Panel>
      <Sheet
        isOpen={openId !== null}
        onOpenChange={(isOpen) => !isOpen && router.replace(list, { scroll: false })}
        title={open ? operationLabel(open.kind) : 'Operation'}
      >
        {openId ? (
          <div className="flex flex-col gap-5 p-5">
            {open ? (
              <DefinitionList
                items={[
                  { term: 'Id', value: <CopyText text={open.id} />, isWide: true },
                  { term: 'Asked', value: <RelativeTime at={open.createdAt} /> },
                  { term: 'Started', value: <RelativeTime at={open.startedAt} /> },
                  { term: 'Finished', value: <RelativeTime at={open.finishedAt} /> },
                  { term: 'By', value: open.createdBy ?? '–', isWide: true },
                  { term: 'Branch', value: open.branch?.name ?? '–' },
                ]}
              />
            ) : null}
            <OperationProgress operationId={openId} />
          </div>
        ) : null}
      </Sheet>
    </>
  )
}

/** One mark a step, in order, so that progress shows in the row. */
function StepDots({ steps }: { steps: OperationDetailsFragment['steps'] }) {
  const done = steps.filter((step) => step.state === 'FINISHED').length
  const fill = (state: string) =>
    state === 'FINISHED'
      ? 'bg-positive'
      : state === 'FAILED'
        ? 'bg-danger'
        : state === 'RUNNING'
          ? 'bg-stream'
          : 'bg-line-strong'
  return (
    <span className="flex items-center gap-2">
      <span aria-hidden="true" className="flex gap-0.5">
        {steps.map((step, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: steps are told apart by their place
          <span key={index} className={`h-3 w-1.5 rounded-[2px] ${fill(step.state)}`} />
        ))}
      </span>
      <span className="tabular text-ink-faint">
        {done}/{steps.length}
      </span>
    </span>
  )
}
