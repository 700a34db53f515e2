'use client'

import { formatBytes, formatCount } from '@tributary/ui/lib/format'
import { CodeBlock } from '@tributary/ui/patterns/code-block'
import { type Column, DataTable } from '@tributary/ui/patterns/data-table'
import { EmptyState } from '@tributary/ui/patterns/empty-state'
import { Badge } from '@tributary/ui/primitives/badge'
import { Panel } from '@tributary/ui/primitives/panel'
import { Tabs } from '@tributary/ui/primitives/tabs'
import { useState } from 'react'
import type { Moment } from '@/domain/moment.ts'
import { RowsView } from '@/domain/rows-view.tsx'
import type { CatalogTableDetailsFragment } from '@/gql/graphql.ts'
import { LakePanel } from './lake-panel.tsx'

export interface TableDetailsProps {
  projectId: string
  branchId: string
  database: string
  schema: string
  table: CatalogTableDetailsFragment
  moment: Moment
}

type Tab = 'rows' | 'columns' | 'indexes' | 'lake'

/** Kinds that are stored as columns. */
const lakeKinds: ReadonlySet<string> = new Set(['table', 'partitioned table'])

export function TableDetails({ projectId, branchId, database, schema, table, moment }: TableDetailsProps) {
  const [tab, setTab] = useState<Tab>('rows')
  const rowsView = <RowsView branchId={branchId} database={database} schema={schema} table={table} moment={moment} />
  return (
    <Panel
      title={
        <span className="font-mono">
          {schema}.{table.name}
        </span>
      }
      meta={
        <span className="flex flex-wrap items-center gap-x-3">
          {table.kind === 'table' ? null : <Badge>{table.kind}</Badge>}
          {table.rowEstimate ? <span>about {formatCount(table.rowEstimate)} rows</span> : null}
          {table.sizeBytes ? <span>{formatBytes(table.sizeBytes)}</span> : null}
        </span>
      }
    >
      <Tabs
        label="Parts of the table"
        value={tab}
        onChange={setTab}
        tabs={[
          { value: 'rows', label: 'Rows', content: tab === 'rows' ? rowsView : null },
          { value: 'columns', label: `Columns ${table.columns.length}`, content: <Columns table={table} /> },
          { value: 'indexes', label: `Indexes ${table.indexes.length}`, content: <Indexes table={table} /> },
          ...(lakeKinds.has(table.kind)
            ? [
                {
                  value: 'lake' as const,
                  label: 'Lake',
                  content:
                    tab === 'lake' ? (
                      <LakePanel
                        projectId={projectId}
                        branchId={branchId}
                        database={database}
                        schema={schema}
                        table={table}
                      />
                    ) : null,
                },
              ]
            : []),
        ]}
      />
    </Panel>
  )
}

type TableColumn = CatalogTableDetailsFragment['columns'][number]

const columnColumns: Column<TableColumn>[] = [
  {
    key: 'name',
    header: 'Column',
    cell: (column) => (
      <span className="flex items-center gap-2">
        <span className="font-mono">{column.name}</span>
        {column.isPrimaryKey ? <Badge tone="active">primary key</Badge> : null}
      </span>
    ),
  },
  { key: 'type', header: 'Type', cell: (column) => <span className="font-mono text-ink-soft">{column.type}</span> },
  {
    key: 'null',
    header: 'Null',
    hideBelow: 'sm',
    cell: (column) => (column.notNull ? 'no' : <span className="text-ink-faint">allowed</span>),
  },
  {
    key: 'default',
    header: 'Default',
    hideBelow: 'md',
    cell: (column) =>
      column.default ? (
        <span className="font-mono text-ink-soft">
          {column.default}
          {column.generated ? <span className="text-ink-faint"> generated</span> : null}
        </span>
      ) : (
        <span className="text-ink-faint">–</span>
      ),
  },
]

function Columns({ table }: { table: CatalogTableDetailsFragment }) {
  return (
    <DataTable
      label="Columns"
      columns={columnColumns}
      rows={table.columns}
      rowKey={(column) => column.name}
      empty={<EmptyState title="No columns" />}
    />
  )
}

function Indexes({ table }: { table: CatalogTableDetailsFragment }) {
  if (table.indexes.length === 0) return <EmptyState title="No indexes" />
  return (
    <ul className="flex flex-col gap-4">
      {table.indexes.map((index) => (
        <li key={index.name}>
          <p className="mb-1.5 flex items-center gap-2">
            <span className="font-mono text-data">{index.name}</span>
            {index.isPrimary ? <Badge tone="active">primary key</Badge> : index.isUnique ? <Badge>unique</Badge> : null}
          </p>
          {index.definition ? <CodeBlock label="Definition" text={index.definition} /> : null}
        </li>
      ))}
    </ul>
  )
}
