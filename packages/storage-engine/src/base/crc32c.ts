/**
 * CRC-32C (Castagnoli), reflected polynomial 0x82F63B78, as Postgres uses it in WAL records, pg_control, two-phase
 * files and pg_filenode.map (src/port/pg_crc32c_sb8.c, PG 18). Slicing-by-16: tables[n][b] is the CRC of byte b followed by
 * n zero bytes, so 16 bytes take 16 independent look-ups.
 */
const SLICES = 16
const tables = buildTables()
const [T0, T1, T2, T3, T4, T5, T6, T7] = tables.slice(0, 8) as EightTables
const [T8, T9, T10, T11, T12, T13, T14, T15] = tables.slice(8) as EightTables

type EightTables = [Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array]

/** The running value before any byte; give it to `crc32cUpdate`, and the result to `crc32cFinish`. */
export const CRC32C_INIT = -1

/** From here on a DataView of the input pays: it reads four bytes at once. */
const VIEW_BYTES_MIN = 256

/** Extends a running CRC over bytes[start, end). */
export function crc32cUpdate(running: number, bytes: Uint8Array, start = 0, end: number = bytes.length): number {
  let crc = running | 0
  let at = start
  if (end - start >= VIEW_BYTES_MIN) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    for (; end - at >= SLICES; at += SLICES) {
      const a = crc ^ view.getInt32(at, true)
      const b = view.getInt32(at + 4, true)
      const c = view.getInt32(at + 8, true)
      const d = view.getInt32(at + 12, true)
      crc =
        T15[a & 255]! ^
        T14[(a >>> 8) & 255]! ^
        T13[(a >>> 16) & 255]! ^
        T12[a >>> 24]! ^
        T11[b & 255]! ^
        T10[(b >>> 8) & 255]! ^
        T9[(b >>> 16) & 255]! ^
        T8[b >>> 24]! ^
        T7[c & 255]! ^
        T6[(c >>> 8) & 255]! ^
        T5[(c >>> 16) & 255]! ^
        T4[c >>> 24]! ^
        T3[d & 255]! ^
        T2[(d >>> 8) & 255]! ^
        T1[(d >>> 16) & 255]! ^
        T0[d >>> 24]!
    }
  }
  for (; end - at >= SLICES; at += SLICES) {
    const low = crc ^ (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24))
    crc =
      T15[low & 255]! ^
      T14[(low >>> 8) & 255]! ^
      T13[(low >>> 16) & 255]! ^
      T12[low >>> 24]! ^
      T11[bytes[at + 4]!]! ^
      T10[bytes[at + 5]!]! ^
      T9[bytes[at + 6]!]! ^
      T8[bytes[at + 7]!]! ^
      T7[bytes[at + 8]!]! ^
      T6[bytes[at + 9]!]! ^
      T5[bytes[at + 10]!]! ^
      T4[bytes[at + 11]!]! ^
      T3[bytes[at + 12]!]! ^
      T2[bytes[at + 13]!]! ^
      T1[bytes[at + 14]!]! ^
      T0[bytes[at + 15]!]!
  }
  for (; at < end; at++) crc = T0[(crc ^ bytes[at]!) & 255]! ^ (crc >>> 8)
  return crc | 0
}

export function crc32cFinish(running: number): number {
  return (running ^ -1) >>> 0
}

/** CRC-32C of bytes[start, end) as an unsigned 32-bit number. */
export function crc32c(bytes: Uint8Array, start = 0, end: number = bytes.length): number {
  return crc32cFinish(crc32cUpdate(CRC32C_INIT, bytes, start, end))
}

function buildTables(): Int32Array[] {
  const built = Array.from({ length: SLICES }, () => new Int32Array(256))
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
    built[0]![byte] = crc
  }
  for (let byte = 0; byte < 256; byte++) {
    for (let slice = 1; slice < SLICES; slice++) {
      const previous = built[slice - 1]![byte]!
      built[slice]![byte] = built[0]![previous & 255]! ^ (previous >>> 8)
    }
  }
  return built
}
