/** Snappy raw format, decompression (google/snappy format_description.txt): Spark writes its Delta checkpoints with it. */
import { CorruptionError } from '../base/errors.ts'

/** Decompresses to exactly `size` bytes or throws CorruptionError. */
export function decompressSnappy(bytes: Uint8Array, size: number): Uint8Array {
  let at = 0
  let declared = 0
  for (let scale = 1; ; scale *= 128) {
    const byte = bytes[at++]
    if (byte === undefined || at > 5) throw new CorruptionError('snappy length ends too early')
    declared += (byte & 127) * scale
    if (byte < 128) break
  }
  if (declared !== size) throw new CorruptionError('snappy length differs', { declared, size })
  const out = new Uint8Array(size)
  let to = 0
  while (at < bytes.length) {
    const tag = bytes[at++]!
    let length: number
    let distance = 0
    if ((tag & 3) === 0) {
      length = (tag >> 2) + 1
      if (length > 60) {
        const extra = length - 60
        length = littleEndian(bytes, at, extra) + 1
        at += extra
      }
      if (length > bytes.length - at || length > size - to)
        throw new CorruptionError('snappy literal too long', { length })
      out.set(bytes.subarray(at, at + length), to)
      at += length
      to += length
      continue
    }
    if ((tag & 3) === 1) {
      length = ((tag >> 2) & 7) + 4
      distance = ((tag >> 5) << 8) | littleEndian(bytes, at, 1)
      at += 1
    } else {
      const width = (tag & 3) === 2 ? 2 : 4
      length = (tag >> 2) + 1
      distance = littleEndian(bytes, at, width)
      at += width
    }
    if (distance === 0 || distance > to || length > size - to) {
      throw new CorruptionError('snappy copy out of range', { distance, length })
    }
    for (const stop = to + length; to < stop; to++) out[to] = out[to - distance]!
  }
  if (to !== size) throw new CorruptionError('snappy data ends too early', { got: to, size })
  return out
}

function littleEndian(bytes: Uint8Array, at: number, width: number): number {
  if (at + width > bytes.length) throw new CorruptionError('snappy data ends too early', { at })
  let value = 0
  for (let i = width - 1; i >= 0; i--) value = value * 256 + bytes[at + i]!
  return value
}
