/** PLAIN encoding (apache/parquet-format Encodings.md): fixed-width values as they are, byte arrays with a u32 length. */
import { CorruptionError } from '../../base/errors.ts'
import { PhysicalType } from '../schema.ts'
import { BytesValues, type FixedValues, type Values } from '../values.ts'

/** Bytes that `encodePlain` of values[start, end) needs. */
export function plainSize(type: PhysicalType, values: Values, start: number, end: number): number {
  if (values instanceof BytesValues) return (end - start) * 4 + values.offsets[end]! - values.offsets[start]!
  if (type === PhysicalType.boolean) return (end - start + 7) >> 3
  return (end - start) * values.width
}

/** Writes values[start, end) into `out` at `at`, which has room for `plainSize`; returns the end. */
export function encodePlain(
  type: PhysicalType,
  values: Values,
  start: number,
  end: number,
  out: Uint8Array,
  at: number,
): number {
  if (values instanceof BytesValues) return encodeByteArrays(values, start, end, out, at)
  if (type === PhysicalType.boolean) {
    const size = (end - start + 7) >> 3
    out.fill(0, at, at + size)
    for (let i = start; i < end; i++) if (values.bytes[i]) out[at + ((i - start) >> 3)]! |= 1 << ((i - start) & 7)
    return at + size
  }
  out.set(values.bytes.subarray(start * values.width, end * values.width), at)
  return at + (end - start) * values.width
}

function encodeByteArrays(values: BytesValues, start: number, end: number, out: Uint8Array, at: number): number {
  const { offsets, data } = values
  let position = at
  for (let i = start; i < end; i++) {
    const from = offsets[i]!
    const length = offsets[i + 1]! - from
    out[position] = length
    out[position + 1] = length >> 8
    out[position + 2] = length >> 16
    out[position + 3] = length >> 24
    position += 4
    if (length < 48) for (let k = 0; k < length; k++) out[position + k] = data[from + k]!
    else out.set(data.subarray(from, from + length), position)
    position += length
  }
  return position
}

/** Appends `count` values of bytes[start, end) to `values`. Throws CorruptionError when they are not all there. */
export function decodePlain(
  type: PhysicalType,
  bytes: Uint8Array,
  start: number,
  end: number,
  count: number,
  values: Values,
): void {
  if (values instanceof BytesValues) decodeByteArrays(bytes, start, end, count, values)
  else if (type === PhysicalType.boolean) decodeBooleans(bytes, start, end, count, values)
  else {
    const size = count * values.width
    if (size > end - start)
      throw new CorruptionError('parquet plain values end too early', { count, available: end - start })
    const at = values.growBy(count)
    values.bytes.set(bytes.subarray(start, start + size), at)
  }
}

function decodeBooleans(bytes: Uint8Array, start: number, end: number, count: number, values: FixedValues): void {
  if ((count + 7) >> 3 > end - start) throw new CorruptionError('parquet plain values end too early', { count })
  const at = values.growBy(count)
  for (let i = 0; i < count; i++) values.bytes[at + i] = (bytes[start + (i >> 3)]! >> (i & 7)) & 1
}

function decodeByteArrays(bytes: Uint8Array, start: number, end: number, count: number, values: BytesValues): void {
  if (count * 4 > end - start) throw new CorruptionError('parquet plain values end too early', { count })
  values.reserveMany(count, end - start - count * 4)
  const { data, offsets } = values
  const first = values.count
  let position = start
  let at = offsets[first]!
  for (let i = 0; i < count; i++) {
    if (position + 4 > end) throw new CorruptionError('parquet plain values end too early', { count })
    const length =
      (bytes[position]! | (bytes[position + 1]! << 8) | (bytes[position + 2]! << 16) | (bytes[position + 3]! << 24)) >>>
      0
    position += 4
    if (length > end - position) throw new CorruptionError('parquet byte array longer than its page', { length })
    if (at + length > data.length) throw new CorruptionError('parquet plain values end too early', { count })
    if (length < 48) for (let k = 0; k < length; k++) data[at + k] = bytes[position + k]!
    else data.set(bytes.subarray(position, position + length), at)
    at += length
    position += length
    offsets[first + i + 1] = at
  }
  values.count = first + count
}
