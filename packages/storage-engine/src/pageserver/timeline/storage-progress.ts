import { StorageError } from '../../base/errors.ts'

/**
 * Whether a timeline's storage still moves, and when it has moved: what writers wait for until there is room, and callers of
 * `flush` until all is in object storage. It ends by `close`, or by a failure that no attempt will mend.
 */
export class StorageProgress {
  readonly #abort = new AbortController()
  #failure: unknown
  #waiters: (() => void)[] = []

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  get isClosed(): boolean {
    return this.#abort.signal.aborted
  }

  get isFailed(): boolean {
    return this.#failure !== undefined
  }

  /** Throws `aborted` when the timeline is closed. */
  requireOpen(): void {
    if (this.isClosed) throw new StorageError('aborted', 'timeline is closed')
  }

  /** Throws when nothing will move any more: the failure, or `aborted`. */
  requireMoving(): void {
    if (this.#failure !== undefined) throw this.#failure
    this.requireOpen()
  }

  /** Resolves after the next move, of whatever kind: look again then. */
  next(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve))
  }

  moved(): void {
    const waiters = this.#waiters
    this.#waiters = []
    for (const wake of waiters) wake()
  }

  /** For good. Whoever calls it also calls `moved`, once its own work is at an end. */
  fail(error: unknown): void {
    this.#failure = error
  }

  close(): void {
    this.#abort.abort()
    this.moved()
  }
}
