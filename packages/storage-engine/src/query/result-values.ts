/** Values and types of the engine's answers as Postgres shows them. */
import {
  DuckDBBitValue,
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBIntervalValue,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  DuckDBTimeValue,
  type DuckDBType,
  type DuckDBValue,
} from '@duckdb/node-api'
import type { QueryValue } from '../admin/query-client.ts'
import { dateText, intervalText, timestampText, timeText } from '../columnar/types/date-time.ts'
import { formatFloat4 } from '../columnar/types/float-text.ts'

const POSTGRES_EPOCH_DAYS = 10957
const POSTGRES_EPOCH_MICROS = 946_684_800_000_000n
const INFINITE_DAYS = 0x7fffffff
const INFINITE_MICROS = 0x7fffffffffffffffn

/** For a column of this type. A real is shown with the digits that tell it from its neighbours, as Postgres does. */
export function valueConverter(type: DuckDBType): (value: DuckDBValue) => QueryValue {
  return /^FLOAT(\[\d*\])*$/.test(type.toString()) ? realValue : queryValue
}

function realValue(value: DuckDBValue): QueryValue {
  if (value instanceof DuckDBListValue) return value.items.map(realValue)
  const shown = queryValue(value)
  return typeof shown === 'number' ? Number(formatFloat4(shown)) : shown
}

export function queryValue(value: DuckDBValue): QueryValue {
  if (value === null) return null
  switch (typeof value) {
    case 'boolean':
      return value
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0) ? value : numberText(value)
    case 'bigint':
      return value.toString()
    case 'string':
      return value
    default:
      return objectValue(value)
  }
}

/** Such as `integer` or `timestamp with time zone[]`. */
export function postgresTypeName(type: DuckDBType): string {
  const text = type.alias ?? type.toString()
  const list = /^(.*)\[\d*\]$/s.exec(text)
  if (list) return `${nameOf(list[1]!)}[]`
  return nameOf(text)
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  return value === 0 ? '-0' : value > 0 ? 'Infinity' : '-Infinity'
}

function objectValue(value: Exclude<DuckDBValue, null | boolean | number | bigint | string>): QueryValue {
  if (value instanceof DuckDBDateValue) {
    if (value.days >= INFINITE_DAYS) return 'infinity'
    if (value.days <= -INFINITE_DAYS) return '-infinity'
    return dateText(value.days - POSTGRES_EPOCH_DAYS)
  }
  if (value instanceof DuckDBTimestampValue) return momentText(value.micros, false)
  if (value instanceof DuckDBTimestampTZValue) return momentText(value.micros, true)
  if (value instanceof DuckDBTimeValue) return timeText(value.micros)
  if (value instanceof DuckDBIntervalValue) return intervalText(value.micros, value.days, value.months)
  if (value instanceof DuckDBBlobValue) return `\\x${Buffer.from(value.bytes).toString('hex')}`
  if (value instanceof DuckDBDecimalValue || value instanceof DuckDBBitValue) return value.toString()
  if (value instanceof DuckDBListValue) return value.items.map(queryValue)
  if (value instanceof DuckDBStructValue) {
    return JSON.stringify(
      Object.fromEntries(Object.entries(value.entries).map(([key, item]) => [key, queryValue(item)])),
    )
  }
  if (value instanceof DuckDBMapValue) {
    return JSON.stringify(value.entries.map(({ key, value: item }) => [queryValue(key), queryValue(item)]))
  }
  return value.toString()
}

function momentText(micros: bigint, isUtc: boolean): string {
  if (micros >= INFINITE_MICROS) return 'infinity'
  if (micros <= -INFINITE_MICROS) return '-infinity'
  return timestampText(micros - POSTGRES_EPOCH_MICROS, isUtc)
}

const NAMES: Readonly<Record<string, string>> = {
  BOOLEAN: 'boolean',
  TINYINT: 'smallint',
  SMALLINT: 'smallint',
  INTEGER: 'integer',
  BIGINT: 'bigint',
  HUGEINT: 'numeric',
  UHUGEINT: 'numeric',
  UTINYINT: 'smallint',
  USMALLINT: 'integer',
  UINTEGER: 'bigint',
  UBIGINT: 'numeric',
  FLOAT: 'real',
  DOUBLE: 'double precision',
  VARCHAR: 'text',
  JSON: 'json',
  BLOB: 'bytea',
  DATE: 'date',
  TIME: 'time without time zone',
  'TIME WITH TIME ZONE': 'time with time zone',
  TIMESTAMP: 'timestamp without time zone',
  'TIMESTAMP WITH TIME ZONE': 'timestamp with time zone',
  INTERVAL: 'interval',
  UUID: 'uuid',
  BIT: 'bit varying',
}

function nameOf(text: string): string {
  const decimal = /^DECIMAL(\(.*\))$/.exec(text)
  if (decimal) return `numeric${decimal[1]}`
  if (text.startsWith('ENUM')) return 'text'
  if (text.startsWith('STRUCT') || text.startsWith('MAP')) return 'json'
  return NAMES[text] ?? text.toLowerCase()
}
