import { ByteReader } from '../../base/byte-reader.ts'
import type { DecodedRecord } from '../../wal/record.ts'
import { FIRST_NORMAL_XID } from './cluster-state.ts'
import type { IngestContext } from './wal-ingest.ts'

/** src/include/storage/standbydefs.h, PG 18. */
const Type = { lock: 0x00, runningXacts: 0x10, invalidations: 0x20 } as const

/** False: not a record type of Standby. */
export function ingestStandby(context: IngestContext, decoded: DecodedRecord): boolean {
  switch (decoded.opcode) {
    case Type.runningXacts: {
      const data = new ByteReader(decoded.mainData, 'wal record')
      data.skip(12)
      const nextXid = data.u32()
      const oldestRunningXid = data.u32()
      context.sawXid(nextXid === FIRST_NORMAL_XID ? 0xffffffff : nextXid - 1)
      if (context.state.oldestActiveXid !== oldestRunningXid) {
        context.state.oldestActiveXid = oldestRunningXid
        context.stateChanged()
      }
      return true
    }
    case Type.lock:
    case Type.invalidations:
      return true
    default:
      return false
  }
}
