import { StorageError } from '../base/errors.ts'
import type { Disk } from '../io/disk.ts'
import { checkObjectKey, checkObjectPrefix, cutRange } from './object-key.ts'
import type { ByteRange, ObjectInfo, ObjectStore } from './object-store.ts'

/** Keys in one answer of `list` when the caller names no limit. */
const LIST_LIMIT = 1000

/** Objects in this process's memory, for tests and the simulator. `disk` serves putFile and getFile. */
export function openMemoryObjectStore(options: { disk: Disk }): ObjectStore {
  const objects = new Map<string, Uint8Array>()

  function find(key: string): Uint8Array {
    checkObjectKey(key)
    const bytes = objects.get(key)
    if (!bytes) throw new StorageError('not-found', 'no such object', { key })
    return bytes
  }

  return {
    async get(key: string, getOptions: { range?: ByteRange; signal?: AbortSignal } = {}): Promise<Uint8Array> {
      checkSignal(getOptions.signal)
      const bytes = find(key)
      const { start, end } = cutRange(key, bytes.length, getOptions.range)
      return bytes.slice(start, end)
    },

    async head(key: string, headOptions: { signal?: AbortSignal } = {}): Promise<ObjectInfo | undefined> {
      checkSignal(headOptions.signal)
      checkObjectKey(key)
      const bytes = objects.get(key)
      return bytes && { key, sizeBytes: bytes.length }
    },

    async put(key: string, bytes: Uint8Array, putOptions: { signal?: AbortSignal } = {}): Promise<void> {
      checkSignal(putOptions.signal)
      checkObjectKey(key)
      objects.set(key, bytes.slice())
    },

    async putFile(key: string, path: string, putOptions: { signal?: AbortSignal } = {}): Promise<void> {
      checkSignal(putOptions.signal)
      checkObjectKey(key)
      const bytes = await options.disk.readFile(path)
      if (!bytes) throw new StorageError('not-found', 'no such file to upload', { path })
      objects.set(key, bytes.slice())
    },

    async getFile(key: string, path: string, getOptions: { signal?: AbortSignal } = {}): Promise<void> {
      checkSignal(getOptions.signal)
      await options.disk.writeFileAtomic(path, find(key))
    },

    async putIfAbsent(
      key: string,
      bytes: Uint8Array,
      putOptions: { signal?: AbortSignal } = {},
    ): Promise<'created' | 'exists'> {
      checkSignal(putOptions.signal)
      checkObjectKey(key)
      if (objects.has(key)) return 'exists'
      objects.set(key, bytes.slice())
      return 'created'
    },

    async list(prefix, listOptions = {}): Promise<{ objects: ObjectInfo[]; truncated: boolean }> {
      checkSignal(listOptions.signal)
      checkObjectPrefix(prefix)
      const { startAfter = '', limit = LIST_LIMIT } = listOptions
      const keys = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > startAfter).sort()
      return {
        objects: keys.slice(0, limit).map((key) => ({ key, sizeBytes: objects.get(key)?.length ?? 0 })),
        truncated: keys.length > limit,
      }
    },

    async delete(keys: readonly string[], deleteOptions: { signal?: AbortSignal } = {}): Promise<void> {
      checkSignal(deleteOptions.signal)
      for (const key of keys) checkObjectKey(key)
      for (const key of keys) objects.delete(key)
    },
  }
}

function checkSignal(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new StorageError('aborted', 'object store call: aborted')
}
