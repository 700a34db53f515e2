import { isStorageError } from '@tributary/storage-engine/admin'
import type { App } from '../../app.ts'
import { addressOf, superuserPassword, withSuperuser } from '../compute-control.ts'
import type { OperationHandler, OperationInput } from '../operations/operation-runner.ts'
import {
  allocateCompute,
  applyConfigTo,
  bringUp,
  loadEndpoint,
  markStartFailed,
  publishCompute,
  startCompute,
  stopQuietly,
} from './start-compute.ts'

/** Commits made and acknowledged on the old compute right before, to see whether the new one has them. */
const PROBE_COMMITS = 3
const PROBE_MS_MAX = 2000

interface Before {
  readonly oldComputeId: string | null
  readonly oldTerm: number | null
  /** Transaction ids (text, 64 bits) whose commit was acknowledged. */
  readonly acknowledged: readonly string[]
  /** When the old compute was found dead, or asked to go; ISO 8601. */
  readonly beganAt: string
  readonly detectedAt: string
}

/**
 * A change of compute under an endpoint, with its report. `failover_compute` is asked for while the old one may well run:
 * the new one wins the election and thereby fences it. `replace_compute` follows the death of the old one.
 */
export function failoverHandler(app: App): OperationHandler {
  return {
    async run(operation, steps) {
      const endpointId = endpointOf(operation)
      const before = await steps.run('probe', () => probeOld(app, operation, endpointId))
      if (before === null) return
      const computeId = await steps.run('allocate', () => allocateCompute(app, endpointId))
      if (computeId === null) return
      await steps.run('start', () => startCompute(app, endpointId, computeId))
      const after = await steps.run('verify', () => probeNew(app, endpointId, computeId, before))
      await steps.run('apply-config', () => applyConfigTo(app, endpointId, computeId))
      await steps.run('publish', () => publishCompute(app, endpointId, computeId, causeOf(operation)))
      await steps.run('report', () => writeReport(app, operation, endpointId, computeId, before, after))
      await steps.run('remove-old', async () => {
        if (before.oldComputeId !== null) await stopQuietly(app, before.oldComputeId, 'immediate')
      })
    },
    onFailure: (operation, message) => markStartFailed(app, endpointOf(operation), message),
  }
}

/** A read-only compute has no term and no commits: it is started again, without a report. */
export function replaceHandler(app: App): OperationHandler {
  const failover = failoverHandler(app)
  return {
    async run(operation, steps) {
      const endpointId = endpointOf(operation)
      const isReadOnly = await steps.run(
        'look',
        async () => (await loadEndpoint(app, endpointId))?.type === 'READ_ONLY',
      )
      if (isReadOnly) await bringUp(app, steps, endpointId, causeOf(operation))
      else await failover.run(operation, steps)
    },
    onFailure: failover.onFailure,
  }
}

async function probeOld(app: App, operation: OperationInput, endpointId: string): Promise<Before | null> {
  const endpoint = await loadEndpoint(app, endpointId)
  if (!endpoint) return null
  const detectedAt = new Date().toISOString()
  const diedAt = operation.input['diedAt']
  const before = {
    oldComputeId: endpoint.computeId,
    oldTerm: endpoint.term,
    beganAt: typeof diedAt === 'string' ? diedAt : detectedAt,
    detectedAt,
  }
  if (endpoint.host === null || endpoint.port === null || operation.kind === 'replace_compute')
    return { ...before, acknowledged: [] }
  const acknowledged: string[] = []
  const address = { host: endpoint.host, port: endpoint.port }
  const probe = withSuperuser(address, superuserPassword(app, endpoint.project), 'postgres', async (client) => {
    for (let count = 0; count < PROBE_COMMITS; count++) {
      const { rows } = await client.query<{ xid: string }>('SELECT pg_current_xact_id()::text AS xid')
      if (rows[0]) acknowledged.push(rows[0].xid)
    }
  })
  // A compute cut off from the quorum acknowledges nothing: then there is nothing to look for.
  await Promise.race([probe.catch(() => undefined), new Promise((resolve) => setTimeout(resolve, PROBE_MS_MAX))])
  return { ...before, acknowledged: [...acknowledged] }
}

interface After {
  readonly firstCommitAt: string
  readonly lost: number
}

async function probeNew(app: App, endpointId: string, computeId: string, before: Before): Promise<After> {
  const endpoint = await loadEndpoint(app, endpointId)
  if (!endpoint) throw new Error(`endpoint ${endpointId} is gone`)
  const info = await app.computes.getCompute(computeId)
  return withSuperuser(addressOf(info), superuserPassword(app, endpoint.project), 'postgres', async (client) => {
    await client.query('SELECT pg_current_xact_id()')
    const firstCommitAt = new Date().toISOString()
    let lost = 0
    for (const xid of before.acknowledged) {
      const { rows } = await client.query<{ status: string | null }>('SELECT pg_xact_status($1::xid8) AS status', [xid])
      if (rows[0]?.status !== 'committed') lost++
    }
    return { firstCommitAt, lost }
  })
}

async function writeReport(
  app: App,
  operation: OperationInput,
  endpointId: string,
  computeId: string,
  before: Before,
  after: After,
): Promise<void> {
  const endpoint = await loadEndpoint(app, endpointId)
  if (!endpoint) return
  const info = await app.computes.getCompute(computeId).catch((error: unknown) => {
    if (isStorageError(error, 'not-found')) return null
    throw error
  })
  const since = (at: string | null | undefined): number | null =>
    at ? Math.max(0, Date.parse(at) - Date.parse(before.beganAt)) : null
  const phase = (name: string): number => info?.phases.find((candidate) => candidate.name === name)?.ms ?? 0
  const startedMs = since(info?.readyAt)
  // The election ends before the data directory is made and Postgres starts.
  const rest = ['bundle', 'data-dir', 'postgres', 'stream', 'roles'].reduce((sum, name) => sum + phase(name), 0)
  await app.database.failoverReport.upsert({
    where: { id: operation.id },
    create: {
      id: operation.id,
      projectId: operation.projectId,
      branchId: endpoint.branchId,
      endpointId,
      requestedAt: new Date(before.beganAt),
      cause: causeOf(operation),
      detectedMs: since(before.detectedAt),
      electedMs: startedMs === null ? null : Math.max(0, startedMs - rest),
      startedMs,
      firstCommitMs: since(after.firstCommitAt),
      rtoMs: since(after.firstCommitAt) ?? 0,
      rpoTransactions: after.lost,
      oldTerm: before.oldTerm,
      newTerm: info?.term ?? null,
      lsn: info?.startLsn ?? null,
    },
    update: {},
  })
  app.bus.publish('endpoint', { projectId: operation.projectId, endpointId })
}

function endpointOf(operation: OperationInput): string {
  if (operation.endpointId === null) throw new Error(`operation ${operation.id} names no endpoint`)
  return operation.endpointId
}

function causeOf(operation: OperationInput): string {
  const cause = operation.input['cause']
  return typeof cause === 'string' ? cause : operation.kind
}
