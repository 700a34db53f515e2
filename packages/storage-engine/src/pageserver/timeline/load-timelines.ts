/** Which timelines of a project object storage holds, and the index that counts of each. */
import { StorageError } from '../../base/errors.ts'
import { TimelineId } from '../../postgres/ids.ts'
import { decodeIndex, type TimelineIndex } from '../remote/index-file.ts'
import { listIndexes } from '../remote/list-indexes.ts'
import { timelinePrefix, timelinesPrefix } from '../remote/object-paths.ts'
import type { StorageContext } from './storage-context.ts'

export interface LoadedIndex {
  readonly kind: 'index'
  readonly index: TimelineIndex
  /** Its own and those of older indexes. */
  readonly keys: readonly string[]
}

export interface LoadedDeletion {
  readonly kind: 'deletion'
  readonly timelineId: TimelineId
  /** Of the last word on it. */
  readonly key: string
}

/** Those that were begun to be made and have no index are left out. */
export async function loadTimelines(context: StorageContext): Promise<(LoadedIndex | LoadedDeletion)[]> {
  const loaded: (LoadedIndex | LoadedDeletion)[] = []
  for (const timelineId of await listTimelines(context)) {
    const timeline = await loadTimeline(context, timelineId)
    if (timeline) loaded.push(timeline)
  }
  return loaded
}

/** The index with the highest name counts. An older one is never taken instead: layers it names may be gone. */
async function loadTimeline(
  context: StorageContext,
  timelineId: TimelineId,
): Promise<LoadedIndex | LoadedDeletion | undefined> {
  const found = await listIndexes(context, timelineId)
  const newest = found.at(-1)
  if (newest === undefined) return undefined
  const { key } = newest
  if (newest.name.kind === 'deletion') return { kind: 'deletion', timelineId, key }
  const index = decodeIndex(await context.store.get(key), key)
  if (index.timelineId !== timelineId) {
    throw new StorageError('corruption', 'index file of another timeline', {
      object: key,
      timelineId: index.timelineId,
    })
  }
  return { kind: 'index', index, keys: found.map((each) => each.key) }
}

/** One listing call a timeline: each skips what lies below the last timeline's prefix. */
async function listTimelines({ store, projectId }: StorageContext): Promise<TimelineId[]> {
  const prefix = timelinesPrefix(projectId)
  const found: TimelineId[] = []
  for (let startAfter: string | undefined; ; ) {
    const options = startAfter === undefined ? { limit: 1 } : { limit: 1, startAfter }
    const { objects } = await store.list(prefix, options)
    const first = objects[0]
    if (!first) return found
    const text = first.key.slice(prefix.length).split('/')[0] ?? ''
    if (/^[0-9a-f]{32}$/.test(text)) found.push(TimelineId.parse(text))
    // '0' is the character after '/'.
    startAfter = `${timelinePrefix(projectId, text as TimelineId).slice(0, -1)}0`
  }
}
