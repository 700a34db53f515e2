/**
 * Counts what a client asks after the log-in: how many ReadyForQuery are due, and whether it sent Flush. Pure; sees
 * message headers only.
 */
const HEADER_BYTES = 5
const [QUERY, SYNC, FUNCTION_CALL, FLUSH, TERMINATE] = [...'QSFHX'].map((letter) => letter.charCodeAt(0))
const EXTENDED = new Set([...'PBEDC'].map((letter) => letter.charCodeAt(0)))

export class FrontendTracker {
  /** Rounds begun by the client that the compute has not ended with ReadyForQuery. */
  roundsDue = 0
  /** Extended-protocol messages since the last Sync. */
  #isInPipeline = false
  #header: number[] = []
  #bodyLeft = 0

  /** True when the client asked for nothing that is still to be answered, and is between messages. */
  get isIdle(): boolean {
    return this.roundsDue <= 0 && !this.#isInPipeline && this.#bodyLeft === 0 && this.#header.length === 0
  }

  readyForQuery(): void {
    if (this.roundsDue > 0) this.roundsDue--
  }

  /** Returns 'flush' when the bytes hold a Flush, 'broken' when they are no messages. */
  feed(chunk: Buffer): 'flush' | 'broken' | undefined {
    let at = Math.min(this.#bodyLeft, chunk.length)
    this.#bodyLeft -= at
    let result: 'flush' | undefined
    while (at < chunk.length) {
      let type: number
      let length: number
      if (this.#header.length === 0 && chunk.length - at >= HEADER_BYTES) {
        type = chunk[at]!
        length = chunk.readUInt32BE(at + 1)
        at += HEADER_BYTES
      } else {
        this.#header.push(chunk[at++]!)
        if (this.#header.length < HEADER_BYTES) continue
        type = this.#header[0]!
        length = Buffer.from(this.#header).readUInt32BE(1)
        this.#header = []
      }
      if (length < 4 || length > 0x3fff_ffff + 4) return 'broken'
      if (this.#count(type)) result = 'flush'
      this.#bodyLeft = length - 4
      const step = Math.min(this.#bodyLeft, chunk.length - at)
      this.#bodyLeft -= step
      at += step
    }
    return result
  }

  #count(type: number): boolean {
    if (type === QUERY || type === FUNCTION_CALL) this.roundsDue++
    else if (type === SYNC) {
      this.roundsDue++
      this.#isInPipeline = false
    } else if (type === FLUSH) {
      this.#isInPipeline = true
      return true
    } else if (EXTENDED.has(type)) this.#isInPipeline = true
    else if (type === TERMINATE) this.#isInPipeline = false
    return false
  }
}
