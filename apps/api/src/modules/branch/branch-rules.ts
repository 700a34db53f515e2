import { isLsnText, lsnText, lsnValue } from '../../shared/lsn-text.ts'
import { failure, invalid, type Result, success } from '../../shared/result.ts'

const EXPIRY_MS_MAX = 30 * 24 * 3600 * 1000

/** A point of a branch's history. Nothing given = its tip. */
export interface PointInput {
  readonly lsn?: string | null | undefined
  readonly time?: string | null | undefined
  readonly snapshotId?: string | null | undefined
}

export type Point =
  | { readonly kind: 'tip' }
  | { readonly kind: 'lsn'; readonly lsn: string }
  | { readonly kind: 'time'; readonly time: string }
  | { readonly kind: 'snapshot'; readonly snapshotId: string }

export function parsePoint(field: string, input: PointInput | null | undefined, nowMs: number): Result<Point> {
  const { lsn, time, snapshotId } = input ?? {}
  const given = [lsn, time, snapshotId].filter((value) => value !== null && value !== undefined)
  if (given.length === 0) return success({ kind: 'tip' })
  if (given.length > 1) return invalid(field, 'give one of lsn, time and snapshotId')
  if (typeof lsn === 'string') {
    if (!isLsnText(lsn)) return invalid(field, `not an LSN: ${lsn.slice(0, 64)}`)
    return success({ kind: 'lsn', lsn: lsnText(lsnValue(lsn)) })
  }
  if (typeof time === 'string') {
    const ms = Date.parse(time)
    if (Number.isNaN(ms)) return invalid(field, `not a time: ${time.slice(0, 64)}`)
    if (ms > nowMs) return invalid(field, 'the time lies in the future')
    return success({ kind: 'time', time: new Date(ms).toISOString() })
  }
  return success({ kind: 'snapshot', snapshotId: snapshotId ?? '' })
}

/** An LSN of a branch must lie in the history that is kept, and not after its end. */
export function checkLsnInWindow(
  field: string,
  lsn: string,
  window: { fromLsn: string; toLsn: string },
): Result<string> {
  if (lsnValue(lsn) > lsnValue(window.toLsn))
    return invalid(field, `${lsn} lies after the end of the branch, ${window.toLsn}`)
  if (lsnValue(lsn) < lsnValue(window.fromLsn))
    return invalid(field, `${lsn} lies before the history that is kept, which begins at ${window.fromLsn}`)
  return success(lsn)
}

export interface BranchView {
  readonly id: string
  readonly name: string
  readonly isProtected: boolean
  readonly isDefault: boolean
  readonly childCount: number
}

/** Null: may be deleted. */
export function deletionRefusal(branch: BranchView, reparentChildren: boolean): Result<null> {
  if (branch.isDefault)
    return failure('PROTECTED', 'the default branch cannot be deleted; make another one the default first')
  if (branch.isProtected) return failure('PROTECTED', 'the branch is protected')
  if (branch.childCount > 0 && !reparentChildren)
    return failure(
      'HAS_CHILDREN',
      `${branch.childCount} branches descend from it; delete them first, or have them re-parented`,
    )
  return success(null)
}

export function checkExpiry(branch: BranchView, expiresAt: Date, nowMs: number): Result<Date> {
  if (branch.isDefault || branch.isProtected)
    return failure('PROTECTED', 'expiresAt: a default or protected branch does not expire', 'expiresAt')
  if (branch.childCount > 0)
    return failure('HAS_CHILDREN', 'expiresAt: a branch with children does not expire', 'expiresAt')
  if (Number.isNaN(expiresAt.getTime())) return invalid('expiresAt', 'not a time')
  if (expiresAt.getTime() <= nowMs) return invalid('expiresAt', 'must lie in the future')
  if (expiresAt.getTime() - nowMs > EXPIRY_MS_MAX) return invalid('expiresAt', 'must be at most 30 days ahead')
  return success(expiresAt)
}

/** The name under which a restore keeps the old state: `main_old_2026-11-25T10:20:30Z`. */
export function keptName(name: string, now: Date): string {
  const suffix = `_old_${now.toISOString().replace(/\.\d+Z$/, 'Z')}`
  return `${[...name].slice(0, 256 - suffix.length).join('')}${suffix}`
}
