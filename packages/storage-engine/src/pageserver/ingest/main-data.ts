import { CorruptionError } from '../../base/errors.ts'
import type { DecodedRecord } from '../../wal/record.ts'

/** Reads the main data of a record from front to back. A record that is too short is corrupt, whatever its CRC says. */
export class MainData {
  readonly bytes: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(record: DecodedRecord) {
    this.bytes = record.mainData
    this.#view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength)
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

  /** A signed 64-bit number within what a double holds exactly: times and page numbers. */
  i64(): number {
    const at = this.#take(8)
    return this.#view.getInt32(at + 4, true) * 2 ** 32 + this.#view.getUint32(at, true)
  }

  /** A count of items of `itemBytes` each, all of which must be there. */
  count(itemBytes: number): number {
    const count = this.i32()
    if (count < 0 || this.#at + count * itemBytes > this.bytes.length) throw this.#tooShort(count * itemBytes)
    return count
  }

  take(byteCount: number): Uint8Array {
    const at = this.#take(byteCount)
    return this.bytes.subarray(at, at + byteCount)
  }

  skip(byteCount: number): void {
    this.#take(byteCount)
  }

  #take(byteCount: number): number {
    const at = this.#at
    if (at + byteCount > this.bytes.length) throw this.#tooShort(byteCount)
    this.#at = at + byteCount
    return at
  }

  #tooShort(wanted: number): CorruptionError {
    return new CorruptionError('wal record is too short', { length: this.bytes.length, offset: this.#at, wanted })
  }
}
