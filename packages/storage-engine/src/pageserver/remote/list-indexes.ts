import { listObjects } from '../../object-store/list-objects.ts'
import type { ObjectStore } from '../../object-store/object-store.ts'
import type { ProjectId, TimelineId } from '../../postgres/ids.ts'
import type { Generation } from './generation.ts'
import { compareIndexNames, type IndexName, parseIndexKey } from './index-key.ts'
import { indexPrefix } from './object-paths.ts'

export interface StoredIndex {
  readonly key: string
  readonly name: IndexName
}

/** Index writes of a timeline that are there, up to this owner's; the newest, which counts, last. */
export async function listIndexes(
  owner: { readonly store: ObjectStore; readonly projectId: ProjectId; readonly generation: Generation },
  timelineId: TimelineId,
): Promise<StoredIndex[]> {
  const found: StoredIndex[] = []
  for await (const { key } of listObjects(owner.store, indexPrefix(owner.projectId, timelineId))) {
    const name = parseIndexKey(key)
    if (name && name.generation <= owner.generation.number) found.push({ key, name })
  }
  return found.sort((a, b) => compareIndexNames(a.name, b.name))
}
