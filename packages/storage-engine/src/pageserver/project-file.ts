import { CorruptionError, isStorageError, StorageError } from '../base/errors.ts'
import type { ObjectStore } from '../object-store/object-store.ts'
import type { ProjectId, TimelineId } from '../postgres/ids.ts'

/**
 * `projects/<project id>/project.json`: the project exists when this object does. Written last when a project is made, once
 * and never again, so that a write which arrives late has nothing to undo; removed first when the project is deleted.
 */
export interface ProjectFile {
  readonly formatVersion: 1
  readonly projectId: ProjectId
  readonly rootTimelineId: TimelineId
  /** Text: a u64 does not fit a JSON number. */
  readonly systemIdentifier: string
  /** First 296 bytes of initdb's global/pg_control, base64. */
  readonly controlFile: string
  /** Of a new project. What was set since is an attribute of the root timeline, whose index writes are numbered. */
  readonly pitrWindowSeconds: number
}

export function projectPrefix(projectId: ProjectId): string {
  return `projects/${projectId}/`
}

/** The data directory as initdb left it: with it stock Postgres can replay a root timeline's whole WAL. */
export function initdbArchiveKey(projectId: ProjectId, timelineId: TimelineId): string {
  return `${projectPrefix(projectId)}timelines/${timelineId}/initdb.bin`
}

/** Undefined when there is no such project. */
export async function readProjectFile(
  objectStore: ObjectStore,
  projectId: ProjectId,
): Promise<ProjectFile | undefined> {
  const key = projectFileKey(projectId)
  const bytes = await objectStore.get(key).catch((error: unknown) => {
    if (isStorageError(error, 'not-found')) return undefined
    throw error
  })
  if (!bytes) return undefined
  const file = parseJson(bytes, key)
  if (!isProjectFile(file) || file.projectId !== projectId) throw new CorruptionError('not a project file', { key })
  return file
}

/** Rejects with `unavailable` when there is one already: of an attempt that was given up, and that arrived all the same. */
export async function writeProjectFile(objectStore: ObjectStore, file: ProjectFile): Promise<void> {
  const key = projectFileKey(file.projectId)
  const outcome = await objectStore.putIfAbsent(key, new TextEncoder().encode(JSON.stringify(file)))
  if (outcome === 'exists') throw new StorageError('unavailable', 'a project file is there already', { key })
}

export async function removeProjectFile(objectStore: ObjectStore, projectId: ProjectId): Promise<void> {
  await objectStore.delete([projectFileKey(projectId)])
}

/** Project ids that have any object, in order. One small listing a project. */
export async function listProjectIds(objectStore: ObjectStore): Promise<string[]> {
  const ids: string[] = []
  let startAfter = ''
  for (;;) {
    const { objects } = await objectStore.list('projects/', { limit: 1, ...(startAfter ? { startAfter } : {}) })
    const id = objects[0]?.key.split('/')[1]
    if (id === undefined) return ids
    if (/^[0-9a-f]{32}$/.test(id)) ids.push(id)
    // '0' follows '/': past every key of this project.
    startAfter = `projects/${id}0`
  }
}

function projectFileKey(projectId: ProjectId): string {
  return `${projectPrefix(projectId)}project.json`
}

function parseJson(bytes: Uint8Array, key: string): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch (error) {
    throw new CorruptionError('project file is not json', { key }, { cause: error })
  }
}

function isProjectFile(value: unknown): value is ProjectFile {
  return (
    typeof value === 'object' &&
    value !== null &&
    'formatVersion' in value &&
    value.formatVersion === 1 &&
    'projectId' in value &&
    'systemIdentifier' in value &&
    typeof value.systemIdentifier === 'string' &&
    'controlFile' in value &&
    typeof value.controlFile === 'string'
  )
}
