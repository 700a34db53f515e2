import type { App } from '../app.ts'
import type { Branch, Project } from '../generated/prisma/client.ts'
import { settlePoint } from '../modules/branch/branch-point.ts'
import { notFound, type Result, success } from '../shared/result.ts'
import type { PostgresAddress } from './compute-control.ts'
import type { ReadOnlyComputes } from './read-only-computes.ts'

interface Moment {
  readonly branchId: string
  readonly timelineId: string
  readonly lsn: string
}

const KEY = /^at:([\w-]{1,64}):([0-9a-f]{32})@([0-9A-F]{1,8}\/[0-9A-F]{1,8})$/

/**
 * Connections of Postgres clients that ask for a branch at a moment: the proxy names each by a key we give it here. The key
 * says all of it, so that nothing is kept for those who never prove a password.
 */
export class TimeTravelConnections {
  readonly #app: App
  readonly #computes: ReadOnlyComputes

  constructor(app: App, computes: ReadOnlyComputes) {
    this.#app = app
    this.#computes = computes
  }

  isKey(endpointId: string): boolean {
    return momentOf(endpointId) !== null
  }

  async settle(
    branch: Branch & { project: Project },
    at: { lsn?: string | undefined; time?: string | undefined },
  ): Promise<Result<string>> {
    const settled = await settlePoint(this.#app, branch, at)
    if (!settled.ok) return settled
    const { timelineId, lsn } = settled.value
    return success(`at:${branch.id}:${timelineId}@${lsn}`)
  }

  async open(key: string): Promise<Result<PostgresAddress>> {
    const moment = momentOf(key)
    if (!moment) return notFound('endpoint')
    const { branchId, timelineId, lsn } = moment
    const branch = await this.#app.database.branch.findUnique({ where: { id: branchId }, include: { project: true } })
    if (!branch || branch.project.deletedAt) return notFound('endpoint')
    const opened = await this.#computes.use(branch.project, timelineId, lsn, async (address) => address)
    this.#computes.hold(timelineId, lsn)
    return opened
  }

  /** Sessions of the proxy go on there. */
  touch(key: string): void {
    const moment = momentOf(key)
    if (moment) this.#computes.hold(moment.timelineId, moment.lsn)
  }

  addressOf(key: string): PostgresAddress | null {
    const moment = momentOf(key)
    return moment && this.#computes.addressOf(moment.timelineId, moment.lsn)
  }
}

function momentOf(key: string): Moment | null {
  const [, branchId, timelineId, lsn] = KEY.exec(key) ?? []
  return branchId && timelineId && lsn ? { branchId, timelineId, lsn } : null
}
