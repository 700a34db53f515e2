/**
 * tsvector as text (src/include/tsearch/ts_type.h, PG 18): i32 count, entries of u32 (bit 0 has positions, 11 bits length,
 * 20 bits offset), lexemes; positions follow a lexeme aligned to 2: u16 count, u16 each (14 bits position, 2 bits weight).
 */
import { CorruptionError } from '../../base/errors.ts'
import { i32, u16, u32 } from '../little-endian.ts'
import { decodeText, textualCodec } from './text.ts'

export const tsvectorCodec = textualCodec((bytes, start, end) => {
  const count = i32(bytes, start)
  const lexemes = start + 4 + count * 4
  if (count < 0 || lexemes > end) throw new CorruptionError('tsvector longer than its value', { count })
  const parts: string[] = []
  for (let i = 0; i < count; i++) {
    const entry = u32(bytes, start + 4 + i * 4)
    const from = entry >>> 12
    const to = from + ((entry >>> 1) & 0x7ff)
    if (lexemes + to > end) throw new CorruptionError('tsvector lexeme outside its value', { i })
    const lexeme = decodeText(bytes, lexemes + from, lexemes + to).replace(/['\\]/g, '$&$&')
    parts.push(`'${lexeme}'${entry & 1 ? `:${positionsText(bytes, lexemes + to + (to & 1), end)}` : ''}`)
  }
  return parts.join(' ')
})

function positionsText(bytes: Uint8Array, at: number, end: number): string {
  const count = at + 2 <= end ? u16(bytes, at) : 0
  if (at + 2 + count * 2 > end) throw new CorruptionError('tsvector positions outside their value', { count })
  return Array.from({ length: count }, (_, i) => {
    const position = u16(bytes, at + 2 + i * 2)
    return (position & 0x3fff) + ['', 'C', 'B', 'A'][position >> 14]!
  }).join(',')
}
