import { ByteReader } from '../../base/byte-reader.ts'
import { CorruptionError } from '../../base/errors.ts'
import type { DecodedRecord } from '../../wal/record.ts'
import type { IngestContext } from './wal-ingest.ts'

/** sizeof(RelMapFile) (src/backend/utils/cache/relmapper.c, PG 18). */
export const RELATION_MAP_BYTES = 524

/** The record carries the whole pg_filenode.map, its CRC included. False: not a record type of RelMap. */
export function ingestRelationMap(context: IngestContext, decoded: DecodedRecord): boolean {
  if (decoded.opcode !== 0x00) return false
  const data = new ByteReader(decoded.mainData, 'wal record')
  const dbOid = data.u32()
  const spcOid = data.u32()
  const byteCount = data.i32()
  if (byteCount !== RELATION_MAP_BYTES) throw new CorruptionError('relation map has the wrong size', { byteCount })
  context.writer.relationMap(spcOid, dbOid, data.take(byteCount))
  return true
}
