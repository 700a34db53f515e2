import fs from 'node:fs'
import path from 'node:path'
import { WAL_SEGMENT_SIZE } from '../src/postgres/constants.ts'
import { Lsn } from '../src/postgres/lsn.ts'
import { formatSegmentName, segmentStart } from '../src/wal/segment.ts'
import type { PostgresFixture } from './postgres-fixture.ts'

/** End of the WAL that a running test server has flushed: a record boundary. */
export async function readFlushLsn(postgres: PostgresFixture): Promise<Lsn> {
  const [row] = await postgres.query<{ lsn: string }>('select pg_current_wal_flush_lsn()::text as lsn')
  return Lsn.parse(row!.lsn)
}

export async function readSystemIdentifier(postgres: PostgresFixture): Promise<bigint> {
  const [row] = await postgres.query<{ id: string }>('select system_identifier::text as id from pg_control_system()')
  return BigInt(row!.id)
}

/** The WAL [startLsn, endLsn) from the server's segment files; shorter where there is no file. */
export function readServerWal(postgres: PostgresFixture, startLsn: Lsn, endLsn: Lsn): Buffer {
  const segments: Buffer[] = []
  for (let lsn = segmentStart(startLsn); lsn < endLsn; lsn = Lsn.add(lsn, WAL_SEGMENT_SIZE)) {
    const file = path.join(postgres.walDir, formatSegmentName(1, lsn))
    if (!fs.existsSync(file)) break
    segments.push(fs.readFileSync(file))
  }
  return Buffer.concat(segments).subarray(startLsn % WAL_SEGMENT_SIZE, endLsn - segmentStart(startLsn))
}

/** Overwrites WAL in a stopped server's segment file with zeros, as if it had never reached the disk. */
export function zeroServerWal(postgres: PostgresFixture, lsn: Lsn, byteCount: number): void {
  const file = fs.openSync(path.join(postgres.walDir, formatSegmentName(1, lsn)), 'r+')
  try {
    fs.writeSync(file, new Uint8Array(byteCount), 0, byteCount, lsn % WAL_SEGMENT_SIZE)
  } finally {
    fs.closeSync(file)
  }
}
