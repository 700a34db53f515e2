import type { ObjectStore } from '../object-store/object-store.ts'
import { WAL_SEGMENT_SIZE, WAL_TIMELINE } from '../postgres/constants.ts'
import type { ProjectId, TimelineId } from '../postgres/ids.ts'
import type { Lsn } from '../postgres/lsn.ts'
import { formatSegmentName, segmentStart } from '../wal/segment.ts'

/** Where the WAL of a timeline lies in object storage: whole segments under their Postgres names. */
export function walPrefix(projectId: ProjectId, timelineId: TimelineId): string {
  return `projects/${projectId}/timelines/${timelineId}/wal/`
}

export function segmentKey(projectId: ProjectId, timelineId: TimelineId, lsn: Lsn): string {
  return walPrefix(projectId, timelineId) + formatSegmentName(WAL_TIMELINE, lsn)
}

/** Bytes of one archived segment from `lsn` on, at most `lengthMax` and not past the segment. */
export function readArchivedWal(
  store: ObjectStore,
  timeline: { projectId: ProjectId; timelineId: TimelineId },
  lsn: Lsn,
  lengthMax: number,
): Promise<Uint8Array> {
  const start = segmentStart(lsn)
  const range = { start: lsn - start, end: Math.min(WAL_SEGMENT_SIZE, lsn - start + lengthMax) }
  return store.get(segmentKey(timeline.projectId, timeline.timelineId, lsn), { range })
}
