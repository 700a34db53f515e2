import type { QueryMoment, QueryRequest } from '../admin/query-client.ts'
import { StorageError } from '../base/errors.ts'
import { TimelineId } from '../postgres/ids.ts'
import { Lsn } from '../postgres/lsn.ts'
import type { TableMoment } from './sql/moments.ts'
import type { StorageCalls } from './storage-calls.ts'

/** A timeline at an LSN. */
export interface Moment {
  readonly timelineId: TimelineId
  readonly lsn: Lsn
  readonly commitTime: string | null
  /** Committed WAL after the LSN when the query arrived. */
  readonly lagBytes: number
}

/** Garbage collection leaves the moments of a query alone for so long, or until `release`. The id is the query's own. */
export interface ReadHoldOptions {
  readonly id: string
  readonly seconds: number
}

/** Turns what a request says of moments into LSNs; the same words mean the same moment throughout one query. */
export class MomentResolver {
  readonly #storage: StorageCalls
  readonly #request: QueryRequest
  readonly #tips = new Map<TimelineId, Promise<Lsn>>()
  readonly #moments = new Map<string, Promise<Moment>>()
  readonly #holdOptions: ReadHoldOptions
  readonly #holds: { readonly timelineId: TimelineId; readonly holdId: string }[] = []

  constructor(storage: StorageCalls, request: QueryRequest, hold: ReadHoldOptions) {
    this.#storage = storage
    this.#request = request
    this.#holdOptions = hold
  }

  /** Gives all moments back to garbage collection. */
  async release(): Promise<void> {
    const { projectId } = this.#request
    await Promise.all(
      this.#holds.splice(0).map(({ timelineId, holdId }) => {
        // What is not released ends by itself.
        return this.#storage.admin.releaseReads(projectId, timelineId, holdId).catch(() => undefined)
      }),
    )
  }

  /** An AT clause: what it leaves out is the request's own. */
  async resolveAt(moment: TableMoment): Promise<Moment> {
    const timelineId = moment.branch === undefined ? this.#request.timelineId : this.#timelineOf(moment.branch)
    const isSameBranch = timelineId === this.#request.timelineId
    if (moment.lsn !== undefined) return this.resolve(timelineId, { lsn: moment.lsn })
    if (moment.time !== undefined) return this.resolve(timelineId, { time: moment.time })
    return this.resolve(timelineId, isSameBranch ? this.#request.at : undefined)
  }

  /** Throws `not-found` for what is older than the history kept, `invalid-input` for an LSN that is not committed. */
  resolve(timelineId: TimelineId, at: QueryMoment | undefined): Promise<Moment> {
    const key = `${timelineId} ${JSON.stringify(at ?? null)}`
    let moment = this.#moments.get(key)
    if (!moment) {
      moment = this.#resolve(timelineId, at)
      this.#moments.set(key, moment)
    }
    return moment
  }

  async #resolve(timelineId: TimelineId, at: QueryMoment | undefined): Promise<Moment> {
    const tip = await this.#tip(timelineId)
    const lsn =
      at === undefined ? tip : 'lsn' in at ? this.#lsn(at.lsn, tip) : await this.#lsnAt(timelineId, at.time, tip)
    const { projectId } = this.#request
    const [{ commitTime }] = await Promise.all([
      this.#storage.admin.timeAtLsn(projectId, timelineId, Lsn.format(lsn)),
      this.#hold(timelineId, lsn, at !== undefined),
    ])
    return { timelineId, lsn, commitTime, lagBytes: tip - lsn }
  }

  #tip(timelineId: TimelineId): Promise<Lsn> {
    let tip = this.#tips.get(timelineId)
    if (!tip) {
      tip = this.#storage.tip(this.#request.projectId, timelineId)
      this.#tips.set(timelineId, tip)
    }
    return tip
  }

  #lsn(text: string, tip: Lsn): Lsn {
    const lsn = Lsn.parse(text)
    if (lsn > tip) {
      const fields = { lsn: text, endLsn: Lsn.format(tip) }
      throw new StorageError('invalid-input', 'lsn is beyond the end of the committed wal', fields)
    }
    return lsn
  }

  async #lsnAt(timelineId: TimelineId, time: string, tip: Lsn): Promise<Lsn> {
    const found = await this.#storage.admin.lsnAtTime(this.#request.projectId, timelineId, isoTime(time))
    if (found.kind === 'past') throw new StorageError('not-found', 'time is before the history kept', { time })
    return Lsn.min(Lsn.parse(found.lsn), tip)
  }

  /** Throws `not-found` when the LSN is not kept any more, or lies before the history. */
  async #hold(timelineId: TimelineId, lsn: Lsn, isPast: boolean): Promise<void> {
    const { id, seconds } = this.#holdOptions
    const holdId = `${id}.${this.#holds.length}`
    this.#holds.push({ timelineId, holdId })
    const { projectId } = this.#request
    const held = this.#storage.admin.holdReads({ projectId, timelineId, holdId, lsn: Lsn.format(lsn), seconds })
    const [grant, kept] = await Promise.allSettled([held, isPast ? this.#requireKept(timelineId, lsn) : undefined])
    // It names the oldest LSN, where that is the reason.
    if (kept.status === 'rejected') throw kept.reason
    if (grant.status === 'rejected') throw grant.reason
  }

  async #requireKept(timelineId: TimelineId, lsn: Lsn): Promise<void> {
    const info = await this.#storage.admin.getTimeline(this.#request.projectId, timelineId)
    const startLsn = Lsn.parse(info.startLsn)
    if (lsn < startLsn && info.ancestorTimelineId !== null) return this.#requireKept(info.ancestorTimelineId, lsn)
    const cutoff = Lsn.max2(Lsn.parse(info.gcCutoffLsn), startLsn)
    if (lsn < cutoff) {
      const fields = { lsn: Lsn.format(lsn), oldestLsn: Lsn.format(cutoff) }
      throw new StorageError('not-found', 'lsn is older than the history kept', fields)
    }
  }

  #timelineOf(branch: string): TimelineId {
    const { branches } = this.#request
    if (branches && Object.hasOwn(branches, branch)) return branches[branch]!
    if (/^[0-9a-f]{32}$/.test(branch)) return TimelineId.parse(branch)
    throw new StorageError('not-found', 'no such branch', { branch })
  }
}

/** ISO 8601, with a blank for the T and UTC where no zone is given. */
function isoTime(text: string): string {
  const time = text.trim().replace(/^(\d{4}-\d{2}-\d{2}) (?=\d)/, '$1T')
  if (/^\d{4}-\d{2}-\d{2}$/.test(time)) return `${time}T00:00:00Z`
  return /(Z|[+-]\d{2}(:?\d{2})?)$/i.test(time.slice(11)) ? time.replace(/([+-]\d{2})$/, '$1:00') : `${time}Z`
}
