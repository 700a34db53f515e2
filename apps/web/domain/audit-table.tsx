'use client'

import { CodeBlock } from '@tributary/ui/patterns/code-block'
import { CopyText } from '@tributary/ui/patterns/copy-text'
import { type Column, DataTable } from '@tributary/ui/patterns/data-table'
import { DefinitionList } from '@tributary/ui/patterns/definition-list'
import { EmptyState } from '@tributary/ui/patterns/empty-state'
import { RelativeTime } from '@tributary/ui/patterns/relative-time'
import { Badge } from '@tributary/ui/primitives/badge'
import { Panel } from '@tributary/ui/primitives/panel'
import { Sheet } from '@tributary/ui/primitives/sheet'
import { type ReactNode, useState } from 'react'
import type { AuditEntryDetailsFragment } from '@/gql/graphql.ts'
import type { GraphqlPages } from '@/lib/use-graphql.ts'
import { LoadFailure } from '@/shell/load-failure.tsx'

/** Who changed what, and when; each entry opens with all that was recorded of it. */
export function AuditTable({
  entries,
  empty,
}: {
  entries: GraphqlPages<AuditEntryDetailsFragment>
  /** In place of entries that are there and not shown to this reader. */
  empty?: ReactNode
}) {
  const [openId, setOpenId] = useState<string>()
  const open = entries.nodes?.find((entry) => entry.id === openId)
  const columns: Column<AuditEntryDetailsFragment>[] = [
    { key: 'at', header: 'When', width: '7.5rem', cell: (entry) => <RelativeTime at={entry.at} /> },
    {
      key: 'action',
      header: 'What',
      cell: (entry) => (
        <>
          <button
            type="button"
            onClick={() => setOpenId(entry.id)}
            className="rounded-sm font-mono text-data text-ink underline-offset-4 hover:text-stream-strong hover:underline"
          >
            {entry.action}
          </button>
          <span className="block max-w-56 truncate text-ink-faint text-label sm:hidden">
            {entry.subject} · {entry.actor}
          </span>
        </>
      ),
    },
    {
      key: 'subject',
      header: 'On',
      hideBelow: 'sm',
      cell: (entry) => <CopyText text={entry.subject} className="max-w-64" />,
    },
    {
      key: 'actor',
      header: 'Who',
      hideBelow: 'sm',
      cell: (entry) => (
        <span className="flex min-w-0 items-center gap-2">
          <span className="truncate">{entry.actor}</span>
          {entry.actorKind === 'user' ? null : <Badge>{entry.actorKind}</Badge>}
        </span>
      ),
    },
  ]
  return (
    <Panel isFlush>
      <DataTable
        label="Audit log"
        columns={columns}
        rows={entries.nodes}
        rowKey={(entry) => entry.id}
        skeletonRows={8}
        isSelected={(entry) => entry.id === openId}
        hasMore={entries.hasMore}
        isLoadingMore={entries.isLoadingMore}
        onLoadMore={entries.loadMore}
        error={
          entries.error && !entries.nodes ? (
            <LoadFailure error={entries.error} what="the audit log" onRetry={entries.retry} />
          ) : undefined
        }
        empty={
          empty ?? (
            <EmptyState title="Nothing has been changed yet">
              Every change is written down here, with who made it.
            </EmptyState>
          )
        }
      />
      <Sheet
        isOpen={open !== undefined}
        onOpenChange={(isOpen) => !isOpen && setOpenId(undefined)}
        title={open?.action ?? ''}
      >
        {open ? (
          <div className="flex flex-col gap-5 p-5">
            <DefinitionList
              items={[
                { term: 'When', value: <RelativeTime at={open.at} /> },
                { term: 'Who', value: open.actor },
                { term: 'As', value: open.actorKind },
                { term: 'On', value: <CopyText text={open.subject} /> },
                { term: 'Request', value: open.requestId ? <CopyText text={open.requestId} /> : '–' },
              ]}
            />
            {open.detail ? <CodeBlock label="Detail" text={JSON.stringify(open.detail, null, 2)} /> : null}
          </div>
        ) : null}
      </Sheet>
    </Panel>
  )
}
