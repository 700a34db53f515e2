'use client'

import { formatDuration } from '@tributary/ui/lib/format'
import { EmptyState } from '@tributary/ui/patterns/empty-state'
import { RelativeTime } from '@tributary/ui/patterns/relative-time'
import { SkeletonLines } from '@tributary/ui/patterns/skeleton'
import { IconButton } from '@tributary/ui/primitives/icon-button'
import { Tabs } from '@tributary/ui/primitives/tabs'
import { Trash2 } from 'lucide-react'
import { useState } from 'react'
import type { Catalog } from '@/domain/use-catalog.ts'
import { DeleteSavedQueryDocument, type QueryEngine, SqlSideDocument, type SqlSideQuery } from '@/gql/graphql.ts'
import { useAction } from '@/lib/use-action.ts'
import { useGraphql } from '@/lib/use-graphql.ts'
import { LoadFailure } from '@/shell/load-failure.tsx'
import { SchemaList } from './schema-list.tsx'

type Side = NonNullable<SqlSideQuery['project']>

export interface SqlSideProps {
  projectId: string
  catalog: Catalog | undefined
  onInsert(name: string): void
  onOpen(sql: string, engine: QueryEngine): void
}

/** What goes into the editor by a press: names of tables and columns, what has run before, what was saved under a name. */
export function SqlSide({ projectId, catalog, onInsert, onOpen }: SqlSideProps) {
  const [tab, setTab] = useState<'tables' | 'history' | 'saved'>('tables')
  const query = useGraphql(SqlSideDocument, { projectId })
  const side = query.data?.project ?? undefined
  const failure =
    query.error && !query.data ? (
      <LoadFailure error={query.error} what="earlier queries" onRetry={() => void query.refetch()} />
    ) : undefined
  return (
    <div className="px-4 pb-4">
      <Tabs
        label="What to put into the editor"
        value={tab}
        onChange={setTab}
        tabs={[
          {
            value: 'tables',
            label: 'Tables',
            content: <SchemaList catalog={catalog} onInsert={onInsert} />,
          },
          {
            value: 'history',
            label: 'History',
            content:
              failure ?? (side ? <History entries={side.queryHistory} onOpen={onOpen} /> : <SkeletonLines count={5} />),
          },
          {
            value: 'saved',
            label: 'Saved',
            content:
              failure ?? (side ? <Saved queries={side.savedQueries} onOpen={onOpen} /> : <SkeletonLines count={3} />),
          },
        ]}
      />
    </div>
  )
}

function History({
  entries,
  onOpen,
}: {
  entries: Side['queryHistory']
  onOpen(sql: string, engine: QueryEngine): void
}) {
  if (entries.length === 0) return <EmptyState title="No history yet">What you run is listed here.</EmptyState>
  return (
    <ul className="flex max-h-[32rem] flex-col gap-1 overflow-y-auto">
      {entries.map((entry) => (
        <li key={entry.id}>
          <button
            type="button"
            onClick={() => onOpen(entry.sql, entry.engine)}
            className="w-full rounded-md px-2 py-1.5 text-left transition-colors hover:bg-hover"
          >
            <span className="line-clamp-2 break-all font-mono text-data">{entry.sql}</span>
            <span className="mt-0.5 flex flex-wrap gap-x-2 text-ink-faint text-label">
              <span>{entry.engine === 'ANALYTICS' ? 'Analytics' : 'Postgres'}</span>
              <span>{entry.branchName}</span>
              <span className="tabular">{formatDuration(entry.durationMs)}</span>
              {entry.error ? <span className="text-danger">failed</span> : null}
              <RelativeTime at={entry.at} />
            </span>
          </button>
        </li>
      ))}
    </ul>
  )
}

function Saved({ queries, onOpen }: { queries: Side['savedQueries']; onOpen(sql: string, engine: QueryEngine): void }) {
  const remove = useAction(DeleteSavedQueryDocument, (data) => data.deleteSavedQuery)
  if (queries.length === 0) {
    return <EmptyState title="Nothing saved">Save a query to find it here, on every device.</EmptyState>
  }
  return (
    <ul className="flex flex-col gap-1">
      {queries.map((query) => (
        <li key={query.id} className="flex items-start gap-1">
          <button
            type="button"
            onClick={() => onOpen(query.sql, query.engine)}
            className="min-w-0 flex-1 rounded-md px-2 py-1.5 text-left transition-colors hover:bg-hover"
          >
            <span className="block truncate font-medium text-data">{query.name}</span>
            <span className="block truncate font-mono text-ink-faint text-label">{query.sql}</span>
          </button>
          <IconButton label={`Delete ${query.name}`} size="small" onClick={() => void remove.run({ id: query.id })}>
            <Trash2 />
          </IconButton>
        </li>
      ))}
    </ul>
  )
}
