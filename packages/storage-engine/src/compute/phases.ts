import type { Clock } from '../io/clock.ts'

/** Times the parts of a start; parts may overlap. Milliseconds, rounded to tenths. */
export class Phases {
  readonly #clock: Clock
  readonly #spans = new Map<string, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  async measure<T>(name: string, work: () => Promise<T>): Promise<T> {
    const startMs = this.#clock.monotonicMs()
    try {
      return await work()
    } finally {
      this.set(name, this.#clock.monotonicMs() - startMs)
    }
  }

  set(name: string, ms: number): void {
    this.#spans.set(name, Math.round(ms * 10) / 10)
  }

  toJson(): Record<string, number> {
    return Object.fromEntries(this.#spans)
  }
}
