import type { App } from '../app.ts'
import type { Branch, Project } from '../generated/prisma/client.ts'
import { settlePoint } from '../modules/branch/branch-point.ts'
import { failure, notFound, type Result, success } from '../shared/result.ts'
import type { PostgresAddress } from './compute-control.ts'
import type { ReadOnlyComputes } from './read-only-computes.ts'

const PREFIX = 'at:'
const KEYS_MAX = 1000

interface Moment {
  readonly branchId: string
  readonly timelineId: string
  readonly lsn: string
  address: PostgresAddress | null
}

/** Connections of Postgres clients that ask for a branch at a moment: the proxy names each by a key we give it here. */
export class TimeTravelConnections {
  readonly #app: App
  readonly #computes: ReadOnlyComputes
  readonly #moments = new Map<string, Moment>()

  constructor(app: App, computes: ReadOnlyComputes) {
    this.#app = app
    this.#computes = computes
  }

  isKey(endpointId: string): boolean {
    return endpointId.startsWith(PREFIX)
  }

  async settle(
    branch: Branch & { project: Project },
    at: { lsn?: string | undefined; time?: string | undefined },
  ): Promise<Result<string>> {
    const settled = await settlePoint(this.#app, branch, at)
    if (!settled.ok) return settled
    const { timelineId, lsn } = settled.value
    const key = `${PREFIX}${branch.id}:${timelineId}@${lsn}`
    if (this.#moments.size >= KEYS_MAX) {
      const [oldest] = this.#moments.keys()
      if (oldest !== undefined) this.#moments.delete(oldest)
    }
    if (!this.#moments.has(key)) this.#moments.set(key, { branchId: branch.id, timelineId, lsn, address: null })
    return success(key)
  }

  async open(key: string): Promise<Result<PostgresAddress>> {
    const moment = this.#moments.get(key)
    if (!moment) return notFound('endpoint')
    const branch = await this.#app.database.branch.findUnique({
      where: { id: moment.branchId },
      include: { project: true },
    })
    if (!branch) return notFound('endpoint')
    if (branch.project.deletedAt) return failure('NOT_FOUND', 'endpoint not found')
    const opened = await this.#computes.use(branch.project, moment.timelineId, moment.lsn, async (address) => address)
    if (opened.ok) moment.address = opened.value
    return opened
  }

  touch(key: string): void {
    const moment = this.#moments.get(key)
    if (moment) this.#computes.touch(`${moment.timelineId}@${moment.lsn}`)
  }

  addressOf(key: string): PostgresAddress | null {
    return this.#moments.get(key)?.address ?? null
  }
}
