import { ByteReader } from '../../base/byte-reader.ts'

/** CommitTs records (src/include/access/commit_ts.h, PG 18), only with track_commit_timestamp. Opcode: info & 0xF0. */
export const CommitTsOpcode = { zeroPage: 0x00, truncate: 0x10 } as const

export function decodeCommitTsZeroPage(mainData: Uint8Array): number {
  const reader = new ByteReader(mainData, 'commit timestamp zero page record')
  const page = reader.u64Number()
  reader.end()
  return page
}

/** xl_commit_ts_truncate. */
export function decodeCommitTsTruncate(mainData: Uint8Array): { page: number; oldestXid: number } {
  const reader = new ByteReader(mainData, 'commit timestamp truncate record')
  const truncate = { page: reader.u64Number(), oldestXid: reader.u32() }
  // The struct ends in padding to 8 bytes where sizeof is logged.
  if (reader.remaining === 4) reader.skip(4)
  reader.end()
  return truncate
}
