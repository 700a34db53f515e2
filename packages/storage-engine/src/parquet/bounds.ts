/**
 * Smallest and largest value of a range of a column, as Statistics and ColumnIndex want them: PLAIN encoding, in the
 * order of the logical type (parquet.thrift, ColumnOrder TYPE_ORDER). Undefined where no order is defined or useful.
 */
import { PhysicalType, type SchemaNode } from './schema.ts'
import { BytesValues, type FixedValues, type Values } from './values.ts'

export interface Bounds {
  readonly min: Uint8Array
  readonly max: Uint8Array
}

/** Longer byte arrays get no bounds: a footer is no place for them. */
const BOUND_BYTES_MAX = 64

/** Bounds of values[start, end), as copies. */
export function columnBounds(node: SchemaNode, values: Values, start: number, end: number): Bounds | undefined {
  if (end <= start) return undefined
  if (values instanceof BytesValues) return byteArrayBounds(values, start, end)
  const unsigned = node.logicalType?.kind === 'integer' && !node.logicalType.signed
  switch (node.physicalType) {
    case PhysicalType.boolean:
      return fixedBounds(values, start, end, (a, b) => values.bytes[a]! - values.bytes[b]!)
    case PhysicalType.int32:
      return unsigned ? undefined : int32Bounds(values, start, end)
    case PhysicalType.int64:
      return unsigned ? undefined : int64Bounds(values, start, end)
    case PhysicalType.float:
    case PhysicalType.double:
      return floatBounds(values, start, end)
    case PhysicalType.fixedLenByteArray:
      return node.logicalType?.kind === 'decimal'
        ? fixedBounds(values, start, end, (a, b) => compareSignedBigEndian(values, a, b))
        : undefined
    default:
      return undefined
  }
}

/** The wider of both; undefined when either is. */
export function mergeBounds(node: SchemaNode, parts: readonly Bounds[]): Bounds | undefined {
  if (parts.length === 0) return undefined
  const values = new BytesValues(parts.length * 2)
  const first = parts[0]!
  if (node.physicalType === PhysicalType.byteArray) {
    for (const part of parts) {
      values.append(part.min)
      values.append(part.max)
    }
    return byteArrayBounds(values, 0, values.count)
  }
  let { min, max } = first
  for (const part of parts) {
    if (compareFixed(node, part.min, min) < 0) min = part.min
    if (compareFixed(node, part.max, max) > 0) max = part.max
  }
  return { min, max }
}

function compareFixed(node: SchemaNode, a: Uint8Array, b: Uint8Array): number {
  const viewA = new DataView(a.buffer, a.byteOffset, a.byteLength)
  const viewB = new DataView(b.buffer, b.byteOffset, b.byteLength)
  switch (node.physicalType) {
    case PhysicalType.int32:
      return viewA.getInt32(0, true) - viewB.getInt32(0, true)
    case PhysicalType.int64: {
      const left = viewA.getBigInt64(0, true)
      const right = viewB.getBigInt64(0, true)
      return left < right ? -1 : left > right ? 1 : 0
    }
    case PhysicalType.float:
      return viewA.getFloat32(0, true) - viewB.getFloat32(0, true)
    case PhysicalType.double:
      return viewA.getFloat64(0, true) - viewB.getFloat64(0, true)
    case PhysicalType.fixedLenByteArray:
      return compareSignedBytes(a, 0, b, 0, a.length)
    default:
      return a[0]! - b[0]!
  }
}

function int32Bounds(values: FixedValues, start: number, end: number): Bounds {
  let min = start
  let max = start
  let minValue = values.int32(start)
  let maxValue = minValue
  for (let i = start + 1; i < end; i++) {
    const value = values.int32(i)
    if (value < minValue) {
      minValue = value
      min = i
    } else if (value > maxValue) {
      maxValue = value
      max = i
    }
  }
  return { min: values.at(min).slice(), max: values.at(max).slice() }
}

