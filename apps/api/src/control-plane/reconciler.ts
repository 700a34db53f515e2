import { type ComputeInfo, errorText } from '@tributary/storage-engine/admin'
import type { App } from '../app.ts'
import { systemActor } from '../auth/permission.ts'
import { idleDecision } from '../modules/endpoint/endpoint-rules.ts'
import { EndpointService } from '../modules/endpoint/endpoint-service.ts'
import { announce, observedFields, stoppedFields, stopQuietly } from './handlers/start-compute.ts'
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
        await sleep(WATCH_RETRY_MS, signal)
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
    const [computes, endpoints, active] = await Promise.all([
      this.#app.computes.listComputes(),
      this.#app.database.endpoint.findMany({ where: { project: { deletedAt: null } } }),
      this.#app.database.operation.findMany({
        where: { state: { in: ['SCHEDULING', 'RUNNING'] } },
        select: { projectId: true, scope: true },
      }),
    ])
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
    log.info({ step: step.kind, ...('endpointId' in step ? { endpointId: step.endpointId } : {}) }, 'reconciling')
    switch (step.kind) {
      case 'adopt':
        await database.endpoint.update({
          where: { id: step.endpointId },
          data: { ...observedFields(step.info), state: 'ACTIVE', lastError: null },
        })
        await announce(this.#app, step.endpointId)
        return
      case 'mark-stopped':
        await database.endpoint.update({
          where: { id: step.endpointId },
          data: { ...stoppedFields, state: 'IDLE', suspendedAt: new Date() },
        })
        await announce(this.#app, step.endpointId)
        return
      case 'stop-stray':
        await stopQuietly(this.#app, step.computeId, 'graceful')
        return
      case 'start':
      case 'replace':
        await this.#replace(step)
        return
      default:
        step satisfies never
    }
  }

  async #replace(step: Extract<ReconcileStep, { kind: 'start' | 'replace' }>): Promise<void> {
    const endpoint = await this.#app.database.endpoint.findUnique({
      where: { id: step.endpointId },
      include: { project: true },
    })
    if (!endpoint || endpoint.branchId === null) return
    const now = Date.now()
    const isStable = endpoint.readyAt !== null && now - endpoint.readyAt.getTime() > STABLE_MS
    const deaths = isStable ? 0 : endpoint.restartCount
    const input =
      step.kind === 'replace'
        ? { cause: step.reason, diedAt: step.diedAt ?? new Date(now).toISOString() }
        : { cause: 'the endpoint should run' }
    const submitted = await this.#app.operations.submit({
      actor: systemActor('reconciler'),
      projectId: endpoint.projectId,
      organizationId: endpoint.project.organizationId,
      operations: [
        {
          kind: step.kind === 'replace' ? 'replace_compute' : 'start_compute',
          branchId: endpoint.branchId,
          endpointId: endpoint.id,
          scope: [endpoint.branchId],
          input,
        },
      ],
      audit: { action: 'endpoint.replace', subject: endpoint.id, detail: input },
      change: async (tx) => {
        await tx.endpoint.update({
          where: { id: endpoint.id },
          data: {
            state: 'STARTING',
            restartCount: deaths + 1,
            restartAfter: new Date(nextRestartAt(now, deaths + 1)),
          },
        })
      },
    })
    // In progress by now: then that operation sees to it.
    if (!submitted.ok && submitted.error.code !== 'OPERATION_IN_PROGRESS')
      this.#app.log.warn({ endpointId: endpoint.id, error: submitted.error.message }, 'cannot replace a compute')
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

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done, { once: true })
  })
}
