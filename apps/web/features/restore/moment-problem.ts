import type { Moment } from '../../domain/moment.ts'
import { parseLsn } from '../../lib/lsn.ts'

/** What of a branch can be gone back to: it shrinks from behind as history ends, and grows with every commit. */
export interface RestorableHistory {
  readonly fromLsn: string
  readonly fromTime: string | null
  readonly tipLsn: string
}

/** Why a branch cannot go back to this moment; undefined when it can. */
export function momentProblem(
  moment: Moment | undefined,
  resolvedLsn: string | undefined,
  { fromLsn, fromTime, tipLsn }: RestorableHistory,
  formatTime: (timeMs: number) => string,
): string | undefined {
  if (!moment || moment.kind === 'tip') return undefined
  const since = fromTime === null ? fromLsn : `${fromLsn}, ${formatTime(Date.parse(fromTime))}`
  const tooEarly = `This lies before the history that is kept, which begins at ${since}. Choose a later moment.`
  if (moment.kind === 'time' && fromTime !== null && Date.parse(moment.time) < Date.parse(fromTime)) return tooEarly
  const lsn = resolvedLsn === undefined ? undefined : parseLsn(resolvedLsn)
  if (lsn === undefined) return undefined
  if (lsn < (parseLsn(fromLsn) ?? 0n)) return tooEarly
  if (moment.kind === 'lsn' && lsn > (parseLsn(tipLsn) ?? lsn)) {
    return `This lies after the end of the branch, which is at ${tipLsn}. Choose an earlier LSN.`
  }
  return undefined
}
