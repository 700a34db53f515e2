/**
 * Types made of other types: arrays, composites, ranges, multiranges, as Postgres prints them. Payload offsets are those
 * after the 4-byte header, on which alignment counts: payload byte 0 is byte 4 of the datum.
 */
import { CorruptionError } from '../../base/errors.ts'
import { alignUp, i32, u16, u32 } from '../little-endian.ts'
import type { Alignment, PostgresType, TableAttribute } from '../table-definition.ts'
import { embeddedDatum } from '../varlena.ts'
import type { TypeCodec } from './type-codec.ts'

const HEADER = 4

/** Offset, aligned as in the datum, of the next embedded value. */
function alignedStart(bytes: Uint8Array, at: number, start: number, length: number, alignment: Alignment): number {
  const base = start - HEADER
  return length === -1 && bytes[at] !== 0 ? at : base + alignUp(at - base, length === -2 ? 1 : alignment)
}

export interface ArrayValue {
  readonly dimensions: readonly number[]
  readonly lowerBounds: readonly number[]
}

/**
 * ArrayType (src/include/utils/array.h, PG 18) after its header: i32 dimensions, i32 data offset or 0, u32 element type,
 * i32 lengths, i32 lower bounds, null bitmap if there is a data offset, elements aligned to the element type.
 */
export function readArray(
  bytes: Uint8Array,
  start: number,
  end: number,
  element: PostgresType,
  onElement: (bytes: Uint8Array | undefined, start: number, end: number) => void,
): ArrayValue {
  if (end - start < 12) throw new CorruptionError('array too short', { sizeBytes: end - start })
  const dimensionCount = i32(bytes, start)
  const dataOffset = i32(bytes, start + 4)
  if (dimensionCount < 0 || dimensionCount > 6 || end - start < 12 + dimensionCount * 8) {
    throw new CorruptionError('array dimensions', { dimensionCount })
  }
  const dimensions = Array.from({ length: dimensionCount }, (_, i) => i32(bytes, start + 12 + i * 4))
  const lowerBounds = Array.from({ length: dimensionCount }, (_, i) =>
    i32(bytes, start + 12 + (dimensionCount + i) * 4),
  )
  const count = dimensionCount === 0 ? 0 : dimensions.reduce((product, length) => product * length, 1)
  // An element takes at least a bit of the null bitmap.
  if (count < 0 || count > (end - start) * 8) throw new CorruptionError('array longer than its value', { count })
  const bitmap = dataOffset > 0 ? start + 12 + dimensionCount * 8 : undefined
  let at = dataOffset > 0 ? start - HEADER + dataOffset : start - HEADER + alignUp(16 + dimensionCount * 8, 8)
  for (let i = 0; i < count; i++) {
    if (bitmap !== undefined && (bytes[bitmap + (i >> 3)]! & (1 << (i & 7))) === 0) {
      onElement(undefined, 0, 0)
      continue
    }
    const datum = embeddedDatum(
      bytes,
      alignedStart(bytes, at, start, element.length, element.alignment),
      end,
      element.length,
    )
    onElement(datum.bytes, datum.start, datum.end)
    at = datum.next
  }
  return { dimensions, lowerBounds }
}

/** array_out. */
export function arrayText(
  bytes: Uint8Array,
  start: number,
  end: number,
  element: PostgresType,
  codec: TypeCodec,
  delimiter: string,
): string {
  const items: string[] = []
  const { dimensions, lowerBounds } = readArray(bytes, start, end, element, (item, from, to) => {
    items.push(item === undefined ? 'NULL' : quoteElement(codec.text(item, from, to), delimiter))
  })
  if (items.length === 0) return '{}'
  const bounds = lowerBounds.some((bound) => bound !== 1)
    ? `${dimensions.map((length, i) => `[${lowerBounds[i]!}:${lowerBounds[i]! + length - 1}]`).join('')}=`
    : ''
  let next = 0
  const nested = (depth: number): string => {
    if (depth === dimensions.length) return items[next++]!
    return `{${Array.from({ length: dimensions[depth]! }, () => nested(depth + 1)).join(delimiter)}}`
  }
  return bounds + nested(0)
}

