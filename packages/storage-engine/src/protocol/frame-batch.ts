import { FRAME_HEADER_SIZE, sealFrame } from './framing.ts'

/**
 * Frames put together in one buffer, so that many small messages cost one write to the socket. What is added waits for
 * `flush` or for the buffer to be full; a frame larger than the buffer goes out by itself.
 */
export class FrameBatch {
  readonly #bufferBytes: number
  readonly #send: (bytes: Uint8Array) => void
  #buffer: Uint8Array | undefined
  #length = 0

  /** `send` takes over the bytes: they are not written to any more. */
  constructor(options: { bufferBytes: number; send: (bytes: Uint8Array) => void }) {
    this.#bufferBytes = options.bufferBytes
    this.#send = options.send
  }

  add(type: number, payload: Uint8Array): void {
    this.addUpTo(type, payload.length, (room) => {
      room.set(payload)
      return payload.length
    })
  }

  /**
   * Adds a frame of at most `payloadBytesMax`. `write` fills in the payload, whose bytes are anything before, and returns
   * how many it has; undefined, or an error thrown: there is no frame after all.
   */
  addUpTo(type: number, payloadBytesMax: number, write: (payload: Uint8Array) => number | undefined): boolean {
    const room = this.#room(FRAME_HEADER_SIZE + payloadBytesMax)
    const payloadBytes = write(room.subarray(FRAME_HEADER_SIZE))
    if (payloadBytes === undefined) return false
    const frame = room.subarray(0, FRAME_HEADER_SIZE + payloadBytes)
    sealFrame(frame, type)
    if (room.buffer === this.#buffer?.buffer) this.#length += frame.length
    else this.#send(frame)
    return true
  }

  flush(): void {
    const buffer = this.#buffer
    if (!buffer || this.#length === 0) return
    const bytes = buffer.subarray(0, this.#length)
    // The rest of the buffer serves the next frames.
    this.#buffer = this.#length < buffer.length ? buffer.subarray(this.#length) : undefined
    this.#length = 0
    this.#send(bytes)
  }

  #room(frameBytes: number): Uint8Array {
    if (frameBytes > this.#bufferBytes) {
      this.flush()
      return new Uint8Array(frameBytes)
    }
    if (this.#buffer && frameBytes > this.#buffer.length - this.#length) {
      this.flush()
      this.#buffer = undefined
    }
    this.#buffer ??= new Uint8Array(this.#bufferBytes)
    return this.#buffer.subarray(this.#length, this.#length + frameBytes)
  }
}
