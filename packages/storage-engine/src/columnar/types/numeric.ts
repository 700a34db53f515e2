/**
 * numeric (src/backend/utils/adt/numeric.c, NumericChoice, PG 18). Payload, little-endian u16:
 *   short    0x8000 | sign 0x2000 | dscale << 7 | weight in 7 bits (two's complement)      digits
 *   long     sign 0x0000 / 0x4000 | dscale in 14 bits, i16 weight                          digits
 *   special  0xC000 NaN, 0xD000 Infinity, 0xF000 -Infinity
 * Digits are base 10000, most significant first; the first stands for 10000^weight. No zero digits at either end.
 *
 * numeric(p, s) with p <= 38 and 0 <= s <= p is a decimal: INT64 to 18 digits, else 16 bytes big-endian. Others are text,
 * which keeps every digit, the display scale, NaN and the infinities.
 */
import { PhysicalType } from '../../parquet/schema.ts'
import type { BytesValues, FixedValues } from '../../parquet/values.ts'
import { i64, u16, writeI64, writeU16 } from '../little-endian.ts'
import { STRING_SHAPE } from './text.ts'
import { Appended, type ScalarCodec } from './type-codec.ts'

const NAN = 0xc000
const POSITIVE_INFINITY = 0xd000
const NEGATIVE_INFINITY = 0xf000

export function numericCodec(typmod: number): ScalarCodec {
  if (typmod < 4) return textNumericCodec
  const precision = ((typmod - 4) >> 16) & 0xffff
  const scale = (((typmod - 4) & 0x7ff) ^ 1024) - 1024
  if (precision > 38 || scale < 0 || scale > precision) return textNumericCodec
  return precision <= 18 ? decimal64Codec(precision, scale) : decimal128Codec(precision, scale)
}

interface Header {
  readonly isNegative: boolean
  readonly displayScale: number
  readonly weight: number
  /** Offset of the first digit. */
  readonly digits: number
  readonly digitCount: number
}

function decodeHeader(bytes: Uint8Array, start: number, end: number): Header {
  const header = u16(bytes, start)
  if (header & 0x8000) {
    const weight = header & 0x3f
    return {
      isNegative: (header & 0x2000) !== 0,
      displayScale: (header >> 7) & 0x3f,
      weight: header & 0x40 ? weight | ~0x3f : weight,
      digits: start + 2,
      digitCount: (end - start - 2) >> 1,
    }
  }
  return {
    isNegative: (header & 0x4000) !== 0,
    displayScale: header & 0x3fff,
    weight: (u16(bytes, start + 2) << 16) >> 16,
    digits: start + 4,
    digitCount: (end - start - 4) >> 1,
  }
}

const POWERS_OF_TEN = [1, 10, 100, 1000, 10_000]
/** 12 decimal digits: exact in a double, before and after the display scale is applied. */
const FAST_GROUPS_MAX = 3

function decimal64Codec(precision: number, scale: number): ScalarCodec {
  const fractionGroups = Math.ceil(scale / 4)
  const divisor = POWERS_OF_TEN[fractionGroups * 4 - scale]!
  return {
    kind: 'scalar',
    shape: {
      physicalType: PhysicalType.int64,
      logicalType: { kind: 'decimal', precision, scale },
      deltaType: `decimal(${precision},${scale})`,
    },
    isInvertible: true,
    append(values, bytes, start, end) {
      const target = values as FixedValues
      const header = u16(bytes, start)
      // The common case by doubles: short form, right display scale, few digits, canonical.
      if ((header & 0xc000) === 0x8000 && ((header >> 7) & 0x3f) === scale && end - start >= 4) {
        let weight = header & 0x3f
        if (header & 0x40) weight |= ~0x3f
        const count = (end - start - 2) >> 1
        const groups = weight + fractionGroups + 1
        if (groups <= FAST_GROUPS_MAX && groups >= count && u16(bytes, start + 2) !== 0 && u16(bytes, end - 2) !== 0) {
          let scaled = 0
          for (let group = 0; group < groups; group++) {
            scaled = scaled * 10_000 + (group < count ? u16(bytes, start + 2 + group * 2) : 0)
          }
          if (divisor === 1 || scaled % divisor === 0) {
            scaled /= divisor
            const value = header & 0x2000 ? -scaled : scaled
            if (scaled < 0x8000_0000) target.appendInt64(value, value >> 31)
            else target.appendSafeInteger(value)
            return Appended.exact
          }
        }
      }
      const unscaled = unscaledValue(bytes, start, end, scale)
      if (unscaled === undefined || BigInt.asIntN(64, unscaled) !== unscaled || digitsOf(unscaled) > precision)
        return Appended.overflow
      const at = target.grow()
      writeI64(target.bytes, at, unscaled)
      return isCanonical(unscaled, scale, bytes, start, end) ? Appended.exact : Appended.inexact
    },
    write(values, index, out, at) {
      return encodeDecimal64((values as FixedValues).words, index * 2, scale, fractionGroups, divisor, out, at)
    },
    text: numericText,
  }
}

