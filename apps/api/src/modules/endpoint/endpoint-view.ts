import type { App } from '../../app.ts'
import type { Endpoint } from '../../generated/prisma/client.ts'
import { PROVISIONER, REGION } from '../project/project-view.ts'
import { findSizeClass, sizeClasses } from './endpoint-rules.ts'

const POSTGRES_PORT = 5432

/** Clients put this before the database name: it carries the port when it is not Postgres's own. */
export function clientHost(app: App, label: string): string {
  const { publicHost, port } = app.config.proxy
  return port === POSTGRES_PORT ? `${label}.${publicHost}` : `${label}.${publicHost}:${port}`
}

/** An endpoint as the public document has it. */
export function endpointView(app: App, endpoint: Endpoint) {
  const { computeUnits } = findSizeClass(endpoint.size) ?? sizeClasses[0]!
  const settings = typeof endpoint.settings === 'object' && endpoint.settings !== null ? endpoint.settings : {}
  const isChanging =
    (endpoint.desiredState === 'RUNNING') !== (endpoint.state === 'ACTIVE') && endpoint.state !== 'FAILED'
  return {
    host: clientHost(app, endpoint.id),
    id: endpoint.id,
    project_id: endpoint.projectId,
    branch_id: endpoint.branchId,
    autoscaling_limit_min_cu: computeUnits,
    autoscaling_limit_max_cu: computeUnits,
    region_id: REGION,
    type: endpoint.type === 'READ_ONLY' ? 'read_only' : 'read_write',
    current_state: endpoint.state === 'ACTIVE' ? 'active' : endpoint.state === 'STARTING' ? 'init' : 'idle',
    ...(isChanging ? { pending_state: endpoint.desiredState === 'RUNNING' ? 'active' : 'idle' } : {}),
    settings: {
      pg_settings: Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, String(value)])),
    },
    pooler_enabled: app.config.proxy.hasPooler,
    pooler_mode: 'transaction',
    disabled: false,
    passwordless_access: false,
    suspend_timeout_seconds: endpoint.suspendAfterSeconds ?? -1,
    ...(endpoint.lastActiveAt === null ? {} : { last_active: endpoint.lastActiveAt.toISOString() }),
    ...(endpoint.startedAt === null ? {} : { started_at: endpoint.startedAt.toISOString() }),
    ...(endpoint.suspendedAt === null ? {} : { suspended_at: endpoint.suspendedAt.toISOString() }),
    creation_source: 'console',
    created_at: endpoint.createdAt.toISOString(),
    updated_at: endpoint.updatedAt.toISOString(),
    proxy_host: app.config.proxy.publicHost,
    provisioner: PROVISIONER,
  }
}
