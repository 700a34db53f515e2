import { type ResultTable, uniqueNames } from './export-result.ts'

/** How a column of a result is kept in a Parquet file; `text` keeps everything, as it is on screen. */
export type ParquetKind =
  | 'boolean'
  | 'int32'
  | 'int64'
  | 'double'
  | 'date'
  | 'timestamp'
  | 'timestamptz'
  | 'bytes'
  | 'text'
  | 'decimal'

export type ParquetValue = boolean | number | bigint | string | Uint8Array | null

export interface ParquetColumn {
  readonly name: string
  readonly kind: ParquetKind
  /** Digits behind the point; of decimals alone, which have at most 18 digits. */
  readonly scale: number
  /** Dates as days, times as microseconds, both since 1970; decimals as whole numbers of the last digit. */
  readonly values: readonly ParquetValue[]
}

/**
 * Columns of a result with types of their own. A type is used when every value of the column fits it; otherwise (infinity, years
 * before Christ, 40 digits) the column stays text, so that an export never changes or loses a value.
 */
export function parquetColumns({ columns, rows }: ResultTable): ParquetColumn[] {
  const names = uniqueNames(columns.map((column) => column.name))
  return columns.map((column, index) => {
    const texts = rows.map((row) => row[index] ?? null)
    const typed = typedColumn(column.type, texts)
    return { name: names[index] ?? '', ...(typed ?? { kind: 'text', scale: 0, values: texts }) }
  })
}

type TypedColumn = Omit<ParquetColumn, 'name'>

const patterns: readonly (readonly [RegExp, (texts: readonly (string | null)[]) => TypedColumn | undefined])[] = [
  [/^bool(ean)?$/i, (texts) => convert('boolean', texts, parseBoolean)],
  [/^(int2|int4|smallint|integer|tinyint|utinyint|usmallint)$/i, (texts) => convert('int32', texts, parseInt32)],
  [/^(int8|bigint|oid|uinteger|ubigint|hugeint|uhugeint)$/i, (texts) => convert('int64', texts, parseInt64)],
  [/^(float4|float8|real|float|double|double precision)$/i, (texts) => convert('double', texts, parseDouble)],
  [/^(numeric|decimal)(\(\d+, ?-?\d+\))?$/i, decimalColumn],
  [/^date$/i, (texts) => convert('date', texts, parseDate)],
  [
    /^timestamp(\(\d\))?( without time zone)?$/i,
    (texts) => convert('timestamp', texts, (text) => parseTime(text, false)),
  ],
  [
    /^(timestamptz|timestamp(\(\d\))? with time zone)$/i,
    (texts) => convert('timestamptz', texts, (text) => parseTime(text, true)),
  ],
  [/^bytea$/i, (texts) => convert('bytes', texts, parseBytes)],
]

function typedColumn(type: string, texts: readonly (string | null)[]): TypedColumn | undefined {
  return patterns.find(([pattern]) => pattern.test(type.trim()))?.[1](texts)
}

/** undefined when one of the texts is no value of the kind. */
function convert(
  kind: ParquetKind,
  texts: readonly (string | null)[],
  parse: (text: string) => ParquetValue | undefined,
): TypedColumn | undefined {
  const values: ParquetValue[] = []
  for (const text of texts) {
    const value = text === null ? null : parse(text)
    if (value === undefined) return undefined
    values.push(value)
  }
  return { kind, scale: 0, values }
}

function parseBoolean(text: string): boolean | undefined {
  if (text === 't' || text === 'true') return true
  return text === 'f' || text === 'false' ? false : undefined
}

function parseInt32(text: string): number | undefined {
  const value = Number(text)
  return /^-?\d+$/.test(text) && value === (value | 0) ? value : undefined
}

function parseInt64(text: string): bigint | undefined {
  if (!/^-?\d+$/.test(text)) return undefined
  const value = BigInt(text)
  return BigInt.asIntN(64, value) === value ? value : undefined
}

const namedDoubles: Readonly<Record<string, number>> = {
  nan: Number.NaN,
  inf: Number.POSITIVE_INFINITY,
  infinity: Number.POSITIVE_INFINITY,
  '-inf': Number.NEGATIVE_INFINITY,
  '-infinity': Number.NEGATIVE_INFINITY,
}

function parseDouble(text: string): number | undefined {
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return Number(text)
  return namedDoubles[text.toLowerCase()]
}

const decimalDigitsMax = 18

function decimalColumn(texts: readonly (string | null)[]): TypedColumn | undefined {
  const scale = texts.reduce((most, text) => Math.max(most, (text?.split('.')[1] ?? '').length), 0)
  if (scale > decimalDigitsMax) return undefined
  const limit = 10n ** BigInt(decimalDigitsMax)
  const column = convert('decimal', texts, (text) => {
    const match = /^(-?\d+)(?:\.(\d+))?$/.exec(text)
    if (!match) return undefined
    const value = BigInt(`${match[1]}${(match[2] ?? '').padEnd(scale, '0')}`)
    return value > -limit && value < limit ? value : undefined
  })
  return column && { ...column, scale }
}

const dayMs = 86_400_000

function parseDate(text: string): number | undefined {
  const timeMs = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN
  return Number.isNaN(timeMs) ? undefined : timeMs / dayMs
}

/** Microseconds since 1970 in UTC; without a zone, as if the clock on the wall were in UTC. */
function parseTime(text: string, hasZone: boolean): bigint | undefined {
  const match =
    /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?(?:(Z)|([+-])(\d\d)(?::?(\d\d))?(?::?(\d\d))?)?$/.exec(text)
  if (!match) return undefined
  const [, date, time, fraction = '', utc, sign, hours, minutes = '0', seconds = '0'] = match
  if ((utc !== undefined || sign !== undefined) !== hasZone) return undefined
  const wallMs = Date.parse(`${date}T${time}Z`)
  if (Number.isNaN(wallMs)) return undefined
  const offsetS = sign === undefined ? 0 : Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)
  const ms = wallMs - (sign === '-' ? -offsetS : offsetS) * 1000
  return BigInt(ms) * 1000n + BigInt(fraction.padEnd(6, '0'))
}

function parseBytes(text: string): Uint8Array | undefined {
  if (!/^\\x([0-9a-f]{2})*$/i.test(text)) return undefined
  return Uint8Array.from(text.slice(2).match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
}
