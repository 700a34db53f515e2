/**
 * DELTA_BINARY_PACKED, DELTA_LENGTH_BYTE_ARRAY and DELTA_BYTE_ARRAY (apache/parquet-format Encodings.md), reading only:
 * other writers use them, ours does not.
 *
 *   header := varint(block size) varint(mini blocks per block) varint(value count) zigzag(first value)
 *   block  := zigzag(min delta) bit width of each mini block (u8) mini blocks of packed deltas
 */
import { CorruptionError } from '../../base/errors.ts'
import type { BytesValues, FixedValues } from '../values.ts'

/** Decodes into int64 or int32 values; returns the offset after the last mini block read. */
export function decodeDeltaIntegers(
  bytes: Uint8Array,
  start: number,
  end: number,
  count: number,
  values: FixedValues,
): number {
  const cursor = { bytes, offset: start, end }
  const blockSize = Number(varint(cursor))
  const miniBlockCount = Number(varint(cursor))
  const total = Number(varint(cursor))
  let value = zigzag(cursor)
  if (miniBlockCount === 0 || miniBlockCount > 4096 || blockSize % miniBlockCount !== 0 || blockSize > 1 << 24) {
    throw new CorruptionError('parquet delta block size', { blockSize, miniBlockCount })
  }
  if (total < count) throw new CorruptionError('parquet delta values end too early', { total, count })
  const perMiniBlock = blockSize / miniBlockCount
  const push = (): void => {
    const at = values.grow()
    const view = new DataView(values.bytes.buffer, values.bytes.byteOffset + at, values.width)
    if (values.width === 8) view.setBigInt64(0, BigInt.asIntN(64, value), true)
    else view.setInt32(0, Number(BigInt.asIntN(32, value)), true)
  }
  let done = 0
  if (total > 0 && count > 0) {
    push()
    done = 1
  }
  while (done < count) {
    const minDelta = zigzag(cursor)
    const widths = take(cursor, miniBlockCount)
    for (let mini = 0; mini < miniBlockCount && done < count; mini++) {
      const width = widths[mini]!
      if (width > 64) throw new CorruptionError('parquet delta bit width', { width })
      const packed = take(cursor, (perMiniBlock * width) / 8)
      for (let i = 0; i < perMiniBlock && done < count; i++) {
        value += minDelta + unpack(packed, i * width, width)
        push()
        done++
      }
    }
  }
  return cursor.offset
}

export function decodeDeltaLengthByteArrays(
  bytes: Uint8Array,
  start: number,
  end: number,
  count: number,
  values: BytesValues,
  lengths: FixedValues,
): void {
  const dataStart = decodeDeltaIntegers(bytes, start, end, count, lengths)
  let position = dataStart
  for (let i = 0; i < count; i++) {
    const length = lengths.int32(i)
    if (length < 0 || length > end - position)
      throw new CorruptionError('parquet byte array longer than its page', { length })
    values.append(bytes, position, position + length)
    position += length
  }
}

/** `prefixes` and `lengths` are empty int32 columns used as scratch. */
export function decodeDeltaByteArrays(
  bytes: Uint8Array,
  start: number,
  end: number,
  count: number,
  values: BytesValues,
  prefixes: FixedValues,
  lengths: FixedValues,
): void {
  const suffixStart = decodeDeltaIntegers(bytes, start, end, count, prefixes)
  let position = decodeDeltaIntegers(bytes, suffixStart, end, count, lengths)
  let previous: Uint8Array = new Uint8Array(0)
  for (let i = 0; i < count; i++) {
    const prefix = prefixes.int32(i)
    const length = lengths.int32(i)
    if (prefix < 0 || prefix > previous.length || length < 0 || length > end - position) {
      throw new CorruptionError('parquet byte array longer than its page', { prefix, length })
    }
    const value = new Uint8Array(prefix + length)
    value.set(previous.subarray(0, prefix))
    value.set(bytes.subarray(position, position + length), prefix)
    position += length
    values.append(value)
    previous = value
  }
}

interface Cursor {
  readonly bytes: Uint8Array
  offset: number
  readonly end: number
}

function take(cursor: Cursor, length: number): Uint8Array {
  if (length > cursor.end - cursor.offset) throw new CorruptionError('parquet delta values end too early', { length })
  cursor.offset += length
  return cursor.bytes.subarray(cursor.offset - length, cursor.offset)
}

function varint(cursor: Cursor): bigint {
  let value = 0n
  for (let shift = 0n; shift < 70n; shift += 7n) {
    const byte = take(cursor, 1)[0]!
    value |= BigInt(byte & 127) << shift
    if (byte < 128) return value
  }
  throw new CorruptionError('parquet varint too long')
}

function zigzag(cursor: Cursor): bigint {
  const value = varint(cursor)
  return (value >> 1n) ^ -(value & 1n)
}

function unpack(packed: Uint8Array, bitOffset: number, width: number): bigint {
  let value = 0n
  let got = 0
  while (got < width) {
    const at = bitOffset + got
    const bits = Math.min(8 - (at & 7), width - got)
    value |= BigInt((packed[at >> 3]! >> (at & 7)) & ((1 << bits) - 1)) << BigInt(got)
    got += bits
  }
  return value
}
