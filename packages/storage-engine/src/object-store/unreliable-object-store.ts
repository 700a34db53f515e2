import { StorageError } from '../base/errors.ts'
import type { Random } from '../io/random.ts'
import type { ObjectStore } from './object-store.ts'

export interface Unreliability {
  /** Of 100 calls, how many fail without effect. */
  failBeforePercent: number
  /** Of 100 calls, how many take effect and then fail, as a timeout does. */
  failAfterPercent: number
}

/** For tests: an object store whose calls fail at random. Change `unreliability` at any time. */
export function makeUnreliable(inner: ObjectStore, random: Random, unreliability: Unreliability): ObjectStore {
  async function call<T>(operation: string, run: () => Promise<T>): Promise<T> {
    const failure = () => new StorageError('unavailable', `object store: ${operation} failed by order of the test`)
    if (random.below(100) < unreliability.failBeforePercent) throw failure()
    const result = await run()
    if (random.below(100) < unreliability.failAfterPercent) throw failure()
    return result
  }

  return {
    get: (key, options) => call('get', () => inner.get(key, options)),
    head: (key, options) => call('head', () => inner.head(key, options)),
    put: (key, bytes, options) => call('put', () => inner.put(key, bytes, options)),
    putFile: (key, path, options) => call('put file', () => inner.putFile(key, path, options)),
    getFile: (key, path, options) => call('get file', () => inner.getFile(key, path, options)),
    putIfAbsent: (key, bytes, options) => call('put if absent', () => inner.putIfAbsent(key, bytes, options)),
    list: (prefix, options) => call('list', () => inner.list(prefix, options)),
    delete: (keys, options) => call('delete', () => inner.delete(keys, options)),
  }
}
