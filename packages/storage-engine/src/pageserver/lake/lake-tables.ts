import { listObjects } from '../../object-store/list-objects.ts'
import type { ObjectStore } from '../../object-store/object-store.ts'
import type { AttachedTimeline, OpenProject } from '../open-project.ts'
import { lakePrefix } from '../remote/object-paths.ts'

export interface LakeObject {
  readonly key: string
  readonly sizeBytes: number
}

export interface LakeTable {
  readonly dbOid: number
  readonly tableOid: number
  /** Ends in '/'. */
  readonly prefix: string
  /** Data files and deletion vectors; not the log. */
  readonly objects: LakeObject[]
  /** Objects of the log; 0: the table was never published. */
  logFileCount: number
}

/** Folders of tables on one timeline, with what is in them. */
export async function listLakeTables(
  store: ObjectStore,
  project: OpenProject,
  attached: AttachedTimeline,
): Promise<LakeTable[]> {
  const root = lakePrefix(project.file.projectId, attached.timeline.identity.timelineId)
  const tables = new Map<string, LakeTable>()
  for await (const { key, sizeBytes } of listObjects(store, root)) {
    const match = /^(\d+)\/(\d+)\/(.+)$/.exec(key.slice(root.length))
    if (!match) continue
    const prefix = `${root}${match[1]}/${match[2]}/`
    const table = tables.get(prefix) ?? {
      dbOid: Number(match[1]),
      tableOid: Number(match[2]),
      prefix,
      objects: [],
      logFileCount: 0,
    }
    tables.set(prefix, table)
    if (match[3]!.startsWith('_delta_log/')) table.logFileCount++
    else table.objects.push({ key, sizeBytes })
  }
  return [...tables.values()]
}
