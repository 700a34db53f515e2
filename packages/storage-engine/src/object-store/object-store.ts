/**
 * Durable objects under flat keys, as S3 offers them (docs/formats/object-keys.md). Keys are relative, '/'-separated,
 * without empty, '.' or '..' parts. A `put` is atomic: readers see the old or the new object, whole.
 *
 * Every method rejects with StorageError: `not-found` (get of what is not there), `unavailable` (worth a retry),
 * `exhausted` (no space), `invalid-input` (bad key or range), `aborted`.
 */
export interface ObjectStore {
  /** The whole object, or bytes [start, end) of it. A range past the end is cut; one that starts past it is invalid. */
  get(key: string, options?: { range?: ByteRange; signal?: AbortSignal }): Promise<Uint8Array>
  head(key: string, options?: { signal?: AbortSignal }): Promise<ObjectInfo | undefined>
  put(key: string, bytes: Uint8Array, options?: { signal?: AbortSignal }): Promise<void>
  /** Uploads a local file in parts when it is large. Nothing is visible before the whole is. */
  putFile(key: string, path: string, options?: { signal?: AbortSignal }): Promise<void>
  /** Downloads to a local path atomically (temporary name, sync, rename). */
  getFile(key: string, path: string, options?: { signal?: AbortSignal }): Promise<void>
  putIfAbsent(key: string, bytes: Uint8Array, options?: { signal?: AbortSignal }): Promise<'created' | 'exists'>
  /** Keys with the prefix in ascending byte order, from after `startAfter`, at most `limit`. */
  list(
    prefix: string,
    options?: { startAfter?: string; limit?: number; signal?: AbortSignal },
  ): Promise<{ objects: ObjectInfo[]; truncated: boolean }>
  /** Deleting what is not there is no error. */
  delete(keys: readonly string[], options?: { signal?: AbortSignal }): Promise<void>
}

export interface ByteRange {
  readonly start: number
  /** Exclusive. */
  readonly end: number
}

export interface ObjectInfo {
  readonly key: string
  readonly sizeBytes: number
}
