import { crc32 as nativeCrc32 } from 'node:zlib'

/**
 * CRC-32 (IEEE 802.3, reflected polynomial 0xEDB88320) of messages between our processes, Parquet pages and Delta deletion
 * vectors. The one of Node.js uses the processor's carry-less multiplication, three times as fast as CRC-32C in
 * JavaScript; short inputs, where the call costs more than the work, go through a table.
 */
const TABLE = buildTable()
const NATIVE_BYTES_MIN = 128

/** CRC-32 of bytes[start, end) as an unsigned 32-bit number, on top of the CRC of what came before. */
export function crc32(bytes: Uint8Array, start = 0, end: number = bytes.length, before = 0): number {
  if (end - start >= NATIVE_BYTES_MIN) {
    return nativeCrc32(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end), before)
  }
  let crc = ~before
  for (let at = start; at < end; at++) crc = TABLE[(crc ^ bytes[at]!) & 255]! ^ (crc >>> 8)
  return ~crc >>> 0
}

function buildTable(): Int32Array {
  const table = new Int32Array(256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
    table[byte] = crc
  }
  return table
}