function quoteElement(text: string, delimiter: string): string {
  const needsQuotes =
    text === '' || /^null$/i.test(text) || /["\\{}\s]/.test(asciiSpaces(text)) || text.includes(delimiter)
  return needsQuotes ? `"${text.replace(/["\\]/g, '\\$&')}"` : text
}

/** Postgres counts only ASCII white space here. */
function asciiSpaces(text: string): string {
  return text.replace(/[\u0080-\uffff]/g, 'x')
}

/**
 * Composite datum (HeapTupleHeader, src/include/access/htup_details.h, PG 18) after its header: i32 typmod, u32 type,
 * 6 bytes ctid, u16 infomask2, u16 infomask, u8 hoff (from the datum's start), null bitmap, fields as in a heap tuple.
 */
export function compositeText(
  bytes: Uint8Array,
  start: number,
  end: number,
  attributes: readonly TableAttribute[],
  codecs: readonly (TypeCodec | undefined)[],
): string {
  if (end - start < 19) throw new CorruptionError('composite too short', { sizeBytes: end - start })
  const attributeCount = u16(bytes, start + 14) & 0x7ff
  const hasNulls = (u16(bytes, start + 16) & 1) !== 0
  let at = start - HEADER + bytes[start + 18]!
  const fields: string[] = []
  attributes.forEach((attribute, i) => {
    const isNull = i >= attributeCount || (hasNulls && (bytes[start + 19 + (i >> 3)]! & (1 << (i & 7))) === 0)
    if (isNull) {
      if (codecs[i]) fields.push('')
      return
    }
    const datum = embeddedDatum(
      bytes,
      alignedStart(bytes, at, start, attribute.length, attribute.alignment),
      end,
      attribute.length,
    )
    at = datum.next
    const codec = codecs[i]
    if (codec) fields.push(quoteField(codec.text(datum.bytes, datum.start, datum.end)))
  })
  return `(${fields.join(',')})`
}

function quoteField(text: string): string {
  return text === '' || /["\\(),\s]/.test(asciiSpaces(text)) ? `"${text.replace(/["\\]/g, '$&$&')}"` : text
}

const RangeFlag = {
  empty: 0x01,
  lowerInclusive: 0x02,
  upperInclusive: 0x04,
  lowerInfinite: 0x08,
  upperInfinite: 0x10,
} as const

/** RangeType (src/include/utils/rangetypes.h, PG 18) after its header: u32 type, bounds, u8 flags at the very end. */
export function rangeText(
  bytes: Uint8Array,
  start: number,
  end: number,
  subtype: PostgresType,
  codec: TypeCodec,
): string {
  if (end - start < 5) throw new CorruptionError('range too short', { sizeBytes: end - start })
  return boundsText(bytes, start + 4, start, end - 1, bytes[end - 1]!, subtype, codec).text
}

/**
 * MultirangeType (src/include/utils/multirangetypes.h, PG 18) after its header: u32 type, u32 count, u32 item for each
 * range but the first, u8 flags for each, then the bounds of each range aligned to the subtype.
 */
export function multirangeText(
  bytes: Uint8Array,
  start: number,
  end: number,
  subtype: PostgresType,
  codec: TypeCodec,
): string {
  if (end - start < 8) throw new CorruptionError('multirange too short', { sizeBytes: end - start })
  const count = u32(bytes, start + 4)
  const flags = start + 8 + Math.max(0, count - 1) * 4
  if (flags + count > end) throw new CorruptionError('multirange longer than its value', { count })
  const base = start - HEADER
  let at = base + alignUp(flags + count - base, subtype.alignment)
  const ranges: string[] = []
  for (let i = 0; i < count; i++) {
    const range = boundsText(bytes, at, start, end, bytes[flags + i]!, subtype, codec)
    ranges.push(range.text)
    at = base + alignUp(range.next - base, subtype.alignment)
  }
  return `{${ranges.join(',')}}`
}

function boundsText(
  bytes: Uint8Array,
  at: number,
  start: number,
  end: number,
  flags: number,
  subtype: PostgresType,
  codec: TypeCodec,
): { text: string; next: number } {
  if (flags & RangeFlag.empty) return { text: 'empty', next: at }
  let next = at
  const bound = (isInfinite: boolean): string => {
    if (isInfinite) return ''
    const from = next < end ? alignedStart(bytes, next, start, subtype.length, subtype.alignment) : next
    const datum = embeddedDatum(bytes, from, end, subtype.length)
    next = datum.next
    return quoteBound(codec.text(datum.bytes, datum.start, datum.end))
  }
  const lower = bound((flags & RangeFlag.lowerInfinite) !== 0)
  const upper = bound((flags & RangeFlag.upperInfinite) !== 0)
  const open = flags & RangeFlag.lowerInclusive ? '[' : '('
  const close = flags & RangeFlag.upperInclusive ? ']' : ')'
  return { text: `${open}${lower},${upper}${close}`, next }
}

function quoteBound(text: string): string {
  return text === '' || /["\\()[\],\s]/.test(asciiSpaces(text)) ? `"${text.replace(/["\\]/g, '$&$&')}"` : text
}
