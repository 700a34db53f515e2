import type { App } from '../app.ts'
import { systemActor } from '../auth/permission.ts'
import { checkComputeQuota } from '../modules/project/quota.ts'
import { catchFailure, FailureError, failure, notFound, type Result, unwrap } from '../shared/result.ts'
import type { PostgresAddress } from './compute-control.ts'
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
      wake = this.#start(endpointId, cause.cause, isDead).finally(() => this.#running.delete(endpointId))
      this.#running.set(endpointId, wake)
    }
    const result = await wake
    await this.#app.database.wakeRecord.create({
      data: {
        projectId: endpoint.projectId,
        endpointId,
        cause: cause.cause,
        clientAddress: cause.clientAddress ?? null,
        role: cause.role ?? null,
        database: cause.database ?? null,
        waitMs: performance.now() - startedMs,
      },
    })
    return result
  }

  async #start(endpointId: string, cause: string, isDead: boolean): Promise<Result<PostgresAddress>> {
    return catchFailure(async () => {
      const endpoint = await loadEndpoint(this.#app, endpointId)
      if (!endpoint) throw new FailureError(notFound('endpoint').error)
      unwrap(await checkComputeQuota(this.#app, endpoint.project, endpoint))
      const active = await this.#app.database.operation.findFirst({
        where: {
          endpointId,
          state: { in: ['SCHEDULING', 'RUNNING'] },
          kind: { notIn: ['suspend_compute', 'delete_compute'] },
        },
        orderBy: { seq: 'desc' },
      })
      const operation = active ?? (await this.#submit(endpointId, cause, isDead))
      const ended = await this.#app.operations.waitForEnd(operation.id, AbortSignal.timeout(WAKE_MS_MAX))
      const now = await loadEndpoint(this.#app, endpointId)
      if (now?.state === 'ACTIVE' && now.host !== null && now.port !== null) return { host: now.host, port: now.port }
      throw new FailureError(
        failure('UNAVAILABLE', `the compute did not start: ${ended.error ?? now?.lastError ?? ended.state}`).error,
      )
    })
  }

  async #submit(endpointId: string, cause: string, isDead: boolean) {
    const endpoint = await loadEndpoint(this.#app, endpointId)
    if (!endpoint) throw new FailureError(notFound('endpoint').error)
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
