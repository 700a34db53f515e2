/** Rows as Postgres and the query worker give them, in a form that can be compared. */
import pg from 'pg'
import type { QueryResult, QueryValue } from '../../src/admin/query-client.ts'

const Oid = {
  bool: 16,
  int2: 21,
  int4: 23,
  float4: 700,
  float8: 701,
  money: 790,
  bpchar: 1042,
  int4Array: 1007,
} as const
const ARRAY_OIDS = new Set([1007, 1009, 1182])
/** Of text[], which the type definitions of the driver do not list. */
const TEXT_ARRAY = 1009 as Parameters<typeof pg.types.getTypeParser>[0]
const parseTextArray = pg.types.getTypeParser(TEXT_ARRAY) as (text: string) => (string | null)[]

/** Multiset of rows, as sorted texts, with every value as the server printed it. */
export async function postgresRows(client: pg.Client, sql: string): Promise<string[]> {
  const { rows, fields } = await client.query({
    text: sql,
    rowMode: 'array',
    types: { getTypeParser: () => (text: string) => text },
  })
  return rows
    .map((row: (string | null)[]) => JSON.stringify(row.map((text, i) => ofServer(text, fields[i]!.dataTypeID))))
    .sort()
}

export function workerRows(result: QueryResult): string[] {
  return result.rows.map((row) => JSON.stringify(row.map(canonical))).sort()
}

/** For the message of a failed test: one row that only one side has, of each side. */
export function firstDifference(ours: readonly string[], theirs: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const row of theirs) counts.set(row, (counts.get(row) ?? 0) + 1)
  const extra = ours.find((row) => {
    const count = counts.get(row) ?? 0
    counts.set(row, count - 1)
    return count <= 0
  })
  const missing = [...counts].find(([, count]) => count > 0)?.[0]
  return `${ours.length} rows instead of ${theirs.length}; extra ${extra?.slice(0, 1500)}; missing ${missing?.slice(0, 1500)}`
}

function ofServer(text: string | null, typeOid: number): unknown {
  if (text === null) return null
  if (ARRAY_OIDS.has(typeOid)) {
    return parseTextArray(text).map((item) =>
      item === null ? null : canonical(typeOid === Oid.int4Array ? Number(item) : item),
    )
  }
  switch (typeOid) {
    case Oid.int2:
    case Oid.int4:
    case Oid.float4:
    case Oid.float8:
      return canonicalNumber(Number(text), text)
    case Oid.bool:
      return text === 't'
    case Oid.bpchar:
      return text.trimEnd()
    case Oid.money:
      return canonical(text.replace(/[$,]/g, ''))
    default:
      return canonical(text)
  }
}

/** Decimals that differ in nothing but trailing zeros are the same. */
function canonical(value: QueryValue): unknown {
  if (typeof value === 'number') return canonicalNumber(value, String(value))
  if (Array.isArray(value)) return value.map(canonical)
  if (typeof value !== 'string') return value
  return /^-?\d+\.\d+$/.test(value) ? value.replace(/\.?0+$/, '').replace(/^-0$/, '0') : value
}

function canonicalNumber(value: number, text: string): unknown {
  if (Object.is(value, -0)) return '-0'
  return Number.isFinite(value) ? String(value) : text
}
