/** SQL that the console writes itself: to look at rows, never to change them. */

/** A name as SQL takes it, whatever is in it. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
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
