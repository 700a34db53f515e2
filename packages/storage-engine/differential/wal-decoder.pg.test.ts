import { expect, test } from 'vitest'
import { blockLines, recordLine, SERVER_BLOCKS, SERVER_RECORDS } from '../fixtures/wal-listing.ts'
import { WAL_PAGE_SIZE } from '../src/postgres/constants.ts'
import { Lsn } from '../src/postgres/lsn.ts'
import { decodeMainData } from '../src/wal/main-data.ts'
import type { DecodedRecord } from '../src/wal/record.ts'
import { createDecodedRecord, decodeRecord, ImageInfo } from '../src/wal/record-decoder.ts'
import { builtinRmgrs, formatRecordType, formatRmgrName } from '../src/wal/rmgr-table.ts'
import { WalStreamReader } from '../src/wal/wal-stream-reader.ts'
import { type PostgresFixture, type PostgresSettings, startPostgres } from '../test/postgres-fixture.ts'
import { readFlushLsn, readServerWal, readSystemIdentifier, zeroServerWal } from '../test/server-wal.ts'
import { runWalWorkload } from './wal-workload.ts'

/**
 * The WAL of a rich workload, decoded here and by the stock server itself (contrib/pg_walinspect): every record and every
 * block reference must agree, images byte for byte.
 */
const BASE_SETTINGS: PostgresSettings = {
  wal_keep_size: '8GB',
  max_wal_size: '8GB',
  max_prepared_transactions: 20,
  allow_in_place_tablespaces: 'on',
  autovacuum: 'off',
}

/** Records compared at a time: pg_walinspect answers for a range of LSNs. */
const RECORDS_PER_QUERY = 20_000

test('wal of a rich workload with pglz images decodes as pg_walinspect decodes it', async () => {
  const seen = await compareWorkload({ wal_compression: 'pglz' })
  expect(seen.records).toBeGreaterThan(100_000)
  expect(seen.pglzImages).toBeGreaterThan(100)
  expect(seen.types).toEqual(expect.arrayContaining(TYPES_EXPECTED))
})

test('wal with consistency images, logical decoding and commit timestamps decodes as pg_walinspect decodes it', async () => {
  const seen = await compareWorkload(
    { wal_level: 'logical', wal_consistency_checking: 'all', track_commit_timestamp: 'on', full_page_writes: 'off' },
    0.3,
  )
  expect(seen.types).toEqual(expect.arrayContaining(['Transaction INVALIDATION', 'Heap2 NEW_CID', 'Heap TRUNCATE']))
  expect(seen.imagesToCheck).toBeGreaterThan(10_000)
})

test('a record abandoned in the middle by a crash is passed over, as the server passes over it', async () => {
  const postgres = await startPostgres({ settings: BASE_SETTINGS })
  try {
    await postgres.query('create extension pg_walinspect; create table t (a int); insert into t values (1)')
    const startLsn = await readFlushLsn(postgres)
    await postgres.query(`select pg_logical_emit_message(false, 'whole', repeat('w', 20000), true)`)
    await postgres.query(`select pg_logical_emit_message(false, 'torn', repeat('t', 50000), true)`)
    await postgres.stop('immediate')
    const torn = readServerWal(postgres, startLsn, Lsn.add(startLsn, 200_000))
    const tornAt = torn.lastIndexOf('torn')
    expect(tornAt).toBeGreaterThan(0)
    // The pages after the one in which the second message begins never reached the disk.
    const lostLsn = Lsn.of(Math.ceil((startLsn + tornAt + 1) / WAL_PAGE_SIZE) * WAL_PAGE_SIZE)
    zeroServerWal(postgres, lostLsn, 64 * 1024)

    await postgres.start()
    await postgres.query('insert into t values (2); checkpoint')
    const seen = await compareRange(postgres, startLsn, await readFlushLsn(postgres))
    expect(seen.types).toContain('XLOG OVERWRITE_CONTRECORD')
  } finally {
    await postgres.cleanup()
  }
})

test('resource managers have the ids and names that the server has', async () => {
  const postgres = await startPostgres()
  try {
    const rows = await postgres.query<{ rm_id: number; rm_name: string }>(
      'select rm_id, rm_name from pg_get_wal_resource_managers() where rm_builtin order by rm_id',
    )
    expect(rows.map((row) => [row.rm_id, row.rm_name])).toEqual(builtinRmgrs().map((rmgr) => [rmgr.id, rmgr.name]))
  } finally {
    await postgres.cleanup()
  }
})

