import type pg from 'pg'
import { z } from 'zod'
import type { App } from '../../app.ts'
import { newComputeId } from '../../shared/ids.ts'
import { applyBranchConfig, quoteName, quoteText } from '../apply-config.ts'
import { addressOf, type PostgresAddress, storageIds, superuserPassword, withSuperuser } from '../compute-control.ts'
import type { OperationHandler, OperationInput, Steps } from '../operations/operation-runner.ts'
import { bringUp, loadEndpoint, markStartFailed, stopQuietly } from './start-compute.ts'

/** What an `apply_config` operation changes. Making a role or a database, or setting a password, is `sync`. */
export const configChange = z.discriminatedUnion('change', [
  z.object({ change: z.literal('sync') }),
  z.object({ change: z.literal('drop-role'), name: z.string() }),
  z.object({ change: z.literal('drop-database'), name: z.string() }),
  z.object({
    change: z.literal('alter-database'),
    name: z.string(),
    newName: z.string().nullable(),
    ownerName: z.string().nullable(),
  }),
])
export type ConfigChange = z.infer<typeof configChange>

/**
 * Applies a change of roles or databases in the branch's Postgres: on its running compute, on its endpoint's after waking
 * it, or, for a branch without an endpoint, on a compute that lives for this operation alone.
 */
export function applyConfigHandler(app: App): OperationHandler {
  return {
    async run(operation, steps) {
      const change = configChange.parse(operation.input)
      const branchId = operation.branchId ?? ''
      const target = await steps.run('find-compute', async () => {
        const endpoint = await app.database.endpoint.findFirst({ where: { branchId, type: 'READ_WRITE' } })
        if (!endpoint) return { endpointId: null, isRunning: false }
        return { endpointId: endpoint.id, isRunning: endpoint.state === 'ACTIVE' }
      })
      if (target.endpointId === null) {
        await onOwnCompute(app, branchId, steps, change)
        return
      }
      const { endpointId } = target
      if (!target.isRunning) await bringUp(app, steps, endpointId, 'a change of roles or databases')
      await steps.run('apply', async () => {
        const endpoint = await loadEndpoint(app, endpointId)
        if (!endpoint || endpoint.host === null || endpoint.port === null) throw new Error('the compute is gone')
        await applyChange(
          app,
          branchId,
          { host: endpoint.host, port: endpoint.port },
          superuserPassword(app, endpoint.project),
          change,
        )
      })
    },
    async onFailure(operation: OperationInput, message: string) {
      const branchId = operation.branchId ?? ''
      await app.database.database.deleteMany({ where: { branchId, isApplied: false } })
      const starting = await app.database.endpoint.findFirst({ where: { branchId, state: 'STARTING' } })
      if (starting) await markStartFailed(app, starting.id, message)
    },
  }
}

async function onOwnCompute(app: App, branchId: string, steps: Steps, change: ConfigChange): Promise<void> {
  const computeId = await steps.run('allocate', async () => newComputeId())
  const load = () => app.database.branch.findUniqueOrThrow({ where: { id: branchId }, include: { project: true } })
  try {
    await steps.run('start', async () => {
      const branch = await load()
      await app.computes.startCompute({
        computeId,
        ...storageIds(branch.project, branch),
        kind: 'primary',
        settings: {},
        superuserPassword: superuserPassword(app, branch.project),
        labels: { purpose: 'apply-config', branch: branchId, project: branch.projectId },
      })
    })
    await steps.run('apply', async () => {
      const branch = await load()
      const address = addressOf(await app.computes.getCompute(computeId))
      await applyChange(app, branchId, address, superuserPassword(app, branch.project), change)
    })
  } finally {
    await steps.run('stop', () => stopQuietly(app, computeId, 'graceful'))
  }
}

async function applyChange(
  app: App,
  branchId: string,
  address: PostgresAddress,
  password: string,
  change: ConfigChange,
): Promise<void> {
  if (change.change !== 'sync')
    await withSuperuser(address, password, 'postgres', (client) => runChange(client, change))
  await applyBranchConfig(app, { branchId, address, password, isReadOnly: false })
}

/** Each looks first: a step that was cut off runs again. */
async function runChange(client: pg.Client, change: Exclude<ConfigChange, { change: 'sync' }>): Promise<void> {
  const name = quoteName(change.name)
  switch (change.change) {
    case 'drop-role':
      await client.query(`DROP ROLE IF EXISTS ${name}`)
      return
    case 'drop-database':
      await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
      return
    case 'alter-database': {
      const exists = async (database: string) =>
        (await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [database])).rowCount === 1
      if (change.ownerName !== null && (await exists(change.name)))
        await client.query(`ALTER DATABASE ${name} OWNER TO ${quoteName(change.ownerName)}`)
      if (change.newName === null || !(await exists(change.name))) return
      // A database that is in use cannot be renamed.
      await client.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ${quoteText(change.name)}`,
      )
      await client.query(`ALTER DATABASE ${name} RENAME TO ${quoteName(change.newName)}`)
      return
    }
    default:
      change satisfies never
  }
}
