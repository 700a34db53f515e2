import { StorageError } from '../base/errors.ts'
import { callJson } from '../io/http-client.ts'
import type { ProjectId, TimelineId } from '../postgres/ids.ts'
import type { DeltaTableInfo, PublishOutcome, StorageReport } from '../protocol/lake.ts'
import type { SnapshotPlan } from '../protocol/snapshot-plan.ts'
import type { LayerInfo, LsnAtTime, StorageAdmin, TimelineInfo } from './storage-admin.ts'
import type { CommitHistogram, TimelineEvent } from './timeline-history.ts'

const CALL_TIMEOUT_MS = 60_000
/** initdb and the first upload take a second; a slow object store may take much longer. */
const CREATE_PROJECT_TIMEOUT_MS = 300_000
/** Delta layers may have to come from the object store first. */
const SNAPSHOT_PLAN_TIMEOUT_MS = 120_000
const UPKEEP_TIMEOUT_MS = 600_000

/** The storage admin of a PageServer process over HTTP (http-storage-admin-server.ts). */
export function openHttpStorageAdmin(options: { readonly url: string; readonly token?: string }): StorageAdmin {
  const base = options.url.replace(/\/$/, '')
  const call = (method: string, path: string, body?: unknown, timeoutMs = CALL_TIMEOUT_MS): Promise<unknown> =>
    callJson(`${base}${path}`, {
      method,
      timeoutMs,
      ...(body === undefined ? {} : { body }),
      ...(options.token === undefined ? {} : { token: options.token }),
    })
  const project = (projectId: ProjectId) => `/projects/${projectId}`
  const timeline = (projectId: ProjectId, timelineId: TimelineId) => `${project(projectId)}/timelines/${timelineId}`

  // The replies are made by the server of the same version from values of these types.
  return {
    async createProject(input) {
      return (await call('POST', '/projects', input, CREATE_PROJECT_TIMEOUT_MS)) as TimelineInfo
    },
    async deleteProject(projectId) {
      await call('DELETE', project(projectId))
    },
    async listProjects() {
      return arrayOf<ProjectId>(await call('GET', '/projects'))
    },
    async createBranch({ projectId, ...input }) {
      return (await call('POST', `${project(projectId)}/timelines`, input)) as TimelineInfo
    },
    async deleteTimeline(projectId, timelineId) {
      await call('DELETE', timeline(projectId, timelineId))
    },
    async getTimeline(projectId, timelineId) {
      return (await call('GET', timeline(projectId, timelineId))) as TimelineInfo
    },
    async listTimelines(projectId) {
      return arrayOf<TimelineInfo>(await call('GET', `${project(projectId)}/timelines`))
    },
    async lsnAtTime(projectId, timelineId, time) {
      const query = `?time=${encodeURIComponent(time)}`
      return (await call('GET', `${timeline(projectId, timelineId)}/lsn-at-time${query}`)) as LsnAtTime
    },
    async timeAtLsn(projectId, timelineId, lsn) {
      const query = `?lsn=${encodeURIComponent(lsn)}`
      const path = `${timeline(projectId, timelineId)}/time-at-lsn${query}`
      return (await call('GET', path)) as { commitTime: string | null }
    },
    async leaseLsn({ projectId, timelineId, leaseId, lsn, seconds }) {
      const path = `${timeline(projectId, timelineId)}/leases/${encodeURIComponent(leaseId)}`
      await call('PUT', path, { lsn, seconds })
    },
    async holdReads({ projectId, timelineId, holdId, lsn, seconds }) {
      const path = `${timeline(projectId, timelineId)}/read-holds/${encodeURIComponent(holdId)}`
      await call('PUT', path, { lsn, seconds })
    },
    async releaseReads(projectId, timelineId, holdId) {
      await call('DELETE', `${timeline(projectId, timelineId)}/read-holds/${encodeURIComponent(holdId)}`)
    },
    async setPitrWindow(projectId, seconds) {
      await call('PUT', `${project(projectId)}/pitr-window`, { seconds })
    },
    async runUpkeep(projectId, timelineId, steps) {
      await call('POST', `${timeline(projectId, timelineId)}/upkeep`, { steps }, UPKEEP_TIMEOUT_MS)
    },
    async snapshotPlan({ projectId, timelineId, ...input }) {
      const path = `${timeline(projectId, timelineId)}/snapshot-plan`
      return (await call('POST', path, input, SNAPSHOT_PLAN_TIMEOUT_MS)) as SnapshotPlan
    },
    async publishTables({ projectId, timelineId, ...input }) {
      const path = `${timeline(projectId, timelineId)}/publish`
      return (await call('POST', path, input, UPKEEP_TIMEOUT_MS)) as PublishOutcome
    },
    async deltaTables(projectId, timelineId) {
      return arrayOf<DeltaTableInfo>(await call('GET', `${timeline(projectId, timelineId)}/delta-tables`))
    },
    async storageReport(projectId) {
      const path = `${project(projectId)}/storage-report`
      return (await call('GET', path, undefined, UPKEEP_TIMEOUT_MS)) as StorageReport
    },
    async layerMap(projectId, timelineId) {
      return arrayOf<LayerInfo>(await call('GET', `${timeline(projectId, timelineId)}/layers`))
    },

    async timelineEvents({ projectId, timelineId, ...range }) {
      return arrayOf<TimelineEvent>(await call('GET', `${timeline(projectId, timelineId)}/events${queryText(range)}`))
    },

    async commitHistogram({ projectId, timelineId, ...range }) {
      const path = `${timeline(projectId, timelineId)}/commit-histogram${queryText(range)}`
      return (await call('GET', path)) as CommitHistogram
    },
  }
}

function arrayOf<Item>(reply: unknown): Item[] {
  if (!Array.isArray(reply)) throw new StorageError('unavailable', 'reply is not a list')
  return reply as Item[]
}

function queryText(values: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] as [string, string]],
  )
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`
}
