/** The catalogs of one database as of one LSN, in memory, and what is derived from them: definitions of tables. */
import { CorruptionError, StorageError } from '../base/errors.ts'
import { i32, u16 } from '../columnar/little-endian.ts'
import type { Alignment, PostgresType, TableAttribute, TableDefinition } from '../columnar/table-definition.ts'
import { embeddedDatum } from '../columnar/varlena.ts'
import type { RelationLocator } from '../postgres/two-phase.ts'
import type { CatalogRow } from './catalog-row.ts'

export interface CatalogDatabase {
  readonly oid: number
  readonly name: string
  /** pg_enc: 6 is UTF8. */
  readonly encoding: number
  readonly isTemplate: boolean
  readonly tablespaceOid: number
}

export interface CatalogRelation {
  readonly oid: number
  readonly name: string
  readonly schema: string
  /** relkind: r table, p partitioned table, m materialized view, v view, f foreign table, t TOAST, i index, S sequence, … */
  readonly kind: string
  /** relpersistence: p permanent, u unlogged, t temporary. */
  readonly persistence: string
  readonly isShared: boolean
  readonly isPartition: boolean
  /** 0: no TOAST relation. */
  readonly toastOid: number
  /** Where its blocks are; undefined: it has none of its own (views, partitioned tables). */
  readonly locator: RelationLocator | undefined
  readonly typeOid: number
}

export interface CatalogTables {
  readonly database: CatalogDatabase
  readonly relations: readonly CatalogRelation[]
  readonly schemas: ReadonlyMap<number, string>
  readonly attributes: ReadonlyMap<number, readonly CatalogRow<'pg_attribute'>[]>
  readonly types: ReadonlyMap<number, CatalogRow<'pg_type'>>
  readonly enums: ReadonlyMap<number, readonly CatalogRow<'pg_enum'>[]>
  readonly ranges: readonly CatalogRow<'pg_range'>[]
  readonly inherits: readonly CatalogRow<'pg_inherits'>[]
  readonly indexes: readonly CatalogRow<'pg_index'>[]
}

/** array_subscript_handler (pg_proc.dat): what makes a type with typelem a true array. */
const ARRAY_SUBSCRIPT_HANDLER = 6179
const ENCODING_UTF8 = 6
const NESTED_TYPES_MAX = 100

export class Catalog {
  readonly database: CatalogDatabase
  readonly #tables: CatalogTables
  readonly #byOid: ReadonlyMap<number, CatalogRelation>
  readonly #byName: ReadonlyMap<string, CatalogRelation>
  readonly #types = new Map<number, PostgresType>()
  readonly #subtypes: ReadonlyMap<number, number>

  constructor(tables: CatalogTables) {
    this.database = tables.database
    this.#tables = tables
    this.#byOid = new Map(tables.relations.map((relation) => [relation.oid, relation]))
    this.#byName = new Map(tables.relations.map((relation) => [`${relation.schema}\0${relation.name}`, relation]))
    const subtypes = new Map<number, number>()
    for (const range of tables.ranges) {
      subtypes.set(range.rngtypid, range.rngsubtype)
      subtypes.set(range.rngmultitypid, range.rngsubtype)
    }
    this.#subtypes = subtypes
  }

  get isUtf8(): boolean {
    return this.database.encoding === ENCODING_UTF8
  }

  get relations(): readonly CatalogRelation[] {
    return this.#tables.relations
  }

  get schemas(): readonly string[] {
    return [...this.#tables.schemas.values()]
  }

  relation(oid: number): CatalogRelation | undefined {
    return this.#byOid.get(oid)
  }

  find(schema: string, name: string): CatalogRelation | undefined {
    return this.#byName.get(`${schema}\0${name}`)
  }

  /** Tables of users that keep rows: ordinary, partitioned, materialized views. Temporary and unlogged ones are not. */
  userTables(): CatalogRelation[] {
    return this.#tables.relations.filter(
      ({ kind, schema, persistence }) =>
        (kind === 'r' || kind === 'p' || kind === 'm') &&
        persistence === 'p' &&
        schema !== 'pg_catalog' &&
        schema !== 'information_schema' &&
        schema !== 'pg_toast',
    )
  }

  /** Direct children by inheritance or partitioning; a partition being detached is none any more. */
  children(oid: number): number[] {
    return this.#tables.inherits
      .filter((row) => row.inhparent === oid && !row.inhdetachpending)
      .sort((a, b) => a.inhseqno - b.inhseqno || a.inhrelid - b.inhrelid)
      .map((row) => row.inhrelid)
  }