function int64Bounds(values: FixedValues, start: number, end: number): Bounds {
  const { bytes } = values
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let min = start
  let max = start
  let minLow = view.getUint32(start * 8, true)
  let minHigh = view.getInt32(start * 8 + 4, true)
  let maxLow = minLow
  let maxHigh = minHigh
  for (let i = start + 1; i < end; i++) {
    const low = view.getUint32(i * 8, true)
    const high = view.getInt32(i * 8 + 4, true)
    if (high < minHigh || (high === minHigh && low < minLow)) {
      minLow = low
      minHigh = high
      min = i
    } else if (high > maxHigh || (high === maxHigh && low > maxLow)) {
      maxLow = low
      maxHigh = high
      max = i
    }
  }
  return { min: values.at(min).slice(), max: values.at(max).slice() }
}

/** NaN has no place in bounds, and zero must be -0 in a minimum and +0 in a maximum (parquet.thrift, ColumnOrder). */
function floatBounds(values: FixedValues, start: number, end: number): Bounds | undefined {
  const read = values.width === 8 ? (i: number) => values.float64(i) : (i: number) => values.float32(i)
  let min = Number.POSITIVE_INFINITY
  let max = Number.NEGATIVE_INFINITY
  for (let i = start; i < end; i++) {
    const value = read(i)
    if (Number.isNaN(value)) return undefined
    if (value < min) min = value
    if (value > max) max = value
  }
  return { min: floatBytes(min === 0 ? -0 : min, values.width), max: floatBytes(max === 0 ? 0 : max, values.width) }
}

function floatBytes(value: number, width: number): Uint8Array {
  const bytes = new Uint8Array(width)
  const view = new DataView(bytes.buffer)
  if (width === 8) view.setFloat64(0, value, true)
  else view.setFloat32(0, value, true)
  return bytes
}

function fixedBounds(
  values: FixedValues,
  start: number,
  end: number,
  compare: (a: number, b: number) => number,
): Bounds {
  let min = start
  let max = start
  for (let i = start + 1; i < end; i++) {
    if (compare(i, min) < 0) min = i
    else if (compare(i, max) > 0) max = i
  }
  return { min: values.at(min).slice(), max: values.at(max).slice() }
}

function byteArrayBounds(values: BytesValues, start: number, end: number): Bounds | undefined {
  let min = start
  let max = start
  for (let i = start + 1; i < end; i++) {
    if (compareByteArrays(values, i, min) < 0) min = i
    else if (compareByteArrays(values, i, max) > 0) max = i
  }
  const bounds = { min: values.at(min).slice(), max: values.at(max).slice() }
  return bounds.min.length > BOUND_BYTES_MAX || bounds.max.length > BOUND_BYTES_MAX ? undefined : bounds
}

function compareByteArrays(values: BytesValues, a: number, b: number): number {
  const { offsets, data } = values
  const startA = offsets[a]!
  const startB = offsets[b]!
  const lengthA = offsets[a + 1]! - startA
  const lengthB = offsets[b + 1]! - startB
  const shared = Math.min(lengthA, lengthB)
  for (let i = 0; i < shared; i++) {
    const difference = data[startA + i]! - data[startB + i]!
    if (difference !== 0) return difference
  }
  return lengthA - lengthB
}

function compareSignedBigEndian(values: FixedValues, a: number, b: number): number {
  return compareSignedBytes(values.bytes, a * values.width, values.bytes, b * values.width, values.width)
}

function compareSignedBytes(left: Uint8Array, a: number, right: Uint8Array, b: number, width: number): number {
  const sign = ((left[a]! << 24) >> 24) - ((right[b]! << 24) >> 24)
  if (sign !== 0) return sign
  for (let i = 1; i < width; i++) {
    const difference = left[a + i]! - right[b + i]!
    if (difference !== 0) return difference
  }
  return 0
}
