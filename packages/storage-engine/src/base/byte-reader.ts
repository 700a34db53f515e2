import { CorruptionError } from './errors.ts'

const TWO_32 = 0x1_0000_0000

/**
 * Cursor over little-endian bytes that came from outside: every read is bounds-checked and throws CorruptionError naming
 * `what` is being read. For cold paths; hot ones index the bytes themselves.
 */
export class ByteReader {
  readonly bytes: Uint8Array
  readonly #view: DataView
  readonly #what: string
  offset = 0

  constructor(bytes: Uint8Array, what: string) {
    this.bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#what = what
  }

  get remaining(): number {
    return this.bytes.length - this.offset
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1))
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2), true)
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true)
  }

  i32(): number {
    return this.#view.getInt32(this.#take(4), true)
  }

  f64(): number {
    return this.#view.getFloat64(this.#take(8), true)
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8), true)
  }

  i64(): bigint {
    return this.#view.getBigInt64(this.#take(8), true)
  }

  /** A u64 that must fit a number exactly, such as an LSN. */
  u64Number(): number {
    const at = this.#take(8)
    const value = this.#view.getUint32(at + 4, true) * TWO_32 + this.#view.getUint32(at, true)
    if (!Number.isSafeInteger(value)) throw this.#corrupt('a number is out of range', at)
    return value
  }

  /** An i64 that must fit a number exactly, such as a time in seconds or microseconds. */
  i64Number(): number {
    const at = this.#take(8)
    const value = this.#view.getInt32(at + 4, true) * TWO_32 + this.#view.getUint32(at, true)
    if (!Number.isSafeInteger(value)) throw this.#corrupt('a number is out of range', at)
    return value
  }

  /** An i32 that counts items of `itemBytes` each: negative or more than what is left is corruption. */
  count(itemBytes: number): number {
    const at = this.offset
    const count = this.i32()
    if (count < 0 || count * itemBytes > this.remaining) throw this.#corrupt('a count exceeds what is there', at)
    return count
  }

  /** `count` u32 values, copied. */
  u32Array(count: number): Uint32Array {
    const at = this.#take(count * 4)
    const values = new Uint32Array(count)
    for (let index = 0; index < count; index++) values[index] = this.#view.getUint32(at + index * 4, true)
    return values
  }

  /** Borrows: a view of the bytes being read. */
  take(length: number): Uint8Array {
    const at = this.#take(length)
    return this.bytes.subarray(at, at + length)
  }

  skip(length: number): void {
    this.#take(length)
  }

  /** Text up to a zero byte, which is passed over. */
  zeroTerminated(): string {
    const end = this.bytes.indexOf(0, this.offset)
    if (end < 0) throw this.#corrupt('a text has no end', this.offset)
    const text = new TextDecoder().decode(this.bytes.subarray(this.offset, end))
    this.offset = end + 1
    return text
  }

  /** Throws when bytes are left over. */
  end(): void {
    if (this.remaining !== 0) throw this.#corrupt('bytes are left over', this.offset)
  }

  #take(length: number): number {
    const at = this.offset
    if (length < 0 || this.bytes.length - at < length) throw this.#corrupt('ends too early', at)
    this.offset = at + length
    return at
  }

  #corrupt(problem: string, offset: number): CorruptionError {
    return new CorruptionError(`${this.#what}: ${problem}`, { offset, length: this.bytes.length })
  }
}