  /** The relation and everything below it that keeps rows of its own: what SELECT reads. */
  scannedRelations(oid: number): CatalogRelation[] {
    const found = new Map<number, CatalogRelation>()
    const waiting = [oid]
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const relation = this.#byOid.get(next)
      if (!relation || found.has(next)) continue
      found.set(next, relation)
      waiting.push(...this.children(next))
    }
    return [...found.values()].filter(({ locator }) => locator !== undefined)
  }

  /** Numbers of the primary key's attributes in key order; empty when there is none. */
  primaryKey(oid: number): number[] {
    const index = this.#tables.indexes.find((row) => row.indrelid === oid && row.indisprimary && row.indisvalid)
    return index?.indkey ? int2Vector(index.indkey) : []
  }

  /** Oid of the only index of a TOAST relation that is in use. */
  validIndexes(oid: number): CatalogRelation[] {
    return this.#tables.indexes
      .filter((row) => row.indrelid === oid && row.indisvalid)
      .flatMap((row) => this.#byOid.get(row.indexrelid) ?? [])
  }

  /** Throws `not-found` when there is no relation with this oid. */
  tableDefinition(oid: number): TableDefinition {
    const relation = this.#byOid.get(oid)
    if (!relation) throw new StorageError('not-found', 'no such relation', { oid })
    return { name: relation.name, attributes: this.#attributes(oid, 0) }
  }

  /** attnotnull by attribute number. */
  isNotNull(oid: number, attributeNumber: number): boolean {
    const row = this.#tables.attributes.get(oid)?.find((attribute) => attribute.attnum === attributeNumber)
    return row?.attnotnull ?? false
  }

  #attributes(oid: number, depth: number): TableAttribute[] {
    const rows = [...(this.#tables.attributes.get(oid) ?? [])].sort((a, b) => a.attnum - b.attnum)
    return rows.map((row, i): TableAttribute => {
      if (row.attnum !== i + 1) throw new CorruptionError('attributes of a relation have gaps', { oid })
      const missing = row.atthasmissing && row.attmissingval ? missingPayload(row.attmissingval, row.attlen) : undefined
      return {
        number: row.attnum,
        name: row.attname,
        ...(row.attisdropped ? {} : { type: this.#type(row.atttypid, depth + 1) }),
        typmod: row.atttypmod,
        length: row.attlen,
        alignment: alignmentOf(row.attalign),
        storage: storageOf(row.attstorage),
        ...(row.attgenerated === 'v' ? { isVirtual: true } : {}),
        ...(missing ? { missingHex: hexOf(missing) } : {}),
      }
    })
  }

  #type(oid: number, depth: number): PostgresType {
    const known = this.#types.get(oid)
    if (known) return known
    const row = this.#tables.types.get(oid)
    if (!row || depth > NESTED_TYPES_MAX) throw new CorruptionError('type is not in pg_type', { oid, depth })
    const type = this.#resolveType(row, depth + 1)
    this.#types.set(oid, type)
    return type
  }

  #resolveType(row: CatalogRow<'pg_type'>, depth: number): PostgresType {
    const base = {
      oid: row.oid,
      name: row.typname,
      length: row.typlen,
      alignment: alignmentOf(row.typalign),
      storage: storageOf(row.typstorage),
    }
    if (row.typsubscript === ARRAY_SUBSCRIPT_HANDLER && row.typlen === -1) {
      return { ...base, kind: 'array', element: this.#type(row.typelem, depth), delimiter: row.typdelim }
    }
    switch (row.typtype) {
      case 'e': {
        const labels = [...(this.#tables.enums.get(row.oid) ?? [])].sort((a, b) => a.enumsortorder - b.enumsortorder)
        return { ...base, kind: 'enum', labels: labels.map((label) => [label.oid, label.enumlabel] as const) }
      }
      case 'd':
        return { ...base, kind: 'domain', base: this.#type(row.typbasetype, depth), typmod: row.typtypmod }
      case 'c':
        return { ...base, kind: 'composite', attributes: this.#attributes(row.typrelid, depth) }
      case 'r':
      case 'm': {
        const subtype = this.#subtypes.get(row.oid)
        // A range whose row in pg_range is gone cannot be printed; its bytes can.
        if (subtype === undefined) return { ...base, kind: 'base' }
        return { ...base, kind: row.typtype === 'r' ? 'range' : 'multirange', subtype: this.#type(subtype, depth) }
      }
      default:
        return { ...base, kind: 'base' }
    }
  }
}

/** attmissingval is an array of one element (src/backend/catalog/heap.c, StoreAttrMissingVal): the element's payload. */
function missingPayload(array: Uint8Array, length: number): Uint8Array {
  if (array.length < 20 || i32(array, 0) !== 1) throw new CorruptionError('attmissingval', { bytes: array.length })
  const dataOffset = i32(array, 4)
  // One dimension: 4-byte header, 12 bytes, length, lower bound, then aligned to 8 as in every array.
  const at = dataOffset > 0 ? dataOffset - 4 : 20
  const datum = embeddedDatum(array, at, array.length, length)
  return datum.bytes.slice(datum.start, datum.end)
}

/** int2vector after its header: i32 dimensions, i32 0, u32 type, i32 count, i32 lower bound 0, i16 each. */
function int2Vector(bytes: Uint8Array): number[] {
  const count = bytes.length >= 20 ? i32(bytes, 12) : -1
  if (count < 0 || bytes.length < 20 + count * 2) throw new CorruptionError('int2vector', { bytes: bytes.length })
  return Array.from({ length: count }, (_, i) => (u16(bytes, 20 + i * 2) << 16) >> 16)
}

function alignmentOf(letter: string): Alignment {
  switch (letter) {
    case 'c':
      return 1
    case 's':
      return 2
    case 'i':
      return 4
    case 'd':
      return 8
    default:
      throw new CorruptionError('unknown alignment in the catalogs', { letter })
  }
}

function storageOf(letter: string): TableAttribute['storage'] {
  if (letter === 'p' || letter === 'e' || letter === 'm' || letter === 'x') return letter
  throw new CorruptionError('unknown storage in the catalogs', { letter })
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
