import { ByteReader } from '../../base/byte-reader.ts'

/** Standby records (src/include/storage/standbydefs.h, PG 18). Opcode: info & 0xF0. */
export const StandbyOpcode = { lock: 0x00, runningXacts: 0x10, invalidations: 0x20 } as const

/** xl_running_xacts. */
export interface RunningXacts {
  subxidOverflow: boolean
  nextXid: number
  oldestRunningXid: number
  latestCompletedXid: number
  /** Top-level xids first, then those of subtransactions. */
  xids: Uint32Array
  topLevelCount: number
}

export function decodeRunningXacts(mainData: Uint8Array): RunningXacts {
  const reader = new ByteReader(mainData, 'running transactions record')
  const topLevelCount = reader.count(4)
  const subxactCount = reader.count(4)
  const subxidOverflow = reader.u8() !== 0
  reader.skip(3)
  const nextXid = reader.u32()
  const oldestRunningXid = reader.u32()
  const latestCompletedXid = reader.u32()
  const xids = reader.u32Array(topLevelCount + subxactCount)
  reader.end()
  return { subxidOverflow, nextXid, oldestRunningXid, latestCompletedXid, xids, topLevelCount }
}
