import { isNumericType } from './sql-types.ts'

export interface ResultGridProps {
  label: string
  columns: readonly { name: string; type: string }[]
  rows: readonly (readonly (string | null)[])[]
  firstNumber?: number
}

/** Rows as a grid: types under the names, numbers to the right, NULL told from the empty text. */
export function ResultGrid({ label, columns, rows, firstNumber = 1 }: ResultGridProps) {
  const isNumeric = columns.map((column) => isNumericType(column.type))
  return (
    <div
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling area must be reachable from the keyboard
      tabIndex={0}
      role="group"
      aria-label={label}
      className="max-h-[32rem] overflow-auto rounded-md border border-line"
    >
      <table aria-label={label} className="w-full border-separate border-spacing-0 text-left text-data">
        <thead>
          <tr>
            <th
              scope="col"
              className="sticky top-0 z-10 w-12 border-line border-b bg-sunken px-2.5 py-1.5 font-normal text-ink-faint"
            >
              <span className="sr-only">Row</span>
            </th>
            {columns.map((column, index) => (
              <th
                // biome-ignore lint/suspicious/noArrayIndexKey: two columns of a result may have one name
                key={index}
                scope="col"
                className={`sticky top-0 z-10 whitespace-nowrap border-line border-b bg-sunken px-2.5 py-1.5 font-medium ${isNumeric[index] ? 'text-right' : ''}`}
              >
                {column.name}
                <span className="block font-mono font-normal text-ink-faint text-label">{column.type}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, rowIndex) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: rows of a result have no identity but their place
            <tr key={rowIndex} className="hover:bg-hover/50">
              <td className="tabular border-line border-b px-2.5 py-1 text-right text-ink-faint">
                {firstNumber + rowIndex}
              </td>
              {row.map((value, index) => (
                <td
                  // biome-ignore lint/suspicious/noArrayIndexKey: cells are told apart by their column
                  key={index}
                  title={value !== null && value.length > 48 ? value : undefined}
                  className={`max-w-80 truncate border-line border-b px-2.5 py-1 font-mono ${isNumeric[index] ? 'tabular text-right' : ''}`}
                >
                  {value === null ? <span className="font-sans text-ink-faint italic">null</span> : value}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
