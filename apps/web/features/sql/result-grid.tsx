'use client'

import { useEffect, useRef, useState } from 'react'
import { isNumericType } from '@/domain/sql-types.ts'
import type { ResultTable } from './export-result.ts'

const rowPx = 28
const overscanRows = 12
const cellTextMax = 400

/** Rows and columns of an answer. Only the rows in sight are in the page, so that thousands scroll as well as ten. */
export function ResultGrid({ table, label }: { table: ResultTable; label: string }) {
  const frame = useRef<HTMLDivElement>(null)
  const [sight, setSight] = useState({ top: 0, height: 400 })
  useEffect(() => {
    const node = frame.current
    if (!node) return
    const measure = () => setSight({ top: node.scrollTop, height: node.clientHeight })
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(node)
    return () => observer.disconnect()
  }, [])
  const first = Math.max(0, Math.floor(sight.top / rowPx) - overscanRows)
  const last = Math.min(table.rows.length, Math.ceil((sight.top + sight.height) / rowPx) + overscanRows)
  const alignment = table.columns.map((column) => (isNumericType(column.type) ? 'text-right tabular' : ''))
  const span = table.columns.length + 1
  return (
    <div
      ref={frame}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling area that the keyboard has to reach
      tabIndex={0}
      role="region"
      aria-label={label}
      className="max-h-[28rem] overflow-auto outline-offset-[-2px]"
      onScroll={(event) => setSight({ top: event.currentTarget.scrollTop, height: event.currentTarget.clientHeight })}
    >
      <table aria-rowcount={table.rows.length} className="min-w-full border-collapse text-left font-mono text-data">
        <thead className="sticky top-0 z-10 bg-surface">
          <tr>
            <th scope="col" className="w-12 border-line border-b px-3 py-1.5 text-right font-normal text-ink-faint">
              <span className="sr-only">Row</span>
            </th>
            {table.columns.map((column, index) => (
              <th
                // biome-ignore lint/suspicious/noArrayIndexKey: two columns may have one name
                key={index}
                scope="col"
                className={`whitespace-nowrap border-line border-b px-3 py-1.5 font-medium ${alignment[index]}`}
              >
                {column.name} <span className="font-normal text-ink-faint text-label">{column.type}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <Space rows={first} span={span} />
          {table.rows.slice(first, last).map((row, index) => (
            <tr
              // biome-ignore lint/suspicious/noArrayIndexKey: rows of an answer have no other name than their place
              key={first + index}
              aria-rowindex={first + index + 1}
              style={{ height: rowPx }}
              className="hover:bg-hover/60"
            >
              <td className="tabular select-none px-3 text-right text-ink-faint">{first + index + 1}</td>
              {row.map((value, place) => (
                <td
                  // biome-ignore lint/suspicious/noArrayIndexKey: cells are told apart by their place
                  key={place}
                  className={`max-w-96 truncate whitespace-nowrap px-3 ${alignment[place]}`}
                  title={value ?? undefined}
                >
                  {value === null ? <span className="text-ink-faint italic">NULL</span> : value.slice(0, cellTextMax)}
                </td>
              ))}
            </tr>
          ))}
          <Space rows={table.rows.length - last} span={span} />
        </tbody>
      </table>
    </div>
  )
}

/** Stands in for rows that are out of sight. */
function Space({ rows, span }: { rows: number; span: number }) {
  if (rows <= 0) return null
  return (
    <tr style={{ height: rows * rowPx }}>
      <td colSpan={span} />
    </tr>
  )
}
