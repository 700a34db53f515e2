'use client'

import { useEffect, useRef, useState } from 'react'
import { isNumericType } from './sql-types.ts'

export interface ResultGridProps {
  label: string
  columns: readonly { name: string; type: string }[]
  rows: readonly (readonly (string | null)[])[]
  /** Of the first row; a later page starts higher. */
  firstNumber?: number
  /** It stands alone; otherwise the panel around it draws the edges. */
  isFramed?: boolean
}

const rowPx = 28
const overscanRows = 12
const cellTextMax = 400

/**
 * Rows of an answer: types under the names, numbers to the right, NULL told from the empty text. Only the rows in sight are in the
 * page, so that thousands scroll as well as ten.
 */
export function ResultGrid({ label, columns, rows, firstNumber = 1, isFramed }: ResultGridProps) {
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
  const last = Math.min(rows.length, Math.ceil((sight.top + sight.height) / rowPx) + overscanRows)
  const alignment = columns.map((column) => (isNumericType(column.type) ? 'text-right tabular' : ''))
  const span = columns.length + 1
  return (
    <div
      ref={frame}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling area that the keyboard has to reach
      tabIndex={0}
      role="region"
      aria-label={label}
      className={`max-h-[32rem] overflow-auto outline-offset-[-2px] ${isFramed ? 'rounded-md border border-line' : 'border-line border-t'}`}
      onScroll={(event) => setSight({ top: event.currentTarget.scrollTop, height: event.currentTarget.clientHeight })}
    >
      <table
        aria-label={label}
        aria-rowcount={rows.length}
        className="w-full border-separate border-spacing-0 text-left text-data"
      >
        <thead>
          <tr>
            <th scope="col" className={`${headClasses} w-12`}>
              <span className="sr-only">Row</span>
            </th>
            {columns.map((column, index) => (
              <th
                // biome-ignore lint/suspicious/noArrayIndexKey: two columns may have one name
                key={index}
                scope="col"
                className={`${headClasses} whitespace-nowrap font-medium ${alignment[index]}`}
              >
                {column.name}
                <span className="block font-mono font-normal text-ink-faint text-label">{column.type}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="[&>tr:last-child>td]:border-b-0">
          <Space rows={first} span={span} />
          {rows.slice(first, last).map((row, index) => (
            <tr
              // biome-ignore lint/suspicious/noArrayIndexKey: rows of an answer have no other name than their place
              key={first + index}
              aria-rowindex={first + index + 1}
              style={{ height: rowPx }}
              className="hover:bg-hover/50"
            >
              <td className="tabular select-none border-line border-b px-2.5 text-right text-ink-faint">
                {firstNumber + first + index}
              </td>
              {row.map((value, place) => (
                <td
                  // biome-ignore lint/suspicious/noArrayIndexKey: cells are told apart by their place
                  key={place}
                  title={value !== null && value.length > 40 ? value : undefined}
                  className={`max-w-96 truncate whitespace-nowrap border-line border-b px-2.5 font-mono ${alignment[place]}`}
                >
                  {value === null ? (
                    <span className="font-sans text-ink-faint italic">null</span>
                  ) : (
                    value.slice(0, cellTextMax)
                  )}
                </td>
              ))}
            </tr>
          ))}
          <Space rows={rows.length - last} span={span} />
        </tbody>
      </table>
    </div>
  )
}

const headClasses = 'sticky top-0 z-10 border-line border-b bg-sunken px-2.5 py-1.5 align-bottom'

/** Stands in for rows that are out of sight. */
function Space({ rows, span }: { rows: number; span: number }) {
  if (rows <= 0) return null
  return (
    <tr style={{ height: rows * rowPx }}>
      <td colSpan={span} />
    </tr>
  )
}
