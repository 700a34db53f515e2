import { StorageError } from '../../base/errors.ts'
import type { Catalog, CatalogDatabase, CatalogRelation } from '../../catalog/catalog.ts'
import { readCatalog, readDatabases } from '../../catalog/read-catalog.ts'
import { TransactionStatus } from '../../catalog/transaction-status.ts'
import { type VisibleColumn, visibleColumns } from '../../columnar/visible-columns.ts'
import { Lsn } from '../../postgres/lsn.ts'
import type { DeltaPublisher } from '../../protocol/delta-publisher.ts'
import type { PublishedTable, PublishOutcome, PublishRequest, UnpublishedTable } from '../../protocol/lake.ts'
import type { ColumnarLayerRef } from '../../protocol/snapshot-plan.ts'
import type { AttachedTimeline, OpenProject } from '../open-project.ts'
import { formatPostgresTime } from '../timeline/postgres-time.ts'
import { commitAtOrBefore } from '../timeline/time-index.ts'
import { pagesOfStorage, TimelineSnapshot } from '../timeline/timeline-snapshot.ts'
import { userHeapOf } from '../timeline/user-heaps.ts'
import { TableFiles } from './table-files.ts'
import { deltaRetentionMs } from './vacuum.ts'

/**
 * Garbage collection leaves the LSN of a publication alone for this long. There is one such lease a timeline: the next
 * publication takes it over.
 */
const LEASE_SECONDS = 3600
const LEASE_ID = 'publish'

export interface PublishOptions {
  readonly project: OpenProject
  readonly attached: AttachedTimeline
  readonly publisher: DeltaPublisher
  /** Ingested. */
  readonly lsn: Lsn
  readonly isWanted: (database: CatalogDatabase, table: CatalogRelation) => boolean
}

/**
 * Makes a Delta version of each wanted table that shows exactly the rows visible at the LSN: the chunks that changed are
 * put into columns first, rows that are not visible are masked. A table that cannot be published does not stop the others.
 */
export async function publishTables(options: PublishOptions): Promise<PublishOutcome> {
  const { attached, lsn, isWanted } = options
  await options.project.storage.leaseLsn(attached.timeline.identity.timelineId, {
    id: LEASE_ID,
    lsn,
    seconds: LEASE_SECONDS,
  })
  if (attached.storage.remoteConsistentLsn < lsn) await attached.storage.flush()
  await attached.storage.flushAncestors()
  const { clock } = options.project.storage.context.env
  const snapshot = new TimelineSnapshot(pagesOfStorage(attached.storage), lsn, clock)
  const transactions = new TransactionStatus(snapshot)
  const commit = await commitAtOrBefore(attached.storage, lsn)
  const run: PublishRun = {
    ...options,
    snapshot,
    files: new TableFiles(options.project.storage.context, attached.storage, lsn),
    commitTime: commit ? formatPostgresTime(commit.time) : null,
  }
  const published: PublishedTable[] = []
  const refused: UnpublishedTable[] = []
  for (const database of await readDatabases(snapshot, transactions)) {
    if (database.isTemplate) continue
    const catalog = await readCatalog(snapshot, database, transactions)
    for (const table of catalog.userTables()) {
      if (!isWanted(database, table)) continue
      const name = { database: database.name, schema: table.schema, name: table.name, tableOid: table.oid }
      try {
        published.push({ ...name, ...(await publishTable(run, catalog, table)) })
      } catch (error) {
        if (!(error instanceof StorageError) || error.code === 'fenced' || error.code === 'aborted') throw error
        refused.push({ ...name, code: error.code, reason: error.message })
      }
    }
  }
  return { lsn: Lsn.format(lsn), published, refused }
}

interface PublishRun extends PublishOptions {
  readonly snapshot: TimelineSnapshot
  readonly files: TableFiles
  readonly commitTime: string | null
}

async function publishTable(
  run: PublishRun,
  catalog: Catalog,
  table: CatalogRelation,
): Promise<Omit<PublishedTable, 'database' | 'schema' | 'name' | 'tableOid'>> {
  const { project, attached, publisher, files, lsn, commitTime } = run
  const prefix = attached.storage.files.tablePrefix(catalog.database.oid, table.oid)
  const columns = columnsOf(catalog, table)
  const refs: ColumnarLayerRef[] = []
  for (const part of table.kind === 'p' ? catalog.scannedRelations(table.oid) : [table]) {
    requireSameColumns(table, columns, part, columnsOf(catalog, part))
    const heap = await userHeapOf(run.snapshot, catalog, part)
    if (heap) refs.push(...(await files.bringUpToDate(heap)))
  }
  const shown = await files.publishedFiles(refs, await publisher.state(prefix))
  await project.storage.context.generation.confirm()
  const { version, isNewVersion } = await publisher.publish({
    prefix,
    name: `${table.schema}.${table.name}`,
    tableOid: table.oid,
    timelineId: attached.timeline.identity.timelineId,
    columns,
    files: shown.files,
    lsn,
    commitTime,
    retentionMs: deltaRetentionMs(project),
  })
  return { path: prefix, version, lsn: Lsn.format(lsn), isNewVersion, rowCount: shown.rowCount }
}

function columnsOf(catalog: Catalog, table: CatalogRelation): VisibleColumn[] {
  return visibleColumns(catalog.tableDefinition(table.oid), { isUtf8: catalog.isUtf8 })
}

/** A partition's files carry its own column numbers; they can stand in its parent's table only when those are the parent's. */
function requireSameColumns(
  table: CatalogRelation,
  columns: readonly VisibleColumn[],
  part: CatalogRelation,
  partColumns: readonly VisibleColumn[],
): void {
  if (part.oid === table.oid || JSON.stringify(columns) === JSON.stringify(partColumns)) return
  throw new StorageError('unsupported', 'a partition numbers its columns in another way than its parent', {
    table: `${table.schema}.${table.name}`,
    partition: `${part.schema}.${part.name}`,
  })
}

/** Tables that a request names; all of them when it names none. */
export function wantedTables(request: Pick<PublishRequest, 'table'>): PublishOptions['isWanted'] {
  const { table } = request
  if (!table) return () => true
  return (database, relation) => {
    return database.name === table.database && relation.schema === table.schema && relation.name === table.name
  }
}
