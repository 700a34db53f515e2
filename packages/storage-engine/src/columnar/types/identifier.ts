/** uuid, tid, pg_lsn, xid8 and bit strings: text that says everything, or with the payload beside. */
import type { BytesValues } from '../../parquet/values.ts'
import { i32, i64, u16, u32 } from '../little-endian.ts'
import { STRING_SHAPE, hex, textualCodec } from './text.ts'
import { Appended, type ScalarCodec } from './type-codec.ts'

/** No lake type holds a uuid everywhere; its text gives the bytes back. */
export const uuidCodec: ScalarCodec = {
  kind: 'scalar',
  shape: STRING_SHAPE,
  isInvertible: true,
  append(values, bytes, start) {
    const target = values as BytesValues
    const at = target.reserve(36)
    const { data } = target
    let position = at
    for (let i = 0; i < 16; i++) {
      if (i === 4 || i === 6 || i === 8 || i === 10) data[position++] = 0x2d
      const byte = bytes[start + i]!
      data[position++] = HEX_DIGITS[byte >> 4]!
      data[position++] = HEX_DIGITS[byte & 15]!
    }
    target.commit(36)
    return Appended.exact
  },
  write(values, index, out, at) {
    const text = (values as BytesValues).at(index)
    let position = at
    for (let i = 0; i < text.length; i += 2) {
      if (text[i] === 0x2d) i++
      out[position++] = (hexValue(text[i]!) << 4) | hexValue(text[i + 1]!)
    }
    return position
  },
  text: (bytes, start) => {
    const digits = hex(bytes, start, start + 16)
    return [digits.slice(0, 8), digits.slice(8, 12), digits.slice(12, 16), digits.slice(16, 20), digits.slice(20)].join(
      '-',
    )
  },
}

const HEX_DIGITS = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0))

function hexValue(digit: number): number {
  return digit < 0x3a ? digit - 0x30 : digit - 0x57
}

/** Block number as two u16, high half first, and the offset number. */
export const tidCodec = textualCodec((bytes, start) => {
  const block = u16(bytes, start) * 65_536 + u16(bytes, start + 2)
  return `(${block},${u16(bytes, start + 4)})`
})

export const pgLsnCodec = textualCodec(
  (bytes, start) =>
    `${u32(bytes, start + 4)
      .toString(16)
      .toUpperCase()}/${u32(bytes, start).toString(16).toUpperCase()}`,
)

export const xid8Codec = textualCodec((bytes, start) => String(BigInt.asUintN(64, i64(bytes, start))))

/** bit and varbit: i32 count of bits, then the bits, high bit first. */
export const bitCodec = textualCodec((bytes, start, end) => {
  const count = Math.min(i32(bytes, start), (end - start - 4) * 8)
  let text = ''
  for (let bit = 0; bit < count; bit++) text += (bytes[start + 4 + (bit >> 3)]! >> (7 - (bit & 7))) & 1
  return text
})
