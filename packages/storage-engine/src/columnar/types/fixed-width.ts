/** bool, integers, floats and the oid family: Parquet holds the same bytes, or the value widened. */
import { PhysicalType } from '../../parquet/schema.ts'
import type { FixedValues, Values } from '../../parquet/values.ts'
import { f32, f64, i32, i64, u16, u32, writeI32, writeU16 } from '../little-endian.ts'
import { formatFloat4, formatFloat8 } from './float-text.ts'
import { Appended, type ColumnShape, type ScalarCodec } from './type-codec.ts'

type Text = (bytes: Uint8Array, start: number) => string

/** Values of 4 bytes, copied as they are. */
function sameWord(shape: ColumnShape, text: Text): ScalarCodec {
  return {
    kind: 'scalar',
    shape,
    isInvertible: true,
    append(values, bytes, start) {
      ;(values as FixedValues).appendInt32(i32(bytes, start))
      return Appended.exact
    },
    write(values, index, out, at) {
      writeI32(out, at, (values as FixedValues).words[index]!)
      return at + 4
    },
    text,
  }
}

/** Values of 8 bytes, copied as they are. */
function sameWordPair(shape: ColumnShape, text: Text): ScalarCodec {
  return {
    kind: 'scalar',
    shape,
    isInvertible: true,
    append(values, bytes, start) {
      ;(values as FixedValues).appendInt64(i32(bytes, start), i32(bytes, start + 4))
      return Appended.exact
    },
    write(values, index, out, at) {
      const { words } = values as FixedValues
      writeI32(out, at, words[index * 2]!)
      writeI32(out, at + 4, words[index * 2 + 1]!)
      return at + 8
    },
    text,
  }
}

/** Postgres knows only 0 and 1; another byte is kept raw. */
export const boolCodec: ScalarCodec = {
  kind: 'scalar',
  shape: { physicalType: PhysicalType.boolean, deltaType: 'boolean' },
  isInvertible: true,
  append(values, bytes, start) {
    const target = values as FixedValues
    const at = target.grow()
    target.bytes[at] = bytes[start] === 0 ? 0 : 1
    return bytes[start]! > 1 ? Appended.inexact : Appended.exact
  },
  write(values, index, out, at) {
    out[at] = (values as FixedValues).bytes[index]!
    return at + 1
  },
  text: (bytes, start) => (bytes[start] === 0 ? 'f' : 't'),
}

export const int2Codec: ScalarCodec = {
  kind: 'scalar',
  shape: {
    physicalType: PhysicalType.int32,
    logicalType: { kind: 'integer', bitWidth: 16, signed: true },
    deltaType: 'short',
  },
  isInvertible: true,
  append(values, bytes, start) {
    ;(values as FixedValues).appendInt32((u16(bytes, start) << 16) >> 16)
    return Appended.exact
  },
  write(values, index, out, at) {
    writeU16(out, at, (values as FixedValues).int32(index))
    return at + 2
  },
  text: (bytes, start) => String((u16(bytes, start) << 16) >> 16),
}

export const int4Codec = sameWord({ physicalType: PhysicalType.int32, deltaType: 'integer' }, (bytes, at) =>
  String(i32(bytes, at)),
)

export const int8Codec = sameWordPair({ physicalType: PhysicalType.int64, deltaType: 'long' }, (bytes, at) =>
  String(i64(bytes, at)),
)

export const float4Codec = sameWord({ physicalType: PhysicalType.float, deltaType: 'float' }, (bytes, at) =>
  formatFloat4(f32(bytes, at)),
)

export const float8Codec = sameWordPair({ physicalType: PhysicalType.double, deltaType: 'double' }, (bytes, at) =>
  formatFloat8(f64(bytes, at)),
)

/** oid, xid, cid and the reg* types: unsigned, so a long. */
export const oidCodec: ScalarCodec = {
  kind: 'scalar',
  shape: { physicalType: PhysicalType.int64, deltaType: 'long' },
  isInvertible: true,
  append(values: Values, bytes, start) {
    ;(values as FixedValues).appendInt64(i32(bytes, start), 0)
    return Appended.exact
  },
  write(values, index, out, at) {
    const { bytes } = values as FixedValues
    writeI32(out, at, i32(bytes, index * 8))
    return at + 4
  },
  text: (bytes, start) => String(u32(bytes, start)),
}
