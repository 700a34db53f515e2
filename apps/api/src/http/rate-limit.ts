/** Actors remembered at one time; those not seen for longest go first. */
const BUCKETS_MAX = 10_000

/** Token buckets in memory: `perSecond` in the long run, `burst` at once, for each key. */
export class RateLimiter {
  readonly #perSecond: number
  readonly #burst: number
  readonly #nowMs: () => number
  readonly #buckets = new Map<string, { tokens: number; atMs: number }>()

  constructor(limit: { perSecond: number; burst: number }, nowMs: () => number = () => performance.now()) {
    this.#perSecond = limit.perSecond
    this.#burst = limit.burst
    this.#nowMs = nowMs
  }

  /** 0: go on. Else the seconds to wait. */
  take(key: string, cost = 1): number {
    const atMs = this.#nowMs()
    const last = this.#buckets.get(key) ?? { tokens: this.#burst, atMs }
    const tokens = Math.min(this.#burst, last.tokens + ((atMs - last.atMs) / 1000) * this.#perSecond)
    // Taken out and put in again: the map's order is that of the last use.
    this.#buckets.delete(key)
    if (this.#buckets.size >= BUCKETS_MAX) {
      const [oldest] = this.#buckets.keys()
      if (oldest !== undefined) this.#buckets.delete(oldest)
    }
    const isEnough = tokens >= cost
    this.#buckets.set(key, { tokens: isEnough ? tokens - cost : tokens, atMs })
    return isEnough ? 0 : Math.ceil((cost - tokens) / this.#perSecond)
  }
}
