/** text, varchar, char(n), json, xml, name, "char" and what else is stored as its own text. */
import { PhysicalType } from '../../parquet/schema.ts'
import type { BytesValues, Values } from '../../parquet/values.ts'
import { Appended, type ColumnShape, type ScalarCodec, neverWritten } from './type-codec.ts'

export const STRING_SHAPE: ColumnShape = {
  physicalType: PhysicalType.byteArray,
  logicalType: { kind: 'string' },
  deltaType: 'string',
}

/** Payload bytes are the text. With `isUtf8` false, anything but ASCII is kept raw: its encoding is not known here. */
export function textCodec(isUtf8: boolean): ScalarCodec {
  return {
    kind: 'scalar',
    shape: STRING_SHAPE,
    isInvertible: true,
    append(values: Values, bytes, start, end) {
      if (!isUtf8 && !isAscii(bytes, start, end)) return Appended.overflow
      ;(values as BytesValues).append(bytes, start, end)
      return Appended.exact
    },
    write: copyValue,
    text: (bytes, start, end) => decodeText(bytes, start, end),
  }
}

/** name: NAMEDATALEN bytes, padded with zeros. */
export const nameCodec: ScalarCodec = {
  kind: 'scalar',
  shape: STRING_SHAPE,
  isInvertible: true,
  append(values, bytes, start, end) {
    const textEnd = nameEnd(bytes, start, end)
    ;(values as BytesValues).append(bytes, start, textEnd)
    for (let i = textEnd; i < end; i++) if (bytes[i] !== 0) return Appended.inexact
    return Appended.exact
  },
  write(values, index, out, at) {
    const end = copyValue(values, index, out, at)
    out.fill(0, end, at + 64)
    return at + 64
  },
  text: (bytes, start, end) => decodeText(bytes, start, nameEnd(bytes, start, end)),
}

/** "char": one byte; from 128 on its text is an octal escape (charout, src/backend/utils/adt/char.c). */
export const charCodec: ScalarCodec = {
  kind: 'scalar',
  shape: STRING_SHAPE,
  isInvertible: true,
  append(values, bytes, start) {
    ;(values as BytesValues).appendText(charText(bytes[start]!))
    return Appended.exact
  },
  write(values, index, out, at) {
    const text = (values as BytesValues).text(index)
    out[at] = text.length === 4 ? Number.parseInt(text.slice(1), 8) : text === '' ? 0 : text.charCodeAt(0)
    return at + 1
  },
  text: (bytes, start) => charText(bytes[start]!),
}

/** A type whose column holds its text and whose payload is kept beside. */
export function textualCodec(text: (bytes: Uint8Array, start: number, end: number) => string): ScalarCodec {
  return {
    kind: 'scalar',
    shape: STRING_SHAPE,
    isInvertible: false,
    append(values, bytes, start, end) {
      ;(values as BytesValues).appendText(text(bytes, start, end))
      return Appended.exact
    },
    write: neverWritten,
    text,
  }
}

/** Bytes as they are: bytea, and types whose text only their extension knows. */
export function binaryCodec(): ScalarCodec {
  return {
    kind: 'scalar',
    shape: { physicalType: PhysicalType.byteArray, deltaType: 'binary' },
    isInvertible: true,
    append(values, bytes, start, end) {
      ;(values as BytesValues).append(bytes, start, end)
      return Appended.exact
    },
    write: copyValue,
    text: (bytes, start, end) => `\\x${hex(bytes, start, end)}`,
  }
}

export function copyValue(values: Values, index: number, out: Uint8Array, at: number): number {
  const { offsets, data } = values as BytesValues
  const start = offsets[index]!
  const length = offsets[index + 1]! - start
  if (length < 48) for (let i = 0; i < length; i++) out[at + i] = data[start + i]!
  else out.set(data.subarray(start, start + length), at)
  return at + length
}

export function decodeText(bytes: Uint8Array, start: number, end: number): string {
  return decoder.decode(bytes.subarray(start, end))
}

export function hex(bytes: Uint8Array, start: number, end: number): string {
  let text = ''
  for (let i = start; i < end; i++) text += HEX[bytes[i]!]
  return text
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))
// A byte order mark is part of the value.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

function nameEnd(bytes: Uint8Array, start: number, end: number): number {
  const zero = bytes.subarray(start, end).indexOf(0)
  return zero < 0 ? end : start + zero
}

function charText(byte: number): string {
  if (byte === 0) return ''
  return byte < 128 ? String.fromCharCode(byte) : `\\${byte.toString(8)}`
}

function isAscii(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (bytes[i]! > 127) return false
  return true
}
