import { CorruptionError } from '../base/errors.ts'
import type { Lsn } from '../postgres/lsn.ts'
import { readBigU64, readHexId, readU16, readU32, readU64 } from './byte-fields.ts'

/** Reads the fields of one payload in order. Every read is bounded; `done` refuses bytes left over. */
export class MessageReader {
  readonly #bytes: Uint8Array
  readonly #what: string
  #at = 0

  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = bytes
    this.#what = what
  }

  u8(): number {
    return this.#bytes[this.#take(1)]!
  }

  u16(): number {
    return readU16(this.#bytes, this.#take(2))
  }

  u32(): number {
    return readU32(this.#bytes, this.#take(4))
  }

  u64(): number {
    return readU64(this.#bytes, this.#take(8))
  }

  lsn(): Lsn {
    return this.u64() as Lsn
  }

  bigU64(): bigint {
    return readBigU64(this.#bytes, this.#take(8))
  }

  hexId(): string {
    return readHexId(this.#bytes, this.#take(16))
  }

  /** UTF-8 text behind a u16 length. */
  text(): string {
    const length = this.u16()
    const at = this.#take(length)
    return new TextDecoder().decode(this.#bytes.subarray(at, at + length))
  }

  /** Borrows what is left. */
  rest(): Uint8Array {
    const at = this.#at
    this.#at = this.#bytes.length
    return this.#bytes.subarray(at)
  }

  done(): void {
    if (this.#at !== this.#bytes.length) throw new CorruptionError('message too long', { message: this.#what })
  }

  #take(length: number): number {
    const at = this.#at
    if (at + length > this.#bytes.length) throw new CorruptionError('message too short', { message: this.#what })
    this.#at = at + length
    return at
  }
}
