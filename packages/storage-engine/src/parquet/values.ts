/**
 * Values of one Parquet column in memory, dense: nulls and empty lists take no place here, only in the levels.
 *
 * Fixed-width values are held as Parquet's PLAIN encoding holds them (little-endian bytes, one byte for a boolean), so
 * the usual page is written and read by one copy, and floats never pass through a JavaScript number.
 */
import { assert } from '../base/assert.ts'

export class FixedValues {
  readonly width: number
  count = 0
  /** Owns its buffer from the start, and changes with growth: never keep it across an append. */
  bytes: Uint8Array
  /** The same memory as 32-bit words (of a little-endian machine); empty for widths that are no multiple of 4. */
  words: Int32Array

  constructor(width: number, capacity = 64) {
    this.width = width
    this.bytes = new Uint8Array(width * capacity)
    this.words = wordsOf(this.bytes, width)
  }

  /** Makes room for `count` values in all. */
  reserve(count: number): void {
    if (count * this.width > this.bytes.length) this.#enlarge(count * this.width)
  }

  /** Makes room for one value and returns the offset in `bytes` to write it at. */
  grow(): number {
    const at = this.count++ * this.width
    if (at + this.width > this.bytes.length) this.#enlarge(at + this.width)
    return at
  }

  /** Makes room for `count` values at once and returns the offset of the first. */
  growBy(count: number): number {
    const at = this.count * this.width
    this.count += count
    if (this.count * this.width > this.bytes.length) this.#enlarge(this.count * this.width)
    return at
  }

  appendBytes(source: Uint8Array, start: number): void {
    const at = this.grow()
    const { bytes, width } = this
    for (let i = 0; i < width; i++) bytes[at + i] = source[start + i]!
  }

  /** Of values 4 bytes wide. */
  appendInt32(value: number): void {
    if (this.count === this.words.length) this.#enlarge((this.count + 1) * 4)
    this.words[this.count++] = value
  }

  /** Of values 8 bytes wide. `low` and `high` as signed or unsigned 32-bit halves. */
  appendInt64(low: number, high: number): void {
    const at = this.count++ * 2
    if (at + 2 > this.words.length) this.#enlarge((at + 2) * 4)
    this.words[at] = low
    this.words[at + 1] = high
  }

  /** `value` is a safe integer. */
  appendSafeInteger(value: number): void {
    this.appendInt64((value % 0x1_0000_0000) | 0, Math.floor(value / 0x1_0000_0000))
  }

  /** Of values 4 bytes wide. */
  int32(index: number): number {
    return this.words[index]!
  }

  bigint(index: number): bigint {
    const at = index * this.width
    return new DataView(this.bytes.buffer, this.bytes.byteOffset + at, 8).getBigInt64(0, true)
  }

  float64(index: number): number {
    const at = index * this.width
    return new DataView(this.bytes.buffer, this.bytes.byteOffset + at, 8).getFloat64(0, true)
  }

  float32(index: number): number {
    const at = index * this.width
    return new DataView(this.bytes.buffer, this.bytes.byteOffset + at, 4).getFloat32(0, true)
  }

  /** The int64 at `index` as a number. Throws when it is not a safe integer. */
  safeInteger(index: number): number {
    const value = Number(this.bigint(index))
    assert(Number.isSafeInteger(value), () => `int64 out of the safe range: ${value}`)
    return value
  }

  /** Borrowed bytes of one value. */
  at(index: number): Uint8Array {
    return this.bytes.subarray(index * this.width, (index + 1) * this.width)
  }

  clear(): void {
    this.count = 0
  }

  #enlarge(needed: number): void {
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, needed))
    grown.set(this.bytes)
    this.bytes = grown
    this.words = wordsOf(grown, this.width)
  }
}

const NO_WORDS = new Int32Array(0)

function wordsOf(bytes: Uint8Array, width: number): Int32Array {
  return width % 4 === 0 ? new Int32Array(bytes.buffer, 0, bytes.length >> 2) : NO_WORDS
}

export class BytesValues {
  count = 0
  /** Value i is data[offsets[i], offsets[i + 1]). */
  offsets: Int32Array
  data: Uint8Array

  constructor(capacity = 64, dataCapacity = 1024) {
    this.offsets = new Int32Array(capacity + 1)
    this.data = new Uint8Array(dataCapacity)
  }

  append(source: Uint8Array, start = 0, end: number = source.length): void {
    const length = end - start
    const at = this.reserve(length)
    const { data } = this
    if (length < 48) for (let i = 0; i < length; i++) data[at + i] = source[start + i]!
    else data.set(source.subarray(start, end), at)
    this.commit(length)
  }

  /** Makes room for `count` more values of `sizeBytes` in all. */
  reserveMany(count: number, sizeBytes: number): void {
    this.reserve(sizeBytes)
    if (this.count + count + 1 <= this.offsets.length) return
    const grown = new Int32Array(Math.max(this.offsets.length * 2, this.count + count + 1))
    grown.set(this.offsets)
    this.offsets = grown
  }

  appendText(value: string): void {
    this.append(encoder.encode(value))
  }

  /** Makes room for `length` more bytes and returns where to write them; end with `commit` of the bytes used. */
  reserve(length: number): number {
    const at = this.offsets[this.count]!
    if (at + length > this.data.length) {
      const grown = new Uint8Array(Math.max(this.data.length * 2, at + length))
      grown.set(this.data.subarray(0, at))
      this.data = grown
    }
    return at
  }

  commit(length: number): void {
    if (this.count + 2 > this.offsets.length) {
      const grown = new Int32Array(this.offsets.length * 2)
      grown.set(this.offsets)
      this.offsets = grown
    }
    this.offsets[this.count + 1] = this.offsets[this.count]! + length
    this.count++
  }

  /** Borrowed bytes of one value. */
  at(index: number): Uint8Array {
    return this.data.subarray(this.offsets[index]!, this.offsets[index + 1]!)
  }

  text(index: number): string {
    return decoder.decode(this.at(index))
  }

  clear(): void {
    this.count = 0
  }
}

export type Values = FixedValues | BytesValues

/** Growing list of levels (0..255), one per slot of a column. */
export class Levels {
  count = 0
  levels: Uint8Array

  constructor(capacity = 64) {
    this.levels = new Uint8Array(capacity)
  }

  append(level: number): void {
    if (this.count === this.levels.length) this.#enlarge(this.count + 1)
    this.levels[this.count++] = level
  }

  /** Makes room for `count` levels and returns the index of the first. */
  growBy(count: number): number {
    const at = this.count
    if (at + count > this.levels.length) this.#enlarge(at + count)
    this.count += count
    return at
  }

  clear(): void {
    this.count = 0
  }

  #enlarge(needed: number): void {
    const grown = new Uint8Array(Math.max(this.levels.length * 2, needed))
    grown.set(this.levels)
    this.levels = grown
  }
}

/**
 * One leaf column of a row group (or of some of its pages). Without levels every slot holds a value. A slot holds a
 * value when its definition level is the column's maximum.
 */
export interface ColumnData {
  readonly values: Values
  readonly definitionLevels?: Levels
  readonly repetitionLevels?: Levels
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()
