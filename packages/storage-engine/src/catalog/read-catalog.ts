import { CorruptionError } from '../base/errors.ts'
import { DEFAULT_TABLESPACE_OID, GLOBAL_TABLESPACE_OID } from '../postgres/constants.ts'
import { decodeRelmap } from '../postgres/relmap.ts'
import type { RelationLocator } from '../postgres/two-phase.ts'
import { Catalog, type CatalogDatabase, type CatalogRelation } from './catalog.ts'
import { CATALOG_OIDS, type CatalogName } from './catalog-columns.ts'
import { type CatalogRow, readCatalogRow } from './catalog-row.ts'
import { scanVisibleTuples } from './heap-scan.ts'
import type { SnapshotSource } from './snapshot-source.ts'
import { TransactionStatus } from './transaction-status.ts'

/** Relations of one database that are held; about 1 KiB each with their attributes. */
const CATALOG_ROWS_MAX = 4_000_000

/** The databases of the cluster as of the source's LSN, templates included. */
export async function readDatabases(
  source: SnapshotSource,
  transactions = new TransactionStatus(source),
): Promise<CatalogDatabase[]> {
  const mapped = await readRelationMap(source, GLOBAL_TABLESPACE_OID, 0)
  const relNumber = mapped.get(CATALOG_OIDS.pg_database)
  if (relNumber === undefined) throw new CorruptionError('pg_database is not in the relation map')
  const locator = { spcOid: GLOBAL_TABLESPACE_OID, dbOid: 0, relNumber }
  const rows = await readRows(source, transactions, 'pg_database', locator)
  return rows.map((row) => ({
    oid: row.oid,
    name: row.datname,
    encoding: row.encoding,
    isTemplate: row.datistemplate,
    tablespaceOid: row.dattablespace,
  }))
}

/** The catalogs of a database as of the source's LSN. */
export async function readCatalog(
  source: SnapshotSource,
  database: CatalogDatabase,
  transactions = new TransactionStatus(source),
): Promise<Catalog> {
  const spcOid = database.tablespaceOid
  const [shared, local] = await Promise.all([
    readRelationMap(source, GLOBAL_TABLESPACE_OID, 0),
    readRelationMap(source, spcOid, database.oid),
  ])
  const locate = (oid: number, relNumber: number, tablespaceOid: number, isShared: boolean): RelationLocator => {
    const mapped = relNumber === 0 ? (isShared ? shared : local).get(oid) : relNumber
    if (mapped === undefined) throw new CorruptionError('relation is not in the relation map', { oid })
    if (isShared) return { spcOid: GLOBAL_TABLESPACE_OID, dbOid: 0, relNumber: mapped }
    return { spcOid: tablespaceOid === 0 ? spcOid : tablespaceOid, dbOid: database.oid, relNumber: mapped }
  }
  const classRows = await readRows(source, transactions, 'pg_class', locate(CATALOG_OIDS.pg_class, 0, 0, false))
  const classOf = new Map(classRows.map((row) => [row.oid, row]))
  const read = <Name extends CatalogName>(name: Name, isWanted?: Filter): Promise<CatalogRow<Name>[]> => {
    const row = classOf.get(CATALOG_OIDS[name])
    if (!row) throw new CorruptionError('catalog is not in pg_class', { name })
    return readRows(source, transactions, name, locate(row.oid, row.relfilenode, row.reltablespace, false), isWanted)
  }
  const [namespaces, attributes, types, enums, ranges, inherits, indexes] = await Promise.all([
    read('pg_namespace'),
    read('pg_attribute', isUserColumn),
    read('pg_type'),
    read('pg_enum'),
    read('pg_range'),
    read('pg_inherits'),
    read('pg_index'),
  ])
  await source.giveWay?.()
  const schemas = new Map(namespaces.map((row) => [row.oid, row.nspname]))
  const relations = classRows.map((row): CatalogRelation => {
    const hasBlocks = /[rmtiS]/.test(row.relkind)
    return {
      oid: row.oid,
      name: row.relname,
      schema: schemas.get(row.relnamespace) ?? '',
      kind: row.relkind,
      persistence: row.relpersistence,
      isShared: row.relisshared,
      isPartition: row.relispartition,
      toastOid: row.reltoastrelid,
      locator: hasBlocks ? locate(row.oid, row.relfilenode, row.reltablespace, row.relisshared) : undefined,
      typeOid: row.reltype,
    }
  })
  return new Catalog({
    database,
    relations,
    schemas,
    attributes: groupBy(attributes, (row) => row.attrelid),
    types: new Map(types.map((row) => [row.oid, row])),
    enums: groupBy(enums, (row) => row.enumtypid),
    ranges,
    inherits,
    indexes,
  })
}

type Filter = (page: Uint8Array, start: number) => boolean

/** pg_attribute: attnum, at byte 74 of the data, above 0. System columns are six in ten. */
function isUserColumn(page: Uint8Array, start: number): boolean {
  return page[start + page[start + 22]! + 75]! < 0x80
}

async function readRows<Name extends CatalogName>(
  source: SnapshotSource,
  transactions: TransactionStatus,
  name: Name,
  locator: RelationLocator,
  isWanted?: Filter,
): Promise<CatalogRow<Name>[]> {
  const rows: CatalogRow<Name>[] = []
  const onTuple = (page: Uint8Array, start: number, end: number): void => {
    if (rows.length >= CATALOG_ROWS_MAX) throw new CorruptionError('catalog has too many rows', { name })
    rows.push(readCatalogRow(name, page, start, end))
  }
  await scanVisibleTuples(source, transactions, locator, onTuple, isWanted)
  return rows
}

async function readRelationMap(
  source: SnapshotSource,
  spcOid: number,
  dbOid: number,
): Promise<ReadonlyMap<number, number>> {
  const bytes = await source.relationMap(spcOid || DEFAULT_TABLESPACE_OID, dbOid)
  if (!bytes) throw new CorruptionError('database has no relation map', { spcOid, dbOid })
  return new Map(decodeRelmap(bytes).map(({ oid, relNumber }) => [oid, relNumber]))
}

function groupBy<Row>(rows: readonly Row[], keyOf: (row: Row) => number): Map<number, Row[]> {
  const groups = new Map<number, Row[]>()
  for (const row of rows) {
    const group = groups.get(keyOf(row))
    if (group) group.push(row)
    else groups.set(keyOf(row), [row])
  }
  return groups
}
