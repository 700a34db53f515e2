import { assert } from '../base/assert.ts'
import { writeBigU64, writeHexId, writeU16, writeU32, writeU64 } from './byte-fields.ts'
import { FRAME_HEADER_SIZE, sealFrame } from './framing.ts'

/** Writes the fields of one payload in order behind the place for the frame header. `payloadLength` must be met exactly. */
export class MessageWriter {
  readonly #bytes: Uint8Array
  #at = FRAME_HEADER_SIZE

  constructor(payloadLength: number) {
    this.#bytes = new Uint8Array(FRAME_HEADER_SIZE + payloadLength)
  }

  u8(value: number): this {
    this.#bytes[this.#take(1)] = value
    return this
  }

  u16(value: number): this {
    writeU16(this.#bytes, this.#take(2), value)
    return this
  }

  u32(value: number): this {
    writeU32(this.#bytes, this.#take(4), value)
    return this
  }

  /** At most 2^53 - 1: LSNs and terms. */
  u64(value: number): this {
    writeU64(this.#bytes, this.#take(8), value)
    return this
  }

  bigU64(value: bigint): this {
    writeBigU64(this.#bytes, this.#take(8), value)
    return this
  }

  hexId(id: string): this {
    writeHexId(this.#bytes, this.#take(16), id)
    return this
  }

  /** From `encodeText`, so that the length is known before. */
  text(encoded: Uint8Array): this {
    this.u16(encoded.length)
    this.#bytes.set(encoded, this.#take(encoded.length))
    return this
  }

  /** The sealed frame. */
  frame(type: number): Uint8Array {
    assert(this.#at === this.#bytes.length, 'payload length not met')
    sealFrame(this.#bytes, type)
    return this.#bytes
  }

  #take(length: number): number {
    const at = this.#at
    this.#at = at + length
    assert(this.#at <= this.#bytes.length, 'payload length exceeded')
    return at
  }
}

const TEXT_BYTES_MAX = 1024

/** UTF-8, cut to 1 KiB: error texts are for people. */
export function encodeText(text: string): Uint8Array {
  return new TextEncoder().encode(text).subarray(0, TEXT_BYTES_MAX)
}