function decimal128Codec(precision: number, scale: number): ScalarCodec {
  return {
    kind: 'scalar',
    shape: {
      physicalType: PhysicalType.fixedLenByteArray,
      typeLength: 16,
      logicalType: { kind: 'decimal', precision, scale },
      deltaType: `decimal(${precision},${scale})`,
    },
    isInvertible: true,
    append(values, bytes, start, end) {
      const unscaled = unscaledValue(bytes, start, end, scale)
      if (unscaled === undefined || digitsOf(unscaled) > precision) return Appended.overflow
      appendBigEndian(values as FixedValues, unscaled)
      return isCanonical(unscaled, scale, bytes, start, end) ? Appended.exact : Appended.inexact
    },
    write(values, index, out, at) {
      return encodeUnscaled(readBigEndian(values as FixedValues, index), scale, out, at)
    },
    text: numericText,
  }
}

const textNumericCodec: ScalarCodec = {
  kind: 'scalar',
  shape: STRING_SHAPE,
  isInvertible: true,
  append(values, bytes, start, end) {
    const text = numericText(bytes, start, end)
    ;(values as BytesValues).appendText(text)
    return matches(encodeNumericText(text), bytes, start, end) ? Appended.exact : Appended.inexact
  },
  write(values, index, out, at) {
    const payload = encodeNumericText((values as BytesValues).text(index))
    out.set(payload, at)
    return at + payload.length
  },
  text: numericText,
}

/** money: 64-bit cents, as decimal(19, 2). */
export const moneyCodec: ScalarCodec = {
  kind: 'scalar',
  shape: {
    physicalType: PhysicalType.fixedLenByteArray,
    typeLength: 16,
    logicalType: { kind: 'decimal', precision: 19, scale: 2 },
    deltaType: 'decimal(19,2)',
  },
  isInvertible: true,
  append(values, bytes, start) {
    appendBigEndian(values as FixedValues, i64(bytes, start))
    return Appended.exact
  },
  write(values, index, out, at) {
    writeI64(out, at, readBigEndian(values as FixedValues, index))
    return at + 8
  },
  text: (bytes, start) => moneyText(i64(bytes, start)),
}

/** cash_out in the C locale. */
function moneyText(cents: bigint): string {
  const magnitude = cents < 0n ? -cents : cents
  const whole = String(magnitude / 100n).replace(/\B(?=(\d{3})+$)/g, ',')
  return `${cents < 0n ? '-' : ''}$${whole}.${String(magnitude % 100n).padStart(2, '0')}`
}

/** numeric_out. */
export function numericText(bytes: Uint8Array, start: number, end: number): string {
  const special = u16(bytes, start)
  if ((special & 0xc000) === 0xc000) {
    return special === NAN ? 'NaN' : special === POSITIVE_INFINITY ? 'Infinity' : '-Infinity'
  }
  const { isNegative, displayScale, weight, digits, digitCount } = decodeHeader(bytes, start, end)
  const group = (index: number): string =>
    index >= 0 && index < digitCount ? String(u16(bytes, digits + index * 2)).padStart(4, '0') : '0000'
  let whole = ''
  for (let index = 0; index <= weight; index++) whole += group(index)
  whole = whole.replace(/^0+(?=\d)/, '') || '0'
  if (displayScale === 0) return `${isNegative ? '-' : ''}${whole}`
  let fraction = ''
  for (let index = weight + 1; fraction.length < displayScale; index++) fraction += group(index)
  return `${isNegative ? '-' : ''}${whole}.${fraction.slice(0, displayScale)}`
}

/** The value times 10^scale; undefined for NaN, infinities and values with more fraction digits than `scale`. */
function unscaledValue(bytes: Uint8Array, start: number, end: number, scale: number): bigint | undefined {
  if (end - start < 2 || (u16(bytes, start) & 0xc000) === 0xc000) return undefined
  const { isNegative, weight, digits, digitCount } = decodeHeader(bytes, start, end)
  if (weight > 20) return undefined
  let value = 0n
  for (let index = 0; index < digitCount; index++) value = value * 10_000n + BigInt(u16(bytes, digits + index * 2))
  const shift = scale - 4 * (digitCount - 1 - weight)
  if (shift >= 0) value *= 10n ** BigInt(shift)
  else {
    const divisor = 10n ** BigInt(-shift)
    if (value % divisor !== 0n) return undefined
    value /= divisor
  }
  return isNegative ? -value : value
}

function digitsOf(value: bigint): number {
  return String(value < 0n ? -value : value).length
}

const scratch = new Uint8Array(64)

