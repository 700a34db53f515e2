import type { ProjectId, TimelineId } from '../postgres/ids.ts'

/** What happened on a timeline and when, from its WAL; shown by restore sliders and timelines. Part of the storage admin. */
export interface TimelineHistory {
  /**
   * The newest `limit` (at most 1000) marks with fromLsn <= lsn < toLsn, oldest first, of the timeline and of its ancestors up to
   * the branch point. Marks are bounded in number: on a busy timeline the oldest go first.
   */
  timelineEvents(input: {
    projectId: ProjectId
    timelineId: TimelineId
    fromLsn?: string
    toLsn?: string
    limit: number
  }): Promise<TimelineEvent[]>
  /**
   * Commits and WAL bytes per bucket of equal time (at most 1000) between `from` and `to` (ISO 8601), by default the
   * whole history kept. Includes ancestors up to the branch point.
   */
  commitHistogram(input: {
    projectId: ProjectId
    timelineId: TimelineId
    buckets: number
    from?: string
    to?: string
  }): Promise<CommitHistogram>
}

export interface TimelineEvent {
  /** End of the record that made the mark: a branch here includes what the mark tells. */
  readonly lsn: string
  /** Of the commit, checkpoint or start of a term. */
  readonly time: string | null
  readonly kind: 'ddl' | 'large-transaction' | 'checkpoint' | 'term'
  /** One line for people, such as "created 1 relation, dropped 2 relations". */
  readonly summary: string
  /** WAL bytes of the transaction. */
  readonly sizeBytes?: number
  readonly xid?: number
  readonly term?: number
}

export interface CommitHistogram {
  /** ISO 8601. Null when nothing was committed in the range. */
  readonly from: string | null
  readonly to: string | null
  readonly buckets: readonly CommitBucket[]
}

export interface CommitBucket {
  /** Start of the bucket. */
  readonly time: string
  readonly commits: number
  readonly walBytes: number
  /** End of the last commit in the bucket or before it; null before the first. */
  readonly lsn: string | null
}
