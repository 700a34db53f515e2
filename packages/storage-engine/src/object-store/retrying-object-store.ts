import { isStorageError, StorageError } from '../base/errors.ts'
import type { Env } from '../io/env.ts'
import type { ObjectStore } from './object-store.ts'

export interface RetryBounds {
  readonly attemptsMax: number
  readonly delayMsFirst: number
  readonly delayMsMax: number
}

/** Waits of 100, 200, 400, 800 ms at most: two seconds before the caller hears of it. */
const defaultBounds: RetryBounds = { attemptsMax: 5, delayMsFirst: 100, delayMsMax: 5000 }

/**
 * Repeats calls that failed with a retryable code, with a bounded number of attempts and a random part in each wait.
 *
 * A failed attempt of putIfAbsent may have taken effect. When a later attempt then finds the key there, the object is
 * read: the same bytes mean that it was ours ('created'). Callers that race with each other put something of their own
 * into the bytes.
 */
export function retryObjectStore(
  inner: ObjectStore,
  env: Pick<Env, 'clock' | 'random' | 'log'>,
  bounds: RetryBounds = defaultBounds,
): ObjectStore {
  const { clock, random, log } = env

  async function retry<T>(
    operation: string,
    key: string,
    signal: AbortSignal | undefined,
    run: (attempt: number) => Promise<T>,
  ): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await run(attempt)
      } catch (error) {
        if (!(error instanceof StorageError) || !error.retryable || attempt >= bounds.attemptsMax) throw error
        const delayMsCap = Math.min(bounds.delayMsMax, bounds.delayMsFirst * 2 ** (attempt - 1))
        const delayMs = delayMsCap / 2 + random.below(Math.max(1, Math.ceil(delayMsCap / 2)))
        log.debug('object store call failed, will retry', { operation, key, attempt, delayMs, error: error.message })
        await clock.sleep(delayMs, signal ? { signal } : {})
      }
    }
  }

  return {
    get: (key, options) => retry('get', key, options?.signal, () => inner.get(key, options)),
    head: (key, options) => retry('head', key, options?.signal, () => inner.head(key, options)),
    put: (key, bytes, options) => retry('put', key, options?.signal, () => inner.put(key, bytes, options)),
    putFile: (key, path, options) => retry('put file', key, options?.signal, () => inner.putFile(key, path, options)),
    getFile: (key, path, options) => retry('get file', key, options?.signal, () => inner.getFile(key, path, options)),
    putIfAbsent: (key, bytes, options) =>
      retry('put if absent', key, options?.signal, async (attempt) => {
        const outcome = await inner.putIfAbsent(key, bytes, options)
        if (outcome === 'created' || attempt === 1) return outcome
        return (await holds(inner, key, bytes, options)) ? 'created' : 'exists'
      }),
    list: (prefix, options) => retry('list', prefix, options?.signal, () => inner.list(prefix, options)),
    delete: (keys, options) => retry('delete', keys[0] ?? '', options?.signal, () => inner.delete(keys, options)),
  }
}

async function holds(
  store: ObjectStore,
  key: string,
  bytes: Uint8Array,
  options: { signal?: AbortSignal } | undefined,
): Promise<boolean> {
  try {
    const found = await store.get(key, options)
    return found.length === bytes.length && found.every((byte, index) => byte === bytes[index])
  } catch (error) {
    if (isStorageError(error, 'not-found')) return false
    throw error
  }
}
