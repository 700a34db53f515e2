/**
 * Thrift compact protocol, as far as Parquet metadata needs it (apache/thrift doc/specs/thrift-compact-protocol.md).
 *
 * Reading gives generic structs (`ThriftStruct`, by field id); metadata.ts turns them into types. Every length is
 * checked against the bytes that are left, nesting is bounded, so hostile bytes end in a CorruptionError.
 */
import { CorruptionError } from '../base/errors.ts'

export const ThriftType = {
  stop: 0,
  true: 1,
  false: 2,
  byte: 3,
  i16: 4,
  i32: 5,
  i64: 6,
  double: 7,
  binary: 8,
  list: 9,
  set: 10,
  map: 11,
  struct: 12,
} as const

export type ThriftValue = boolean | number | Uint8Array | ThriftValue[] | ThriftStruct
export type ThriftStruct = Map<number, ThriftValue>

/** Parquet's own structs nest 6 deep (FileMetaData > RowGroup > ColumnChunk > ColumnMetaData > Statistics). */
const DEPTH_MAX = 32

export class ThriftReader {
  readonly bytes: Uint8Array
  offset: number
  readonly end: number
  #depth = 0

  constructor(bytes: Uint8Array, offset = 0, end: number = bytes.length) {
    this.bytes = bytes
    this.offset = offset
    this.end = end
  }

  readStruct(): ThriftStruct {
    if (++this.#depth > DEPTH_MAX) throw new CorruptionError('thrift nesting too deep', { offset: this.offset })
    const fields: ThriftStruct = new Map()
    let id = 0
    for (;;) {
      const header = this.#byte()
      const type = header & 15
      if (type === ThriftType.stop) break
      const delta = header >> 4
      id = delta === 0 ? this.#zigzag() : id + delta
      fields.set(id, this.#value(type))
    }
    this.#depth--
    return fields
  }

  #value(type: number): ThriftValue {
    switch (type) {
      case ThriftType.true:
        return true
      case ThriftType.false:
        return false
      case ThriftType.byte:
        return (this.#byte() << 24) >> 24
      case ThriftType.i16:
      case ThriftType.i32:
      case ThriftType.i64:
        return this.#zigzag()
      case ThriftType.double:
        return this.#double()
      case ThriftType.binary:
        return this.#binary()
      case ThriftType.list:
      case ThriftType.set:
        return this.#list()
      case ThriftType.map:
        return this.#map()
      case ThriftType.struct:
        return this.readStruct()
      default:
        throw new CorruptionError('unknown thrift type', { type, offset: this.offset })
    }
  }

  #byte(): number {
    if (this.offset >= this.end) throw new CorruptionError('thrift ends too early', { offset: this.offset })
    return this.bytes[this.offset++]!
  }

  #varint(): number {
    let value = 0
    let scale = 1
    for (let count = 0; count < 10; count++) {
      const byte = this.#byte()
      value += (byte & 127) * scale
      if (byte < 128) return value
      scale *= 128
    }
    throw new CorruptionError('thrift varint too long', { offset: this.offset })
  }

  #zigzag(): number {
    const value = this.#varint()
    // Beyond 2^53 the value is not exact; no field of Parquet metadata that is read here can be that large.
    if (value > 2 ** 54) throw new CorruptionError('thrift integer too large', { offset: this.offset })
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }

  #double(): number {
    if (this.end - this.offset < 8) throw new CorruptionError('thrift ends too early', { offset: this.offset })
    const view = new DataView(this.bytes.buffer, this.bytes.byteOffset + this.offset, 8)
    this.offset += 8
    return view.getFloat64(0, true)
  }

  #binary(): Uint8Array {
    const length = this.#varint()
    if (length > this.end - this.offset) {
      throw new CorruptionError('thrift binary longer than its buffer', { length, offset: this.offset })
    }
    this.offset += length
    return this.bytes.subarray(this.offset - length, this.offset)
  }

  #list(): ThriftValue[] {
    const header = this.#byte()
    const type = header & 15
    const length = header >> 4 === 15 ? this.#varint() : header >> 4
    // Every element takes at least one byte (a boolean element too), so this bounds the allocation.
    if (length > this.end - this.offset) {
      throw new CorruptionError('thrift list longer than its buffer', { length, offset: this.offset })
    }
    const list: ThriftValue[] = []
    for (let i = 0; i < length; i++) list.push(type <= ThriftType.false ? this.#byte() === 1 : this.#value(type))
    return list
  }

  /** Maps do not occur in Parquet metadata; one in an unknown field is skipped over. */
  #map(): ThriftValue[] {
    const length = this.#varint()
    if (length > this.end - this.offset) {
      throw new CorruptionError('thrift map longer than its buffer', { length, offset: this.offset })
    }
    if (length === 0) return []
    const types = this.#byte()
    for (let i = 0; i < length; i++) {
      this.#value(types >> 4)
      this.#value(types & 15)
    }
    return []
  }
}

