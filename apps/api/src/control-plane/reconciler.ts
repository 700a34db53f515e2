import { type ComputeInfo, errorText, isStorageError } from '@tributary/storage-engine/admin'
import type { App } from '../app.ts'
import { systemActor } from '../auth/permission.ts'
import { idleDecision } from '../modules/endpoint/endpoint-rules.ts'
import { EndpointService } from '../modules/endpoint/endpoint-service.ts'
import { pause } from '../shared/pause.ts'
import { FailureError, failure } from '../shared/result.ts'
import { announce, observedFields, stoppedFields, stopQuietly } from './handlers/start-compute.ts'
import { activeStates } from './operations/operation-kinds.ts'
import type { ProxyConnections } from './proxy-connections.ts'
import type { ReadOnlyComputes } from './read-only-computes.ts'
import { type EndpointView, nextRestartAt, planReconcile, type ReconcileStep } from './reconcile-plan.ts'

/** After so long without a death the count of deaths in a row begins anew. */
const STABLE_MS = 60_000
const WATCH_RETRY_MS = 1000

/**
 * Brings what runs to what is wanted: dead computes are replaced with a new term, computes found after a restart of the
 * API are adopted, strays are stopped, idle ones are suspended. Looks at every change the node agent reports, and every
 * `reconcileMs` besides.
 */
export class Reconciler {
  readonly #app: App
  readonly #endpoints: EndpointService
  readonly #readOnly: ReadOnlyComputes
  readonly #proxies: ProxyConnections
  #isDue = true
  #wakeUp: (() => void) | undefined

  constructor(app: App, readOnly: ReadOnlyComputes, proxies: ProxyConnections) {
    this.#app = app
    this.#endpoints = new EndpointService(app)
    this.#readOnly = readOnly
    this.#proxies = proxies
  }

  async run(signal: AbortSignal): Promise<void> {
    const watching = this.#watch(signal)
    while (!signal.aborted) {
      this.#isDue = false
      try {
        await this.#pass()
      } catch (error) {
        this.#app.log.warn({ error: errorText(error) }, 'reconciling failed, goes on later')
      }
      await this.#pause(signal)
    }
    await watching
  }

