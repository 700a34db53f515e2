import { errorText, isStorageError } from '@tributary/storage-engine/admin'
import type { App } from '../../app.ts'
import { storageIds } from '../../control-plane/compute-control.ts'
import type { Branch, Project } from '../../generated/prisma/client.ts'
import { compareLsn } from '../../shared/lsn-text.ts'

export type TimelineEventKind =
  | 'DDL'
  | 'LARGE_TRANSACTION'
  | 'CHECKPOINT'
  | 'COMPUTE_START'
  | 'FAILOVER'
  | 'BRANCH_POINT'
  | 'SNAPSHOT'
  | 'RESTORE'

export interface TimelineEvent {
  readonly kind: TimelineEventKind
  readonly lsn: string
  readonly time: Date | null
  readonly summary: string
  readonly sizeBytes: bigint | null
  readonly relatedId: string | null
}

export interface TimelineLane {
  readonly branch: Branch
  readonly startLsn: string
  readonly tipLsn: string
  readonly startTime: Date | null
  readonly tipTime: Date | null
  readonly parentBranchId: string | null
  readonly parentLsn: string | null
  readonly events: TimelineEvent[]
}

export interface Timeline {
  readonly fromLsn: string
  readonly toLsn: string
  readonly fromTime: Date | null
  readonly toTime: Date | null
  readonly lanes: TimelineLane[]
}

/** Marks of one lane, and lanes of one picture. */
const EVENTS_MAX = 400
const LANES_MAX = 500
/** Calls to storage at one time. */
const CONCURRENCY = 8

const kindByEngine = {
  ddl: 'DDL',
  'large-transaction': 'LARGE_TRANSACTION',
  checkpoint: 'CHECKPOINT',
  // Each start takes a new term; which of them was a failover, the reports of failovers know.
  term: 'COMPUTE_START',
} as const

/** The tree of a project's branches on the common axis of LSNs, with what happened on each. */
export class TimelineService {
  readonly #app: App

  constructor(app: App) {
    this.#app = app
  }

