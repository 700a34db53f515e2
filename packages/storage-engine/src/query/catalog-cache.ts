import { StorageError } from '../base/errors.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { readCatalog, readDatabases } from '../catalog/read-catalog.ts'
import type { SnapshotSource } from '../catalog/snapshot-source.ts'
import { TransactionStatus } from '../catalog/transaction-status.ts'
import type { Moment } from './moment-resolver.ts'

/** Catalogs kept: about 5 MiB each for a database of some hundred tables. */
const CATALOGS_MAX = 16

/** Catalogs by timeline, LSN and database; what is committed at an LSN does not change. */
export class CatalogCache {
  /** Least recently used first. */
  readonly #catalogs = new Map<string, Promise<Catalog>>()

  get(source: SnapshotSource, { timelineId, lsn }: Moment, database: string): Promise<Catalog> {
    const key = `${timelineId}/${lsn}/${database}`
    const catalog = this.#catalogs.get(key) ?? read(source, database)
    this.#catalogs.delete(key)
    this.#catalogs.set(key, catalog)
    catalog.catch(() => this.#catalogs.delete(key))
    if (this.#catalogs.size > CATALOGS_MAX) {
      const [oldest] = this.#catalogs.keys()
      if (oldest !== undefined) this.#catalogs.delete(oldest)
    }
    return catalog
  }
}

async function read(source: SnapshotSource, name: string): Promise<Catalog> {
  const transactions = new TransactionStatus(source)
  const database = (await readDatabases(source, transactions)).find((each) => each.name === name)
  if (!database) throw new StorageError('not-found', 'no such database', { database: name })
  return readCatalog(source, database, transactions)
}
