import { isNumericType } from '../../domain/sql-types.ts'
import type { ResultTable } from './export-result.ts'

/** Bars or points beyond this are not told apart. */
export const chartPointsMax = 200

export interface ChartChoice {
  readonly labelIndex: number
  readonly valueIndexes: readonly number[]
}

/** A column of names (the first that is not a number, else the row's number) and up to three of numbers. */
export function chartChoice(table: ResultTable): ChartChoice | undefined {
  const isNumber = table.columns.map(
    (column, index) => isNumericType(column.type) && table.rows.some((row) => row[index] !== null),
  )
  const labelIndex = isNumber.indexOf(false)
  const valueIndexes = isNumber.flatMap((is, index) => (is ? [index] : [])).slice(0, 3)
  if (valueIndexes.length === 0 || table.rows.length < 2) return undefined
  return { labelIndex, valueIndexes }
}

export function chartPoints(table: ResultTable, choice: ChartChoice): Record<string, string | number | null>[] {
  return table.rows.slice(0, chartPointsMax).map((row, place) => {
    const label = choice.labelIndex < 0 ? String(place + 1) : (row[choice.labelIndex] ?? 'NULL')
    const point: Record<string, string | number | null> = { label }
    for (const index of choice.valueIndexes) {
      const value = row[index]
      point[`v${index}`] = value === null || value === undefined ? null : Number(value.replace(/[$,]/g, ''))
    }
    return point
  })
}
