import type { App } from '../../app.ts'
import type { Project } from '../../generated/prisma/client.ts'
import { sizeClasses } from '../endpoint/endpoint-rules.ts'
import type { UsageSummary } from '../usage/usage-service.ts'

/** This system is one region of one platform. */
export const REGION = 'local'
export const PLATFORM = 'tributary'
export const PROVISIONER = 'k8s-pod'
export const PG_VERSION = 18
const SIZE_LIMIT_MIB = 1024 * 1024
const BYTES_PER_MIB = 1024 * 1024

/** A project as the public document has it. Counters nobody meters here (transfer) are zero. */
export function projectView(app: App, project: Project, usage: UsageSummary) {
  const computeSeconds = Math.round(usage.computeSeconds)
  return {
    ...common(app, project),
    data_storage_bytes_hour: 0,
    data_transfer_bytes: 0,
    written_data_bytes: Number(usage.writtenBytes),
    compute_time_seconds: computeSeconds,
    active_time_seconds: computeSeconds,
    cpu_used_sec: computeSeconds,
    consumption_period_start: usage.from.toISOString(),
    consumption_period_end: periodEnd(usage.from).toISOString(),
  }
}

export function projectListItem(app: App, project: Project, usage: UsageSummary, organizationName: string | undefined) {
  const computeSeconds = Math.round(usage.computeSeconds)
  return {
    ...common(app, project),
    active_time: computeSeconds,
    cpu_used_sec: computeSeconds,
    ...(organizationName === undefined ? {} : { org_name: organizationName }),
  }
}

function common(app: App, project: Project) {
  const sizeLimitBytes =
    project.quotaStorageBytes === null ? SIZE_LIMIT_MIB * BYTES_PER_MIB : Number(project.quotaStorageBytes)
  return {
    id: project.id,
    platform_id: PLATFORM,
    region_id: REGION,
    name: project.name,
    provisioner: PROVISIONER,
    pg_version: PG_VERSION,
    proxy_host: app.config.proxy.publicHost,
    branch_logical_size_limit: Math.ceil(sizeLimitBytes / BYTES_PER_MIB),
    branch_logical_size_limit_bytes: sizeLimitBytes,
    store_passwords: true,
    history_retention_seconds: project.pitrWindowSeconds,
    synthetic_storage_size: Number(project.objectSizeBytes),
    creation_source: 'console',
    settings: {
      quota: {
        ...(project.quotaComputeSeconds === null ? {} : { compute_time_seconds: Number(project.quotaComputeSeconds) }),
        ...(project.quotaWrittenBytes === null ? {} : { written_data_bytes: Number(project.quotaWrittenBytes) }),
        ...(project.quotaStorageBytes === null ? {} : { logical_size_bytes: Number(project.quotaStorageBytes) }),
      },
    },
    default_endpoint_settings: {
      autoscaling_limit_min_cu: sizeClasses[0]!.computeUnits,
      autoscaling_limit_max_cu: sizeClasses[0]!.computeUnits,
    },
    created_at: project.createdAt.toISOString(),
    updated_at: project.updatedAt.toISOString(),
    owner_id: project.organizationId,
    org_id: project.organizationId,
  }
}

/** Of a calendar month that begins at `from`. */
function periodEnd(from: Date): Date {
  return new Date(Date.UTC(from.getUTCFullYear(), from.getUTCMonth() + 1, 1))
}
