import { CorruptionError } from '../base/errors.ts'

/**
 * Decompresses pglz (src/common/pg_lzcompress.c, PG 18) into the whole of `target`. A control byte announces 8 items, lowest
 * bit first: 0 a literal byte; 1 a copy, with length - 3 in the low nibble (15 means that one more byte adds to it) and a
 * 12-bit distance back. Throws CorruptionError unless source and target end together.
 */
export function decompressPglz(source: Uint8Array, target: Uint8Array): void {
  const sourceEnd = source.length
  const targetEnd = target.length
  let from = 0
  let to = 0
  while (from < sourceEnd && to < targetEnd) {
    let control = source[from++]!
    for (let item = 0; item < 8 && from < sourceEnd && to < targetEnd; item++, control >>>= 1) {
      if ((control & 1) === 0) {
        target[to++] = source[from++]!
        continue
      }
      if (sourceEnd - from < 2) throw corrupt(from, to)
      const tag = source[from]!
      const distance = ((tag & 0xf0) << 4) | source[from + 1]!
      let length = (tag & 0x0f) + 3
      from += 2
      if (length === 18) {
        if (from === sourceEnd) throw corrupt(from, to)
        length += source[from++]!
      }
      if (distance === 0 || distance > to) throw corrupt(from, to)
      // Byte by byte: a copy may overlap what it writes, to repeat a pattern.
      const copyEnd = Math.min(to + length, targetEnd)
      for (; to < copyEnd; to++) target[to] = target[to - distance]!
    }
  }
  if (from !== sourceEnd || to !== targetEnd) throw corrupt(from, to)
}

function corrupt(sourceOffset: number, targetOffset: number): CorruptionError {
  return new CorruptionError('pglz data is damaged', { sourceOffset, targetOffset })
}
