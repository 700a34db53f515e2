import type { Lsn } from '../postgres/lsn.ts'

/** More than half. */
export function majorityOf(memberCount: number): number {
  return Math.floor(memberCount / 2) + 1
}

/** The greatest LSN that a majority of the members has reached; a member that does not count gives -1. Undefined: none. */
export function quorumLsn(memberLsns: readonly number[]): Lsn | undefined {
  const descending = [...memberLsns].sort((a, b) => b - a)
  const lsn = descending[majorityOf(memberLsns.length) - 1]
  return lsn === undefined || lsn < 0 ? undefined : (lsn as Lsn)
}
