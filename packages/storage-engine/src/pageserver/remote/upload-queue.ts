import type { ObjectStore } from '../../object-store/object-store.ts'
import { type RetryOptions, retryForever } from './retry-forever.ts'

/** Layers of one project in flight at a time; each is streamed from its file, so memory is a few parts of an upload. */
export const UPLOAD_CONCURRENCY_MAX = 4

/** Uploads finished layer files. A layer counts as uploaded only when its promise resolves. */
export class UploadQueue {
  readonly #store: ObjectStore
  readonly #retry: RetryOptions
  readonly #waiting: (() => void)[] = []
  #runningCount = 0

  constructor(store: ObjectStore, retry: RetryOptions) {
    this.#store = store
    this.#retry = retry
  }

  async upload(objectKey: string, path: string): Promise<void> {
    if (this.#runningCount >= UPLOAD_CONCURRENCY_MAX) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
    this.#runningCount++
    try {
      await retryForever('upload layer', this.#retry, () => this.#store.putFile(objectKey, path))
    } finally {
      this.#runningCount--
      this.#waiting.shift()?.()
    }
  }
}
