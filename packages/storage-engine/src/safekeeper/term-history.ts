import { assert } from '../base/assert.ts'
import { Lsn } from '../postgres/lsn.ts'
import type { TermHistory } from '../protocol/safekeeper-messages.ts'

/**
 * The list of (term, LSN where that term begins) that stands in for a term stamp on every record. Ascending; begins with
 * (0, start of the timeline), so that two histories of one timeline always share a point.
 */
export function initialHistory(startLsn: Lsn): TermHistory {
  return [{ term: 0, lsn: startLsn }]
}

/**
 * The entries that begin at or before `lsn`. An entry that begins exactly there counts: an elected leader's reign starts
 * with an entry of length zero, and a log that has adopted it is newer than one that has not.
 */
export function historyUpTo(history: TermHistory, lsn: Lsn): TermHistory {
  let length = history.length
  while (length > 0 && history[length - 1]!.lsn > lsn) length--
  return length === history.length ? history : history.slice(0, length)
}

/** Term of the log that ends at `flushLsn`: the last entry of the history cut there. */
export function lastLogTerm(history: TermHistory, flushLsn: Lsn): number {
  return historyUpTo(history, flushLsn).at(-1)?.term ?? 0
}

/** What a new leader's history is: its donor's, cut at the donor's end, and its own reign from there. */
export function historyOfLeader(donorHistory: TermHistory, donorFlushLsn: Lsn, term: number): TermHistory {
  return [...historyUpTo(donorHistory, donorFlushLsn), { term, lsn: donorFlushLsn }]
}

/**
 * The LSN up to which the log of a SafeKeeper (its history, its end) equals that of a leader (whose history has no end):
 * find_highest_common_point of Neon's safekeeper.rs. Undefined when one term begins at two LSNs in the two histories, or
 * when they share no entry: such logs are not of one timeline.
 */
export function highestCommonPoint(leader: TermHistory, own: TermHistory, flushLsn: Lsn): Lsn | undefined {
  const cut = historyUpTo(own, flushLsn)
  let last = -1
  while (last + 1 < leader.length && last + 1 < cut.length && leader[last + 1]!.term === cut[last + 1]!.term) {
    if (leader[last + 1]!.lsn !== cut[last + 1]!.lsn) return undefined
    last++
  }
  if (last < 0) return undefined
  const leaderNext = leader[last + 1]
  const ownEnd = cut[last + 1]?.lsn ?? flushLsn
  return leaderNext === undefined ? ownEnd : Lsn.min(leaderNext.lsn, ownEnd)
}

/** Both LSNs and terms ascend, and the first entry is the timeline's start. */
export function assertHistory(history: TermHistory): void {
  assert(history.length > 0, 'empty term history')
  for (let i = 1; i < history.length; i++) {
    assert(history[i]!.term > history[i - 1]!.term, 'terms of a history ascend')
    assert(history[i]!.lsn >= history[i - 1]!.lsn, 'lsns of a history ascend')
  }
}
