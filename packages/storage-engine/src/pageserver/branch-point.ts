import { StorageError } from '../base/errors.ts'
import type { TimelineId } from '../postgres/ids.ts'
import { Lsn } from '../postgres/lsn.ts'
import { waitForCommittedLsn } from './committed-lsn.ts'
import type { AttachedTimeline } from './open-project.ts'
import { parsePostgresTime } from './timeline/postgres-time.ts'
import { recordPositionAt } from './timeline/record-position.ts'
import { findCommitAtTime } from './timeline/time-index.ts'

/** How long a branch waits for its LSN to be ingested. */
const INGEST_WAIT_MS_MAX = 30_000

export type BranchAt = { readonly lsn: string } | { readonly time: string } | undefined

export interface BranchPoint {
  /** The timeline asked for, or the one of its ancestors whose own WAL holds the LSN. */
  readonly ancestor: AttachedTimeline
  readonly lsn: Lsn
}

/**
 * Where a branch of `parent` begins: at the end of a record, ingested and within the history kept. The tip means
 * everything that a SafeKeeper has reported as committed so far. A time means the last commit at or before it.
 */
export async function resolveBranchPoint(
  parent: AttachedTimeline,
  at: BranchAt,
  options: {
    readonly timelineOf: (timelineId: TimelineId) => AttachedTimeline
    readonly safekeepersKnown: () => boolean
  },
): Promise<BranchPoint> {
  const wanted = await wantedLsn(parent, at)
  await waitForCommittedLsn(parent, wanted, { waitMs: INGEST_WAIT_MS_MAX, safekeepersKnown: options.safekeepersKnown })
  const { endLsn: lsn } = await recordPositionAt(parent.storage, wanted)
  let ancestor = parent
  for (;;) {
    const { startLsn, ancestor: older } = ancestor.timeline.identity
    if (lsn >= startLsn || !older) break
    ancestor = options.timelineOf(older.timelineId)
  }
  const { startLsn } = ancestor.timeline.identity
  const { gcCutoffLsn } = ancestor.storage
  if (lsn < gcCutoffLsn || lsn < startLsn) {
    const fields = { lsn: Lsn.format(lsn), startLsn: Lsn.format(startLsn), gcCutoffLsn: Lsn.format(gcCutoffLsn) }
    throw new StorageError('invalid-input', 'at is outside the history kept of the ancestor timeline', fields)
  }
  return { ancestor, lsn }
}

async function wantedLsn(parent: AttachedTimeline, at: BranchAt): Promise<Lsn> {
  if (at === undefined) return Lsn.max2(parent.timeline.lastRecordLsn, parent.receiver.knownCommitLsn)
  if ('lsn' in at) return Lsn.parse(at.lsn)
  const found = await findCommitAtTime(parent.storage, parent.timeline.lastRecordLsn, parsePostgresTime(at.time))
  if (found.kind === 'exact' || found.kind === 'future') return found.commit.endLsn
  throw new StorageError('invalid-input', 'at.time is before the history kept of the ancestor timeline', {
    time: at.time,
  })
}
