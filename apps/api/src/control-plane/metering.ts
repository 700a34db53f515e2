import type { ComputeActivity } from '@tributary/storage-engine/admin'
import type { App } from '../app.ts'
import { systemActor } from '../auth/permission.ts'
import type { Endpoint, Project } from '../generated/prisma/client.ts'
import { EndpointService } from '../modules/endpoint/endpoint-service.ts'
import { checkComputeQuota, periodStart } from '../modules/project/quota.ts'
import { lsnValue } from '../shared/lsn-text.ts'
import { superuserPassword, withSuperuser } from './compute-control.ts'

/**
 * Samples what running computes do, and adds up what projects use. Counters of a compute begin anew with each start, so a
 * sample is the difference of two looks at the same compute.
 */
export class Metering {
  readonly #app: App
  readonly #endpoints: EndpointService
  readonly #last = new Map<string, { readonly activity: ComputeActivity; readonly atMs: number }>()

  constructor(app: App) {
    this.#app = app
    this.#endpoints = new EndpointService(app)
  }

  async pass(): Promise<void> {
    const { database, computes } = this.#app
    const endpoints = await database.endpoint.findMany({
      where: { state: 'ACTIVE', computeId: { not: null } },
      include: { project: true },
    })
    const now = new Date()
    const seen = new Set<string>()
    for (const endpoint of endpoints) {
      const { computeId } = endpoint
      if (computeId === null) continue
      const activity = await computes.computeActivity(computeId).catch(() => null)
      if (!activity) continue
      seen.add(computeId)
      const last = this.#last.get(computeId)
      const atMs = performance.now()
      this.#last.set(computeId, { activity, atMs })
      if (!last) continue
      const intervalMs = Math.round(atMs - last.atMs)
      const difference = (pick: (from: ComputeActivity) => number) => Math.max(0, pick(activity) - pick(last.activity))
      const writtenBytes =
        activity.commitLsn !== null && last.activity.commitLsn !== null
          ? bigMax(0n, lsnValue(activity.commitLsn) - lsnValue(last.activity.commitLsn))
          : 0n
      const computeSeconds = intervalMs / 1000
      await database.usageSample.create({
        data: {
          projectId: endpoint.projectId,
          branchId: endpoint.branchId,
          endpointId: endpoint.id,
          at: now,
          intervalMs,
          isActive: true,
          commits: difference((from) => from.commits),
          rollbacks: difference((from) => from.rollbacks),
          blocksHit: BigInt(difference((from) => from.blocksHit)),
          blocksRead: BigInt(difference((from) => from.blocksRead)),
          connections: activity.connections,
          lagBytes: activity.lagBytes === null ? null : BigInt(activity.lagBytes),
          commitProbeMs: await this.#probeCommit(endpoint, activity, last.activity),
          writtenBytes,
          computeSeconds,
        },
      })
      const key = { projectId: endpoint.projectId, periodStart: periodStart(now) }
      await database.usageTotal.upsert({
        where: { projectId_periodStart: key },
        create: { ...key, computeSeconds, writtenBytes },
        update: { computeSeconds: { increment: computeSeconds }, writtenBytes: { increment: writtenBytes } },
      })
      const refusal = await checkComputeQuota(this.#app, endpoint.project, endpoint)
      if (!refusal.ok) {
        this.#app.log.info({ endpointId: endpoint.id, reason: refusal.error.message }, 'suspending: over quota')
        await this.#endpoints.suspend(systemActor('quota'), endpoint.id)
        await database.endpoint.updateMany({ where: { id: endpoint.id }, data: { lastError: refusal.error.message } })
      }
    }
    for (const computeId of this.#last.keys()) if (!seen.has(computeId)) this.#last.delete(computeId)
  }

  /** The latency of a commit as a client has it. An idle endpoint is left alone: each probe writes a few bytes of log. */
  async #probeCommit(
    endpoint: Endpoint & { project: Project },
    activity: ComputeActivity,
    last: ComputeActivity,
  ): Promise<number | null> {
    const { host, port, type } = endpoint
    if (type !== 'READ_WRITE' || host === null || port === null) return null
    if (activity.activeConnections === 0 && activity.lastActivityAt === last.lastActivityAt) return null
    try {
      return await withSuperuser(
        { host, port },
        superuserPassword(this.#app, endpoint.project),
        'postgres',
        async (client) => {
          const startedMs = performance.now()
          await client.query('SELECT pg_current_xact_id()')
          return performance.now() - startedMs
        },
      )
    } catch {
      // Dead or cut off: the reconciler and the lag tell of that.
      return null
    }
  }

  /** Sizes change slowly: called every minute. */
  async sampleStorage(): Promise<void> {
    const projects = await this.#app.database.project.findMany({ where: { deletedAt: null, state: 'READY' } })
    const at = new Date()
    if (projects.length === 0) return
    await this.#app.database.storageSample.createMany({
      data: projects.map(({ id, logicalSizeBytes, objectSizeBytes }) => ({
        projectId: id,
        at,
        logicalSizeBytes,
        objectSizeBytes,
      })),
    })
  }
}

const bigMax = (left: bigint, right: bigint): bigint => (left > right ? left : right)
