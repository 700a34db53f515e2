import { assert } from '../base/assert.ts'
import { crc32 } from '../base/crc32.ts'
import { CorruptionError } from '../base/errors.ts'
import { readU16, readU32, writeU16, writeU32 } from './byte-fields.ts'

/**
 * Length-prefixed frames, the outer shape of every message between our processes. Little-endian, 12 bytes, then the payload:
 *
 *    0 u16 magic 0x5442   2 u8 version 2   3 u8 type   4 u32 payload length   8 u32 crc32
 *
 * The CRC-32 (base/crc32.ts) covers the first 8 bytes of the header and the payload. What a type means is the business of the
 * protocol that speaks it.
 */
export const FRAME_HEADER_SIZE = 12
export const FRAME_MAGIC = 0x5442
export const FRAME_VERSION = 2
/** A read of the socket while no frame is begun. */
const LANDING_BYTES = 64 * 1024

/** A frame in one buffer, ready to be sent. For small messages. */
export function encodeFrame(type: number, payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(FRAME_HEADER_SIZE + payload.length)
  frame.set(payload, FRAME_HEADER_SIZE)
  sealFrame(frame, type)
  return frame
}

/** Fills in the header of a buffer whose payload already stands behind the place for it. */
export function sealFrame(frame: Uint8Array, type: number): void {
  assert(frame.length >= FRAME_HEADER_SIZE, 'no room for the frame header')
  writeHeaderStart(frame, type, frame.length - FRAME_HEADER_SIZE)
  writeU32(frame, 8, crc32(frame, FRAME_HEADER_SIZE, frame.length, crc32(frame, 0, 8)))
}

/**
 * Fills in the header of `head` (header place, then the fixed part of the payload) for a payload that goes on in `tail`:
 * send both, in order. Large bodies are not copied.
 */
export function sealSplitFrame(head: Uint8Array, tail: Uint8Array, type: number): void {
  assert(head.length >= FRAME_HEADER_SIZE, 'no room for the frame header')
  writeHeaderStart(head, type, head.length - FRAME_HEADER_SIZE + tail.length)
  const ofHead = crc32(head, FRAME_HEADER_SIZE, head.length, crc32(head, 0, 8))
  writeU32(head, 8, crc32(tail, 0, tail.length, ofHead))
}

/** `payload` borrows from a received chunk or from the decoder: valid until the handler returns, unless it is copied. */
export type FrameHandler = (type: number, payload: Uint8Array) => void

/**
 * Cuts a byte stream into frames. A frame that lies whole in one chunk is handed on without a copy; one that is spread
 * over chunks is put together in a buffer of its own, which the handler may keep; with `lendsFrames` all are put together in the
 * same buffer, and bytes that were received right where `nextBuffer` said are not copied either.
 *
 * `push` throws CorruptionError on a wrong magic, version, length or checksum; the stream is then of no more use.
 */
export class FrameDecoder {
  readonly #payloadBytesMax: number
  readonly #onFrame: FrameHandler
  /** The frame that is being put together: header first, grown once its length is known. */
  #pending: Uint8Array | undefined
  #pendingLength = 0
  /** With `lendsFrames`: the memory of `#pending`, and where bytes land while no frame is begun. */
  readonly #lent: { frame: Uint8Array; readonly landing: Uint8Array } | undefined
  #closed = false

  constructor(options: { payloadBytesMax: number; onFrame: FrameHandler; lendsFrames?: boolean }) {
    this.#payloadBytesMax = options.payloadBytesMax
    this.#onFrame = options.onFrame
    if (options.lendsFrames) {
      this.#lent = { frame: new Uint8Array(LANDING_BYTES), landing: new Uint8Array(LANDING_BYTES) }
    }
  }

  /** With `lendsFrames`: the place for the bytes that are received next. What they replace has been delivered. */
  nextBuffer(): Uint8Array {
    assert(this.#lent, 'a decoder that gives frames away has no buffer to lend')
    const isUnderWay = this.#pending !== undefined && this.#pending.length > FRAME_HEADER_SIZE
    return isUnderWay ? this.#pending!.subarray(this.#pendingLength) : this.#lent.landing
  }

  /** Makes `push` drop all further input, also the rest of the chunk in hand. */
  close(): void {
    this.#closed = true
    this.#pending = undefined
  }

  push(chunk: Uint8Array): void {
    let at = 0
    while (at < chunk.length && !this.#closed) {
      if (this.#pending !== undefined) {
        at = this.#fillPending(chunk, at)
        continue
      }
      const left = chunk.length - at
      if (left < FRAME_HEADER_SIZE) {
        this.#startPending(this.#room(FRAME_HEADER_SIZE), chunk, at)
        return
      }
      const frameLength = FRAME_HEADER_SIZE + this.#payloadLength(chunk, at)
      if (left < frameLength) {
        this.#startPending(this.#room(frameLength), chunk, at)
        return
      }
      this.#deliver(chunk, at, frameLength)
      at += frameLength
    }
  }

  #startPending(buffer: Uint8Array, chunk: Uint8Array, at: number): void {
    buffer.set(at === 0 ? chunk : chunk.subarray(at))
    this.#pending = buffer
    this.#pendingLength = chunk.length - at
  }

  #fillPending(chunk: Uint8Array, at: number): number {
    const pending = this.#pending!
    const taken = Math.min(pending.length - this.#pendingLength, chunk.length - at)
    const isInPlace =
      chunk.buffer === pending.buffer && chunk.byteOffset + at === pending.byteOffset + this.#pendingLength
    if (!isInPlace) pending.set(chunk.subarray(at, at + taken), this.#pendingLength)
    this.#pendingLength += taken
    if (this.#pendingLength < pending.length) return at + taken

    const frameLength = FRAME_HEADER_SIZE + this.#payloadLength(pending, 0)
    if (frameLength > pending.length) {
      const header = pending.slice()
      this.#pending = this.#room(frameLength)
      this.#pending.set(header)
      return at + taken
    }
    this.#pending = undefined
    this.#deliver(pending, 0, frameLength)
    return at + taken
  }

  #room(byteCount: number): Uint8Array {
    const lent = this.#lent
    if (!lent) return new Uint8Array(byteCount)
    if (lent.frame.length < byteCount) lent.frame = new Uint8Array(byteCount)
    return lent.frame.subarray(0, byteCount)
  }

  #payloadLength(bytes: Uint8Array, at: number): number {
    if (readU16(bytes, at) !== FRAME_MAGIC) throw new CorruptionError('not a frame', { magic: readU16(bytes, at) })
    if (bytes[at + 2] !== FRAME_VERSION) throw new CorruptionError('unknown frame version', { version: bytes[at + 2]! })
    const length = readU32(bytes, at + 4)
    if (length > this.#payloadBytesMax) {
      throw new CorruptionError('frame too long', { length, lengthMax: this.#payloadBytesMax })
    }
    return length
  }

  #deliver(bytes: Uint8Array, at: number, frameLength: number): void {
    const payloadAt = at + FRAME_HEADER_SIZE
    const checksum = crc32(bytes, payloadAt, at + frameLength, crc32(bytes, at, at + 8))
    const type = bytes[at + 3]!
    if (checksum !== readU32(bytes, at + 8)) throw new CorruptionError('frame checksum mismatch', { type })
    this.#onFrame(type, bytes.subarray(payloadAt, at + frameLength))
  }
}

function writeHeaderStart(frame: Uint8Array, type: number, payloadLength: number): void {
  writeU16(frame, 0, FRAME_MAGIC)
  frame[2] = FRAME_VERSION
  frame[3] = type
  writeU32(frame, 4, payloadLength)
}
