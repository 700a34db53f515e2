import type { ProjectId, TimelineId } from '../postgres/ids.ts'
import type { Lsn } from '../postgres/lsn.ts'

/** What a timeline on a SafeKeeper is, from its creation on. */
export interface TimelineIdentity {
  readonly projectId: ProjectId
  readonly timelineId: TimelineId
  readonly systemIdentifier: bigint
  readonly startLsn: Lsn
}
