import { type ComputeInfo, type ComputeSpec, ProjectId, TimelineId } from '@tributary/storage-engine/admin'
import pg from 'pg'
import type { App } from '../app.ts'
import type { Branch, Endpoint, Project } from '../generated/prisma/client.ts'
import { settingsOf } from '../modules/endpoint/endpoint-rules.ts'

/** Sessions under such names do not count as activity of a compute. */
export const CONTROL_APPLICATION_NAME = 'tributary-control'
const CONNECT_MS_MAX = 10_000
const STATEMENT_MS_MAX = 60_000

export type EndpointWithOwners = Endpoint & { branch: Branch; project: Project }

export function storageIds(project: { storageId: string }, branch: { timelineId: string }) {
  return { projectId: ProjectId.parse(project.storageId), timelineId: TimelineId.parse(branch.timelineId) }
}

export function superuserPassword(app: Pick<App, 'secrets'>, project: Project): string {
  return app.secrets.open(project.superuserPasswordSealed, `project:${project.id}:superuser`)
}

export function computeSpecOf(app: Pick<App, 'secrets'>, endpoint: EndpointWithOwners, computeId: string): ComputeSpec {
  const isReadOnly = endpoint.type === 'READ_ONLY'
  const lsn = endpoint.atLsn ?? endpoint.branch.tipLsn
  if (isReadOnly && lsn === null) throw new Error(`read-only endpoint ${endpoint.id} has no LSN`)
  return {
    computeId,
    ...storageIds(endpoint.project, endpoint.branch),
    kind: isReadOnly ? 'read-only' : 'primary',
    ...(isReadOnly && lsn !== null ? { lsn } : {}),
    settings: settingsOf({
      size: endpoint.size,
      maxConnections: endpoint.maxConnections,
      settings: endpoint.settings as Record<string, string>,
    }),
    superuserPassword: superuserPassword(app, endpoint.project),
    labels: { endpoint: endpoint.id, branch: endpoint.branchId, project: endpoint.projectId },
  }
}

export interface PostgresAddress {
  readonly host: string
  readonly port: number
}

/** A session of the superuser on a compute; `work` must not keep it. */
export async function withSuperuser<Value>(
  address: PostgresAddress,
  password: string,
  database: string,
  work: (client: pg.Client) => Promise<Value>,
): Promise<Value> {
  const client = new pg.Client({
    host: address.host,
    port: address.port,
    user: 'postgres',
    password,
    database,
    application_name: CONTROL_APPLICATION_NAME,
    connectionTimeoutMillis: CONNECT_MS_MAX,
    statement_timeout: STATEMENT_MS_MAX,
  })
  // A compute that dies under us fails the query too; without this the process would end.
  client.on('error', () => undefined)
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end().catch(() => undefined)
  }
}

export function addressOf(info: ComputeInfo): PostgresAddress {
  return { host: info.host, port: info.postgresPort }
}

export function phasesOf(info: ComputeInfo): { name: string; ms: number }[] {
  return info.phases.map(({ name, ms }) => ({ name, ms }))
}

/** Milliseconds from the order to start to a Postgres that accepts connections. */
export function startMs(info: ComputeInfo): number {
  return info.readyAt === null ? 0 : Math.max(0, Date.parse(info.readyAt) - Date.parse(info.startedAt))
}
