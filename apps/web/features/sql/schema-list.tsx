'use client'

import { EmptyState } from '@tributary/ui/patterns/empty-state'
import { SkeletonLines } from '@tributary/ui/patterns/skeleton'
import { IconButton } from '@tributary/ui/primitives/icon-button'
import { ChevronRight, KeyRound, Plus } from 'lucide-react'
import { sqlName } from '@/domain/read-rows.ts'
import type { Catalog } from '@/domain/use-catalog.ts'

/** Tables and columns at the moment of the query; a press puts the name where the cursor stands. */
export function SchemaList({ catalog, onInsert }: { catalog: Catalog | undefined; onInsert(name: string): void }) {
  if (!catalog) return <SkeletonLines count={6} />
  const tables = catalog.schemas.flatMap((schema) => schema.tables.map((table) => ({ schema: schema.name, table })))
  if (tables.length === 0) {
    return <EmptyState title="No tables here">Create one, and it is listed with its first commit.</EmptyState>
  }
  const nameOf = (schema: string, table: string) =>
    schema === 'public' ? sqlName(table) : `${sqlName(schema)}.${sqlName(table)}`
  return (
    <ul className="-mx-2 max-h-[32rem] overflow-y-auto">
      {tables.map(({ schema, table }) => {
        const name = nameOf(schema, table.name)
        return (
          <li key={`${schema}.${table.name}`} className="flex items-start gap-1">
            <details className="group min-w-0 flex-1">
              <summary className="flex h-7 cursor-pointer list-none items-center gap-1.5 rounded-md px-2 text-data hover:bg-hover [&::-webkit-details-marker]:hidden">
                <ChevronRight
                  className="size-3.5 shrink-0 text-ink-faint transition-transform group-open:rotate-90"
                  aria-hidden="true"
                />
                <span className="truncate">{name}</span>
              </summary>
              <ul className="mb-1 ml-[15px] border-line border-l pl-2">
                {table.columns.map((column) => (
                  <li key={column.name}>
                    <button
                      type="button"
                      onClick={() => onInsert(sqlName(column.name))}
                      className="flex w-full items-baseline gap-2 rounded-md px-1.5 py-0.5 text-left text-data hover:bg-hover"
                    >
                      <span className="truncate">{column.name}</span>
                      {column.isPrimaryKey ? (
                        <KeyRound className="size-3 shrink-0 self-center text-caution" aria-label="primary key" />
                      ) : null}
                      <span className="ml-auto shrink-0 font-mono text-ink-faint text-label">{column.type}</span>
                    </button>
                  </li>
                ))}
              </ul>
            </details>
            <IconButton label={`Insert ${name}`} size="small" className="mt-0.5 mr-1" onClick={() => onInsert(name)}>
              <Plus />
            </IconButton>
          </li>
        )
      })}
    </ul>
  )
}
