import { isStorageError } from '@tributary/storage-engine/admin'
import type { App } from '../app.ts'
import type { Project } from '../generated/prisma/client.ts'
import { newComputeId } from '../shared/ids.ts'
import { failure, type Result, success } from '../shared/result.ts'
import { addressOf, type PostgresAddress, storageIds, superuserPassword } from './compute-control.ts'

/** Kept this long after its last use. */
const IDLE_MS_MAX = 30_000
/** A proxy says every few seconds which sessions it has: so long one of them holds its compute. */
const HELD_MS = 15_000
/** At one time: 4 Postgres servers of the smallest size. */
const COMPUTES_MAX = 4
export const TIME_TRAVEL_LABEL = 'time-travel'

interface Entry {
  readonly key: string
  readonly computeId: string
  readonly starting: Promise<PostgresAddress>
  /** Null until it runs. */
  address: PostgresAddress | null
  users: number
  idleSinceMs: number
  heldUntilMs: number
}

/**
 * Computes that show a branch as it was at an LSN, for as long as somebody looks: schema comparison, catalog and SQL at a
 * moment, connections with a point in their options. They write nothing and hold no place in the quorum.
 */
export class ReadOnlyComputes {
  readonly #app: Pick<App, 'computes' | 'secrets' | 'log'>
  readonly #nowMs: () => number
  readonly #entries = new Map<string, Entry>()

  constructor(app: Pick<App, 'computes' | 'secrets' | 'log'>, nowMs: () => number = () => performance.now()) {
    this.#app = app
    this.#nowMs = nowMs
  }

  /** One compute for all who look at the same moment. RATE_LIMITED when all places are taken by others that are in use. */
  async use<Value>(
    project: Project,
    timelineId: string,
    lsn: string,
    work: (address: PostgresAddress) => Promise<Value>,
  ): Promise<Result<Value>> {
    await this.#forgetDead(keyOf(timelineId, lsn))
    const entry = await this.#join(project, timelineId, lsn)
    if (!entry) return failure('RATE_LIMITED', 'too many moments are looked at at once; try again in a minute')
    try {
      return success(await work(await entry.starting))
    } catch (error) {
      if (isStorageError(error, 'invalid-input') || isStorageError(error, 'not-found'))
        return failure('INVALID_INPUT', error.message)
      if (isStorageError(error, 'unavailable')) return failure('UNAVAILABLE', error.message)
      throw error
    } finally {
      entry.users--
      entry.idleSinceMs = this.#nowMs()
    }
  }

  /** A session of the proxy is there: holds it beyond the call that opened it. */
  hold(timelineId: string, lsn: string): void {
    const entry = this.#entries.get(keyOf(timelineId, lsn))
    if (!entry) return
    entry.idleSinceMs = this.#nowMs()
    entry.heldUntilMs = entry.idleSinceMs + HELD_MS
  }

  /** Null: none runs for this moment. */
  addressOf(timelineId: string, lsn: string): PostgresAddress | null {
    return this.#entries.get(keyOf(timelineId, lsn))?.address ?? null
  }

  /** Called every few seconds. */
  async stopIdle(): Promise<void> {
    for (const entry of [...this.#entries.values()])
      if (entry.users === 0 && this.#nowMs() - entry.idleSinceMs > IDLE_MS_MAX) await this.#stop(entry)
  }

  isOwn(computeId: string): boolean {
    return [...this.#entries.values()].some((entry) => entry.computeId === computeId)
  }

  async stopAll(): Promise<void> {
    await Promise.allSettled([...this.#entries.values()].map((entry) => this.#stop(entry)))
  }

  /** Finding an entry and counting its user are one step: nothing is awaited in between. */
  async #join(project: Project, timelineId: string, lsn: string): Promise<Entry | null> {
    while (true) {
      const known = this.#entries.get(keyOf(timelineId, lsn))
      const entry = known ?? (this.#entries.size < COMPUTES_MAX ? this.#start(project, timelineId, lsn) : undefined)
      if (entry) {
        entry.users++
        return entry
      }
      if (!(await this.#makeRoom())) return null
    }
  }

  /** One that ended by itself is not handed out again. */
  async #forgetDead(key: string): Promise<void> {
    const entry = this.#entries.get(key)
    if (!entry?.address) return
    const state = await this.#app.computes.getCompute(entry.computeId).then(
      (info) => info.state,
      (error: unknown) => (isStorageError(error, 'not-found') ? 'gone' : 'unknown'),
    )
    if (state !== 'running' && state !== 'unknown') this.#drop(entry)
  }

  #start(project: Project, timelineId: string, lsn: string): Entry {
    const key = keyOf(timelineId, lsn)
    const computeId = newComputeId()
    const starting = this.#app.computes
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
    const nowMs = this.#nowMs()
    const entry: Entry = { key, computeId, starting, address: null, users: 0, idleSinceMs: nowMs, heldUntilMs: nowMs }
    starting.then(
      (address) => {
        entry.address = address
      },
      () => this.#drop(entry),
    )
    this.#entries.set(key, entry)
    return entry
  }

  /** Ends the one that nobody has used for longest. False: all are in use. */
  async #makeRoom(): Promise<boolean> {
    const [oldest] = [...this.#entries.values()]
      .filter((entry) => entry.users === 0 && entry.heldUntilMs <= this.#nowMs())
      .sort((left, right) => left.idleSinceMs - right.idleSinceMs)
    if (!oldest) return false
    await this.#stop(oldest)
    return true
  }

  #drop(entry: Entry): void {
    if (this.#entries.get(entry.key) === entry) this.#entries.delete(entry.key)
  }

  async #stop(entry: Entry): Promise<void> {
    this.#drop(entry)
    await this.#app.computes.stopCompute(entry.computeId, 'immediate').catch((error: unknown) => {
      this.#app.log.warn({ error: String(error), computeId: entry.computeId }, 'a read-only compute did not stop')
    })
  }
}

function keyOf(timelineId: string, lsn: string): string {
  return `${timelineId}@${lsn}`
}
