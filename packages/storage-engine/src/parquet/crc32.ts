/** CRC-32 of gzip (reflected 0xEDB88320): page checksums of Parquet and deletion vector files of Delta. Slicing-by-4. */
const [T0, T1, T2, T3] = buildTables() as [Uint32Array, Uint32Array, Uint32Array, Uint32Array]

/** CRC-32 of bytes[start, end) as an unsigned 32-bit number. */
export function crc32(bytes: Uint8Array, start = 0, end: number = bytes.length): number {
  let crc = -1
  let at = start
  for (; end - at >= 4; at += 4) {
    const word = crc ^ (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24))
    crc = T3[word & 255]! ^ T2[(word >>> 8) & 255]! ^ T1[(word >>> 16) & 255]! ^ T0[word >>> 24]!
  }
  for (; at < end; at++) crc = T0[(crc ^ bytes[at]!) & 255]! ^ (crc >>> 8)
  return (crc ^ -1) >>> 0
}

function buildTables(): Uint32Array[] {
  const tables = Array.from({ length: 4 }, () => new Uint32Array(256))
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? 0xedb88320 ^ (crc >>> 1) : crc >>> 1
    tables[0]![byte] = crc
  }
  for (let byte = 0; byte < 256; byte++) {
    for (let slice = 1; slice < 4; slice++) {
      const previous = tables[slice - 1]![byte]!
      tables[slice]![byte] = tables[0]![previous & 255]! ^ (previous >>> 8)
    }
  }
  return tables
}
