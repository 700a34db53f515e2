import { StorageError } from '../base/errors.ts'
import type { Catalog, CatalogRelation } from '../catalog/catalog.ts'
import type { TableName } from './sql/statement.ts'

/** Where unqualified names are looked up, in this order, as Postgres does with its default search_path. */
const SEARCH_PATH = ['pg_catalog', 'public'] as const

/** Hold passwords and other people's secrets. */
const HIDDEN = new Set(['pg_authid', 'pg_user_mapping', 'pg_subscription', 'pg_largeobject'])

const UNREADABLE: Readonly<Record<string, string>> = {
  v: 'is a view: Postgres keeps it as a parsed tree that only a server can run, use the tables that it reads (\\d+ shows its query), or a materialized view',
  f: 'is a foreign table: its rows are elsewhere',
  S: 'is a sequence',
  i: 'is an index',
  I: 'is an index',
  c: 'is a composite type',
}

/** Throws `not-found` with near misses, or `unsupported`. `position` is where the name stands, from 1. */
export function resolveTable(catalog: Catalog, table: TableName, position: number): CatalogRelation {
  const { database } = catalog
  if (table.catalog !== '' && table.catalog.toLowerCase() !== database.name.toLowerCase()) {
    throw new StorageError('invalid-input', 'no other database can be named in a statement', {
      database: table.catalog,
      position,
    })
  }
  const schemas = table.schema === '' ? SEARCH_PATH : namesLike(catalog.schemas, table.schema)
  for (const schema of schemas) {
    const relation = catalog.find(schema, table.name) ?? catalog.find(schema, table.name.toLowerCase())
    if (relation) return requireReadable(relation, position)
  }
  const full = table.schema === '' ? table.name : `${table.schema}.${table.name}`
  const hint = nearMisses(catalog, table)
  throw new StorageError('not-found', `relation "${full}" does not exist${hint}`, { position })
}

function requireReadable(relation: CatalogRelation, position: number): CatalogRelation {
  const problem =
    HIDDEN.has(relation.name) && relation.schema === 'pg_catalog' ? 'is not readable here' : UNREADABLE[relation.kind]
  if (problem !== undefined) {
    throw new StorageError('unsupported', `relation "${relation.name}" ${problem}`, { position })
  }
  if (relation.persistence !== 'p') {
    throw new StorageError(
      'unsupported',
      `relation "${relation.name}" is unlogged or temporary: its rows are in no WAL`,
      {
        position,
      },
    )
  }
  return relation
}

/** The name as it is, then folded: the parser does not say whether it was quoted. */
function namesLike(names: readonly string[], name: string): string[] {
  return [name, name.toLowerCase()].filter((each) => names.includes(each))
}

function nearMisses(catalog: Catalog, table: TableName): string {
  const wanted = table.name.toLowerCase()
  const near = catalog
    .userTables()
    .map((relation) => ({ relation, distance: editDistance(relation.name.toLowerCase(), wanted) }))
    .filter(({ distance }) => distance <= Math.max(2, wanted.length / 3))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ relation }) => `"${relation.schema}.${relation.name}"`)
  return near.length === 0 ? '' : `: did you mean ${near.join(' or ')}?`
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const current = [i]
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1
      current.push(Math.min(previous[j]! + 1, current[j - 1]! + 1, previous[j - 1]! + cost))
    }
    previous = current
  }
  return previous[b.length]!
}
