/** LZ4 block format, decompression (lz4/lz4 doc/lz4_Block_format.md): Postgres values with `default_toast_compression = lz4`. */
import { CorruptionError } from '../base/errors.ts'

/** Decompresses to exactly `size` bytes or throws CorruptionError. */
export function decompressLz4(bytes: Uint8Array, size: number): Uint8Array {
  const out = new Uint8Array(size)
  let at = 0
  let to = 0
  const extend = (start: number): number => {
    let length = start
    if (start !== 15) return length
    for (;;) {
      const byte = bytes[at++]
      if (byte === undefined) throw new CorruptionError('lz4 length ends too early', { at })
      length += byte
      if (byte !== 255) return length
    }
  }
  while (at < bytes.length) {
    const token = bytes[at++]!
    const literal = extend(token >> 4)
    if (literal > bytes.length - at || literal > size - to)
      throw new CorruptionError('lz4 literal too long', { literal })
    out.set(bytes.subarray(at, at + literal), to)
    at += literal
    to += literal
    if (at === bytes.length) break
    if (at + 2 > bytes.length) throw new CorruptionError('lz4 match ends too early', { at })
    const distance = bytes[at]! | (bytes[at + 1]! << 8)
    at += 2
    const match = extend(token & 15) + 4
    if (distance === 0 || distance > to || match > size - to) {
      throw new CorruptionError('lz4 match out of range', { distance, match })
    }
    for (const stop = to + match; to < stop; to++) out[to] = out[to - distance]!
  }
  if (to !== size) throw new CorruptionError('lz4 data ends too early', { got: to, size })
  return out
}
