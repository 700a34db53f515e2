/** What happened on a timeline and when, as the control plane asks for it: LSNs and times are text on both sides. */
import type { LsnAtTime, StorageAdmin } from '../admin/storage-admin.ts'
import type { CommitHistogram, TimelineEvent } from '../admin/timeline-history.ts'
import { Lsn } from '../postgres/lsn.ts'
import type { AttachedTimeline } from './open-project.ts'
import { commitHistogram } from './timeline/commit-histogram.ts'
import { eventsBetween } from './timeline/event-history.ts'
import { formatPostgresTime, parsePostgresTime } from './timeline/postgres-time.ts'
import { commitAtOrBefore, findCommitAtTime } from './timeline/time-index.ts'

export async function lsnAtTime({ storage, timeline }: AttachedTimeline, time: string): Promise<LsnAtTime> {
  const found = await findCommitAtTime(storage, timeline.lastRecordLsn, parsePostgresTime(time))
  if (found.kind === 'exact' || found.kind === 'future') {
    const { endLsn, time: commitTime } = found.commit
    return { kind: found.kind, lsn: Lsn.format(endLsn), commitTime: formatPostgresTime(commitTime) }
  }
  const lsn = found.kind === 'past' ? Lsn.max2(storage.gcCutoffLsn, Lsn.zero) : timeline.lastRecordLsn
  return { kind: found.kind, lsn: Lsn.format(lsn), commitTime: null }
}

/** Of the last commit at or before the LSN. */
export async function timeAtLsn({ storage }: AttachedTimeline, lsn: string): Promise<{ commitTime: string | null }> {
  const commit = await commitAtOrBefore(storage, Lsn.min(Lsn.parse(lsn), storage.lastRecordLsn))
  return { commitTime: commit ? formatPostgresTime(commit.time) : null }
}

export async function timelineEvents(
  { storage }: AttachedTimeline,
  input: Parameters<StorageAdmin['timelineEvents']>[0],
): Promise<TimelineEvent[]> {
  const marks = await eventsBetween(storage, {
    fromLsn: input.fromLsn === undefined ? Lsn.zero : Lsn.parse(input.fromLsn),
    toLsn: input.toLsn === undefined ? Lsn.max : Lsn.parse(input.toLsn),
    limit: input.limit,
  })
  return marks.map(({ lsn, time, kind, summary, sizeBytes, xid, term }) => ({
    lsn: Lsn.format(lsn),
    time: time === null ? null : formatPostgresTime(time),
    kind,
    summary,
    ...(sizeBytes > 0 ? { sizeBytes } : {}),
    ...(xid > 0 ? { xid } : {}),
    ...(term > 0 ? { term } : {}),
  }))
}

/** `yieldTurn` resolves after others have had theirs. */
export async function commitsOverTime(
  { storage }: AttachedTimeline,
  input: Parameters<StorageAdmin['commitHistogram']>[0],
  yieldTurn: () => Promise<void>,
): Promise<CommitHistogram> {
  const found = await commitHistogram(
    storage,
    {
      buckets: input.buckets,
      from: input.from === undefined ? undefined : parsePostgresTime(input.from),
      to: input.to === undefined ? undefined : parsePostgresTime(input.to),
    },
    yieldTurn,
  )
  if (!found) return { from: null, to: null, buckets: [] }
  return {
    from: formatPostgresTime(found.from),
    to: formatPostgresTime(found.to),
    buckets: found.buckets.map(({ time, commits, walBytes, lsn }) => ({
      time: formatPostgresTime(time),
      commits,
      walBytes,
      lsn: lsn === undefined ? null : Lsn.format(lsn),
    })),
  }
}
