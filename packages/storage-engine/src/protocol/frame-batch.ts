import { FRAME_HEADER_SIZE, sealFrame } from './framing.ts'

/** A larger buffer for a single frame is not kept. */
const LARGE_KEPT_BYTES_MAX = 512 * 1024
const LARGE_STEP_BYTES = 64 * 1024
/** Buffers lent to the socket that are waited for: 16 x 512 KiB at most, of a connection that is busy. */
const LARGE_KEPT_MAX = 16

/**
 * Frames put together in one buffer, so that many small messages cost one write to the socket. What is added waits for
 * `flush` or for the buffer to be full; a frame larger than the buffer goes out by itself.
 */
export class FrameBatch {
  readonly #bufferBytes: number
  readonly #send: (bytes: Uint8Array) => boolean
  readonly #borrowedBytes: () => number
  #buffer: Uint8Array | undefined
  #length = 0
  /** For frames that do not fit the buffer. */
  #large: Uint8Array | undefined
  /** Large buffers that may still be being sent, oldest first. */
  readonly #lent: { readonly buffer: Uint8Array; readonly frameBytes: number }[] = []
  #lentBytes = 0

  /**
   * `send` takes the bytes over, unless it returns true: then they may be written to again at once. `borrowedBytes`: how many of all
   * those given to `send`, the newest, may not be written to yet; without it that never ends.
   */
  constructor(options: {
    bufferBytes: number
    send: (bytes: Uint8Array) => boolean
    borrowedBytes?: () => number
  }) {
    this.#bufferBytes = options.bufferBytes
    this.#send = options.send
    this.#borrowedBytes = options.borrowedBytes ?? (() => Number.POSITIVE_INFINITY)
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
    const frameBytesMax = FRAME_HEADER_SIZE + payloadBytesMax
    const isLarge = frameBytesMax > this.#bufferBytes
    const room = isLarge ? this.#largeRoom(frameBytesMax) : this.#room(frameBytesMax)
    const payloadBytes = write(room.subarray(FRAME_HEADER_SIZE))
    if (payloadBytes === undefined) return false
    const frame = room.subarray(0, FRAME_HEADER_SIZE + payloadBytes)
    sealFrame(frame, type)
    if (!isLarge) this.#length += frame.length
    else if (!this.#send(frame)) this.#lendLarge(frame.length)
    return true
  }

  flush(): void {
    const buffer = this.#buffer
    if (!buffer || this.#length === 0) return
    const length = this.#length
    this.#length = 0
    if (this.#send(buffer.subarray(0, length))) return
    // The rest of the buffer serves the next frames.
    this.#buffer = length < buffer.length ? buffer.subarray(length) : undefined
  }

  #room(frameBytes: number): Uint8Array {
    if (this.#buffer && frameBytes > this.#buffer.length - this.#length) {
      this.flush()
      if (this.#buffer && this.#buffer.length < frameBytes) this.#buffer = undefined
    }
    this.#buffer ??= new Uint8Array(this.#bufferBytes)
    return this.#buffer.subarray(this.#length, this.#length + frameBytes)
  }

  #lendLarge(frameBytes: number): void {
    if (this.#large) {
      this.#lent.push({ buffer: this.#large, frameBytes })
      this.#lentBytes += frameBytes
      if (this.#lent.length > LARGE_KEPT_MAX) this.#takeOldest()
    }
    this.#large = undefined
  }

  #takeOldest(): Uint8Array | undefined {
    const oldest = this.#lent.shift()
    if (oldest) this.#lentBytes -= oldest.frameBytes
    return oldest?.buffer
  }

  /** The oldest lent buffer, when what was sent after it alone is as much as may not be written to. */
  #takeReturned(): Uint8Array | undefined {
    const oldest = this.#lent[0]
    return oldest && this.#lentBytes - oldest.frameBytes >= this.#borrowedBytes() ? this.#takeOldest() : undefined
  }

  #largeRoom(frameBytes: number): Uint8Array {
    this.flush()
    if (frameBytes > LARGE_KEPT_BYTES_MAX) return new Uint8Array(frameBytes)
    this.#large ??= this.#takeReturned()
    if (!this.#large || this.#large.length < frameBytes) {
      this.#large = new Uint8Array(Math.ceil(frameBytes / LARGE_STEP_BYTES) * LARGE_STEP_BYTES)
    }
    return this.#large.subarray(0, frameBytes)
  }
}
