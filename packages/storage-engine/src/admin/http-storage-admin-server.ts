import { z } from 'zod'
import { StorageError } from '../base/errors.ts'
import type { HttpHandler, HttpRequest } from '../io/http-server.ts'
import { ProjectId, TimelineId } from '../postgres/ids.ts'
import type { StorageAdmin } from './storage-admin.ts'

const hexId = z.string().regex(/^[0-9a-f]{32}$/, 'must be 32 lowercase hex digits')
const lsnText = z.string().regex(/^[0-9A-Fa-f]{1,8}\/[0-9A-Fa-f]{1,8}$/, "must be an lsn like '0/16B3748'")
const createProjectBody = z.strictObject({ projectId: hexId, timelineId: hexId })
const createBranchBody = z.strictObject({
  timelineId: hexId,
  ancestorTimelineId: hexId,
  at: z.union([z.strictObject({ lsn: lsnText }), z.strictObject({ time: z.string() })]).optional(),
})
const leaseBody = z.strictObject({ lsn: lsnText, seconds: z.number().positive() })
const oid = z.number().int().min(0).max(0xffff_ffff)
const snapshotPlanBody = z.strictObject({
  spcOid: oid,
  dbOid: oid,
  relNumber: oid,
  lsn: lsnText,
  changedSinceLsn: lsnText.optional(),
})
const publishBody = z.strictObject({
  table: z.strictObject({ database: z.string().min(1), schema: z.string().min(1), name: z.string().min(1) }).optional(),
  lsn: lsnText.optional(),
})
const pitrBody = z.strictObject({ seconds: z.number().min(0) })
const upkeepBody = z.strictObject({
  steps: z.array(z.enum(['flush', 'compact', 'images', 'publish', 'gc', 'scrub'])).min(1),
})

