import { StorageError } from '../base/errors.ts'
import { compress } from '../base/zstd.ts'
import { listPages } from '../object-store/list-objects.ts'
import type { ProjectId, TimelineId } from '../postgres/ids.ts'
import { importDataDirectory, readInitialCluster } from './bootstrap.ts'
import { archiveDirectory } from './data-directory-archive.ts'
import type { Initdb } from './initdb.ts'
import { OpenProject, openStorage, type ProjectOptions } from './open-project.ts'
import {
  initdbArchiveKey,
  type ProjectFile,
  projectPrefix,
  removeProjectFile,
  writeProjectFile,
} from './project-file.ts'
import { generationsPrefix } from './remote/object-paths.ts'

/** The restore window of a new project. */
const PITR_WINDOW_SECONDS_DEFAULT = 7 * 24 * 3600

/**
 * Makes a project with its root timeline from a fresh initdb. What an attempt cut short left behind is removed first:
 * the project exists only once its project file is written, last of all.
 */
export async function createProject(
  options: ProjectOptions & { readonly initdb: Initdb },
  projectId: ProjectId,
  timelineId: TimelineId,
): Promise<OpenProject> {
  const { env, objectStore, directory, initdb } = options
  // The claims stay: whoever made them is then fenced by ours, and what it wrote has an older generation in its name.
  await removeProjectObjects(options, projectId, { keepsClaims: true })
  const dataDirectory = `${directory}/${projectId}.initdb`
  await env.disk.removeTree(dataDirectory)
  try {
    await initdb(dataDirectory)
    const cluster = await readInitialCluster(env.disk, dataDirectory)
    const file: ProjectFile = {
      formatVersion: 1,
      projectId,
      rootTimelineId: timelineId,
      systemIdentifier: cluster.systemIdentifier.toString(),
      controlFile: btoa(String.fromCharCode(...cluster.controlFile)),
      pitrWindowSeconds: PITR_WINDOW_SECONDS_DEFAULT,
    }
    const projectStorage = await openStorage(options, file)
    try {
      const storage = await projectStorage.createTimeline({ timelineId, startLsn: cluster.startLsn })
      await importDataDirectory(env.disk, dataDirectory, storage)
      await storage.flush()
      const archive = await archiveDirectory(env.disk, dataDirectory)
      await objectStore.put(initdbArchiveKey(projectId, timelineId), compress(archive, 3))
      await writeProjectFile(objectStore, file)
    } catch (error) {
      await projectStorage.close()
      throw error
    }
    const project = new OpenProject(options, file, projectStorage)
    project.attach(timelineId)
    return project
  } finally {
    await env.disk.removeTree(dataDirectory)
  }
}

/** Removes every object of a project, perhaps but for the claims of its generations, and its local cache. */
export async function removeProjectObjects(
  options: ProjectOptions,
  projectId: ProjectId,
  { keepsClaims = false } = {},
): Promise<void> {
  const { env, objectStore, directory } = options
  if (!/^[0-9a-f]{32}$/.test(projectId)) throw new StorageError('invalid-input', 'not a project id')
  await removeProjectFile(objectStore, projectId)
  const claims = generationsPrefix(projectId)
  for await (const objects of listPages(objectStore, projectPrefix(projectId))) {
    const keys = objects.map(({ key }) => key).filter((key) => !keepsClaims || !key.startsWith(claims))
    if (keys.length > 0) await objectStore.delete(keys)
  }
  await env.disk.removeTree(`${directory}/${projectId}`)
}
