import type { Random } from '../src/io/random.ts'

/** A seeded stream of numbers (mulberry32 by Tommy Ettinger). */
export class SimRandom implements Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  uint32(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let value = this.#state
    value = Math.imul(value ^ (value >>> 15), value | 1)
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61)
    return (value ^ (value >>> 14)) >>> 0
  }

  below(bound: number): number {
    return Math.floor((this.uint32() / 0x1_0000_0000) * bound)
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.uint32() & 255)
  }

  /** Uniform in [low, high). */
  between(low: number, high: number): number {
    return low + (this.uint32() / 0x1_0000_0000) * (high - low)
  }

  chance(probability: number): boolean {
    return this.uint32() / 0x1_0000_0000 < probability
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!
  }

  /** A stream of its own, so that one node's draws do not shift another's. */
  fork(): SimRandom {
    return new SimRandom(this.uint32())
  }
}
