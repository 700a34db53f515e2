import { Lsn } from '../src/postgres/lsn.ts'
import { createDecodedRecord, decodeRecord } from '../src/wal/record-decoder.ts'
import { WalStreamReader } from '../src/wal/wal-stream-reader.ts'
import { type PostgresFixture, startPostgres } from '../test/postgres-fixture.ts'
import { readFlushLsn, readServerWal, readSystemIdentifier } from '../test/server-wal.ts'
import { type Bench, rounded } from './bench-report.ts'

/** Bytes given to the reader at a time, as a WAL receiver would. */
const CHUNK_BYTES = 128 * 1024
const ROUNDS = 5

/**
 * How fast one core reads the WAL of a stock server: pages, checksums and block references. Small records come from
 * single-row updates, large ones from COPY-like loads and full-page images.
 */
export const bench: Bench = async ({ say, isQuick }) => {
  const postgres = await startPostgres({ settings: { wal_keep_size: '8GB', max_wal_size: '8GB', autovacuum: 'off' } })
  try {
    const rows = isQuick ? 20_000 : 300_000
    const small = await walOf(postgres, [
      'create table accounts (id int primary key, balance int, filler char(84)) with (fillfactor = 50)',
      `insert into accounts select g, 0, '' from generate_series(1, ${rows}) g`,
      'update accounts set balance = balance + 1',
    ])
    const large = await walOf(postgres, [
      'create table loaded (id int, body text)',
      `insert into loaded select g, repeat(md5(g::text), 60) from generate_series(1, ${Math.round(rows / 10)}) g`,
      'checkpoint',
      'update loaded set id = id + 1',
    ])
    const figures: Record<string, number> = {}
    for (const [name, wal] of Object.entries({ small, large })) {
      const best = bestRound(wal)
      const seconds = best.ms / 1000
      figures[`${name}MbPerSecond`] = rounded(wal.bytes.length / 1e6 / seconds)
      figures[`${name}RecordsPerSecond`] = rounded(best.records / seconds)
      figures[`${name}MicrosPerRecord`] = rounded((best.ms * 1000) / best.records)
      figures[`${name}BytesPerRecord`] = rounded(wal.bytes.length / best.records)
      say(`${name}: ${best.records} records, ${figures[`${name}MbPerSecond`]} MB/s`)
    }
    return { bench: 'wal-decode', figures, ratios: {} }
  } finally {
    await postgres.cleanup()
  }
}

interface Wal {
  startLsn: Lsn
  systemIdentifier: bigint
  bytes: Uint8Array
}

function bestRound(wal: Wal): { records: number; ms: number } {
  let best = { records: 0, ms: Number.POSITIVE_INFINITY }
  for (let round = 0; round < ROUNDS; round++) {
    const startedMs = performance.now()
    const records = decodeAll(wal)
    const ms = performance.now() - startedMs
    if (ms < best.ms) best = { records, ms }
  }
  return best
}

function decodeAll(wal: Wal): number {
  const reader = new WalStreamReader(wal)
  const decoded = createDecodedRecord()
  let records = 0
  for (let at = 0; at < wal.bytes.length; at += CHUNK_BYTES) {
    reader.push(Lsn.add(wal.startLsn, at), wal.bytes.subarray(at, at + CHUNK_BYTES))
    for (let record = reader.next(); record !== undefined; record = reader.next()) {
      decodeRecord(record.bytes, decoded)
      records++
    }
  }
  return records
}

async function walOf(postgres: PostgresFixture, statements: readonly string[]): Promise<Wal> {
  const startLsn = await readFlushLsn(postgres)
  for (const statement of statements) await postgres.query(statement)
  const endLsn = await readFlushLsn(postgres)
  const bytes = readServerWal(postgres, startLsn, endLsn)
  return { startLsn, systemIdentifier: await readSystemIdentifier(postgres), bytes }
}
