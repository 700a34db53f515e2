/**
 * date, time, timetz, timestamp, timestamptz, interval (src/include/datatype/timestamp.h, PG 18).
 *
 * Dates and timestamps are native, shifted from 2000-01-01 to 1970-01-01; the infinities, and timestamps that the Unix
 * epoch cannot hold in 64 bits, overflow. No lake type holds a time of day or an interval everywhere: they are text.
 */
import { PhysicalType } from '../../parquet/schema.ts'
import type { BytesValues, FixedValues } from '../../parquet/values.ts'
import { POSTGRES_EPOCH_UNIX_SECONDS } from '../../postgres/constants.ts'
import { i32, i64, u32, writeI32, writeI64 } from '../little-endian.ts'
import { STRING_SHAPE, textualCodec } from './text.ts'
import { Appended, type ScalarCodec } from './type-codec.ts'

const DAY_MICROS = 86_400_000_000n
const EPOCH_DAYS = POSTGRES_EPOCH_UNIX_SECONDS / 86_400
const EPOCH_MICROS = BigInt(POSTGRES_EPOCH_UNIX_SECONDS) * 1_000_000n
const EPOCH_LOW = Number(BigInt.asUintN(32, EPOCH_MICROS))
const EPOCH_HIGH = Number(EPOCH_MICROS >> 32n)
const INT32_MAX = 0x7fffffff
const INT32_MIN = -0x80000000
const INT64_MAX = 0x7fffffffffffffffn
const INT64_MIN = -0x8000000000000000n
/** High word of the last timestamp that still fits after the shift (294247-01-10). */
const HIGH_MAX = Number((INT64_MAX - EPOCH_MICROS) >> 32n) - 1

export const dateCodec: ScalarCodec = {
  kind: 'scalar',
  shape: { physicalType: PhysicalType.int32, logicalType: { kind: 'date' }, deltaType: 'date' },
  isInvertible: true,
  append(values, bytes, start) {
    const days = i32(bytes, start)
    if (days === INT32_MAX || days === INT32_MIN) return Appended.overflow
    ;(values as FixedValues).appendInt32(days + EPOCH_DAYS)
    return Appended.exact
  },
  write(values, index, out, at) {
    writeI32(out, at, (values as FixedValues).int32(index) - EPOCH_DAYS)
    return at + 4
  },
  text: (bytes, start) => dateText(i32(bytes, start)),
}

function timestampCodec(adjustedToUtc: boolean): ScalarCodec {
  return {
    kind: 'scalar',
    shape: {
      physicalType: PhysicalType.int64,
      logicalType: { kind: 'timestamp', adjustedToUtc, unit: 'micros' },
      deltaType: adjustedToUtc ? 'timestamp' : 'timestamp_ntz',
    },
    isInvertible: true,
    append(values, bytes, start) {
      const low = u32(bytes, start)
      const high = i32(bytes, start + 4)
      if (high > HIGH_MAX || (high === INT32_MIN && low === 0)) return Appended.overflow
      const sum = low + EPOCH_LOW
      ;(values as FixedValues).appendInt64(sum, high + EPOCH_HIGH + (sum > 0xffffffff ? 1 : 0))
      return Appended.exact
    },
    write(values, index, out, at) {
      const { bytes } = values as FixedValues
      const difference = u32(bytes, index * 8) - EPOCH_LOW
      writeI32(out, at, difference)
      writeI32(out, at + 4, i32(bytes, index * 8 + 4) - EPOCH_HIGH - (difference < 0 ? 1 : 0))
      return at + 8
    },
    text: (bytes, start) => timestampText(i64(bytes, start), adjustedToUtc),
  }
}

export const localTimestampCodec = timestampCodec(false)
export const utcTimestampCodec = timestampCodec(true)