function isCanonical(unscaled: bigint, scale: number, bytes: Uint8Array, start: number, end: number): boolean {
  const length = encodeUnscaled(unscaled, scale, scratch, 0)
  return matches(scratch.subarray(0, length), bytes, start, end)
}

function matches(encoded: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (encoded.length !== end - start) return false
  for (let i = 0; i < encoded.length; i++) if (encoded[i] !== bytes[start + i]) return false
  return true
}

function encodeDecimal64(
  words: Int32Array,
  from: number,
  scale: number,
  fractionGroups: number,
  multiplier: number,
  out: Uint8Array,
  at: number,
): number {
  const low = words[from]!
  const high = words[from + 1]!
  const value = high * 0x1_0000_0000 + (low >>> 0)
  const magnitude = Math.abs(value) * multiplier
  if (magnitude > Number.MAX_SAFE_INTEGER) {
    return encodeUnscaled((BigInt(high) << 32n) | BigInt(low >>> 0), scale, out, at)
  }
  let rest = magnitude
  let count = 0
  for (; rest >= 0x8000_0000; count++) {
    const next = Math.floor(rest / 10_000)
    groupScratch[count] = rest - next * 10_000
    rest = next
  }
  // Small enough for integer division.
  for (rest |= 0; rest > 0; count++) {
    const next = (rest / 10_000) | 0
    groupScratch[count] = rest - next * 10_000
    rest = next
  }
  return encodeGroups(groupScratch, count, fractionGroups, value < 0, scale, out, at)
}

const groupScratch = new Uint16Array(64)

function encodeUnscaled(unscaled: bigint, scale: number, out: Uint8Array, at: number): number {
  const fractionGroups = Math.ceil(scale / 4)
  let rest = (unscaled < 0n ? -unscaled : unscaled) * 10n ** BigInt(fractionGroups * 4 - scale)
  let count = 0
  for (; rest > 0n; count++) {
    groupScratch[count] = Number(rest % 10_000n)
    rest /= 10_000n
  }
  return encodeGroups(groupScratch, count, fractionGroups, unscaled < 0n, scale, out, at)
}

/** `groups`: base-10000 digits, least significant first, `fractionGroups` of them after the point. */
function encodeGroups(
  groups: Uint16Array,
  count: number,
  fractionGroups: number,
  isNegative: boolean,
  scale: number,
  out: Uint8Array,
  at: number,
): number {
  let low = 0
  while (low < count && groups[low] === 0) low++
  const digitCount = count - low
  const weight = digitCount === 0 ? 0 : count - 1 - fractionGroups
  const sign = isNegative && digitCount > 0
  let position = at
  if (scale <= 63 && weight >= -64 && weight <= 63) {
    writeU16(out, position, 0x8000 | (sign ? 0x2000 : 0) | (scale << 7) | (weight & 0x7f))
    position += 2
  } else {
    writeU16(out, position, (sign ? 0x4000 : 0) | scale)
    writeU16(out, position + 2, weight)
    position += 4
  }
  for (let index = count - 1; index >= low; index--) {
    writeU16(out, position, groups[index]!)
    position += 2
  }
  return position
}

/** Payload of a numeric from its text, in the form Postgres makes (make_result). */
function encodeNumericText(text: string): Uint8Array {
  const special = { NaN: NAN, Infinity: POSITIVE_INFINITY, '-Infinity': NEGATIVE_INFINITY }[text]
  if (special !== undefined) return Uint8Array.of(special & 255, special >> 8)
  const isNegative = text.startsWith('-')
  const [whole, fraction = ''] = (isNegative ? text.slice(1) : text).split('.') as [string, string?]
  const fractionGroups = Math.ceil(fraction.length / 4)
  const digits = whole.padStart(Math.ceil(whole.length / 4) * 4, '0') + fraction.padEnd(fractionGroups * 4, '0')
  let count = digits.length / 4
  const groups = new Uint16Array(count)
  for (let i = 0; i < count; i++) groups[count - 1 - i] = Number(digits.slice(i * 4, i * 4 + 4))
  while (count > 0 && groups[count - 1] === 0) count--
  const out = new Uint8Array(4 + count * 2)
  return out.subarray(0, encodeGroups(groups, count, fractionGroups, isNegative, fraction.length, out, 0))
}

function appendBigEndian(values: FixedValues, value: bigint): void {
  const at = values.grow()
  const view = new DataView(values.bytes.buffer, values.bytes.byteOffset + at, 16)
  view.setBigInt64(0, value >> 64n, false)
  view.setBigUint64(8, BigInt.asUintN(64, value), false)
}

function readBigEndian(values: FixedValues, index: number): bigint {
  const view = new DataView(values.bytes.buffer, values.bytes.byteOffset + index * 16, 16)
  return (view.getBigInt64(0, false) << 64n) | view.getBigUint64(8, false)
}
