import type { ReactNode } from 'react'
import { classNames } from '../lib/class-names.ts'
import { Button } from '../primitives/button.tsx'
import { Skeleton } from './skeleton.tsx'

export interface Column<Row> {
  key: string
  header: ReactNode
  cell(row: Row): ReactNode
  align?: 'start' | 'end'
  /** Left out below this width; the row's first column stays. */
  hideBelow?: 'sm' | 'md' | 'lg'
  /** A CSS width, for columns that should not give way. */
  width?: string
}

export interface DataTableProps<Row> {
  /** Accessible name of the table. */
  label: string
  columns: readonly Column<Row>[]
  /** undefined: still loading. */
  rows: readonly Row[] | undefined
  rowKey(row: Row): string
  /** Shown in place of the table when there are no rows. */
  empty: ReactNode
  /** Shown in place of the table; wins over the rows. */
  error?: ReactNode
  skeletonRows?: number
  hasMore?: boolean
  isLoadingMore?: boolean
  onLoadMore?(): void
  /** Marks a row, for example the one that is open beside the table. */
  isSelected?(row: Row): boolean
}

const hidden = { sm: 'max-sm:hidden', md: 'max-md:hidden', lg: 'max-lg:hidden' } as const

export function DataTable<Row>({ columns, rows, rowKey, empty, error, ...props }: DataTableProps<Row>) {
  if (error) return <>{error}</>
  if (rows?.length === 0) return <>{empty}</>
  const cellClasses = (column: Column<Row>) =>
    classNames('px-4', column.align === 'end' && 'text-right', column.hideBelow && hidden[column.hideBelow])
  return (
    // The position keeps what is hidden from sight, but laid out, inside the part that scrolls.
    <div className="relative overflow-x-auto">
      <table
        aria-label={props.label}
        aria-busy={rows === undefined}
        className="w-full border-collapse text-left text-data"
      >
        <thead>
          <tr className="border-line border-b">
            {columns.map((column) => (
              <th
                key={column.key}
                scope="col"
                style={{ width: column.width }}
                className={classNames(
                  'h-9 whitespace-nowrap font-medium text-ink-faint text-label',
                  cellClasses(column),
                )}
              >
                {column.header}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows === undefined
            ? Array.from({ length: props.skeletonRows ?? 5 }, (_, index) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: equal rows that stand in for data
                <tr key={index} className="border-line border-b last:border-b-0">
                  {columns.map((column, place) => (
                    <td key={column.key} className={classNames('h-11', cellClasses(column))}>
                      <Skeleton className={place === 0 ? 'w-36' : 'inline-block w-16'} />
                    </td>
                  ))}
                </tr>
              ))
            : rows.map((row) => (
                <tr
                  key={rowKey(row)}
                  aria-selected={props.isSelected?.(row)}
                  className="border-line border-b transition-colors last:border-b-0 hover:bg-hover/50 aria-selected:bg-stream-soft/60"
                >
                  {columns.map((column) => (
                    <td key={column.key} className={classNames('h-11 py-1.5', cellClasses(column))}>
                      {column.cell(row)}
                    </td>
                  ))}
                </tr>
              ))}
        </tbody>
      </table>
      {props.hasMore ? (
        <div className="flex justify-center border-line border-t p-2.5">
          <Button size="small" variant="quiet" isBusy={props.isLoadingMore} onClick={props.onLoadMore}>
            Show more
          </Button>
        </div>
      ) : null}
    </div>
  )
}
