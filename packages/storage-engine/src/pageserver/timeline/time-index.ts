import { isStorageError } from '../../base/errors.ts'
import { Lsn } from '../../postgres/lsn.ts'
import { type CommitPoint, decodeCommitJournal, timeMaxBefore } from '../ingest/commit-journal.ts'
import { encodeKey, KeyKind } from '../key.ts'
import { lineEndAbove, type TimelineStorage, type ValueChain } from './timeline-storage.ts'

const JOURNAL_KEY = encodeKey({ kind: KeyKind.commitJournal })

export type TimeLookup =
  | { readonly kind: 'exact' | 'future'; readonly commit: CommitPoint }
  /** `time` is before the first commit that is kept. */
  | { readonly kind: 'past' }
  | { readonly kind: 'no-commits' }

/** The last commit that ends at or before `lsn`; undefined when the history kept holds none. */
export async function commitAtOrBefore(storage: TimelineStorage, lsn: Lsn): Promise<CommitPoint | undefined> {
  const journal = await journalAt(storage, lsn)
  return journal?.commits.findLast((commit) => commit.endLsn <= lsn)
}

/**
 * The last commit before the first one whose time is after `time` (microseconds since 2000): everything up to it happened
 * at or before `time`, also when clocks went back. Looks between the GC cutoff and `tipLsn`, in about log2 of the WAL's
 * length lookups at worst; far fewer, as each one rules out a whole batch.
 */
export async function findCommitAtTime(
  storage: TimelineStorage,
  tipLsn: Lsn,
  time: number,
  /** End of a commit that is known to be at or before `time`: looks above it alone, and says `past` when it is the last. */
  aboveLsn?: Lsn,
): Promise<TimeLookup> {
  const tip = await commitAtOrBefore(storage, tipLsn)
  if (!tip) return { kind: 'no-commits' }
  if (tip.timeMax <= time) return { kind: 'future', commit: tip }

  // Invariant: the first commit after `time` ends in (lowLsn, highLsn].
  let lowLsn = aboveLsn ?? Lsn.of(Math.max(storage.gcCutoffLsn, 1) - 1)
  let highLsn = tip.endLsn
  for (;;) {
    const middleLsn = Lsn.of(lowLsn + Math.ceil((highLsn - lowLsn) / 2))
    const journal = middleLsn < storage.gcCutoffLsn ? undefined : await journalAt(storage, middleLsn)
    if (!journal) {
      if (middleLsn >= highLsn) return { kind: 'past' }
      lowLsn = middleLsn
      continue
    }
    const { commits } = journal
    const first = commits[0]!
    const last = commits.at(-1)!
    if (journal.timeMaxBefore > time) {
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

/** The first commit that is kept, at or below `tipLsn`; where the history begins inside a batch, the one before it. */
export async function firstCommit(storage: TimelineStorage, tipLsn: Lsn): Promise<CommitPoint | undefined> {
  // Invariant: nothing is known at lowLsn, something is at highLsn.
  let lowLsn = Lsn.of(Math.max(storage.gcCutoffLsn, 1) - 1)
  let highLsn = tipLsn
  let found: CommitPoint | undefined
  while (highLsn > lowLsn) {
    const middleLsn = Lsn.of(lowLsn + Math.ceil((highLsn - lowLsn) / 2))
    const journal = middleLsn < storage.gcCutoffLsn ? undefined : await journalAt(storage, middleLsn)
    if (!journal) {
      lowLsn = middleLsn
      if (lowLsn >= highLsn) break
      continue
    }
    const { commits } = journal
    found = commits[0]
    highLsn = Lsn.of(Math.min(middleLsn, commits[0]!.endLsn) - 1)
  }
  return found
}

function commitBefore(storage: TimelineStorage, endLsn: Lsn): Promise<CommitPoint | undefined> {
  const lsn = Lsn.of(endLsn - 1)
  return lsn < storage.gcCutoffLsn ? Promise.resolve(undefined) : commitAtOrBefore(storage, lsn)
}

/** The commits of one batch, as far as they are in this line's history: at least one. */
interface JournalEntry {
  readonly commits: readonly CommitPoint[]
  readonly timeMaxBefore: number
}

async function journalAt(storage: TimelineStorage, lsn: Lsn): Promise<JournalEntry | undefined> {
  const chain = await chainAt(storage, lsn)
  const value = chain?.values[0]
  if (!chain || !value) return undefined
  const endLsn = lineEndAbove(storage, chain.lsns[0]!)
  const commits = decodeCommitJournal(value)
  const own = commits.at(-1)!.endLsn <= endLsn ? commits : commits.filter((commit) => commit.endLsn <= endLsn)
  return own.length === 0 ? undefined : { commits: own, timeMaxBefore: timeMaxBefore(value) }
}

async function chainAt(storage: TimelineStorage, lsn: Lsn): Promise<ValueChain | undefined> {
  try {
    const [chain] = await storage.collect(JOURNAL_KEY, 1, lsn)
    return chain
  } catch (error) {
    // The cutoff has moved past the LSN since the caller looked.
    if (isStorageError(error, 'not-found') && lsn < storage.gcCutoffLsn) return undefined
    throw error
  }
}
