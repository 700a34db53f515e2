import { isStorageError } from '../../base/errors.ts'
import type { Catalog, CatalogRelation } from '../../catalog/catalog.ts'
import { readCatalog, readDatabases } from '../../catalog/read-catalog.ts'
import { TransactionStatus } from '../../catalog/transaction-status.ts'
import type { UserHeap } from '../upkeep/columnar-plan.ts'
import type { TimelineSnapshot } from './timeline-snapshot.ts'

/** Materialized views are tables of users too; TOAST relations, sequences and catalogs are not. */
const HEAP_KINDS = new Set(['r', 'm'])

/** Heaps of users in every database, as of the snapshot's LSN. */
export async function readUserHeaps(snapshot: TimelineSnapshot): Promise<UserHeap[]> {
  const transactions = new TransactionStatus(snapshot)
  const heaps: UserHeap[] = []
  for (const database of await readDatabases(snapshot, transactions)) {
    let catalog: Catalog
    try {
      catalog = await readCatalog(snapshot, database, transactions)
    } catch (error) {
      // CREATE DATABASE with STRATEGY file_copy leaves a moment at which the row is there and the files are not.
      if (isStorageError(error, 'corruption')) continue
      throw error
    }
    for (const table of catalog.userTables()) {
      await snapshot.giveWay()
      const heap = HEAP_KINDS.has(table.kind) ? await userHeapOf(snapshot, catalog, table) : undefined
      if (heap) heaps.push(heap)
    }
  }
  return heaps
}

/** Undefined: it has no blocks of its own. */
export async function userHeapOf(
  snapshot: TimelineSnapshot,
  catalog: Catalog,
  table: CatalogRelation,
): Promise<UserHeap | undefined> {
  const { locator } = table
  const blockCount = locator && (await snapshot.blockCount(locator))
  if (!locator || !blockCount) return undefined
  const toast = catalog.relation(table.toastOid)
  const index = toast && catalog.validIndexes(toast.oid)[0]
  const toastBlocks = toast?.locator && (await snapshot.blockCount(toast.locator))
  return {
    locator,
    tableOid: table.oid,
    definition: catalog.tableDefinition(table.oid),
    isUtf8: catalog.isUtf8,
    blockCount,
    ...(toast?.locator && index?.locator && toastBlocks
      ? { toast: { heap: toast.locator, index: index.locator, blockCount: toastBlocks } }
      : {}),
  }
}
