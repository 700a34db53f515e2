'use client'

import { useQuery } from '@tanstack/react-query'
import { Callout } from '@tributary/ui/patterns/callout'
import { EmptyState } from '@tributary/ui/patterns/empty-state'
import { SkeletonLines } from '@tributary/ui/patterns/skeleton'
import { Button } from '@tributary/ui/primitives/button'
import { useState } from 'react'
import { type CatalogTableDetailsFragment, type QueryEngine, ReadRowsDocument } from '@/gql/graphql.ts'
import { request } from '@/lib/graphql-client.ts'
import { LoadFailure } from '@/shell/load-failure.tsx'
import { type Moment, momentText, pointInput } from './moment.ts'
import { rowsSql } from './read-rows.ts'
import { ResultGrid } from './result-grid.tsx'

const pageRows = 50

export interface RowsViewProps {
  branchId: string
  database: string
  schema: string
  table: CatalogTableDetailsFragment
  moment: Moment
}

/**
 * Rows of a table at a moment, page by page. They are read by analytics, so that no compute has to run; through Postgres
 * on request, for what analytics cannot read.
 */
export function RowsView({ branchId, database, schema, table, moment }: RowsViewProps) {
  const [page, setPage] = useState(0)
  const [engine, setEngine] = useState<QueryEngine>('ANALYTICS')
  const sql = rowsSql({
    schema,
    table: table.name,
    limit: pageRows,
    offset: page * pageRows,
    orderBy: table.columns.filter((column) => column.isPrimaryKey).map((column) => column.name),
  })
  const { data, error, refetch, isFetching } = useQuery({
    queryKey: ['ReadRows', branchId, database, sql, momentText(moment), engine],
    queryFn: ({ signal }) =>
      request(
        ReadRowsDocument,
        { input: { branchId, database, sql, engine, at: pointInput(moment), rowLimit: pageRows, isRecorded: false } },
        { signal },
      ),
    staleTime: moment.kind === 'lsn' ? Number.POSITIVE_INFINITY : 5_000,
  })
  if (error && !data) return <LoadFailure error={error} what="the rows" onRetry={() => void refetch()} />
  if (!data) return <SkeletonLines count={8} />
  const { runSql } = data
  if (runSql.error) {
    return (
      <Callout
        tone="danger"
        title="The rows could not be read"
        action={
          engine === 'ANALYTICS' ? (
            <Button size="small" onClick={() => setEngine('POSTGRES')}>
              Read through Postgres
            </Button>
          ) : undefined
        }
      >
        <p>{runSql.error.message}</p>
        {runSql.error.hint ? <p>{runSql.error.hint}</p> : null}
      </Callout>
    )
  }
  const statement = runSql.statements[0]
  const rows = statement?.rows ?? []
  if (rows.length === 0 && page === 0) return <EmptyState title="No rows at this moment" />
  return (
    <div>
      <ResultGrid
        label={`Rows of ${schema}.${table.name}`}
        columns={statement?.columns ?? []}
        rows={rows}
        firstNumber={page * pageRows + 1}
        isFramed
      />
      <div className="flex flex-wrap items-center justify-between gap-3 pt-3 text-data text-ink-faint">
        <span>
          {rows.length === 0
            ? 'No more rows'
            : `Rows ${page * pageRows + 1} to ${page * pageRows + rows.length}, in ${Math.round(runSql.durationMs)} ms`}
          {runSql.receipt ? ` · at ${runSql.receipt.lsn}` : ''}
        </span>
        <span className="flex gap-2">
          <Button size="small" disabled={page === 0} onClick={() => setPage(page - 1)}>
            Before
          </Button>
          <Button size="small" disabled={rows.length < pageRows || isFetching} onClick={() => setPage(page + 1)}>
            Next
          </Button>
        </span>
      </div>
    </div>
  )
}
