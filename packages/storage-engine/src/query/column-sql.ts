/** How values of a Postgres type lie in Parquet, and how they are shown to SQL. */
import type { PostgresType, TableAttribute } from '../columnar/table-definition.ts'
import { type CodecSettings, codecOf } from '../columnar/types/registry.ts'
import { STRING_SHAPE } from '../columnar/types/text.ts'
import type { ColumnShape } from '../columnar/types/type-codec.ts'
import { quoteText } from './sql/tokens.ts'

const SQL_OF_DELTA: Readonly<Record<string, string>> = {
  boolean: 'BOOLEAN',
  short: 'SMALLINT',
  integer: 'INTEGER',
  long: 'BIGINT',
  float: 'FLOAT',
  double: 'DOUBLE',
  date: 'DATE',
  timestamp: 'TIMESTAMPTZ',
  timestamp_ntz: 'TIMESTAMP',
  string: 'VARCHAR',
  binary: 'BLOB',
}

const Oid = { json: 114, bpchar: 1042, time: 1083, interval: 1186, numeric: 1700, uuid: 2950, jsonb: 3802 } as const

/**
 * `plain`: as it lies. `cast`: always castable. `numeric`, `interval`: text that is castable if the data allows. `enum`: labels
 * in their order. `blank-padded`: compared without trailing blanks, as Postgres does.
 */
export type ShownKind = 'plain' | 'cast' | 'numeric' | 'interval' | 'enum' | 'blank-padded'

export interface ColumnSql {
  /** In Parquet. */
  readonly physicalType: string
  readonly isList: boolean
  readonly kind: ShownKind
  /** What `cast` casts to. */
  readonly castType: string
  /** Of an enum, in their order. */
  readonly labels: readonly (readonly [oid: number, label: string])[]
}

/** Undefined: the attribute has no values to show (dropped, or computed when read). */
export function columnSql(attribute: TableAttribute, settings: CodecSettings): ColumnSql | undefined {
  if (!attribute.type || attribute.isVirtual) return undefined
  const codec = codecOf(attribute.type, attribute.typmod, settings)
  const isList = codec.kind === 'list'
  const shape = isList ? codec.element.shape : codec.shape
  const physicalType = sqlOfShape(shape) + (isList ? '[]' : '')
  const plain = { physicalType, isList, kind: 'plain', castType: physicalType, labels: [] } as const
  if (isList) return plain
  const type = withoutDomains(attribute.type)
  if (type.kind === 'enum') return { ...plain, kind: 'enum', labels: type.labels }
  if (type.kind !== 'base' || shape !== STRING_SHAPE) return plain
  switch (type.oid) {
    case Oid.json:
    case Oid.jsonb:
      return { ...plain, kind: 'cast', castType: 'JSON' }
    case Oid.uuid:
      return { ...plain, kind: 'cast', castType: 'UUID' }
    case Oid.time:
      return { ...plain, kind: 'cast', castType: 'TIME' }
    case Oid.bpchar:
      return { ...plain, kind: 'blank-padded' }
    case Oid.numeric:
      return { ...plain, kind: 'numeric' }
    case Oid.interval:
      return { ...plain, kind: 'interval', castType: 'INTERVAL' }
    default:
      return plain
  }
}

/** The value that tuples older than the attribute have. Undefined: it cannot be written as a constant. */
export function missingConstant(attribute: TableAttribute, settings: CodecSettings): string | undefined {
  const sql = columnSql(attribute, settings)
  if (!attribute.type || !sql || attribute.missingHex === undefined)
    return `cast(null as ${sql?.physicalType ?? 'INTEGER'})`
  if (sql.isList) return undefined
  const bytes = Uint8Array.from(attribute.missingHex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
  if (sql.physicalType === 'BLOB') return `from_hex(${quoteText(attribute.missingHex)})`
  const text = codecOf(attribute.type, attribute.typmod, settings).text(bytes, 0, bytes.length)
  return `cast(${quoteText(text)} as ${sql.physicalType})`
}

function sqlOfShape(shape: ColumnShape): string {
  const decimal = /^decimal\((\d+),(\d+)\)$/.exec(shape.deltaType)
  if (decimal) return `DECIMAL(${decimal[1]},${decimal[2]})`
  return SQL_OF_DELTA[shape.deltaType] ?? 'VARCHAR'
}

function withoutDomains(type: PostgresType): PostgresType {
  return type.kind === 'domain' ? withoutDomains(type.base) : type
}
