import type { ObjectStore } from '../object-store/object-store.ts'
import { WAL_SEGMENT_SIZE } from '../postgres/constants.ts'
import type { ProjectId, TimelineId } from '../postgres/ids.ts'
import type { Lsn } from '../postgres/lsn.ts'
import { segmentKey } from '../wal/archive-keys.ts'
import { segmentStart } from '../wal/segment.ts'

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