const TYPES_EXPECTED = [
  ...[
    'XLOG CHECKPOINT_ONLINE',
    'XLOG CHECKPOINT_REDO',
    'XLOG SWITCH',
    'XLOG FPI',
    'XLOG NEXTOID',
    'XLOG RESTORE_POINT',
  ],
  ...['Transaction COMMIT', 'Transaction ABORT', 'Transaction PREPARE', 'Transaction COMMIT_PREPARED'],
  ...['Transaction ABORT_PREPARED', 'Transaction ASSIGNMENT', 'Storage CREATE', 'Storage TRUNCATE'],
  ...['Database CREATE_FILE_COPY', 'Database CREATE_WAL_LOG', 'Database DROP', 'Tablespace CREATE', 'Tablespace DROP'],
  ...['MultiXact CREATE_ID', 'MultiXact ZERO_MEM_PAGE', 'RelMap UPDATE', 'Standby LOCK', 'Standby RUNNING_XACTS'],
  ...['Standby INVALIDATIONS', 'Heap INSERT', 'Heap INSERT+INIT', 'Heap DELETE', 'Heap UPDATE', 'Heap HOT_UPDATE'],
  ...['Heap LOCK', 'Heap INPLACE', 'Heap HEAP_CONFIRM', 'Heap2 PRUNE_ON_ACCESS', 'Heap2 PRUNE_VACUUM_SCAN'],
  ...['Heap2 PRUNE_VACUUM_CLEANUP', 'Heap2 VISIBLE', 'Heap2 MULTI_INSERT', 'Heap2 MULTI_INSERT+INIT'],
  ...['Btree INSERT_LEAF', 'Btree SPLIT_R', 'Btree NEWROOT', 'Btree DEDUP', 'Btree VACUUM', 'Btree UNLINK_PAGE'],
  ...['Hash INSERT', 'Hash SPLIT_PAGE', 'Gin INSERT', 'Gin SPLIT', 'Gin INSERT_LISTPAGE', 'Gist PAGE_SPLIT'],
  ...['Sequence LOG', 'SPGist ADD_LEAF', 'SPGist PICKSPLIT', 'BRIN SAMEPAGE_UPDATE', 'Generic Generic'],
  ...['ReplicationOrigin SET', 'ReplicationOrigin DROP', 'LogicalMessage MESSAGE'],
]

interface Seen {
  records: number
  blocks: number
  pglzImages: number
  imagesToCheck: number
  /** "<resource manager> <record type>", sorted. */
  types: string[]
}

async function compareWorkload(settings: PostgresSettings, scale = 1): Promise<Seen> {
  const postgres = await startPostgres({ settings: { ...BASE_SETTINGS, ...settings } })
  try {
    const startLsn = await readFlushLsn(postgres)
    await runWalWorkload(postgres, scale)
    return await compareRange(postgres, startLsn, await readFlushLsn(postgres))
  } finally {
    await postgres.cleanup()
  }
}

/** Decodes [startLsn, endLsn) and compares it with the server's view, range by range. */
async function compareRange(postgres: PostgresFixture, startLsn: Lsn, endLsn: Lsn): Promise<Seen> {
  const reader = new WalStreamReader({ startLsn, systemIdentifier: await readSystemIdentifier(postgres) })
  reader.push(startLsn, readServerWal(postgres, startLsn, endLsn))
  const decoded = createDecodedRecord()
  const types = new Set<string>()
  const seen: Seen = { records: 0, blocks: 0, pglzImages: 0, imagesToCheck: 0, types: [] }
  let fromLsn = startLsn
  for (;;) {
    const records: string[] = []
    const blocks: string[] = []
    for (let record = reader.next(); record !== undefined; record = reader.next()) {
      decodeRecord(record.bytes, decoded, record.startLsn)
      decodeMainData(decoded)
      records.push(recordLine(record, decoded))
      for (const line of blockLines(record, decoded)) blocks.push(line)
      countImages(decoded, seen)
      types.add(`${formatRmgrName(record.rmid)} ${formatRecordType(record.rmid, record.info)}`)
      if (records.length === RECORDS_PER_QUERY) break
    }
    if (records.length === 0) break
    const client = await postgres.connect()
    const range = [Lsn.format(fromLsn), Lsn.format(reader.endLsn)]
    const serverRecords = await client.query<{ line: string }>(SERVER_RECORDS, range)
    const serverBlocks = await client.query<{ line: string }>(SERVER_BLOCKS, range)
    await client.end()
    expectSameLines(
      records,
      serverRecords.rows.map((row) => row.line),
    )
    expectSameLines(
      blocks,
      serverBlocks.rows.map((row) => row.line),
    )
    seen.records += records.length
    seen.blocks += blocks.length
    fromLsn = reader.endLsn
  }
  expect(Lsn.format(reader.endLsn)).toBe(Lsn.format(endLsn))
  seen.types = [...types].sort()
  return seen
}

function countImages(decoded: DecodedRecord, seen: Seen): void {
  for (let index = 0; index < decoded.blockCount; index++) {
    const block = decoded.blocks[index]!
    if ((block.imageInfo & ImageInfo.pglz) !== 0) seen.pglzImages++
    if (block.hasImage && !block.applyImage) seen.imagesToCheck++
  }
}

/** Names the first line that differs: a diff of 20,000 lines helps nobody. */
function expectSameLines(ours: string[], servers: string[]): void {
  for (let index = 0; index < Math.max(ours.length, servers.length); index++) {
    if (ours[index] !== servers[index]) expect(ours[index]).toBe(servers[index])
  }
}