/** Routes of the storage admin for openHttpServer. Paths and bodies: docs/storage-admin-http.md. */
export function storageAdminRoutes(admin: StorageAdmin): Record<string, HttpHandler> {
  const timelinePath = '/projects/:projectId/timelines/:timelineId'
  return {
    'GET /projects': () => admin.listProjects(),
    'POST /projects': (request) => {
      const { projectId, timelineId } = parseBody(createProjectBody, request)
      return admin.createProject({ projectId: ProjectId.parse(projectId), timelineId: TimelineId.parse(timelineId) })
    },
    'DELETE /projects/:projectId': (request) => admin.deleteProject(projectOf(request)),
    'PUT /projects/:projectId/pitr-window': (request) =>
      admin.setPitrWindow(projectOf(request), parseBody(pitrBody, request).seconds),
    'GET /projects/:projectId/timelines': (request) => admin.listTimelines(projectOf(request)),
    'POST /projects/:projectId/timelines': (request) => {
      const { timelineId, ancestorTimelineId, at } = parseBody(createBranchBody, request)
      return admin.createBranch({
        projectId: projectOf(request),
        timelineId: TimelineId.parse(timelineId),
        ancestorTimelineId: TimelineId.parse(ancestorTimelineId),
        ...(at === undefined ? {} : { at }),
      })
    },
    [`GET ${timelinePath}`]: (request) => admin.getTimeline(projectOf(request), timelineOf(request)),
    [`DELETE ${timelinePath}`]: (request) => admin.deleteTimeline(projectOf(request), timelineOf(request)),
    [`GET ${timelinePath}/lsn-at-time`]: (request) =>
      admin.lsnAtTime(projectOf(request), timelineOf(request), queryOf(request, 'time')),
    [`GET ${timelinePath}/time-at-lsn`]: (request) =>
      admin.timeAtLsn(projectOf(request), timelineOf(request), queryOf(request, 'lsn')),
    [`GET ${timelinePath}/events`]: (request) =>
      admin.timelineEvents({
        projectId: projectOf(request),
        timelineId: timelineOf(request),
        limit: countOf(request, 'limit'),
        ...optionalQuery(request, ['fromLsn', 'toLsn']),
      }),
    [`GET ${timelinePath}/commit-histogram`]: (request) =>
      admin.commitHistogram({
        projectId: projectOf(request),
        timelineId: timelineOf(request),
        buckets: countOf(request, 'buckets'),
        ...optionalQuery(request, ['from', 'to']),
      }),
    [`PUT ${timelinePath}/leases/:leaseId`]: (request) =>
      admin.leaseLsn({
        projectId: projectOf(request),
        timelineId: timelineOf(request),
        leaseId: request.params.leaseId ?? '',
        ...parseBody(leaseBody, request),
      }),
    [`PUT ${timelinePath}/read-holds/:holdId`]: (request) =>
      admin.holdReads({
        projectId: projectOf(request),
        timelineId: timelineOf(request),
        holdId: request.params.holdId ?? '',
        ...parseBody(leaseBody, request),
      }),
    [`DELETE ${timelinePath}/read-holds/:holdId`]: (request) =>
      admin.releaseReads(projectOf(request), timelineOf(request), request.params.holdId ?? ''),
    [`POST ${timelinePath}/upkeep`]: (request) =>
      admin.runUpkeep(projectOf(request), timelineOf(request), parseBody(upkeepBody, request).steps),
    [`POST ${timelinePath}/publish`]: (request) => {
      const { table, lsn } = parseBody(publishBody, request)
      return admin.publishTables({
        projectId: projectOf(request),
        timelineId: timelineOf(request),
        ...(table ? { table } : {}),
        ...(lsn === undefined ? {} : { lsn }),
      })
    },
    [`GET ${timelinePath}/delta-tables`]: (request) => admin.deltaTables(projectOf(request), timelineOf(request)),
    'GET /projects/:projectId/storage-report': (request) => admin.storageReport(projectOf(request)),
    [`POST ${timelinePath}/snapshot-plan`]: (request) => {
      const { changedSinceLsn, ...plan } = parseBody(snapshotPlanBody, request)
      return admin.snapshotPlan({
        projectId: projectOf(request),
        timelineId: timelineOf(request),
        ...plan,
        ...(changedSinceLsn === undefined ? {} : { changedSinceLsn }),
      })
    },
    [`GET ${timelinePath}/layers`]: (request) => admin.layerMap(projectOf(request), timelineOf(request)),
  }
}

/** The `:projectId` of a path. Throws `invalid-input`. */
export function projectOf(request: HttpRequest): ProjectId {
  return ProjectId.parse(request.params.projectId ?? '')
}

/** The `:timelineId` of a path. Throws `invalid-input`. */
export function timelineOf(request: HttpRequest): TimelineId {
  return TimelineId.parse(request.params.timelineId ?? '')
}

/** Throws `invalid-input` naming the parameter when it is missing. */
export function queryOf(request: HttpRequest, name: string): string {
  const value = request.query.get(name)
  if (value === null || value === '') throw new StorageError('invalid-input', 'query parameter is missing', { name })
  return value
}

/** A number from 1 to 1000. Throws `invalid-input` naming the parameter. */
function countOf(request: HttpRequest, name: string): number {
  const value = Number(queryOf(request, name))
  if (Number.isInteger(value) && value >= 1 && value <= 1000) return value
  throw new StorageError('invalid-input', `${name}: must be a number from 1 to 1000`)
}

function optionalQuery<Name extends string>(
  request: HttpRequest,
  names: readonly Name[],
): Partial<Record<Name, string>> {
  const given: Partial<Record<Name, string>> = {}
  for (const name of names) {
    const value = request.query.get(name)
    if (value !== null && value !== '') given[name] = value
  }
  return given
}

function parseBody<Body>(schema: z.ZodType<Body>, request: HttpRequest): Body {
  const parsed = schema.safeParse(request.body ?? {})
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw new StorageError('invalid-input', issue?.message ?? 'body is not valid', {
    field: issue?.path.join('.') || 'body',
  })
}
