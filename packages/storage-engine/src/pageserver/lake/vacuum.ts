import type { TimelineId } from '../../postgres/ids.ts'
import type { DeltaPublisher } from '../../protocol/delta-publisher.ts'
import type { AttachedTimeline, OpenProject } from '../open-project.ts'
import type { ProjectFile } from '../project-file.ts'
import { type LakeTable, listLakeTables } from './lake-tables.ts'

const DELTA_RETENTION_MS = 7 * 24 * 3_600_000
/** A log with fewer files than this has no checkpoint with anything below it that is worth a listing. */
const LOG_FILES_MIN = 10

/** The queue of deletions takes no more than it can hold. */
const DELETED_AT_ONCE_MAX = 10_000

/** Versions of a Delta table stay readable this long after they were replaced: for the restore window, if that is longer. */
export function deltaRetentionMs(project: Pick<ProjectFile, 'pitrWindowSeconds'>): number {
  return Math.max(DELTA_RETENTION_MS, project.pitrWindowSeconds * 1000)
}

/**
 * Removes data files and deletion vectors that nothing needs: no index of the timeline, and no version of a Delta table,
 * of this timeline or a descendant, that is younger than the retention. Before them goes the part of each log that no such
 * version needs. Returns the number of objects.
 *
 * Runs under the lock of image making, so that no file is between its upload and its index or log.
 */
export function vacuumLake(options: {
  readonly project: OpenProject
  readonly attached: AttachedTimeline
  readonly publisher: DeltaPublisher | undefined
  readonly nowMs: number
}): Promise<number> {
  const { project, attached, publisher, nowMs } = options
  const { context } = project.storage
  return context.heavyWorkLock.run(async () => {
    const tables = await listLakeTables(context.store, project, attached)
    if (tables.length === 0) return 0
    const sinceMs = nowMs - deltaRetentionMs(project)
    const needed = new Set<string>()
    for (const layer of attached.storage.index.layers) {
      if (layer.kind === 'columnar') needed.add(attached.storage.files.objectKey(layer))
    }
    for (const owner of lineBelow(project, attached.timeline.identity.timelineId)) {
      const ofOwner = owner === attached ? tables : await listLakeTables(context.store, project, owner)
      for (const { prefix, logFileCount } of ofOwner) {
        if (logFileCount === 0 || !publisher) continue
        for (const key of await publisher.neededKeys(prefix, sinceMs)) needed.add(key)
      }
    }
    const unneeded: string[] = []
    for (const { prefix, logFileCount } of tables) {
      if (logFileCount >= LOG_FILES_MIN && publisher)
        unneeded.push(...(await publisher.removableLogKeys(prefix, sinceMs)))
    }
    for (const table of tables) unneeded.push(...unneededObjects(table, needed))
    // Reads that began before a layer left the index may still want it; they are done when the old versions are let go.
    await attached.storage.afterCurrentReads()
    for (let at = 0; at < unneeded.length; at += DELETED_AT_ONCE_MAX) {
      context.deletions.push(unneeded.slice(at, at + DELETED_AT_ONCE_MAX))
      await context.deletions.drain()
    }
    return unneeded.length
  })
}

function unneededObjects({ objects }: LakeTable, needed: ReadonlySet<string>): string[] {
  return objects.filter(({ key }) => /\.(parquet|bin)$/.test(key) && !needed.has(key)).map(({ key }) => key)
}

/** The timeline and all that branch off below it. */
function lineBelow(project: OpenProject, timelineId: TimelineId): AttachedTimeline[] {
  return project.timelines.filter((candidate) => {
    for (let at: AttachedTimeline | undefined = candidate; at; ) {
      if (at.timeline.identity.timelineId === timelineId) return true
      const { ancestor }: AttachedTimeline['timeline']['identity'] = at.timeline.identity
      at = ancestor && project.find(ancestor.timelineId)
    }
    return false
  })
}
