/** SQL that the console writes itself: to look at rows, never to change them. */

/** A name as SQL takes it, whatever is in it. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** Words that Postgres takes as a name in quotes alone (its documentation, appendix C: "reserved"). */
const reserved = new Set(
  `all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate collation column
  concurrently constraint create cross current_catalog current_date current_role current_schema current_time
  current_timestamp current_user default deferrable desc distinct do else end except false fetch for foreign freeze from full
  grant group having ilike in initially inner intersect into is isnull join lateral leading left like limit localtime
  localtimestamp natural not notnull null offset on only or order outer overlaps placing primary references returning right
  select session_user similar some symmetric system_user table tablesample then to trailing true union unique user using
  variadic verbose when where window with`.split(/\s+/),
)

/** A name as a person would write it: in quotes where SQL needs them. */
export function sqlName(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) && !reserved.has(name) ? name : quoteName(name)
}

export interface RowsRequest {
  readonly schema: string
  readonly table: string
  readonly limit: number
  readonly offset: number
  /** In primary-key order, so that pages do not overlap. */
  readonly orderBy: readonly string[]
}

export function rowsSql({ schema, table, limit, offset, orderBy }: RowsRequest): string {
  const order = orderBy.length === 0 ? '' : ` ORDER BY ${orderBy.map(quoteName).join(', ')}`
  return `SELECT * FROM ${quoteName(schema)}.${quoteName(table)}${order} LIMIT ${limit} OFFSET ${offset}`
}
