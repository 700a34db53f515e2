import { errorText } from '@tributary/storage-engine/admin'
import type { App } from '../app.ts'
import { systemActor } from '../auth/permission.ts'
import type { Endpoint, Operation, Project } from '../generated/prisma/client.ts'
import { checkComputeQuota } from '../modules/project/quota.ts'
import { catchFailure, FailureError, failure, notFound, type Result, unwrap } from '../shared/result.ts'
import type { EndpointWithOwners, PostgresAddress } from './compute-control.ts'
import { loadEndpoint } from './handlers/start-compute.ts'

const WAKE_MS_MAX = 120_000
/** Starts that wait at one time, of all projects. */
const WAKES_MAX = 200

export interface WakeCause {
  /** What people read in the ledger: "connection", "SQL editor", … */
  readonly cause: string
  readonly clientAddress?: string | null
  readonly role?: string | null
  readonly database?: string | null
}

/** Brings an endpoint's compute up for whoever needs it now, once for all who wait. */
export class Waker {
  readonly #app: App
  readonly #running = new Map<string, Promise<Result<PostgresAddress>>>()

  constructor(app: App) {
    this.#app = app
  }

  /** `deadAddress`: nobody answered there, so what the catalog says is not enough. */
  async wake(
    endpointId: string,
    cause: WakeCause,
    options: { deadAddress?: PostgresAddress | null; signal?: AbortSignal } = {},
  ): Promise<Result<PostgresAddress>> {
    const endpoint = await loadEndpoint(this.#app, endpointId)
    if (!endpoint || endpoint.project.deletedAt) return notFound('endpoint')
    const { host, port } = endpoint
    const isDead = options.deadAddress?.host === host && options.deadAddress?.port === port
    if (endpoint.state === 'ACTIVE' && endpoint.desiredState === 'RUNNING' && host !== null && port !== null && !isDead)
      return { ok: true, value: { host, port } }
    const startedMs = performance.now()
    let wake = this.#running.get(endpointId)
    if (!wake) {
      if (this.#running.size >= WAKES_MAX) return failure('RATE_LIMITED', 'too many computes are starting; try again')
      wake = this.#start(endpoint, cause.cause, isDead).finally(() => this.#running.delete(endpointId))
      this.#running.set(endpointId, wake)
    }
    const result = await wake
    void this.#note(endpoint, cause, performance.now() - startedMs)
    return result
  }

  /** The ledger is written while the client connects. */
  async #note(endpoint: Endpoint, cause: WakeCause, waitMs: number): Promise<void> {
    const { clientAddress = null, role = null, database = null } = cause
    const { id: endpointId, projectId } = endpoint
    await this.#app.database.wakeRecord
      .create({ data: { projectId, endpointId, cause: cause.cause, clientAddress, role, database, waitMs } })
      .catch((error: unknown) =>
        this.#app.log.warn({ endpointId, error: errorText(error) }, 'a wake is not in the ledger'),
      )
  }

  async #start(endpoint: EndpointWithOwners, cause: string, isDead: boolean): Promise<Result<PostgresAddress>> {
    const { id: endpointId } = endpoint
    return catchFailure(async () => {
      unwrap(await checkComputeQuota(this.#app, endpoint.project, endpoint))
      const active = await this.#app.database.operation.findFirst({
        where: {
          endpointId,
          state: { in: ['SCHEDULING', 'RUNNING'] },
          kind: { notIn: ['suspend_compute', 'delete_compute'] },
        },
        orderBy: { seq: 'desc' },
      })
      return this.#whenUp(endpoint, active ?? (await this.#submit(endpoint, cause, isDead)))
    })
  }

  /** The new compute's address as soon as the catalog has it; the operation may still have something to tidy up. */
  async #whenUp(before: Endpoint, operation: Pick<Operation, 'id'>): Promise<PostgresAddress> {
    const { database, bus, operations } = this.#app
    const stop = new AbortController()
    const changes = bus.stream('endpoint', ({ endpointId }) => endpointId === before.id)
    let ended: Operation | 'late' | undefined
    const ending = operations
      .waitForEnd(operation.id, AbortSignal.any([stop.signal, AbortSignal.timeout(WAKE_MS_MAX)]))
      .catch(() => 'late' as const)
      .then((found) => {
        ended = found
      })
    try {
      while (true) {
        const now = await database.endpoint.findUnique({ where: { id: before.id } })
        if (isUp(now, ended ? null : before)) return { host: now.host, port: now.port }
        if (ended)
          throw new FailureError(failure('UNAVAILABLE', `the compute did not start${whyNot(ended, now)}`).error)
        await Promise.race([ending, changes.next()])
      }
    } finally {
      stop.abort()
      await changes.return?.()
      await ending
    }
  }

  async #submit(endpoint: Endpoint & { project: Project }, cause: string, isDead: boolean) {
    const { id: endpointId } = endpoint
    const kind = isDead ? 'replace_compute' : 'start_compute'
    const [operation] = unwrap(
      await this.#app.operations.submit({
        actor: systemActor('wake'),
        projectId: endpoint.projectId,
        organizationId: endpoint.project.organizationId,
        mayWait: true,
        operations: [{ kind, branchId: endpoint.branchId, endpointId, scope: [endpoint.branchId], input: { cause } }],
        audit: { action: 'endpoint.wake', subject: endpointId, detail: { cause } },
        change: async (tx) => {
          await tx.endpoint.update({ where: { id: endpointId }, data: { desiredState: 'RUNNING' } })
        },
      }),
    )
    if (!operation) throw new Error('no operation was made')
    return operation
  }
}

function whyNot(ended: Operation | 'late', now: Endpoint | null): string {
  return ended === 'late' ? ' in time' : `: ${ended.error ?? now?.lastError ?? ended.state}`
}

/** Serves clients; with `before`, on another compute than that, unless that one was only starting. */
function isUp(now: Endpoint | null, before: Endpoint | null): now is Endpoint & { host: string; port: number } {
  if (now?.state !== 'ACTIVE' || now.host === null || now.port === null) return false
  return before === null || before.state !== 'ACTIVE' || now.computeId !== before.computeId
}
