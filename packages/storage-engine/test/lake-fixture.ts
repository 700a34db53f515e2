/** A stock Postgres whose WAL a PageServer ingests, with image making by hand: for tests of columns and Delta tables. */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { DeltaWriter } from '../src/delta-writer/delta-writer.ts'
import type { Disk } from '../src/io/disk.ts'
import { silentLog } from '../src/io/log.ts'
import { noMetrics } from '../src/io/metrics.ts'
import { nodeClock } from '../src/io/node-clock.ts'
import { nodeDisk } from '../src/io/node-disk.ts'
import { nodeNetwork } from '../src/io/node-network.ts'
import { nodeRandom } from '../src/io/node-random.ts'
import type { Workers } from '../src/io/workers.ts'
import { openLocalObjectStore } from '../src/object-store/local-object-store.ts'
import type { ObjectStore } from '../src/object-store/object-store.ts'
import { materializeValue } from '../src/pageserver/materialize-value.ts'
import { type PageServerOptions, PageServerService } from '../src/pageserver/pageserver-service.ts'
import type { StorageSettings } from '../src/pageserver/timeline/storage-settings.ts'
import { openInlineUpkeepWorkers } from '../src/pageserver/upkeep/inline-workers.ts'
import { PAGE_SIZE, WAL_SEGMENT_SIZE } from '../src/postgres/constants.ts'
import { hexId, ProjectId, TimelineId } from '../src/postgres/ids.ts'
import { Lsn } from '../src/postgres/lsn.ts'
import type { RelationLocator } from '../src/postgres/two-phase.ts'
import { formatSegmentName } from '../src/wal/segment.ts'
import { createPostgres, type PostgresFixture, type PostgresSettings } from './postgres-fixture.ts'

const POSTGRES_SETTINGS: PostgresSettings = {
  full_page_writes: 'off',
  wal_level: 'replica',
  max_prepared_transactions: 20,
  wal_keep_size: '8GB',
  max_wal_size: '8GB',
  autovacuum: 'off',
  timezone: 'UTC',
  datestyle: 'ISO',
}

export interface LakeFixtureOptions {
  readonly settings?: PostgresSettings
  readonly storageSettings?: Partial<StorageSettings>
  readonly workers?: Workers
  readonly disk?: Disk
}

export const newTimelineId = () => TimelineId.parse(hexId(nodeRandom.bytes(16)))

export class LakeFixture {
  readonly postgres: PostgresFixture
  readonly folder: string
  readonly objectStore: ObjectStore
  readonly projectId = ProjectId.parse(hexId(nodeRandom.bytes(16)))
  readonly rootId = newTimelineId()
  service: PageServerService
  readonly #options: PageServerOptions
  readonly #ahead: { ms: number }

  /** How far the PageServer's wall clock is ahead of the machine's. */
  set clockAheadMs(ms: number) {
    this.#ahead.ms = ms
  }

  static async open(options: LakeFixtureOptions = {}): Promise<LakeFixture> {
    const postgres = await createPostgres({ settings: { ...POSTGRES_SETTINGS, ...options.settings } })
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tributary-lake-'))
    const objectStore = await openLocalObjectStore({ folder: path.join(folder, 'objects') })
    const disk = options.disk ?? nodeDisk
    const ahead = { ms: 0 }
    const clock = { ...nodeClock, nowMs: () => nodeClock.nowMs() + ahead.ms }
    const pageServer: PageServerOptions = {
      env: { clock, disk, network: nodeNetwork, log: silentLog, metrics: noMetrics, random: nodeRandom },
      objectStore,
      workers: options.workers ?? openInlineUpkeepWorkers(disk, materializeValue),
      directory: path.join(folder, 'cache'),
      safekeepers: [],
      deltaPublisher: new DeltaWriter({ env: { clock, random: nodeRandom }, objectStore }),
      publishIntervalMs: 0,
      storageSettings: { automaticUpkeep: false, columnarBlocksMin: 1, ...options.storageSettings },
      initdb: (directory) => Promise.resolve(fs.cpSync(postgres.dataDir, directory, { recursive: true })),
    }
    const service = await PageServerService.open(pageServer)
    const fixture = new LakeFixture(postgres, folder, objectStore, service, pageServer, ahead)
    await service.createProject({ projectId: fixture.projectId, timelineId: fixture.rootId })
    await postgres.start()
    return fixture
  }