/** Microseconds of the day as HH:MM:SS.ffffff, which gives them back. */
export const timeCodec: ScalarCodec = {
  kind: 'scalar',
  shape: STRING_SHAPE,
  isInvertible: true,
  append(values, bytes, start) {
    const micros = i64(bytes, start)
    const isValid = micros >= 0n && micros <= DAY_MICROS
    ;(values as BytesValues).appendText(timeText(micros))
    return isValid ? Appended.exact : Appended.inexact
  },
  write(values, index, out, at) {
    const [hours, minutes, seconds] = (values as BytesValues).text(index).split(':') as [string, string, string]
    const [whole, fraction = ''] = seconds.split('.') as [string, string?]
    const total = (Number(hours) * 60 + Number(minutes)) * 60 + Number(whole)
    writeI64(out, at, BigInt(total) * 1_000_000n + BigInt(fraction.padEnd(6, '0')))
    return at + 8
  },
  text: (bytes, start) => timeText(i64(bytes, start)),
}

export const timetzCodec = textualCodec((bytes, start) => timeText(i64(bytes, start)) + zoneText(i32(bytes, start + 8)))

export const intervalCodec = textualCodec((bytes, start) =>
  intervalText(i64(bytes, start), i32(bytes, start + 8), i32(bytes, start + 12)),
)

/** `days` since 2000-01-01. */
export function dateText(days: number): string {
  if (days === INT32_MAX) return 'infinity'
  if (days === INT32_MIN) return '-infinity'
  const { year, month, day } = civilDate(days + EPOCH_DAYS)
  return `${yearText(year)}-${pad2(month)}-${pad2(day)}${year <= 0 ? ' BC' : ''}`
}

export function timestampText(micros: bigint, adjustedToUtc: boolean): string {
  if (micros === INT64_MAX) return 'infinity'
  if (micros === INT64_MIN) return '-infinity'
  let days = micros / DAY_MICROS
  let rest = micros % DAY_MICROS
  if (rest < 0n) {
    days -= 1n
    rest += DAY_MICROS
  }
  const { year, month, day } = civilDate(Number(days) + EPOCH_DAYS)
  const zone = adjustedToUtc ? '+00' : ''
  return `${yearText(year)}-${pad2(month)}-${pad2(day)} ${timeText(rest)}${zone}${year <= 0 ? ' BC' : ''}`
}

/** Year 0 is 1 BC. */
function yearText(year: number): string {
  return String(year > 0 ? year : 1 - year).padStart(4, '0')
}

export function timeText(micros: bigint): string {
  const seconds = micros / 1_000_000n
  return `${pad2(Number(seconds / 3600n))}:${pad2(Number((seconds / 60n) % 60n))}:${secondsText(Number(seconds % 60n), Number(micros % 1_000_000n))}`
}

function secondsText(seconds: number, micros: number): string {
  const fraction = micros === 0 ? '' : `.${String(Math.abs(micros)).padStart(6, '0').replace(/0+$/, '')}`
  return pad2(Math.abs(seconds)) + fraction
}

/** `zone`: seconds west of Greenwich. */
function zoneText(zone: number): string {
  const seconds = Math.abs(zone)
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60].map(pad2)
  while (parts.length > 1 && parts.at(-1) === '00') parts.pop()
  return (zone <= 0 ? '+' : '-') + parts.join(':')
}

/** EncodeInterval, INTSTYLE_POSTGRES (src/backend/utils/adt/datetime.c). */
export function intervalText(micros: bigint, days: number, months: number): string {
  if (months === INT32_MAX && days === INT32_MAX && micros === INT64_MAX) return 'infinity'
  if (months === INT32_MIN && days === INT32_MIN && micros === INT64_MIN) return '-infinity'
  const parts: string[] = []
  let isBefore = false
  const add = (value: number, unit: string): void => {
    if (value === 0) return
    parts.push(`${isBefore && value > 0 ? '+' : ''}${value} ${unit}${value === 1 ? '' : 's'}`)
    isBefore = value < 0
  }
  add(Math.trunc(months / 12), 'year')
  add(months % 12, 'mon')
  add(days, 'day')
  if (parts.length === 0 || micros !== 0n) {
    const magnitude = micros < 0n ? -micros : micros
    parts.push((micros < 0n ? '-' : isBefore ? '+' : '') + timeText(magnitude))
  }
  return parts.join(' ')
}

/** Proleptic Gregorian date of a day since 1970-01-01 (Howard Hinnant, "chrono-compatible low-level date algorithms"). */
function civilDate(unixDay: number): { year: number; month: number; day: number } {
  const shifted = unixDay + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153)
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1,
  }
}

function pad2(value: number): string {
  return String(value).padStart(2, '0')
}
