import { ByteReader } from '../../base/byte-reader.ts'

/** CLOG records (src/include/access/clog.h, PG 18). Opcode: info & 0xF0. */
export const ClogOpcode = { zeroPage: 0x00, truncate: 0x10 } as const

/** xl_clog_truncate. */
export interface ClogTruncate {
  /** Pages before this one go. */
  page: number
  oldestXid: number
  oldestXidDbOid: number
}

export function decodeClogZeroPage(mainData: Uint8Array): number {
  const reader = new ByteReader(mainData, 'clog zero page record')
  const page = reader.u64Number()
  reader.end()
  return page
}

export function decodeClogTruncate(mainData: Uint8Array): ClogTruncate {
  const reader = new ByteReader(mainData, 'clog truncate record')
  const truncate = { page: reader.u64Number(), oldestXid: reader.u32(), oldestXidDbOid: reader.u32() }
  reader.end()
  return truncate
}
