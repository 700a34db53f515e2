'use client'

import { formatBytes, formatCount } from '@tributary/ui/lib/format'
import { EmptyState } from '@tributary/ui/patterns/empty-state'
import { SkeletonLines } from '@tributary/ui/patterns/skeleton'
import { Select } from '@tributary/ui/primitives/select'
import { useState } from 'react'
import type { Moment } from '@/domain/moment.ts'
import { RowsView } from '@/domain/rows-view.tsx'
import { useCatalog } from '@/domain/use-catalog.ts'
import type { CatalogTableDetailsFragment } from '@/gql/graphql.ts'
import { LoadFailure } from '@/shell/load-failure.tsx'
import type { RestorableBranch } from './restore-screen.tsx'
import { compareTables, type TableChange } from './table-changes.ts'

export interface PreviewTablesProps {
  projectId: string
  branch: RestorableBranch
  database: string
  onDatabaseChange(database: string): void
  moment: Moment
}

/** The tables at a moment beside those of now, and the rows of the chosen one as they were. */
export function PreviewTables({ projectId, branch, database, onDatabaseChange, moment }: PreviewTablesProps) {
  const then = useCatalog({ projectId, branchId: branch.id, database, moment })
  const now = useCatalog({ projectId, branchId: branch.id, database, moment: { kind: 'tip' } })
  const [chosen, setChosen] = useState<string>()
  if (then.error && !then.catalog) {
    return <LoadFailure error={then.error} what="the tables of that moment" onRetry={() => void then.refetch()} />
  }
  if (!then.catalog) return <SkeletonLines count={6} />
  const rows = compareTables(then.catalog, now.catalog)
  const open = rows.find((row) => row.key === chosen) ?? rows.find((row) => row.change !== 'only-now')
  return (
    <div className="grid gap-5 md:grid-cols-[16rem_minmax(0,1fr)]">
      <div className="flex min-w-0 flex-col gap-3">
        <Select
          label="Database"
          size="small"
          value={database}
          onChange={onDatabaseChange}
          options={branch.databases.map((each) => ({ value: each.name, label: each.name }))}
        />
        <ul className="flex max-h-96 flex-col overflow-y-auto">
          {rows.map((row) => (
            <li key={row.key}>
              <button
                type="button"
                disabled={row.change === 'only-now'}
                aria-pressed={row.key === open?.key}
                onClick={() => setChosen(row.key)}
                className="flex w-full items-baseline gap-2 rounded-md px-2 py-1.5 text-left text-data hover:bg-hover disabled:cursor-not-allowed disabled:opacity-60 aria-pressed:bg-stream-soft"
              >
                <span className="min-w-0 flex-1 truncate font-mono">{row.key}</span>
                <Change row={row} />
              </button>
            </li>
          ))}
        </ul>
      </div>
      <div className="min-w-0">
        {open?.before ? (
          <RowsView
            key={open.key}
            branchId={branch.id}
            database={database}
            schema={open.schema}
            table={open.before}
            moment={moment}
          />
        ) : (
          <EmptyState title="There were no tables at that moment" />
        )}
      </div>
    </div>
  )
}

function Change({ row }: { row: TableChange<CatalogTableDetailsFragment> }) {
  switch (row.change) {
    case 'only-then':
      return <span className="whitespace-nowrap text-positive text-label">comes back</span>
    case 'only-now':
      return <span className="whitespace-nowrap text-danger text-label">goes away</span>
    case 'changed':
      return <span className="whitespace-nowrap text-caution text-label">columns differ</span>
    case 'same':
      return (
        <span className="tabular whitespace-nowrap text-ink-faint text-label">
          {row.before?.rowEstimate
            ? formatCount(row.before.rowEstimate)
            : row.before?.sizeBytes
              ? formatBytes(row.before.sizeBytes)
              : ''}
        </span>
      )
    default:
      return row.change satisfies never
  }
}
