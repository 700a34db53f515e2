/** One server, one set of settings: runs the workloads and gives the oracle all of their WAL as it is written. */
import fs from 'node:fs'
import path from 'node:path'
import { Lsn } from '../../src/postgres/lsn.ts'
import { recordEndAt } from '../../src/wal/segment.ts'
import { createPostgres, type PostgresFixture, type PostgresSettings } from '../../test/postgres-fixture.ts'
import { compareDataFiles, type DataFileComparison } from './data-files.ts'
import { PageStore } from './page-store.ts'
import { RedoOracle } from './redo-oracle.ts'
import { SLRU_DIRECTORY, SlruStore } from './slru-store.ts'
import { readControl, WalTail } from './wal-tail.ts'
import { WORKLOADS } from './workloads.ts'

export interface OracleRunOptions {
  readonly dataChecksums: boolean
  readonly fullPageWrites: boolean
  readonly scale: number
  readonly compressImages?: boolean
  /** Names of the workloads to run; all of them by default. */
  readonly workloads?: readonly string[]
  readonly observer?: RedoOracle['observer']
}

export interface OracleRun {
  readonly oracle: RedoOracle
  readonly files: DataFileComparison
  readonly log: string[]
}

/** Total length of a shutdown checkpoint record: header 24, 0xFF and its length, CheckPoint 88. */
const CHECKPOINT_RECORD_SIZE = 114

export async function runRedoOracle(options: OracleRunOptions): Promise<OracleRun> {
  const settings: PostgresSettings = {
    wal_consistency_checking: 'all',
    full_page_writes: options.fullPageWrites,
    wal_level: 'replica',
    wal_compression: options.compressImages ? 'pglz' : 'off',
    autovacuum: false,
    // Only the checkpoints asked for below, which also drop the WAL already read.
    max_wal_size: '16GB',
    min_wal_size: '32MB',
    checkpoint_timeout: '1d',
    wal_recycle: false,
    wal_init_zero: false,
    synchronous_commit: false,
    shared_buffers: '256MB',
    max_prepared_transactions: 10,
    vacuum_cost_delay: 0,
  }
  const postgres = await createPostgres({ dataChecksums: options.dataChecksums, settings })
  const log: string[] = []
  try {
    const baseDir = path.join(postgres.rootDir, 'before')
    for (const name of ['base', 'global', ...Object.values(SLRU_DIRECTORY)]) {
      fs.cpSync(path.join(postgres.dataDir, name), path.join(baseDir, name), { recursive: true })
    }
    const oracle = new RedoOracle(new PageStore(baseDir), new SlruStore(baseDir), !options.dataChecksums)
    oracle.observer = options.observer
    const tail = new WalTail(postgres.dataDir)
    await postgres.start()
    for (const workload of WORKLOADS) {
      if (options.workloads?.includes(workload.name) === false) continue
      const startMs = Date.now()
      await workload.run(postgres, options.scale)
      const ranMs = Date.now()
      const before = oracle.coverage.recordCount
      await readFlushed(postgres, tail, oracle)
      await postgres.query('checkpoint')
      const records = oracle.coverage.recordCount - before
      log.push(`${workload.name}: ran ${ranMs - startMs} ms, ${records} records checked in ${Date.now() - ranMs} ms`)
      if (oracle.differenceCount > 0) break
    }
    await readFlushed(postgres, tail, oracle)
    await postgres.stop('fast')
    const { checkpointLsn } = readControl(postgres.dataDir)
    tail.read(recordEndAt(checkpointLsn, CHECKPOINT_RECORD_SIZE), (record) => oracle.add(record))
    const files = compareDataFiles(oracle, postgres.dataDir)
    return { oracle, files, log }
  } finally {
    await postgres.cleanup()
  }
}

async function readFlushed(postgres: PostgresFixture, tail: WalTail, oracle: RedoOracle): Promise<void> {
  // Ends on a record boundary of this very statement's making, flushed.
  await postgres.query(`select pg_switch_wal()`)
  const [row] = await postgres.query<{ lsn: string }>(`select pg_current_wal_flush_lsn()::text as lsn`)
  if (row === undefined) throw new Error('no flush LSN')
  tail.read(Lsn.parse(row.lsn), (record) => oracle.add(record))
}
