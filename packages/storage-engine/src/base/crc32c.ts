/**
 * CRC-32C (Castagnoli), reflected polynomial 0x82F63B78, as Postgres uses it in WAL records, pg_control, two-phase
 * files and pg_filenode.map (src/port/pg_crc32c_sb8.c, PG 18). Slicing-by-8.
 */
const tables = buildTables()
const [T0, T1, T2, T3, T4, T5, T6, T7] = tables as [
  Uint32Array, Uint32Array, Uint32Array, Uint32Array, Uint32Array, Uint32Array, Uint32Array, Uint32Array,
]

/** The running value before any byte; give it to `crc32cUpdate`, and the result to `crc32cFinish`. */
export const CRC32C_INIT = -1

/** Extends a running CRC over bytes[start, end). */
export function crc32cUpdate(running: number, bytes: Uint8Array, start = 0, end: number = bytes.length): number {
  let crc = running | 0
  let at = start
  while (end - at >= 8) {
    const low = crc ^ (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24))
    crc =
      T7[low & 255]! ^ T6[(low >>> 8) & 255]! ^ T5[(low >>> 16) & 255]! ^ T4[low >>> 24]! ^
      T3[bytes[at + 4]!]! ^ T2[bytes[at + 5]!]! ^ T1[bytes[at + 6]!]! ^ T0[bytes[at + 7]!]!
    at += 8
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

function buildTables(): Uint32Array[] {
  const built = Array.from({ length: 8 }, () => new Uint32Array(256))
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
    built[0]![byte] = crc >>> 0
  }
  for (let byte = 0; byte < 256; byte++) {
    for (let slice = 1; slice < 8; slice++) {
      const previous = built[slice - 1]![byte]!
      built[slice]![byte] = built[0]![previous & 255]! ^ (previous >>> 8)
    }
  }
  return built
}
