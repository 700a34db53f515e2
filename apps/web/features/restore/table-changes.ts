/** Tables of two moments side by side. */

interface TableLike {
  readonly name: string
  readonly columns: readonly { readonly name: string; readonly type: string }[]
}

interface CatalogLike<Table> {
  readonly schemas: readonly { readonly name: string; readonly tables: readonly Table[] }[]
}

export interface TableChange<Table> {
  /** `schema.table` */
  readonly key: string
  readonly schema: string
  readonly before: Table | undefined
  readonly change: 'only-then' | 'only-now' | 'changed' | 'same'
}

/** Every table of either moment, by name. While `now` is unknown nothing counts as changed. */
export function compareTables<Table extends TableLike>(
  old: CatalogLike<Table>,
  now: CatalogLike<Table> | undefined,
): TableChange<Table>[] {
  const earlier = byKey(old)
  const fresh = now ? byKey(now) : undefined
  const keys = new Set([...earlier.keys(), ...(fresh?.keys() ?? [])])
  return [...keys].toSorted().flatMap((key) => {
    const before = earlier.get(key)
    const after = fresh?.get(key)
    const schema = before?.schema ?? after?.schema ?? ''
    return [{ key, schema, before: before?.table, change: changeOf(before?.table, after?.table, fresh !== undefined) }]
  })
}

function changeOf(
  before: TableLike | undefined,
  after: TableLike | undefined,
  isNowKnown: boolean,
): TableChange<TableLike>['change'] {
  if (!before) return 'only-now'
  if (!isNowKnown) return 'same'
  if (!after) return 'only-then'
  const shape = (table: TableLike) => table.columns.map((column) => `${column.name} ${column.type}`).join(',')
  return shape(before) === shape(after) ? 'same' : 'changed'
}

function byKey<Table extends TableLike>(catalog: CatalogLike<Table>): Map<string, { schema: string; table: Table }> {
  const tables = new Map<string, { schema: string; table: Table }>()
  for (const schema of catalog.schemas) {
    for (const table of schema.tables) tables.set(`${schema.name}.${table.name}`, { schema: schema.name, table })
  }
  return tables
}
