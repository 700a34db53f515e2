import type { ComputeInfo } from '@tributary/storage-engine/admin'
import { isStorageError } from '@tributary/storage-engine/admin'
import type { App } from '../../app.ts'
import { newComputeId } from '../../shared/ids.ts'
import { applyBranchConfig, hasUnapplied } from '../apply-config.ts'
import {
  addressOf,
  computeSpecOf,
  type EndpointWithOwners,
  phasesOf,
  startMs,
  superuserPassword,
} from '../compute-control.ts'
import type { Steps } from '../operations/operation-runner.ts'

export async function loadEndpoint(app: App, endpointId: string): Promise<EndpointWithOwners | null> {
  return app.database.endpoint.findUnique({ where: { id: endpointId }, include: { branch: true, project: true } })
}

/** The steps that bring up a compute for an endpoint. Another compute that serves it is fenced by the new one's term. */
export async function bringUp(app: App, steps: Steps, endpointId: string, cause: string): Promise<void> {
  const computeId = await steps.run('allocate', () => allocateCompute(app, endpointId))
  if (computeId === null) return
  await steps.run('start', () => startCompute(app, endpointId, computeId))
  await steps.run('apply-config', async () => {
    const endpoint = await loadEndpoint(app, endpointId)
    // Clients wait only for what Postgres is still to be told; to look what people did by SQL is not their business.
    if (endpoint && !(await hasUnapplied(app, endpoint.branchId)))
      await publishCompute(app, endpointId, computeId, cause)
    await applyConfigTo(app, endpointId, computeId)
  })
  await steps.run('publish', () => publishCompute(app, endpointId, computeId, cause))
}

/** Null when the endpoint is gone by now. */
export async function allocateCompute(app: App, endpointId: string): Promise<string | null> {
  const computeId = newComputeId()
  const { count } = await app.database.endpoint.updateMany({
    where: { id: endpointId },
    data: { state: 'STARTING', desiredState: 'RUNNING', computeId, lastError: null, host: null, port: null },
  })
  await announce(app, endpointId)
  return count === 0 ? null : computeId
}

export async function startCompute(app: App, endpointId: string, computeId: string): Promise<ComputeInfo> {
  const endpoint = await loadEndpoint(app, endpointId)
  if (!endpoint) throw new Error(`endpoint ${endpointId} is gone`)
  return app.computes.startCompute(computeSpecOf(app, endpoint, computeId))
}

export async function applyConfigTo(app: App, endpointId: string, computeId: string): Promise<void> {
  const endpoint = await loadEndpoint(app, endpointId)
  if (!endpoint) throw new Error(`endpoint ${endpointId} is gone`)
  await applyBranchConfig(app, {
    branchId: endpoint.branchId,
    address: addressOf(await app.computes.getCompute(computeId)),
    password: superuserPassword(app, endpoint.project),
    isReadOnly: endpoint.type === 'READ_ONLY',
  })
}

export async function publishCompute(app: App, endpointId: string, computeId: string, cause: string): Promise<void> {
  const info = await app.computes.getCompute(computeId)
  if (info.state !== 'running')
    throw new Error(`compute ${computeId} is ${info.state}: ${info.lastError ?? 'it ended'}`)
  const readyAt = new Date(info.readyAt ?? Date.now())
  const endpoint = await app.database.endpoint.update({
    where: { id: endpointId },
    data: { ...observedFields(info), state: 'ACTIVE', lastError: null, suspendedAt: null, lastActiveAt: readyAt },
  })
  await app.database.startReport.upsert({
    where: { computeId },
    create: {
      at: readyAt,
      projectId: endpoint.projectId,
      endpointId,
      computeId,
      cause,
      totalMs: startMs(info),
      phases: phasesOf(info),
    },
    update: {},
  })
  await announce(app, endpointId)
}

/** The columns of an endpoint that mirror its compute. */
export function observedFields(info: ComputeInfo) {
  return {
    computeId: info.computeId,
    host: info.host,
    port: info.postgresPort,
    term: info.term,
    startLsn: info.startLsn,
    mode: info.mode,
    phases: phasesOf(info),
    startedAt: new Date(info.startedAt),
    readyAt: info.readyAt === null ? null : new Date(info.readyAt),
  }
}

export const stoppedFields = {
  computeId: null,
  host: null,
  port: null,
  term: null,
  startLsn: null,
  mode: null,
  phases: [],
  readyAt: null,
  connections: null,
  keepsAwake: null,
}

/** Stops what serves the endpoint; not running is success. */
export async function bringDown(app: App, endpointId: string, how: 'graceful' | 'immediate'): Promise<void> {
  const endpoint = await app.database.endpoint.findUnique({ where: { id: endpointId } })
  if (!endpoint) return
  if (endpoint.computeId !== null) {
    await app.database.endpoint.update({ where: { id: endpointId }, data: { state: 'STOPPING' } })
    await announce(app, endpointId)
    await stopQuietly(app, endpoint.computeId, how)
  }
  await app.database.endpoint.update({
    where: { id: endpointId },
    data: { ...stoppedFields, state: 'IDLE', suspendedAt: new Date() },
  })
  await announce(app, endpointId)
}

/** Of a branch, or of all branches of a project. */
export async function stopAll(app: App, where: { branchId: string } | { projectId: string }): Promise<void> {
  const endpoints = await app.database.endpoint.findMany({ where })
  await app.database.endpoint.updateMany({ where, data: { desiredState: 'SUSPENDED' } })
  for (const endpoint of endpoints) await bringDown(app, endpoint.id, 'graceful')
}

export async function stopQuietly(app: App, computeId: string, how: 'graceful' | 'immediate'): Promise<void> {
  try {
    await app.computes.stopCompute(computeId, how)
  } catch (error) {
    if (!isStorageError(error, 'not-found')) throw error
  }
}

export async function markStartFailed(app: App, endpointId: string, message: string): Promise<void> {
  const endpoint = await app.database.endpoint.findUnique({ where: { id: endpointId } })
  if (!endpoint) return
  if (endpoint.computeId !== null) await stopQuietly(app, endpoint.computeId, 'immediate').catch(() => undefined)
  await app.database.endpoint.update({
    where: { id: endpointId },
    data: { ...stoppedFields, state: 'FAILED', lastError: message, restartCount: { increment: 1 } },
  })
  await announce(app, endpointId)
}

export async function announce(app: App, endpointId: string): Promise<void> {
  const endpoint = await app.database.endpoint.findUnique({ where: { id: endpointId }, select: { projectId: true } })
  if (endpoint) app.bus.publish('endpoint', { projectId: endpoint.projectId, endpointId })
}
