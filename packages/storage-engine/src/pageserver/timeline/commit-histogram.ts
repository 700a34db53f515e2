import type { Lsn } from '../../postgres/lsn.ts'
import type { CommitPoint } from '../ingest/commit-journal.ts'
import { commitAtOrBefore, findCommitAtTime, firstCommit } from './time-index.ts'
import type { TimelineStorage } from './timeline-storage.ts'

/** Buckets worked out before others get their turn. */
const BUCKETS_AT_ONCE = 8

export interface Histogram {
  /** Microseconds since 2000. */
  readonly from: number
  readonly to: number
  readonly buckets: readonly { time: number; commits: number; walBytes: number; lsn: Lsn | undefined }[]
}

/**
 * Commits and WAL bytes in buckets of equal time. Each border is one look-up in the time index, which holds running
 * counts: the work depends on the buckets, not on the commits. Undefined when no commit is kept.
 */
export async function commitHistogram(
  storage: TimelineStorage,
  range: { buckets: number; from: number | undefined; to: number | undefined },
  breathe: () => Promise<void>,
): Promise<Histogram | undefined> {
  const tip = await commitAtOrBefore(storage, storage.lastRecordLsn)
  const first = tip && (await firstCommit(storage, tip.endLsn))
  if (!tip || !first) return undefined
  const from = range.from ?? first.time
  const to = Math.max(range.to ?? tip.timeMax, from + 1)
  const step = (to - from) / range.buckets
  let before: CommitPoint | undefined
  const at = async (time: number): Promise<CommitPoint | undefined> => {
    const found = await findCommitAtTime(storage, tip.endLsn, time, before?.endLsn)
    return found.kind === 'exact' || found.kind === 'future' ? found.commit : before
  }
  // The first bucket holds a commit exactly at its start.
  before = await at(from - 1)
  const buckets: { time: number; commits: number; walBytes: number; lsn: Lsn | undefined }[] = []
  for (let i = 0; i < range.buckets; i++) {
    const commit = await at(i === range.buckets - 1 ? to : from + (i + 1) * step)
    const baseCount = before?.number ?? first.number - 1
    const baseLsn = before?.endLsn ?? first.endLsn
    buckets.push({
      time: Math.round(from + i * step),
      commits: Math.max(0, (commit?.number ?? baseCount) - baseCount),
      walBytes: Math.max(0, (commit?.endLsn ?? baseLsn) - baseLsn),
      lsn: commit?.endLsn,
    })
    before = commit
    if (i % BUCKETS_AT_ONCE === BUCKETS_AT_ONCE - 1) await breathe()
  }
  return { from, to, buckets }
}
