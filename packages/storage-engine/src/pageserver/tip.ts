import { isStorageError } from '../base/errors.ts'
import { Lsn } from '../postgres/lsn.ts'
import type { AttachedTimeline } from './open-project.ts'

/**
 * The end of what is ingested, after waiting for everything known to be committed and for `atLeast`, which the caller
 * knows to be the end of all that was acknowledged. Less than `atLeast` comes back when that is not committed after all.
 */
export async function waitForTip({ timeline, receiver }: AttachedTimeline, atLeast: Lsn, waitMs: number): Promise<Lsn> {
  try {
    await timeline.waitForLsn(Lsn.max2(atLeast, receiver.knownCommitLsn), waitMs)
  } catch (error) {
    if (!isStorageError(error, 'unavailable')) throw error
  }
  return timeline.lastRecordLsn
}
