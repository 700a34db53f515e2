import { isStorageError } from '@tributary/storage-engine/admin'
import type { App } from '../../app.ts'
import { storageIds } from '../../control-plane/compute-control.ts'
import type { Branch, Project } from '../../generated/prisma/client.ts'
import { compareLsn } from '../../shared/lsn-text.ts'
import { failure, invalid, notFound, type Result, success } from '../../shared/result.ts'
import { checkLsnInWindow, type PointInput, parsePoint } from './branch-rules.ts'

export interface HistoryWindow {
  readonly fromLsn: string
  readonly fromTime: Date | null
  readonly toLsn: string
  readonly toTime: Date | null
}

/** A point settled to an LSN, on the timeline it belongs to (a snapshot's may be an older one of the branch). */
export interface SettledPoint {
  readonly timelineId: string
  readonly lsn: string
  readonly time: Date | null
  readonly isTip: boolean
}

/** How far back a branch may be read: garbage collection never passes `fromLsn`. */
export async function historyWindow(app: App, branch: Branch & { project: Project }): Promise<HistoryWindow> {
  const { projectId, timelineId } = storageIds(branch.project, branch)
  const info = await app.storage.getTimeline(projectId, timelineId)
  const own = compareLsn(info.gcCutoffLsn, info.startLsn) > 0 ? info.gcCutoffLsn : info.startLsn
  // Below its branch point a branch shows its ancestors' history, as far as they keep it.
  let fromLsn = own
  let ancestor = info
  while (ancestor.ancestorTimelineId !== null && compareLsn(fromLsn, ancestor.startLsn) <= 0) {
    const parent = await app.storage.getTimeline(projectId, ancestor.ancestorTimelineId)
    const parentFrom = compareLsn(parent.gcCutoffLsn, parent.startLsn) > 0 ? parent.gcCutoffLsn : parent.startLsn
    if (compareLsn(parentFrom, fromLsn) >= 0) break
    fromLsn = parentFrom
    ancestor = parent
  }
  const { commitTime } = await app.storage.timeAtLsn(projectId, timelineId, fromLsn).catch(() => ({ commitTime: null }))
  return {
    fromLsn,
    fromTime: commitTime === null ? null : new Date(commitTime),
    toLsn: info.lastRecordLsn,
    toTime: info.lastCommitTime === null ? null : new Date(info.lastCommitTime),
  }
}

/** Checks a point that a person gave and settles it. Failures name `field`. */
export async function settlePoint(
  app: App,
  branch: Branch & { project: Project },
  input: PointInput | null | undefined,
  field = 'at',
): Promise<Result<SettledPoint>> {
  const parsed = parsePoint(field, input, Date.now())
  if (!parsed.ok) return parsed
  const point = parsed.value
  const { projectId, timelineId } = storageIds(branch.project, branch)
  try {
    switch (point.kind) {
      case 'tip': {
        const info = await app.storage.getTimeline(projectId, timelineId)
        const time = info.lastCommitTime === null ? null : new Date(info.lastCommitTime)
        return success({ timelineId, lsn: info.lastRecordLsn, time, isTip: true })
      }
      case 'snapshot': {
        const snapshot = await app.database.snapshot.findUnique({ where: { id: point.snapshotId } })
        if (!snapshot || snapshot.projectId !== branch.projectId) return notFound('snapshot')
        return success({ timelineId: snapshot.timelineId, lsn: snapshot.lsn, time: snapshot.time, isTip: false })
      }
      case 'lsn': {
        const checked = checkLsnInWindow(field, point.lsn, await historyWindow(app, branch))
        if (!checked.ok) return checked
        const { commitTime } = await app.storage.timeAtLsn(projectId, timelineId, point.lsn)
        return success({
          timelineId,
          lsn: point.lsn,
          time: commitTime === null ? null : new Date(commitTime),
          isTip: false,
        })
      }
      case 'time': {
        const found = await app.storage.lsnAtTime(projectId, timelineId, point.time)
        if (found.kind === 'past' || found.kind === 'no-commits')
          return invalid(field, `${point.time} lies before the history that is kept`)
        const time = found.commitTime === null ? new Date(point.time) : new Date(found.commitTime)
        return success({ timelineId, lsn: found.lsn, time, isTip: false })
      }
      default:
        return point satisfies never
    }
  } catch (error) {
    if (isStorageError(error, 'invalid-input')) return invalid(field, error.message)
    if (isStorageError(error, 'not-found'))
      return failure('CONFLICT', `the branch ${branch.name} has no history: it is ${branch.state}`)
    if (isStorageError(error, 'unavailable')) return failure('UNAVAILABLE', `storage does not answer: ${error.message}`)
    throw error
  }
}