  /** The caller has checked the project. */
  async of(
    project: Project,
    range: { from?: string | null | undefined; to?: string | null | undefined },
  ): Promise<Timeline> {
    const { database, storage } = this.#app
    const { projectId } = storageIds(project, { timelineId: project.storageId })
    const [branches, snapshots, failovers, restores, timelines] = await Promise.all([
      database.branch.findMany({ where: { projectId: project.id }, orderBy: { createdAt: 'asc' }, take: LANES_MAX }),
      database.snapshot.findMany({ where: { projectId: project.id } }),
      database.failoverReport.findMany({
        where: { projectId: project.id },
        orderBy: { requestedAt: 'desc' },
        take: EVENTS_MAX,
      }),
      database.branch.findMany({ where: { projectId: project.id, lastResetAt: { not: null } } }),
      storage.listTimelines(projectId),
    ])
    const infoOf = new Map(timelines.map((info) => [info.timelineId as string, info]))
    const within = (lsn: string) =>
      (!range.from || compareLsn(lsn, range.from) >= 0) && (!range.to || compareLsn(lsn, range.to) <= 0)

    const lanes = await mapLimited(branches, CONCURRENCY, async (branch): Promise<TimelineLane> => {
      const info = infoOf.get(branch.timelineId)
      const startLsn = info?.startLsn ?? branch.parentLsn ?? branch.tipLsn ?? '0/0'
      const tipLsn = info?.lastRecordLsn ?? branch.tipLsn ?? startLsn
      const events = [
        ...(await this.#engineEvents(project, branch, startLsn, range)),
        ...branches
          .filter((child) => child.parentId === branch.id && child.parentLsn !== null)
          .map((child) =>
            markOf('BRANCH_POINT', child.parentLsn ?? '0/0', child.parentTime, `branch ${child.name}`, child.id),
          ),
        ...snapshots
          .filter((snapshot) => snapshot.branchId === branch.id)
          .map((snapshot) => markOf('SNAPSHOT', snapshot.lsn, snapshot.time, `snapshot ${snapshot.name}`, snapshot.id)),
        ...failovers
          .filter((report) => report.branchId === branch.id && report.lsn !== null)
          .map((report) =>
            markOf(
              'FAILOVER',
              report.lsn ?? '0/0',
              report.requestedAt,
              `${report.cause}: ${Math.round(report.rtoMs)} ms`,
              report.id,
            ),
          ),
        ...restores
          .filter((restored) => restored.id === branch.id && restored.parentLsn !== null)
          .map((restored) =>
            markOf(
              'RESTORE',
              restored.parentLsn ?? '0/0',
              restored.lastResetAt,
              `restored ${restored.name}`,
              restored.id,
            ),
          ),
      ].filter(({ lsn }) => within(lsn))
      events.sort((left, right) => compareLsn(left.lsn, right.lsn))
      return {
        branch,
        startLsn,
        tipLsn,
        startTime: branch.parentTime ?? branch.createdAt,
        tipTime: info?.lastCommitTime ? new Date(info.lastCommitTime) : branch.tipCommitTime,
        parentBranchId: branch.parentId,
        parentLsn: branch.parentLsn,
        events: events.slice(-EVENTS_MAX),
      }
    })

    const starts = lanes.map((lane) => lane.startLsn).sort(compareLsn)
    const tips = lanes.map((lane) => lane.tipLsn).sort(compareLsn)
    const times = lanes.flatMap((lane) => (lane.tipTime ? [lane.tipTime] : []))
    return {
      fromLsn: range.from ?? starts[0] ?? '0/0',
      toLsn: range.to ?? tips.at(-1) ?? '0/0',
      fromTime: lanes[0]?.startTime ?? null,
      toTime: times.length === 0 ? null : new Date(Math.max(...times.map((time) => time.getTime()))),
      lanes,
    }
  }

  /** Marks the PageServer noted at ingest, of the branch's own WAL. */
  async #engineEvents(
    project: Project,
    branch: Branch,
    startLsn: string,
    range: { from?: string | null | undefined; to?: string | null | undefined },
  ): Promise<TimelineEvent[]> {
    const fromLsn = range.from && compareLsn(range.from, startLsn) > 0 ? range.from : startLsn
    try {
      const events = await this.#app.storage.timelineEvents({
        ...storageIds(project, branch),
        fromLsn,
        ...(range.to ? { toLsn: range.to } : {}),
        limit: EVENTS_MAX,
      })
      return events
        .filter((event) => compareLsn(event.lsn, startLsn) > 0)
        .map((event) => ({
          kind: kindByEngine[event.kind],
          lsn: event.lsn,
          time: event.time === null ? null : new Date(event.time),
          summary: event.summary,
          sizeBytes: event.sizeBytes === undefined ? null : BigInt(event.sizeBytes),
          relatedId: null,
        }))
    } catch (error) {
      if (!isStorageError(error)) throw error
      this.#app.log.debug({ branchId: branch.id, error: errorText(error) }, 'no marks of a timeline')
      return []
    }
  }
}

function markOf(
  kind: TimelineEventKind,
  lsn: string,
  time: Date | null,
  summary: string,
  relatedId: string,
): TimelineEvent {
  return { kind, lsn, time, summary, sizeBytes: null, relatedId }
}

/** As Promise.all over `map`, with at most `limit` at work. */
export async function mapLimited<In, Out>(
  items: readonly In[],
  limit: number,
  work: (item: In) => Promise<Out>,
): Promise<Out[]> {
  const results: Out[] = new Array(items.length)
  let next = 0
  const runners = Array.from({ length: Math.min(limit, items.length) }, async () => {
    while (next < items.length) {
      const index = next++
      results[index] = await work(items[index]!)
    }
  })
  await Promise.all(runners)
  return results
}