  async #watch(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#app.computes.watchComputes(() => this.#look(), { signal })
      } catch (error) {
        this.#app.log.warn({ error: errorText(error) }, 'watching computes failed')
        await pause(WATCH_RETRY_MS, signal)
      }
    }
  }

  #look(): void {
    this.#isDue = true
    this.#wakeUp?.()
  }

  async #pause(signal: AbortSignal): Promise<void> {
    if (this.#isDue || signal.aborted) return
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, this.#app.config.reconcileMs)
      signal.addEventListener('abort', done, { once: true })
      this.#wakeUp = done
    })
  }

  async #pass(): Promise<void> {
    // In this order: an operation that made a listed compute is either still under way or has written it down. What comes
    // between the looks can still deceive, so each step makes sure of its ground.
    const computes = await this.#app.computes.listComputes()
    const active = await this.#app.database.operation.findMany({
      where: { state: { in: [...activeStates] } },
      select: { scope: true },
    })
    const endpoints = await this.#app.database.endpoint.findMany({ where: { project: { deletedAt: null } } })
    const busyScopes = new Set(active.flatMap(({ scope }) => scope))
    const views = endpoints.map(
      (endpoint): EndpointView => ({
        id: endpoint.id,
        desiredState: endpoint.desiredState,
        state: endpoint.state,
        computeId: endpoint.computeId,
        restartCount: endpoint.restartCount,
        restartAfterMs: endpoint.restartAfter?.getTime() ?? null,
        isBusy: busyScopes.has(endpoint.branchId) || busyScopes.has(endpoint.projectId),
      }),
    )
    for (const step of planReconcile(views, computes, Date.now())) {
      if (step.kind === 'stop-stray' && this.#readOnly.isOwn(step.computeId)) continue
      try {
        await this.#apply(step)
      } catch (error) {
        this.#app.log.warn({ step: step.kind, error: errorText(error) }, 'a step of reconciling failed')
      }
    }
    await this.#stopOrphans(computes)
    await this.#suspendIdle(endpoints.filter(({ id }) => views.some((view) => view.id === id && !view.isBusy)))
    await this.#readOnly.stopIdle()
  }

  async #apply(step: ReconcileStep): Promise<void> {
    const { database, log } = this.#app
    const { endpointId } = step
    log.info({ step: step.kind, endpointId }, 'reconciling')
    switch (step.kind) {
      case 'adopt':
        await database.endpoint.updateMany({
          where: { id: endpointId, computeId: step.info.computeId, desiredState: 'RUNNING' },
          data: { ...observedFields(step.info), state: 'ACTIVE', lastError: null },
        })
        await announce(this.#app, endpointId)
        return
      case 'mark-stopped':
        await database.endpoint.updateMany({
          where: { id: endpointId, computeId: step.computeId, desiredState: { not: 'RUNNING' } },
          data: { ...stoppedFields, state: 'IDLE', suspendedAt: new Date() },
        })
        await announce(this.#app, endpointId)
        return
      case 'stop-stray':
        if (await this.#isStray(step)) await stopQuietly(this.#app, step.computeId, 'graceful')
        return
      case 'start':
        await this.#submit(endpointId, null, 'start_compute', { cause: 'the endpoint should run' })
        return
      case 'replace': {
        if (!(await this.#isDead(step.computeId))) return
        const diedAt = step.diedAt ?? new Date().toISOString()
        await this.#submit(endpointId, step.computeId, 'replace_compute', { cause: step.reason, diedAt })
        return
      }
      default:
        step satisfies never
    }
  }

  /** Looks at operations first: one that has ended has written down what it made. */
  async #isStray({ endpointId, computeId }: { endpointId: string; computeId: string }): Promise<boolean> {
    const { database } = this.#app
    const owner = await database.endpoint.findUnique({ where: { id: endpointId } })
    if (!owner) return true
    const busy = await database.operation.findFirst({
      where: {
        projectId: owner.projectId,
        state: { in: [...activeStates] },
        scope: { hasSome: [owner.branchId, owner.projectId] },
      },
    })
    if (busy) return false
    const now = await database.endpoint.findUnique({ where: { id: endpointId } })
    return now?.computeId !== computeId || now.desiredState !== 'RUNNING'
  }

  /** The list in which it was missing may be older than it. */
  async #isDead(computeId: string): Promise<boolean> {
    try {
      const { state } = await this.#app.computes.getCompute(computeId)
      return state !== 'running' && state !== 'starting' && state !== 'stopping'
    } catch (error) {
      if (isStorageError(error, 'not-found')) return true
      throw error
    }
  }

  /** For an endpoint that should run and is as it was seen, with `computeId`: else somebody was faster. */
  async #submit(
    endpointId: string,
    computeId: string | null,
    kind: 'start_compute' | 'replace_compute',
    input: { readonly cause: string; readonly diedAt?: string },
  ): Promise<void> {
    const endpoint = await this.#app.database.endpoint.findUnique({
      where: { id: endpointId },
      include: { project: true },
    })
    if (!endpoint) return
    const now = Date.now()
    const isStable = endpoint.readyAt !== null && now - endpoint.readyAt.getTime() > STABLE_MS
    const deaths = isStable ? 0 : endpoint.restartCount
    const { branchId, projectId, project } = endpoint
    const submitted = await this.#app.operations.submit({
      actor: systemActor('reconciler'),
      projectId,
      organizationId: project.organizationId,
      operations: [{ kind, branchId, endpointId, scope: [branchId], input }],
      audit: { action: 'endpoint.replace', subject: endpointId, detail: input },
      change: async (tx) => {
        const { count } = await tx.endpoint.updateMany({
          where: { id: endpointId, computeId, desiredState: 'RUNNING' },
          data: {
            state: 'STARTING',
            restartCount: deaths + 1,
            restartAfter: new Date(nextRestartAt(now, deaths + 1)),
          },
        })
        if (count === 0) throw new FailureError(failure('CONFLICT', 'the endpoint has changed').error)
      },
    })
    // Then another operation sees to it, or nobody wants it any more.
    const isOvertaken = !submitted.ok && ['OPERATION_IN_PROGRESS', 'CONFLICT'].includes(submitted.error.code)
    if (!submitted.ok && !isOvertaken)
      this.#app.log.warn({ endpointId, error: submitted.error.message }, 'cannot replace a compute')
  }

  /** Read-only computes of an earlier life of the API. */
  async #stopOrphans(computes: readonly ComputeInfo[]): Promise<void> {
    for (const info of computes) {
      if (info.state !== 'running' || info.labels['purpose'] !== 'time-travel') continue
      if (!this.#readOnly.isOwn(info.computeId)) await stopQuietly(this.#app, info.computeId, 'immediate')
    }
  }

  async #suspendIdle(
    endpoints: readonly {
      id: string
      state: string
      desiredState: string
      computeId: string | null
      suspendAfterSeconds: number | null
      readyAt: Date | null
      lastActiveAt: Date | null
      connections: number | null
      keepsAwake: string | null
      projectId: string
    }[],
  ): Promise<void> {
    for (const endpoint of endpoints) {
      if (endpoint.state !== 'ACTIVE' || endpoint.desiredState !== 'RUNNING' || endpoint.computeId === null) continue
      const activity = await this.#app.computes.computeActivity(endpoint.computeId).catch(() => null)
      if (!activity) continue
      const proxy = this.#proxies.of(endpoint.id)
      const lastActivityMs = Math.max(
        endpoint.readyAt?.getTime() ?? 0,
        activity.lastActivityAt === null ? 0 : Date.parse(activity.lastActivityAt),
        proxy.lastActivityMs,
      )
      const decision = idleDecision({
        suspendAfterSeconds: endpoint.suspendAfterSeconds,
        nowMs: Date.now(),
        lastActivityMs,
        activeConnections: activity.activeConnections,
        connections: activity.connections,
      })
      const isChanged = endpoint.connections !== activity.connections
      await this.#app.database.endpoint.updateMany({
        where: { id: endpoint.id, computeId: endpoint.computeId },
        data: {
          lastActiveAt: new Date(lastActivityMs),
          connections: activity.connections,
          keepsAwake: decision.keepsAwake,
        },
      })
      if (isChanged) this.#app.bus.publish('endpoint', { projectId: endpoint.projectId, endpointId: endpoint.id })
      if (decision.suspend)
        await this.#endpoints.suspend(systemActor('scale to zero'), endpoint.id, { onlyIfIdle: true })
    }
  }
}