  private constructor(
    postgres: PostgresFixture,
    folder: string,
    objectStore: ObjectStore,
    service: PageServerService,
    options: PageServerOptions,
    ahead: { ms: number },
  ) {
    this.#ahead = ahead
    this.postgres = postgres
    this.folder = folder
    this.objectStore = objectStore
    this.service = service
    this.#options = options
  }

  /** One session, statement by statement. */
  async run(...statements: readonly string[]): Promise<void> {
    const client = await this.postgres.connect()
    try {
      for (const statement of statements) await client.query(statement)
    } finally {
      await client.end()
    }
  }

  /** Ingests all WAL that the server has written; returns the LSN up to which the root timeline has it. */
  async ingest(): Promise<Lsn> {
    const [row] = await this.postgres.query<{ lsn: string }>(
      'select pg_log_standby_snapshot(), pg_current_wal_insert_lsn()::text as lsn',
    )
    await this.postgres.query('checkpoint')
    const endLsn = Lsn.parse(row!.lsn)
    const timeline = this.service.timeline(this.projectId, this.rootId)
    const { walDir } = this.postgres
    const from = timeline.lastRecordLsn
    await timeline.ingestFrom(
      (async function* () {
        for (let lsn = from; lsn < endLsn; ) {
          const segmentStart = lsn - (lsn % WAL_SEGMENT_SIZE)
          const segment = fs.readFileSync(path.join(walDir, formatSegmentName(1, lsn)))
          const end = Math.min(endLsn, segmentStart + WAL_SEGMENT_SIZE)
          yield { lsn, bytes: segment.subarray(lsn - segmentStart, end - segmentStart) }
          lsn = Lsn.of(end)
        }
      })(),
    )
    return timeline.lastRecordLsn
  }

  async upkeep(...steps: Parameters<PageServerService['runUpkeep']>[2]): Promise<void> {
    await this.service.runUpkeep(this.projectId, this.rootId, steps)
  }

  /** Forgets everything that is not in object storage. */
  async restart(options: { keepCache?: boolean; storageSettings?: Partial<StorageSettings> } = {}): Promise<void> {
    await this.service.close()
    if (!options.keepCache) fs.rmSync(path.join(this.folder, 'cache'), { recursive: true, force: true })
    const storageSettings = { ...this.#options.storageSettings, ...options.storageSettings }
    this.service = await PageServerService.open({ ...this.#options, storageSettings })
  }

  async locate(table: string): Promise<RelationLocator> {
    const [row] = await this.postgres.query<{ db: number; rel: number }>(
      `select (select oid::int8::int from pg_database where datname = current_database()) as db,
        pg_relation_filenode('${table}'::regclass)::int8::int as rel`,
    )
    return { spcOid: 1663, dbOid: row!.db, relNumber: row!.rel }
  }

  /** All pages of a main fork at an LSN, one after the other. */
  async pages(relation: RelationLocator, lsn: Lsn, timelineId = this.rootId): Promise<Uint8Array> {
    const timeline = this.service.timeline(this.projectId, timelineId)
    const { spcOid, dbOid, relNumber } = relation
    const blockCount = Math.max(0, await timeline.sizes.at(spcOid, dbOid, relNumber, 0, lsn))
    const bytes = new Uint8Array(blockCount * PAGE_SIZE)
    for (let firstBlock = 0; firstBlock < blockCount; firstBlock += 128) {
      const count = Math.min(128, blockCount - firstBlock)
      const { pages } = await timeline.getPages({ ...relation, fork: 0, firstBlock, blockCount: count }, lsn)
      pages.forEach((page, i) => {
        if (page) bytes.set(page, (firstBlock + i) * PAGE_SIZE)
      })
    }
    return bytes
  }

  plan(relation: RelationLocator, lsn: Lsn, timelineId = this.rootId, changedSinceLsn?: Lsn) {
    return this.service.snapshotPlan({
      projectId: this.projectId,
      timelineId,
      ...relation,
      lsn: Lsn.format(lsn),
      ...(changedSinceLsn === undefined ? {} : { changedSinceLsn: Lsn.format(changedSinceLsn) }),
    })
  }

  objectPath(key: string): string {
    return path.join(this.folder, 'objects', key)
  }

  async close(): Promise<void> {
    await this.service.close()
    await this.postgres.cleanup()
    fs.rmSync(this.folder, { recursive: true, force: true })
  }
}
