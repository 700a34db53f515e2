import type { Clock } from '../io/clock.ts'

/** Milliseconds by step of works that overlap: every moment counts once, for the last in order of the steps under way. */
export class StepClock<Step extends string> {
  readonly #clock: Clock
  readonly #steps: readonly Step[]
  readonly #ms = new Map<Step, number>()
  readonly #active = new Map<Step, number>()
  #markMs: number

  constructor(clock: Clock, steps: readonly Step[]) {
    this.#clock = clock
    this.#steps = steps
    this.#markMs = clock.monotonicMs()
  }

  async during<Result>(step: Step, work: () => Promise<Result>): Promise<Result> {
    this.#change(step, 1)
    try {
      return await work()
    } finally {
      this.#change(step, -1)
    }
  }

  msOf(step: Step): number {
    return this.#ms.get(step) ?? 0
  }

  #change(step: Step, by: number): void {
    const nowMs = this.#clock.monotonicMs()
    const current = this.#steps.findLast((each) => (this.#active.get(each) ?? 0) > 0)
    if (current !== undefined) this.#ms.set(current, this.msOf(current) + nowMs - this.#markMs)
    this.#markMs = nowMs
    this.#active.set(step, (this.#active.get(step) ?? 0) + by)
  }
}
