/** SQL over the files that hold the rows of one relation. */
import type { TableAttribute, TableDefinition } from '../columnar/table-definition.ts'
import { columnName } from '../columnar/table-layout.ts'
import type { CodecSettings } from '../columnar/types/registry.ts'
import { columnSql, missingConstant } from './column-sql.ts'
import { quoteText } from './sql/tokens.ts'

/** Files of one shape. */
export interface RowSource {
  readonly files: readonly string[]
  /** Attributes as of the moment asked for. */
  readonly current: TableDefinition
  /** Attributes as the files have them. */
  readonly written: TableDefinition
  readonly settings: CodecSettings
  /** Attribute numbers, of those asked for, that these files hold as text. */
  readonly textColumns: ReadonlySet<number>
  readonly hasOverflow: boolean
  /** Over the alias `p`: joins, and conditions that all have to hold. */
  readonly joins: readonly string[]
  readonly conditions: readonly string[]
}

/** A column of the relation asked for, by its number there, and its name in it. */
export interface WantedColumn {
  readonly attribute: TableAttribute
  /** Text instead of its own type. */
  readonly asText: boolean
}

/** Rows of one source as columns c<number of the relation asked for>, and o<number>, what they overflow, when wanted. */
export function selectSource(source: RowSource, columns: readonly WantedColumn[], withOverflow: boolean): string {
  const expressions = columns.map((column) => `${valueIn(source, column)} as c${column.attribute.number}`)
  if (withOverflow) {
    for (const column of columns) expressions.push(`${overflowOf(source, column)} as o${column.attribute.number}`)
  }
  if (expressions.length === 0) expressions.push('1 as c0')
  const files = source.files.map(quoteText).join(', ')
  const where = source.conditions.length === 0 ? '' : `where ${source.conditions.join(' and ')}`
  return `select ${expressions.join(', ')} from read_parquet([${files}]) p ${source.joins.join(' ')} ${where}`
}

/** True when every column can be taken from the files; else their blocks have to be read as pages. */
export function canSelect(
  source: Omit<RowSource, 'files' | 'joins' | 'conditions'>,
  columns: readonly WantedColumn[],
): boolean {
  return columns.every((column) => {
    const own = attributeNamed(source.current, column.attribute.name)
    if (!own) return true
    const written = source.written.attributes[own.number - 1]
    const hasColumn = written?.type !== undefined && !written.isVirtual
    if (!hasColumn) return !column.asText && missingConstant(own, source.settings) !== undefined
    return !column.asText || source.textColumns.has(own.number)
  })
}

/** By name: a partition may number its attributes in another way. */
export function attributeNamed(table: TableDefinition, name: string): TableAttribute | undefined {
  return table.attributes.find((attribute) => attribute.type !== undefined && attribute.name === name)
}

function valueIn(source: RowSource, column: WantedColumn): string {
  const own = attributeNamed(source.current, column.attribute.name)
  const target = columnSql(column.attribute, source.settings)
  if (!own || !target) return `cast(null as ${target?.physicalType ?? 'INTEGER'})`
  if (column.asText) return `p.${columnName(own.number)}`
  const written = source.written.attributes[own.number - 1]
  const writtenSql = written && columnSql(written, source.settings)
  if (!writtenSql) return missingConstant(own, source.settings) ?? `cast(null as ${target.physicalType})`
  const value = relabelled(`p.${columnName(own.number)}`, writtenSql.labels, target.labels)
  return writtenSql.physicalType === target.physicalType ? value : `cast(${value} as ${target.physicalType})`
}

/** Labels of an enum may have been renamed since the file was written; they keep their oids. */
function relabelled(
  value: string,
  before: readonly (readonly [number, string])[],
  now: readonly (readonly [number, string])[],
): string {
  const labelOf = new Map(now)
  const changed = before.flatMap(([oid, label]) => {
    const current = labelOf.get(oid)
    return current === undefined || current === label ? [] : [[label, current] as const]
  })
  if (changed.length === 0) return value
  const cases = changed.map(([from, to]) => `when ${quoteText(from)} then ${quoteText(to)}`).join(' ')
  return `case ${value} ${cases} else ${value} end`
}

/** What the column could not hold, as JSON text; null: it holds its value. */
function overflowOf(source: RowSource, { attribute, asText }: WantedColumn): string {
  const own = attributeNamed(source.current, attribute.name)
  if (!own || asText || !source.hasOverflow) return 'cast(null as JSON)'
  return `json_extract(p._pg_overflow, '$.${columnName(own.number)}')`
}
