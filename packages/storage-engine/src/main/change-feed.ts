import type { PollReply } from '../admin/long-poll.ts'
import { nodeClock } from '../io/node-clock.ts'

const WAIT_MS_MAX = 30_000

/** Counts changes, and lets long polls wait for the next one. The epoch tells a new process from the old one. */
export class ChangeFeed {
  readonly epoch: string
  #revision = 1
  readonly #waiters = new Set<() => void>()

  constructor(epoch: string) {
    this.epoch = epoch
  }

  get revision(): number {
    return this.#revision
  }

  /** Returns the number of this change. */
  changed(): number {
    this.#revision++
    for (const wake of [...this.#waiters]) wake()
    return this.#revision
  }

  /** Resolves at once when `last` is not the newest, else with the next change, or after `waitMs`. */
  async next(last: PollReply | undefined, waitMs: number, signal: AbortSignal): Promise<void> {
    if (last === undefined || last.epoch !== this.epoch || last.revision !== this.#revision) return
    await new Promise<void>((resolve) => {
      const done = () => {
        timer.cancel()
        signal.removeEventListener('abort', done)
        this.#waiters.delete(done)
        resolve()
      }
      const timer = nodeClock.setTimer(Math.min(Math.max(0, waitMs), WAIT_MS_MAX), done)
      signal.addEventListener('abort', done, { once: true })
      this.#waiters.add(done)
    })
  }
}
