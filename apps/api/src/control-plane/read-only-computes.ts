import { isStorageError } from '@tributary/storage-engine/admin'
import type { App } from '../app.ts'
import type { Project } from '../generated/prisma/client.ts'
import { newComputeId } from '../shared/ids.ts'
import { failure, type Result, success } from '../shared/result.ts'
import { addressOf, type PostgresAddress, storageIds, superuserPassword } from './compute-control.ts'

/** Kept this long after its last use. */
const IDLE_MS_MAX = 30_000
/** At one time: 4 Postgres servers of the smallest size. */
const COMPUTES_MAX = 4
export const TIME_TRAVEL_LABEL = 'time-travel'

interface Entry {
  readonly key: string
  readonly computeId: string
  readonly address: Promise<PostgresAddress>
  users: number
  idleSinceMs: number
}

/**
 * Computes that show a branch as it was at an LSN, for as long as somebody looks: schema comparison, catalog and SQL at a
 * moment, connections with a point in their options. They write nothing and hold no place in the quorum.
 */
export class ReadOnlyComputes {
  readonly #app: App
  readonly #entries = new Map<string, Entry>()

  constructor(app: App) {
    this.#app = app
  }

  async use<Value>(
    project: Project,
    timelineId: string,
    lsn: string,
    work: (address: PostgresAddress) => Promise<Value>,
  ): Promise<Result<Value>> {
    const key = `${timelineId}@${lsn}`
    let entry = this.#entries.get(key)
    if (!entry) {
      if (!(await this.#makeRoom()))
        return failure('RATE_LIMITED', 'too many moments are looked at at once; try again in a minute')
      entry = this.#start(project, timelineId, lsn, key)
    }
    entry.users++
    try {
      return success(await work(await entry.address))
    } catch (error) {
      if (isStorageError(error, 'invalid-input') || isStorageError(error, 'not-found'))
        return failure('INVALID_INPUT', error.message)
      if (isStorageError(error, 'unavailable')) return failure('UNAVAILABLE', error.message)
      throw error
    } finally {
      entry.users--
      entry.idleSinceMs = performance.now()
    }
  }

  /** Holds one open beyond a call, for the proxy's sessions; `touch` keeps it. */
  touch(key: string): void {
    const entry = this.#entries.get(key)
    if (entry) entry.idleSinceMs = performance.now()
  }

  /** Called every few seconds. */
  async stopIdle(): Promise<void> {
    for (const entry of [...this.#entries.values()])
      if (entry.users === 0 && performance.now() - entry.idleSinceMs > IDLE_MS_MAX) await this.#stop(entry)
  }

  isOwn(computeId: string): boolean {
    return [...this.#entries.values()].some((entry) => entry.computeId === computeId)
  }

  async stopAll(): Promise<void> {
    await Promise.allSettled([...this.#entries.values()].map((entry) => this.#stop(entry)))
  }

  #start(project: Project, timelineId: string, lsn: string, key: string): Entry {
    const computeId = newComputeId()
    const address = this.#app.computes
      .startCompute({
        computeId,
        ...storageIds(project, { timelineId }),
        kind: 'read-only',
        lsn,
        settings: { shared_buffers: '64MB', max_connections: '30' },
        superuserPassword: superuserPassword(this.#app, project),
        labels: { purpose: TIME_TRAVEL_LABEL, project: project.id },
      })
      .then(addressOf)
    address.catch(() => this.#entries.delete(key))
    const entry = { key, computeId, address, users: 0, idleSinceMs: performance.now() }
    this.#entries.set(key, entry)
    return entry
  }

  async #makeRoom(): Promise<boolean> {
    if (this.#entries.size < COMPUTES_MAX) return true
    const [oldest] = [...this.#entries.values()]
      .filter((entry) => entry.users === 0)
      .sort((left, right) => left.idleSinceMs - right.idleSinceMs)
    if (!oldest) return false
    await this.#stop(oldest)
    return true
  }

  async #stop(entry: Entry): Promise<void> {
    this.#entries.delete(entry.key)
    await this.#app.computes.stopCompute(entry.computeId, 'immediate').catch((error: unknown) => {
      this.#app.log.warn({ error: String(error), computeId: entry.computeId }, 'a read-only compute did not stop')
    })
  }
}
