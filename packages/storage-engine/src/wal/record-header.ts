/**
 * XLogRecord (src/include/access/xlogrecord.h, PG 18). Little-endian, 24 bytes.
 *    0 u32 tot_len   4 u32 xid   8 u64 prev   16 u8 info   17 u8 rmid   18 padding   20 u32 crc32c
 * The CRC covers the bytes after the header, then the header up to the CRC.
 *
 * Readers take bytes, not a DataView: a view per record costs more than the reads.
 */
export const RecordHeader = {
  size: 24,
  infoOffset: 16,
  rmidOffset: 17,
  crcOffset: 20,

  totalLength(record: Uint8Array): number {
    return u32(record, 0)
  },

  xid(record: Uint8Array): number {
    return u32(record, 4)
  },

  /** Not checked to be a safe integer: compare it before use. */
  prev(record: Uint8Array): number {
    return u32(record, 12) * 0x1_0000_0000 + u32(record, 8)
  },

  crc(record: Uint8Array): number {
    return u32(record, 20)
  },

  /** Not checked to be a safe integer: compare it before use. */
  u64(bytes: Uint8Array, offset: number): number {
    return u32(bytes, offset + 4) * 0x1_0000_0000 + u32(bytes, offset)
  },
} as const

function u32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
}
