import { isStorageError, StorageError } from '../base/errors.ts'
import { Lsn } from '../postgres/lsn.ts'
import type { AttachedTimeline } from './open-project.ts'

/** SafeKeepers report a commit within this time: an LSN that is committed now is known by then. */
const REPORT_MS_MAX = 2_000

/**
 * Waits until `lsn` is ingested. Refuses with `invalid-input` as soon as it is plain that no such WAL is committed, and
 * with `unavailable` when it is, or when too few SafeKeepers can be asked, but not ingested within `waitMs`.
 */
export async function waitForCommittedLsn(
  attached: AttachedTimeline,
  lsn: Lsn,
  options: { readonly waitMs: number; readonly safekeepersKnown: () => boolean; readonly signal?: AbortSignal },
): Promise<void> {
  const { timeline, receiver } = attached
  const { waitMs, safekeepersKnown, signal } = options
  const isBeyondEnd = () => safekeepersKnown() && lsn > receiver.knownCommitLsn
  if (lsn <= timeline.lastRecordLsn || !isBeyondEnd()) return timeline.waitForLsn(lsn, waitMs, signal)
  const firstMs = Math.min(waitMs, REPORT_MS_MAX)
  try {
    await timeline.waitForLsn(lsn, firstMs, signal)
  } catch (error) {
    if (!isStorageError(error, 'unavailable')) throw error
    if (!isBeyondEnd()) return timeline.waitForLsn(lsn, waitMs - firstMs, signal)
    const endLsn = Lsn.max2(receiver.knownCommitLsn, timeline.lastRecordLsn)
    const fields = { lsn: Lsn.format(lsn), endLsn: Lsn.format(endLsn) }
    throw new StorageError('invalid-input', 'lsn: beyond the end of the committed wal', fields)
  }
}
