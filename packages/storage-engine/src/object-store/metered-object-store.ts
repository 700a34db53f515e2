import { isStorageError } from '../base/errors.ts'
import type { Env } from '../io/env.ts'
import type { ObjectStore } from './object-store.ts'

const latencyBucketsMs = [1, 3, 10, 30, 100, 300, 1000, 3000, 10_000, 30_000] as const

/** Counts calls, failures, bytes and time of every method under tributary_object_store_…. */
export function meterObjectStore(inner: ObjectStore, env: Pick<Env, 'clock' | 'metrics'>): ObjectStore {
  const { clock, metrics } = env
  const bytesRead = metrics.counter('tributary_object_store_read_bytes', 'bytes read from the object store')
  const bytesWritten = metrics.counter('tributary_object_store_written_bytes', 'bytes written to the object store')

  function meter<T>(operation: string, run: () => Promise<T>): Promise<T> {
    const calls = metrics.counter(`tributary_object_store_${operation}_total`, `${operation} calls`)
    const failures = metrics.counter(`tributary_object_store_${operation}_failures_total`, `failed ${operation} calls`)
    const latency = metrics.histogram(
      `tributary_object_store_${operation}_ms`,
      `time of ${operation}`,
      latencyBucketsMs,
    )
    const startedMs = clock.monotonicMs()
    calls.add()
    return run()
      .catch((error: unknown) => {
        // What is not there is an answer, not a failure.
        if (!isStorageError(error, 'not-found')) failures.add()
        throw error
      })
      .finally(() => latency.observe(clock.monotonicMs() - startedMs))
  }

  return {
    get: (key, options) =>
      meter('get', async () => {
        const bytes = await inner.get(key, options)
        bytesRead.add(bytes.length)
        return bytes
      }),
    head: (key, options) => meter('head', () => inner.head(key, options)),
    put: (key, bytes, options) =>
      meter('put', async () => {
        await inner.put(key, bytes, options)
        bytesWritten.add(bytes.length)
      }),
    putFile: (key, path, options) => meter('put_file', () => inner.putFile(key, path, options)),
    getFile: (key, path, options) => meter('get_file', () => inner.getFile(key, path, options)),
    putIfAbsent: (key, bytes, options) =>
      meter('put_if_absent', async () => {
        const outcome = await inner.putIfAbsent(key, bytes, options)
        if (outcome === 'created') bytesWritten.add(bytes.length)
        return outcome
      }),
    list: (prefix, options) => meter('list', () => inner.list(prefix, options)),
    delete: (keys, options) => meter('delete', () => inner.delete(keys, options)),
  }
}
