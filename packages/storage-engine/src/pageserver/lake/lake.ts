import { StorageError } from '../../base/errors.ts'
import { SerialLock } from '../../base/serial-lock.ts'
import type { Env } from '../../io/env.ts'
import type { ObjectStore } from '../../object-store/object-store.ts'
import { Lsn } from '../../postgres/lsn.ts'
import type { DeltaPublisher } from '../../protocol/delta-publisher.ts'
import type { DeltaTableInfo, PublishOutcome, PublishRequest } from '../../protocol/lake.ts'
import type { AttachedTimeline, OpenProject } from '../open-project.ts'
import { listLakeTables } from './lake-tables.ts'
import { publishTables, wantedTables } from './publish-tables.ts'
import { vacuumLake } from './vacuum.ts'

export interface LakeOptions {
  readonly env: Pick<Env, 'clock' | 'log'>
  readonly objectStore: ObjectStore
  readonly deltaPublisher?: DeltaPublisher
}

/** Tables of all timelines as data files and Delta logs. */
export class Lake {
  readonly #options: LakeOptions
  /** One publication or vacuum of a timeline at a time. */
  readonly #locks = new WeakMap<AttachedTimeline, SerialLock>()
  /** `<database>/<table>` oids of the tables that were published, once they are known. */
  readonly #published = new WeakMap<AttachedTimeline, Set<string>>()

  constructor(options: LakeOptions) {
    this.#options = options
  }

  publish(
    project: OpenProject,
    attached: AttachedTimeline,
    lsn: Lsn,
    request: Pick<PublishRequest, 'table'>,
  ): Promise<PublishOutcome> {
    return this.#lock(attached).run(async () => {
      const publisher = this.#publisher()
      const isWanted = wantedTables(request)
      const outcome = await publishTables({ project, attached, publisher, lsn, isWanted })
      const { table } = request
      if (table && outcome.published.length + outcome.refused.length === 0) {
        throw new StorageError('not-found', 'no such table', { ...table, lsn: Lsn.format(lsn) })
      }
      const published = await this.#publishedOf(project, attached)
      for (const { path } of outcome.published) published.add(folderOf(path))
      return outcome
    })
  }

  /**
   * Publishes at the tip what was published before; a table that did not change gets no version. Throws when one could not
   * be published that may be later, after the others.
   */
  publishAgain(project: OpenProject, attached: AttachedTimeline): Promise<void> {
    return this.#lock(attached).run(async () => {
      const published = await this.#publishedOf(project, attached)
      if (published.size === 0) return
      const { refused } = await publishTables({
        project,
        attached,
        publisher: this.#publisher(),
        lsn: attached.timeline.lastRecordLsn,
        isWanted: (database, table) => published.has(`${database.oid}/${table.oid}`),
      })
      for (const { schema, name, reason } of refused)
        this.#options.env.log.warn('table not published', { schema, name, reason })
      const later = refused.find(({ code }) => code === 'unavailable' || code === 'exhausted')
      if (later) {
        const { schema, name, code, reason } = later
        throw new StorageError(code, `table not published: ${reason}`, { schema, name })
      }
    })
  }

  async vacuum(project: OpenProject, attached: AttachedTimeline): Promise<void> {
    await this.#lock(attached).run(() => {
      return vacuumLake({
        project,
        attached,
        publisher: this.#options.deltaPublisher,
        nowMs: this.#options.env.clock.nowMs(),
      })
    })
  }

  async tables(project: OpenProject, attached: AttachedTimeline): Promise<DeltaTableInfo[]> {
    const publisher = this.#publisher()
    const found: DeltaTableInfo[] = []
    for (const { dbOid, tableOid, prefix, logFileCount } of await listLakeTables(
      this.#options.objectStore,
      project,
      attached,
    )) {
      const state = logFileCount > 0 ? await publisher.state(prefix) : undefined
      if (!state) continue
      const { files } = state
      const sum = (of: (file: (typeof files)[number]) => number) => files.reduce((all, file) => all + of(file), 0)
      found.push({
        database: dbOid,
        tableOid,
        name: state.name,
        path: prefix,
        version: state.version,
        lsn: Lsn.format(Lsn.of(state.lsn)),
        fileCount: files.length,
        fileBytes: sum((file) => file.sizeBytes),
        physicalRows: sum((file) => file.physicalRows),
        maskedRows: sum((file) => file.maskedRows),
      })
    }
    return found
  }

  #publisher(): DeltaPublisher {
    const { deltaPublisher } = this.#options
    if (!deltaPublisher) throw new StorageError('unsupported', 'this page server does not publish')
    return deltaPublisher
  }

  #lock(attached: AttachedTimeline): SerialLock {
    const lock = this.#locks.get(attached) ?? new SerialLock()
    this.#locks.set(attached, lock)
    return lock
  }

  async #publishedOf(project: OpenProject, attached: AttachedTimeline): Promise<Set<string>> {
    let published = this.#published.get(attached)
    if (!published) {
      const tables = await listLakeTables(this.#options.objectStore, project, attached)
      published = new Set(tables.filter(({ logFileCount }) => logFileCount > 0).map(({ prefix }) => folderOf(prefix)))
      this.#published.set(attached, published)
    }
    return published
  }
}

/** `<database>/<table>` at the end of a table's prefix. */
function folderOf(prefix: string): string {
  return prefix.split('/').slice(-3, -1).join('/')
}
