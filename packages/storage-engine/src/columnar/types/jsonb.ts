/**
 * jsonb (src/include/utils/jsonb.h, PG 18) as the text of jsonb_out. A container is
 *   u32 header: count in 28 bits, 0x10000000 scalar, 0x20000000 object, 0x40000000 array
 *   u32 entries: length or end offset in 28 bits, type in 3, 0x80000000 "is an end offset"; an object has keys, then values
 *   data, numerics and containers aligned to 4 within it
 */
import { CorruptionError } from '../../base/errors.ts'
import { alignUp, u32 } from '../little-endian.ts'
import { embeddedDatum } from '../varlena.ts'
import { numericText } from './numeric.ts'
import { decodeText, textualCodec } from './text.ts'

const COUNT_MASK = 0x0fffffff
const SCALAR = 0x10000000
const OBJECT = 0x20000000
const LENGTH_MASK = 0x0fffffff
const HAS_OFFSET = 0x80000000
const DEPTH_MAX = 10_000

export const jsonbCodec = textualCodec((bytes, start, end) => containerText(bytes, start, end, 0))

function containerText(bytes: Uint8Array, start: number, end: number, depth: number): string {
  if (start + 4 > end || depth > DEPTH_MAX) throw new CorruptionError('jsonb container', { start, end, depth })
  const header = u32(bytes, start)
  const count = header & COUNT_MASK
  const isObject = (header & OBJECT) !== 0
  const entryCount = isObject ? count * 2 : count
  const data = start + 4 + entryCount * 4
  if (data > end) throw new CorruptionError('jsonb container longer than its value', { entryCount })
  const texts: string[] = []
  let offset = 0
  for (let i = 0; i < entryCount; i++) {
    const entry = u32(bytes, start + 4 + i * 4)
    const next = entry & HAS_OFFSET ? entry & LENGTH_MASK : offset + (entry & LENGTH_MASK)
    if (next < offset || data + next > end) throw new CorruptionError('jsonb entry outside its value', { entry: i })
    texts.push(entryText(bytes, entry, start, data + offset, data + next, depth))
    offset = next
  }
  if (header & SCALAR) return texts[0] ?? 'null'
  if (!isObject) return `[${texts.join(', ')}]`
  return `{${texts
    .slice(0, count)
    .map((key, i) => `${key}: ${texts[count + i]}`)
    .join(', ')}}`
}

function entryText(bytes: Uint8Array, entry: number, base: number, start: number, end: number, depth: number): string {
  switch ((entry >>> 28) & 7) {
    case 0:
      return JSON.stringify(decodeText(bytes, start, end))
    case 1: {
      const numeric = embeddedDatum(bytes, base + alignUp(start - base, 4), end, -1)
      return numericText(numeric.bytes, numeric.start, numeric.end)
    }
    case 2:
      return 'false'
    case 3:
      return 'true'
    case 4:
      return 'null'
    case 5:
      return containerText(bytes, base + alignUp(start - base, 4), end, depth + 1)
    default:
      throw new CorruptionError('jsonb entry of an unknown kind', { entry })
  }
}
