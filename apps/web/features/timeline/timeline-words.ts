import { formatExactTime } from '@tributary/ui/lib/format'
import type { Moment } from '@/domain/moment.ts'
import { formatLsn } from '@/lib/lsn.ts'
import type { Axis, Lane, MarkKind } from './timeline-model.ts'

/** Kinds of marks as the reader sees them; shape and colour both tell them apart. */
export const markWords: Record<MarkKind, { label: string; explanation: string }> = {
  BRANCH_POINT: { label: 'Branch point', explanation: 'another branch begins here' },
  SNAPSHOT: { label: 'Snapshot', explanation: 'a named moment that is kept' },
  FAILOVER: { label: 'Failover', explanation: 'a new compute took over with a higher term' },
  RESTORE: { label: 'Restore', explanation: 'the branch was set back to an earlier moment' },
  DDL: { label: 'Schema change', explanation: 'tables, indexes or types changed' },
  LARGE_TRANSACTION: { label: 'Large transaction', explanation: 'one transaction wrote much WAL' },
  COMPUTE_START: { label: 'Compute start', explanation: 'a compute started and took a new term' },
  CHECKPOINT: { label: 'Checkpoint', explanation: 'Postgres wrote a checkpoint record' },
}

export const markKinds = Object.keys(markWords) as MarkKind[]

/** A place on a lane that the reader picked: an LSN on the LSN axis, a moment on the time axis. */
export interface PickedPoint {
  readonly branchId: string
  readonly axis: Axis
  readonly position: number
}

export function pointMoment(point: PickedPoint): Moment {
  return point.axis === 'lsn'
    ? { kind: 'lsn', lsn: formatLsn(BigInt(Math.round(point.position))) }
    : { kind: 'time', time: new Date(point.position).toISOString() }
}

export function positionLabel(axis: Axis, position: number): string {
  return axis === 'lsn' ? formatLsn(BigInt(Math.round(position))) : formatExactTime(position)
}

/** A lane for those who cannot see it. */
export function laneDescription(lane: Lane, parentName: string | undefined): string {
  const origin = parentName ? `, branched from ${parentName}` : ''
  const marks = lane.marks.length === 1 ? '1 mark' : `${lane.marks.length} marks`
  return `${lane.name}${origin}, tip at ${lane.tipLsn}, ${marks}`
}
