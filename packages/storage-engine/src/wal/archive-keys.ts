import { WAL_TIMELINE } from '../postgres/constants.ts'
import type { ProjectId, TimelineId } from '../postgres/ids.ts'
import { Lsn } from '../postgres/lsn.ts'
import { formatSegmentName } from './segment.ts'

/**
 * Keys of archived WAL. SafeKeepers write them, SafeKeepers and the PageServer read them:
 *
 *   projects/<p>/timelines/<t>/wal/<segment>                              a complete segment
 *   projects/<p>/timelines/<t>/wal/<segment>_<end lsn>_<term>.partial     the committed beginning of the last one
 */
export function walPrefix(projectId: ProjectId, timelineId: TimelineId): string {
  return `projects/${projectId}/timelines/${timelineId}/wal/`
}

export function segmentKey(projectId: ProjectId, timelineId: TimelineId, lsn: Lsn): string {
  return walPrefix(projectId, timelineId) + formatSegmentName(WAL_TIMELINE, lsn)
}

/** All partial copies of the segment that holds `lsn`. */
export function partialSegmentPrefix(projectId: ProjectId, timelineId: TimelineId, lsn: Lsn): string {
  return `${segmentKey(projectId, timelineId, lsn)}_`
}

/** `term` tells copies of one end apart that two members made. */
export function partialSegmentKey(
  projectId: ProjectId,
  timelineId: TimelineId,
  piece: { readonly startLsn: Lsn; readonly endLsn: Lsn; readonly term: number },
): string {
  const end = piece.endLsn.toString(16).toUpperCase().padStart(16, '0')
  return `${partialSegmentPrefix(projectId, timelineId, piece.startLsn)}${end}_${piece.term}.partial`
}

/** Where a partial copy ends, or undefined for another key. */
export function partialSegmentEnd(key: string): Lsn | undefined {
  const match = /_([0-9A-F]{16})_[0-9]+\.partial$/.exec(key)
  return match ? Lsn.of(Number.parseInt(match[1]!, 16)) : undefined
}
