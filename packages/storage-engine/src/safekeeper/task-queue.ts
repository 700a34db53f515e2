/** Runs tasks in order, none before the one before it has ended. Tasks do not throw. */
export class TaskQueue {
  readonly #onIdle: () => void
  readonly #tasks: (() => void | Promise<void>)[] = []
  #isBusy = false

  constructor(onIdle: () => void) {
    this.#onIdle = onIdle
  }

  get isBusy(): boolean {
    return this.#isBusy
  }

  /** For a task that needs no waiting: runs before this returns unless others are under way. */
  runSoon(task: () => void): void {
    if (this.#isBusy) this.#tasks.push(task)
    else task()
  }

  run(task: () => Promise<void>): void {
    this.#tasks.push(task)
    void this.#drain()
  }

  /** As `run`, for somebody who waits for the outcome; this task may reject. */
  runFor<Result>(task: () => Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.run(() => task().then(resolve, reject))
    })
  }

  async #drain(): Promise<void> {
    if (this.#isBusy) return
    this.#isBusy = true
    try {
      for (let task = this.#tasks.shift(); task !== undefined; task = this.#tasks.shift()) await task()
    } finally {
      this.#isBusy = false
    }
    this.#onIdle()
  }
}
