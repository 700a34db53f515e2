import { joinBytes } from '../base/join-bytes.ts'
import type { Clock, Timer } from '../io/clock.ts'
import type { Lsn } from '../postgres/lsn.ts'

/**
 * Gathers appended WAL into what is sent together. One commit a frame would cost each process more for the message than for
 * the WAL in it. So what is appended in one tick goes out together, and with FRAMES_IN_FLIGHT_MAX frames on their way more
 * is gathered until one of them is committed: a SafeKeeper that syncs one frame has the next one waiting, and one after
 * that would only wait behind it.
 */
export interface AppendGathererOptions {
  readonly clock: Pick<Clock, 'setTimer'>
  readonly commitLsn: () => Lsn
  /** Sends all that was gathered, and returns where it ends. The bytes are its own. */
  readonly send: (bytes: Uint8Array) => Lsn
}

/** Sends not yet committed above which WAL is gathered. */
const FRAMES_IN_FLIGHT_MAX = 2
/** Bulk loads are sent as they come. */
const GATHERED_BYTES_MAX = 64 * 1024
/** A frame that ends in the middle of a record is not committed before the rest is sent. */
const GATHER_MS_MAX = 2

export class AppendGatherer {
  readonly #options: AppendGathererOptions
  #parts: Uint8Array[] = []
  #byteCount = 0
  /** Ends of the newest sends, the newest last. */
  #sentEnds: Lsn[] = []
  #isDue = false
  #timer: Timer | undefined
  #isClosed = false

  constructor(options: AppendGathererOptions) {
    this.#options = options
  }

  /** Gathered and not sent yet. */
  get byteCount(): number {
    return this.#byteCount
  }

  add(bytes: Uint8Array): void {
    this.#parts.push(bytes)
    this.#byteCount += bytes.length
    if (this.#byteCount >= GATHERED_BYTES_MAX) this.#send()
    else this.#sendSoon()
  }

  /** To be called when the commit LSN has moved. */
  onCommit(): void {
    this.#sendUnlessBusy()
  }

  /** What is gathered is not sent any more. */
  close(): void {
    this.#isClosed = true
    this.#timer?.cancel()
  }

  /** After what else is added in this tick. */
  #sendSoon(): void {
    if (this.#isDue) return
    this.#isDue = true
    queueMicrotask(() => {
      this.#isDue = false
      this.#sendUnlessBusy()
    })
  }

  #sendUnlessBusy(): void {
    if (this.#byteCount === 0) return
    const isBusy = this.#sentEnds.length === FRAMES_IN_FLIGHT_MAX && this.#sentEnds[0]! > this.#options.commitLsn()
    if (!isBusy) {
      this.#send()
      return
    }
    this.#timer ??= this.#options.clock.setTimer(GATHER_MS_MAX, () => this.#send())
  }

  #send(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    if (this.#byteCount === 0 || this.#isClosed) return
    const bytes = joinBytes(this.#parts, this.#byteCount)
    this.#parts = []
    this.#byteCount = 0
    if (this.#sentEnds.push(this.#options.send(bytes)) > FRAMES_IN_FLIGHT_MAX) this.#sentEnds.shift()
  }
}
