import { errorText, isStorageError } from '../../base/errors.ts'
import type { Log } from '../../io/log.ts'
import type { ObjectStore } from '../../object-store/object-store.ts'
import type { Generation } from './generation.ts'

/** Keys of one delete call. */
const DELETE_BATCH_KEYS_MAX = 500

/** Objects waiting for deletion; more are forgotten, and found again by the scrub. */
const WAITING_KEYS_MAX = 100_000

/**
 * Deletes objects that the published index no longer names. Before each batch the generation is confirmed, so a stale
 * PageServer deletes nothing. A deletion that fails leaks an object until the scrub finds it; it never blocks anyone.
 */
export class DeletionQueue {
  readonly #store: ObjectStore
  readonly #generation: Generation
  readonly #log: Log
  #waiting: string[] = []
  #running: Promise<void> | undefined

  constructor(store: ObjectStore, generation: Generation, log: Log) {
    this.#store = store
    this.#generation = generation
    this.#log = log
  }

  /** Call only after an index without these objects was published and its readers are gone. */
  push(keys: readonly string[]): void {
    if (this.#waiting.length + keys.length > WAITING_KEYS_MAX) return
    this.#waiting.push(...keys)
    this.#start()
  }

  /** Resolves when nothing waits any more. */
  async drain(): Promise<void> {
    while (this.#running) await this.#running
  }

  #start(): void {
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
      // What was pushed between the last look and here.
      if (this.#waiting.length > 0) this.#start()
    })
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, DELETE_BATCH_KEYS_MAX)
      try {
        await this.#generation.confirm()
        await this.#store.delete(batch)
      } catch (error) {
        if (isStorageError(error, 'fenced')) {
          this.#waiting = []
          return
        }
        this.#log.warn('objects could not be deleted, the scrub will find them', {
          count: batch.length,
          error: errorText(error),
        })
      }
    }
  }
}
