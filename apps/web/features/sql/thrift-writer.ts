import type { ByteWriter } from './byte-writer.ts'

/** A value of Thrift's compact protocol, as far as Parquet's metadata needs it. */
export type ThriftValue =
  | { readonly i32: number }
  | { readonly i64: number }
  | { readonly text: string }
  | { readonly bool: boolean }
  | { readonly struct: ThriftStruct }
  | { readonly list: readonly ThriftValue[] }

/** Fields by their id, ascending; undefined leaves one out. */
export type ThriftStruct = Readonly<Record<number, ThriftValue | undefined>>

const typeOf = (value: ThriftValue): number => {
  if ('bool' in value) return value.bool ? 1 : 2
  if ('i32' in value) return 5
  if ('i64' in value) return 6
  if ('text' in value) return 8
  return 'list' in value ? 9 : 12
}

export function writeStruct(out: ByteWriter, struct: ThriftStruct): void {
  let before = 0
  for (const [key, value] of Object.entries(struct)) {
    if (value === undefined) continue
    const id = Number(key)
    // Ids here are at most 15 apart, which is what the short form of a field's head can say.
    out.byte(((id - before) << 4) | typeOf(value))
    before = id
    if (!('bool' in value)) writeValue(out, value)
  }
  out.byte(0)
}

function writeValue(out: ByteWriter, value: ThriftValue): void {
  if ('i32' in value) out.varint(zigzag(value.i32))
  else if ('i64' in value) out.varint(zigzag(value.i64))
  else if ('text' in value) writeText(out, value.text)
  else if ('struct' in value) writeStruct(out, value.struct)
  else if ('list' in value) writeList(out, value.list)
}

function writeText(out: ByteWriter, text: string): void {
  const bytes = new TextEncoder().encode(text)
  out.varint(bytes.length)
  out.bytes(bytes)
}

/** All of one type. */
function writeList(out: ByteWriter, list: readonly ThriftValue[]): void {
  const type = list[0] ? typeOf(list[0]) : 12
  if (list.length < 15) out.byte((list.length << 4) | type)
  else {
    out.byte(0xf0 | type)
    out.varint(list.length)
  }
  for (const value of list) writeValue(out, value)
}

function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value
}
