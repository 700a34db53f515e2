/**
 * One relation at one moment as a view with Postgres's names and types. The view stands on a query over all files
 * (row-source.ts); what the data needs besides (the scale of a numeric without one, values that a column cannot hold) is
 * asked of that query first, for the columns that the statement reads.
 */
import { StorageError } from '../base/errors.ts'
import type { CodecSettings } from '../columnar/types/registry.ts'
import { type ColumnSql, columnSql } from './column-sql.ts'
import type { WantedColumn } from './row-source.ts'
import { quoteName } from './sql/tokens.ts'

/** DECIMAL holds so many digits. */
const DECIMAL_DIGITS = 38
/** And so many in 64 bits; products of two such fit. */
const NARROW_DECIMAL_DIGITS = 18

/** What the probe found of one column. */
export interface ColumnFacts {
  /** Values that are only in the overflow, and of those, such as are not at hand, and such as are no infinities. */
  readonly overflowCount: number
  readonly unreadableCount: number
  readonly otherThanInfinityCount: number
  /** Of a numeric in text: special values, and the most digits before and after the point. */
  readonly specialCount: number
  readonly wholeDigits: number
  readonly fractionDigits: number
  /** Intervals that the engine's own type does not hold. */
  readonly uncastableCount: number
}

export interface ShownColumn {
  readonly sql: string
  readonly note: string | undefined
  /** The column has to be read from pages as text. */
  readonly needsText: boolean
}

const NO_FACTS: ColumnFacts = {
  overflowCount: 0,
  unreadableCount: 0,
  otherThanInfinityCount: 0,
  specialCount: 0,
  wholeDigits: 0,
  fractionDigits: 0,
  uncastableCount: 0,
}

/** Columns of the query that finds the facts, seven for each column that needs any; undefined when none does. */
export function probeSql(
  base: string,
  columns: readonly WantedColumn[],
  settings: CodecSettings,
  withOverflow: boolean,
): string | undefined {
  const counts: string[] = []
  for (const column of probedColumns(columns, settings, withOverflow)) {
    const number = column.attribute.number
    const { kind } = columnSql(column.attribute, settings)!
    const value = `c${number}`
    if (withOverflow) {
      const text = `json_extract_string(o${number}, '$')`
      counts.push(
        `count(o${number})`,
        `count(*) filter (o${number} is not null and ${text} is null)`,
        `count(*) filter (${text} not in ('infinity', '-infinity'))`,
      )
    } else counts.push('0', '0', '0')
    if (kind === 'numeric' && !column.asText) {
      const digits = `ltrim(${value}, '-')`
      counts.push(
        `count(*) filter (not regexp_full_match(${value}, '-?[0-9]+(\\.[0-9]+)?'))`,
        `coalesce(max(length(split_part(${digits}, '.', 1))), 0)`,
        `coalesce(max(length(split_part(${digits}, '.', 2))), 0)`,
        '0',
      )
    } else if (kind === 'interval' && !column.asText) {
      counts.push('0', '0', '0', `count(*) filter (${value} is not null and try_cast(${value} as INTERVAL) is null)`)
    } else counts.push('0', '0', '0', '0')
  }
  return counts.length === 0 ? undefined : `select ${counts.join(', ')} from ${base}`
}

/** Facts by attribute number, from the one row that the probe gave. */
export function factsOf(
  row: readonly number[],
  columns: readonly WantedColumn[],
  settings: CodecSettings,
  withOverflow: boolean,
): Map<number, ColumnFacts> {
  const facts = new Map<number, ColumnFacts>()
  probedColumns(columns, settings, withOverflow).forEach((column, i) => {
    const at = i * 7
    facts.set(column.attribute.number, {
      overflowCount: row[at]!,
      unreadableCount: row[at + 1]!,
      otherThanInfinityCount: row[at + 2]!,
      specialCount: row[at + 3]!,
      wholeDigits: row[at + 4]!,
      fractionDigits: row[at + 5]!,
      uncastableCount: row[at + 6]!,
    })
  })
  return facts
}

/** The expression over the query beneath that shows a column. Throws `unsupported` for a value that cannot be had. */
export function shownColumn(column: WantedColumn, settings: CodecSettings, facts: ColumnFacts = NO_FACTS): ShownColumn {
  const { attribute } = column
  const sql = columnSql(attribute, settings)!
  const value = `c${attribute.number}`
  if (column.asText) return { sql: value, note: undefined, needsText: false }
  if (facts.unreadableCount > 0) {
    throw new StorageError('unsupported', 'column has a value that is too large to be read here', {
      column: attribute.name,
    })
  }
  if (facts.overflowCount > 0) return overflowing(column, sql, facts)
  switch (sql.kind) {
    case 'numeric':
      return numericColumn(attribute.name, value, facts)
    case 'interval': {
      const note =
        facts.uncastableCount > 0 ? `column ${attribute.name} holds intervals that are shown as text` : undefined
      return { sql: note ? value : `cast(${value} as INTERVAL)`, note, needsText: false }
    }
    case 'cast':
      return { sql: `cast(${value} as ${sql.castType})`, note: undefined, needsText: false }
    case 'enum':
      return { sql: `cast(${value} as ${enumTypeName(sql.labels)})`, note: undefined, needsText: false }
    case 'blank-padded':
      return { sql: `rtrim(${value}, ' ')`, note: undefined, needsText: false }
    case 'plain':
      return { sql: value, note: undefined, needsText: false }
  }
}

export function enumTypeName(labels: ColumnSql['labels']): string {
  return `tributary_types.${quoteName(`enum_${labels.map(([oid]) => oid).join('_')}`)}`
}

function probedColumns(
  columns: readonly WantedColumn[],
  settings: CodecSettings,
  withOverflow: boolean,
): readonly WantedColumn[] {
  return columns.filter((column) => {
    const sql = columnSql(column.attribute, settings)
    return sql && !column.asText && (withOverflow || sql.kind === 'numeric' || sql.kind === 'interval')
  })
}

function numericColumn(name: string, value: string, facts: ColumnFacts): ShownColumn {
  const digits = facts.wholeDigits + facts.fractionDigits
  if (facts.specialCount > 0 || digits > DECIMAL_DIGITS) {
    const why = facts.specialCount > 0 ? 'NaN or an infinity' : `more than ${DECIMAL_DIGITS} digits`
    return { sql: value, note: `column ${name} is shown as text: it holds ${why}`, needsText: false }
  }
  const width = digits <= NARROW_DECIMAL_DIGITS ? NARROW_DECIMAL_DIGITS : DECIMAL_DIGITS
  return { sql: `cast(${value} as DECIMAL(${width},${facts.fractionDigits}))`, note: undefined, needsText: false }
}

function overflowing(column: WantedColumn, sql: ColumnSql, facts: ColumnFacts): ShownColumn {
  const { attribute } = column
  const value = `c${attribute.number}`
  const text = `json_extract_string(o${attribute.number}, '$')`
  if (/^(DATE|TIMESTAMP|TIMESTAMPTZ)$/.test(sql.physicalType) && facts.otherThanInfinityCount === 0) {
    return { sql: `coalesce(${value}, cast(${text} as ${sql.physicalType}))`, note: undefined, needsText: false }
  }
  const note = `column ${attribute.name} is shown as text: it holds values that ${sql.physicalType} does not`
  if (/^DECIMAL/.test(sql.physicalType)) {
    return { sql: `coalesce(cast(${value} as VARCHAR), ${text})`, note, needsText: false }
  }
  return { sql: value, note, needsText: true }
}
