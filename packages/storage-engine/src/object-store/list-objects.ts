import type { ObjectInfo, ObjectStore } from './object-store.ts'

/** Everything below a prefix in ascending byte order, a listing call at a time. */
export async function* listPages(store: ObjectStore, prefix: string): AsyncGenerator<readonly ObjectInfo[]> {
  for (let startAfter: string | undefined; ; ) {
    const { objects, truncated } = await store.list(prefix, startAfter === undefined ? {} : { startAfter })
    yield objects
    const last = objects.at(-1)
    if (!truncated || !last) return
    startAfter = last.key
  }
}

/** The same, object by object. */
export async function* listObjects(store: ObjectStore, prefix: string): AsyncGenerator<ObjectInfo> {
  for await (const objects of listPages(store, prefix)) yield* objects
}
