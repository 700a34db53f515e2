import type { TimelineId } from '../../postgres/ids.ts'
import type { DeltaPublisher } from '../../protocol/delta-publisher.ts'
import type { AttachedTimeline, OpenProject } from '../open-project.ts'
import { type LakeTable, listLakeTables } from './lake-tables.ts'

/** Versions of a Delta table stay readable this long after they were replaced, or for the restore window if that is longer. */
export const DELTA_RETENTION_MS = 7 * 24 * 3_600_000

/**
 * Removes data files and deletion vectors that nothing needs: no index of the timeline, and no version of a Delta table,
 * of this timeline or a descendant, that is younger than the retention. Returns the number of objects.
 *
 * Runs under the lock of image making, so that no file is between its upload and its index or log.
 */
export function vacuumLake(options: {
  readonly project: OpenProject
  readonly attached: AttachedTimeline
  readonly publisher: DeltaPublisher | undefined
  readonly nowMs: number
  readonly retentionMs?: number
}): Promise<number> {
  const { project, attached, publisher, nowMs } = options
  const { context } = project.storage
  return context.heavyWorkLock.run(async () => {
    const tables = await listLakeTables(context.store, project, attached)
    if (tables.length === 0) return 0
    const retentionMs = Math.max(options.retentionMs ?? DELTA_RETENTION_MS, project.file.pitrWindowSeconds * 1000)
    const needed = new Set<string>()
    for (const layer of attached.storage.index.layers) {
      if (layer.kind === 'columnar') needed.add(attached.storage.files.objectKey(layer))
    }
    for (const owner of lineBelow(project, attached.timeline.identity.timelineId)) {
      const ofOwner = owner === attached ? tables : await listLakeTables(context.store, project, owner)
      for (const { prefix, hasLog } of ofOwner) {
        if (!hasLog || !publisher) continue
        for (const key of await publisher.neededKeys(prefix, nowMs - retentionMs)) needed.add(key)
      }
    }
    const unneeded = tables.flatMap((table) => unneededObjects(table, needed))
    // Reads that began before a layer left the index may still want it; they are done when the old versions are let go.
    await attached.storage.afterCurrentReads()
    context.deletions.push(unneeded)
    await context.deletions.drain()
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
