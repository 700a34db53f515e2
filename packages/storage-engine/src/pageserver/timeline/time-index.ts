import { isStorageError } from '../../base/errors.ts'
import { Lsn } from '../../postgres/lsn.ts'
import { type CommitPoint, decodeCommitJournal, timeMaxBefore } from '../ingest/commit-journal.ts'
import { encodeKey, KeyKind } from '../key.ts'
import type { TimelineStorage } from './timeline-storage.ts'

const JOURNAL_KEY = encodeKey({ kind: KeyKind.commitJournal })

export type TimeLookup =
  | { readonly kind: 'exact' | 'future'; readonly commit: CommitPoint }
  /** `time` is before the first commit that is kept. */
  | { readonly kind: 'past' }
  | { readonly kind: 'no-commits' }

/** The last commit that ends at or before `lsn`; undefined when the history kept holds none. */
export async function commitAtOrBefore(storage: TimelineStorage, lsn: Lsn): Promise<CommitPoint | undefined> {
  const journal = await journalAt(storage, lsn)
  return journal && decodeCommitJournal(journal).findLast((commit) => commit.endLsn <= lsn)
}

/**
 * The last commit before the first one whose time is after `time` (microseconds since 2000): everything up to it happened
 * at or before `time`, also when clocks went back. Looks between the GC cutoff and `tipLsn`, in about log2 of the WAL's
 * length lookups at worst; far fewer, as each one rules out a whole batch.
 */
export async function findCommitAtTime(storage: TimelineStorage, tipLsn: Lsn, time: number): Promise<TimeLookup> {
  const tip = await commitAtOrBefore(storage, tipLsn)
  if (!tip) return { kind: 'no-commits' }
  if (tip.timeMax <= time) return { kind: 'future', commit: tip }

  // Invariant: the first commit after `time` ends in (lowLsn, highLsn].
  let lowLsn = Lsn.of(Math.max(storage.gcCutoffLsn, 1) - 1)
  let highLsn = tip.endLsn
  for (;;) {
    const middleLsn = Lsn.of(lowLsn + Math.ceil((highLsn - lowLsn) / 2))
    const journal = middleLsn < storage.gcCutoffLsn ? undefined : await journalAt(storage, middleLsn)
    if (!journal) {
      if (middleLsn >= highLsn) return { kind: 'past' }
      lowLsn = middleLsn
      continue
    }
    const commits = decodeCommitJournal(journal)
    const first = commits[0]!
    const last = commits.at(-1)!
    if (timeMaxBefore(journal) > time) {
      highLsn = Lsn.of(first.endLsn - 1)
      if (highLsn <= lowLsn) return { kind: 'past' }
      continue
    }
    if (last.timeMax <= time) {
      lowLsn = Lsn.max2(middleLsn, last.endLsn)
      continue
    }
    const index = commits.findIndex((commit) => commit.timeMax > time)
    const found = index > 0 ? commits[index - 1] : await commitBefore(storage, first.endLsn)
    return found ? { kind: 'exact', commit: found } : { kind: 'past' }
  }
}

function commitBefore(storage: TimelineStorage, endLsn: Lsn): Promise<CommitPoint | undefined> {
  const lsn = Lsn.of(endLsn - 1)
  return lsn < storage.gcCutoffLsn ? Promise.resolve(undefined) : commitAtOrBefore(storage, lsn)
}

async function journalAt(storage: TimelineStorage, lsn: Lsn): Promise<Uint8Array | undefined> {
  try {
    const [chain] = await storage.collect(JOURNAL_KEY, 1, lsn)
    return chain?.values[0]
  } catch (error) {
    // The cutoff has moved past the LSN since the caller looked.
    if (isStorageError(error, 'not-found') && lsn < storage.gcCutoffLsn) return undefined
    throw error
  }
}
