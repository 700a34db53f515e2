import { StorageError } from '../base/errors.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { readCatalog, readDatabases } from '../catalog/read-catalog.ts'
import type { SnapshotSource } from '../catalog/snapshot-source.ts'
import { TransactionStatus } from '../catalog/transaction-status.ts'
import { readPageLsn } from '../postgres/page-header.ts'
import type { RelationLocator } from '../postgres/two-phase.ts'
import type { Moment } from './moment-resolver.ts'

/** Catalogs kept: about 5 MiB each for a database of some hundred tables. */
const CATALOGS_MAX = 16

interface Known {
  readonly catalog: Catalog
  /** What was read for it. */
  readonly reads: readonly RecordedRead[]
  /** Every transaction that it depends on had ended. */
  readonly isSettled: boolean
}

type RecordedRead =
  | { readonly kind: 'size'; readonly relation: RelationLocator; readonly blockCount: number | undefined }
  | { readonly kind: 'map'; readonly spcOid: number; readonly dbOid: number; readonly bytes: Uint8Array | undefined }
  | {
      readonly kind: 'pages'
      readonly relation: RelationLocator
      readonly firstBlock: number
      /** LSN of each page; 0 for one of zeros. */
      readonly pageLsns: readonly number[]
    }

/**
 * Catalogs by timeline, LSN and database. At another LSN of the same timeline the last one is taken again when no page of it
 * has another LSN than before and no transaction was open then: comparing takes a small part of decoding.
 */
export class CatalogCache {
  /** Least recently used first. */
  readonly #catalogs = new Map<string, Promise<Known>>()
  readonly #latest = new Map<string, Promise<Known>>()

  async get(source: SnapshotSource, { timelineId, lsn }: Moment, database: string): Promise<Catalog> {
    const line = `${timelineId}/${database}`
    const key = `${line}/${lsn}`
    const known = this.#catalogs.get(key) ?? read(source, database, this.#latest.get(line))
    keep(this.#catalogs, key, known)
    keep(this.#latest, line, known)
    known.catch(() => {
      this.#catalogs.delete(key)
      this.#latest.delete(line)
    })
    return (await known).catalog
  }
}

function keep(map: Map<string, Promise<Known>>, key: string, known: Promise<Known>): void {
  map.delete(key)
  map.set(key, known)
  if (map.size <= CATALOGS_MAX) return
  const [oldest] = map.keys()
  if (oldest !== undefined) map.delete(oldest)
}

async function read(source: SnapshotSource, name: string, latest: Promise<Known> | undefined): Promise<Known> {
  const before = await latest?.catch(() => undefined)
  if (before?.isSettled && (await isUnchanged(source, before.reads))) return before
  const reads: RecordedRead[] = []
  const recording = recorded(source, reads)
  const transactions = new TransactionStatus(recording)
  const database = (await readDatabases(recording, transactions)).find((each) => each.name === name)
  if (!database) throw new StorageError('not-found', 'no such database', { database: name })
  const catalog = await readCatalog(recording, database, transactions)
  return { catalog, reads, isSettled: !transactions.hasSeenOpen }
}

async function isUnchanged(source: SnapshotSource, reads: readonly RecordedRead[]): Promise<boolean> {
  const same = await Promise.all(
    reads.map(async (read) => {
      switch (read.kind) {
        case 'size':
          return (await source.blockCount(read.relation)) === read.blockCount
        case 'map':
          return isSame(await source.relationMap(read.spcOid, read.dbOid), read.bytes)
        case 'pages': {
          const pages = await source.readPages(read.relation, read.firstBlock, read.pageLsns.length)
          return pages.every((page, i) => lsnOf(page) === read.pageLsns[i])
        }
      }
    }),
  )
  return same.every(Boolean)
}

function recorded(source: SnapshotSource, reads: RecordedRead[]): SnapshotSource {
  return {
    async blockCount(relation) {
      const blockCount = await source.blockCount(relation)
      reads.push({ kind: 'size', relation, blockCount })
      return blockCount
    },
    async readPages(relation, firstBlock, blockCount) {
      const pages = await source.readPages(relation, firstBlock, blockCount)
      reads.push({ kind: 'pages', relation, firstBlock, pageLsns: pages.map(lsnOf) })
      return pages
    },
    async relationMap(spcOid, dbOid) {
      const bytes = await source.relationMap(spcOid, dbOid)
      reads.push({ kind: 'map', spcOid, dbOid, bytes: bytes?.slice() })
      return bytes
    },
    slruPage: (slru, page) => source.slruPage(slru, page),
    giveWay: async () => source.giveWay?.(),
  }
}

function lsnOf(page: Uint8Array | undefined): number {
  return page ? readPageLsn(page) : 0
}

function isSame(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && a.length === b.length && a.every((byte, i) => byte === b[i]))
}
