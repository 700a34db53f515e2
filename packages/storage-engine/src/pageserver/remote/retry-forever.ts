import { errorText, isStorageError, StorageError } from '../../base/errors.ts'
import type { Env } from '../../io/env.ts'

export interface RetryOptions {
  readonly env: Pick<Env, 'clock' | 'log'>
  readonly delayMsMin: number
  readonly delayMsMax: number
  readonly signal: AbortSignal
}

/** Repeats `attempt` until it succeeds, fails in a way that no repetition mends, or the signal fires (`aborted`). */
export async function retryForever<T>(what: string, options: RetryOptions, attempt: () => Promise<T>): Promise<T> {
  for (let delayMs = options.delayMsMin; ; delayMs = Math.min(delayMs * 2, options.delayMsMax)) {
    if (options.signal.aborted) throw new StorageError('aborted', `${what}: closing`)
    try {
      return await attempt()
    } catch (error) {
      if (!isStorageError(error) || !error.retryable) throw error
      options.env.log.warn(`${what} failed, retrying`, { error: errorText(error), delayMs })
      await options.env.clock.sleep(delayMs, { signal: options.signal })
    }
  }
}