/** Writes one struct at a time; fields in ascending id order. */
export class ThriftWriter {
  #bytes = new Uint8Array(1024)
  #length = 0
  #lastId = 0
  readonly #outerIds: number[] = []

  i32(id: number, value: number | undefined): void {
    if (value === undefined) return
    this.#field(id, ThriftType.i32)
    this.#zigzag(value)
  }

  i64(id: number, value: number | undefined): void {
    if (value === undefined) return
    this.#field(id, ThriftType.i64)
    this.#zigzag(value)
  }

  i8(id: number, value: number): void {
    this.#field(id, ThriftType.byte)
    this.#byte(value & 255)
  }

  boolean(id: number, value: boolean | undefined): void {
    if (value === undefined) return
    this.#field(id, value ? ThriftType.true : ThriftType.false)
  }

  binary(id: number, value: Uint8Array | undefined): void {
    if (value === undefined) return
    this.#field(id, ThriftType.binary)
    this.#binary(value)
  }

  text(id: number, value: string): void {
    this.binary(id, encoder.encode(value))
  }

  struct(id: number, body: () => void): void {
    this.#field(id, ThriftType.struct)
    this.#struct(body)
  }

  structs<T>(id: number, items: readonly T[], body: (item: T) => void): void {
    this.#list(id, ThriftType.struct, items.length)
    for (const item of items) this.#struct(() => body(item))
  }

  i32s(id: number, values: readonly number[]): void {
    this.#list(id, ThriftType.i32, values.length)
    for (const value of values) this.#zigzag(value)
  }

  i64s(id: number, values: readonly number[]): void {
    this.#list(id, ThriftType.i64, values.length)
    for (const value of values) this.#zigzag(value)
  }

  booleans(id: number, values: readonly boolean[]): void {
    this.#list(id, ThriftType.true, values.length)
    for (const value of values) this.#byte(value ? 1 : 2)
  }

  binaries(id: number, values: readonly Uint8Array[]): void {
    this.#list(id, ThriftType.binary, values.length)
    for (const value of values) this.#binary(value)
  }

  texts(id: number, values: readonly string[]): void {
    this.binaries(
      id,
      values.map((value) => encoder.encode(value)),
    )
  }

  /** Ends the outermost struct and returns a copy of its bytes. */
  finish(): Uint8Array {
    this.#byte(0)
    return this.#bytes.slice(0, this.#length)
  }

  #struct(body: () => void): void {
    this.#outerIds.push(this.#lastId)
    this.#lastId = 0
    body()
    this.#byte(0)
    this.#lastId = this.#outerIds.pop()!
  }

  #field(id: number, type: number): void {
    const delta = id - this.#lastId
    if (delta > 0 && delta < 16) this.#byte((delta << 4) | type)
    else {
      this.#byte(type)
      this.#zigzag(id)
    }
    this.#lastId = id
  }

  #list(id: number, type: number, length: number): void {
    this.#field(id, ThriftType.list)
    if (length < 15) this.#byte((length << 4) | type)
    else {
      this.#byte(0xf0 | type)
      this.#varint(length)
    }
  }

  #binary(value: Uint8Array): void {
    this.#varint(value.length)
    this.#reserve(value.length)
    this.#bytes.set(value, this.#length)
    this.#length += value.length
  }

  #zigzag(value: number): void {
    this.#varint(value >= 0 ? value * 2 : -value * 2 - 1)
  }

  #varint(value: number): void {
    let rest = value
    while (rest > 127) {
      this.#byte((rest % 128) | 128)
      rest = Math.floor(rest / 128)
    }
    this.#byte(rest)
  }

  #byte(value: number): void {
    this.#reserve(1)
    this.#bytes[this.#length++] = value
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + count))
    grown.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = grown
  }
}

const encoder = new TextEncoder()
