'use client'

import { formatBytes, formatCount } from '@tributary/ui/lib/format'
import { EmptyState } from '@tributary/ui/patterns/empty-state'
import { PageHeader } from '@tributary/ui/patterns/page-header'
import { SearchField } from '@tributary/ui/patterns/search-field'
import { SkeletonLines } from '@tributary/ui/patterns/skeleton'
import { Button } from '@tributary/ui/primitives/button'
import { Panel } from '@tributary/ui/primitives/panel'
import { Select } from '@tributary/ui/primitives/select'
import { History, Table2 } from 'lucide-react'
import { useState } from 'react'
import { type Moment, momentText } from '@/domain/moment.ts'
import { MomentButton } from '@/domain/moment-button.tsx'
import { MomentNotice } from '@/domain/moment-notice.tsx'
import { type Catalog, useCatalog } from '@/domain/use-catalog.ts'
import { useDataPlace } from '@/domain/use-data-place.ts'
import { routes } from '@/lib/routes.ts'
import { LoadFailure, NotAvailable } from '@/shell/load-failure.tsx'
import { TableDetails } from './table-details.tsx'

/** Schemas and tables of a branch at a moment; all of the place is in the address, so that it can be sent to others. */
export function TablesScreen({ projectId }: { projectId: string }) {
  const { branch, isBranchGone, database, moment, unreadableMoment, table, go } = useDataPlace(projectId, 'tables')
  const [filter, setFilter] = useState('')
  const { catalog, error, refetch } = useCatalog({ projectId, branchId: branch?.id, database, moment })

  if (isBranchGone) {
    return (
      <NotAvailable
        what="this branch"
        back={{ label: 'All branches', href: routes.projectPage(projectId, 'branches') }}
      />
    )
  }
  const tables = flatten(catalog)
  const shown = tables.filter((row) => row.key.toLowerCase().includes(filter.trim().toLowerCase()))
  const open = tables.find((row) => row.key === table) ?? shown[0]
  return (
    <>
      <PageHeader
        title="Tables"
        description="Read from storage, at any moment of any branch. No compute has to run."
        actions={
          branch ? (
            <>
              <Select
                label="Database"
                className="w-36"
                value={database ?? ''}
                onChange={(next) => go({ database: next, table: undefined })}
                options={branch.databases.map((each) => ({ value: each.name, label: each.name }))}
              />
              <MomentButton
                projectId={projectId}
                branchId={branch.id}
                moment={moment}
                onChange={(next: Moment) => go({ at: momentText(next) })}
              />
            </>
          ) : null
        }
      />
      <MomentNotice unreadable={unreadableMoment} />
      <div className="grid items-start gap-6 md:grid-cols-[15rem_minmax(0,1fr)]">
        <Panel isFlush className="md:sticky md:top-19">
          <div className="border-line border-b p-2">
            <SearchField className="w-full" label="Find a table" value={filter} onChange={setFilter} />
          </div>
          {error && !catalog ? (
            <p className="px-4 py-3 text-data text-ink-faint">No tables to list</p>
          ) : (
            <TableList rows={catalog ? shown : undefined} openKey={open?.key} onOpen={(key) => go({ table: key })} />
          )}
        </Panel>
        <div className="min-w-0">
          {open && branch && database ? (
            <TableDetails
              key={`${branch.id} ${open.key}`}
              projectId={projectId}
              branchId={branch.id}
              database={database}
              schema={open.schema}
              table={open.table}
              moment={moment}
            />
          ) : catalog ? (
            <Panel>
              <EmptyState title={filter ? 'No table of that name' : 'No tables at this moment'}>
                {filter ? null : 'Create one through psql or the SQL editor; it appears here with its first commit.'}
              </EmptyState>
            </Panel>
          ) : error ? (
            <Panel>
              <LoadFailure error={error} what="the tables" onRetry={() => void refetch()} />
              {moment.kind === 'tip' ? null : (
                <div className="mt-4 flex justify-center">
                  <Button size="small" variant="primary" onClick={() => go({ at: undefined })}>
                    <History /> Look at the present
                  </Button>
                </div>
              )}
            </Panel>
          ) : (
            <Panel>
              <SkeletonLines count={10} />
            </Panel>
          )}
        </div>
      </div>
    </>
  )
}

interface TableRow {
  key: string
  schema: string
  table: Catalog['schemas'][number]['tables'][number]
}

function flatten(catalog: Catalog | undefined): TableRow[] {
  return (catalog?.schemas ?? []).flatMap((schema) =>
    schema.tables.map((table) => ({ key: `${schema.name}.${table.name}`, schema: schema.name, table })),
  )
}

interface TableListProps {
  rows: TableRow[] | undefined
  openKey: string | undefined
  onOpen(key: string): void
}

function TableList({ rows, openKey, onOpen }: TableListProps) {
  if (!rows) {
    return (
      <div className="p-3">
        <SkeletonLines count={6} />
      </div>
    )
  }
  const schemas = [...new Set(rows.map((row) => row.schema))]
  return (
    <nav aria-label="Tables" className="max-h-[60dvh] overflow-y-auto p-1.5 max-md:max-h-56">
      {schemas.map((schema) => (
        <div key={schema} className="mb-2 last:mb-0">
          <p className="px-2 py-1 text-ink-faint text-label">{schema}</p>
          <ul>
            {rows
              .filter((row) => row.schema === schema)
              .map((row) => (
                <li key={row.key}>
                  <button
                    type="button"
                    aria-current={row.key === openKey ? 'true' : undefined}
                    onClick={() => onOpen(row.key)}
                    className="flex w-full items-center gap-2 rounded-md px-2 py-1 text-left text-data hover:bg-hover aria-[current]:bg-stream-soft aria-[current]:font-medium"
                  >
                    <Table2 className="size-3.5 shrink-0 text-ink-faint" aria-hidden="true" />
                    <span className="min-w-0 flex-1 truncate">{row.table.name}</span>
                    <span className="tabular text-ink-faint text-label">
                      {row.table.rowEstimate
                        ? formatCount(row.table.rowEstimate)
                        : row.table.sizeBytes
                          ? formatBytes(row.table.sizeBytes)
                          : ''}
                    </span>
                  </button>
                </li>
              ))}
          </ul>
        </div>
      ))}
      {rows.length === 0 ? <p className="px-2 py-3 text-data text-ink-faint">Nothing here</p> : null}
    </nav>
  )
}
