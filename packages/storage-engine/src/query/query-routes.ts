import { z } from 'zod'
import type { QueryRequest } from '../admin/query-client.ts'
import { StorageError } from '../base/errors.ts'
import { type HttpHandler, type HttpRequest, rawReply } from '../io/http-server.ts'
import type { ProjectId, TimelineId } from '../postgres/ids.ts'
import { type QueryService, ROWS_MAX } from './query-service.ts'

const hexId = z.string().regex(/^[0-9a-f]{32}$/, 'must be 32 lowercase hex digits')
const projectId = hexId.transform((text) => text as ProjectId)
const timelineId = hexId.transform((text) => text as TimelineId)
const queryBody = z.strictObject({
  queryId: z
    .string()
    .regex(/^[\w-]{1,64}$/, 'must be 1 to 64 letters, digits, - and _')
    .optional(),
  projectId,
  timelineId,
  database: z.string().min(1).max(63).optional(),
  sql: z.string().min(1),
  at: z.union([z.strictObject({ lsn: z.string() }), z.strictObject({ time: z.string() })]).optional(),
  branches: z.record(z.string(), timelineId).optional(),
  limits: z
    .strictObject({
      rowsMax: z.number().int().min(1).max(ROWS_MAX).optional(),
      timeoutMs: z.number().int().min(1).optional(),
      memoryMb: z.number().int().min(16).optional(),
    })
    .optional(),
})
const exportBody = queryBody.extend({ format: z.enum(['csv', 'parquet']) })

/** Routes of the query worker for openHttpServer; docs/analytics.md. */
export function queryRoutes(service: QueryService): Record<string, HttpHandler> {
  return {
    'POST /query': (request) => service.run(parse(queryBody, request), request.signal),
    'POST /query/export': async (request) => {
      const { format, ...query } = parse(exportBody, request)
      const bytes = await service.export(query, format, request.signal)
      return rawReply(format === 'csv' ? 'text/csv; charset=utf-8' : 'application/vnd.apache.parquet', bytes)
    },
    'GET /queries': () => service.list(),
    'DELETE /queries/:queryId': (request) => service.cancel(request.params.queryId ?? ''),
  }
}

function parse<Body extends z.ZodType>(schema: Body, request: HttpRequest): z.output<Body> & QueryRequest {
  const parsed = schema.safeParse(request.body ?? {})
  // exactOptionalPropertyTypes: absent fields are absent in what the schema returns, too.
  if (parsed.success) return parsed.data as z.output<Body> & QueryRequest
  const issue = parsed.error.issues[0]
  throw new StorageError('invalid-input', issue?.message ?? 'body is not valid', {
    field: issue?.path.join('.') || 'body',
  })
}
