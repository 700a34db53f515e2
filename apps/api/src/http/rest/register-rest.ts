import { isStorageError } from '@tributary/storage-engine/admin'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { z } from 'zod'
import type { App } from '../../app.ts'
import type { Authenticator } from '../../auth/authenticate.ts'
import { actorName } from '../../auth/permission.ts'
import type { Services } from '../../services.ts'
import { FailureError, failure } from '../../shared/result.ts'
import { codeByStorageError, statusByFailure } from '../failure-status.ts'
import type { RateLimiter } from '../rate-limit.ts'
import { openApiDocument } from './openapi-document.ts'
import { OtherStatus, type RestRoute } from './rest-route.ts'
import { restRoutes } from './rest-routes.ts'

export const REST_PATH = '/api/v2'
const ID = /^[A-Za-z0-9_.@-]{1,128}$/

export interface RestParts {
  readonly app: App
  readonly services: Services
  readonly authenticator: Authenticator
  readonly limiter: RateLimiter
}

/** The REST interface below /api/v2. Only bearer keys and tokens: no cookie of a browser acts here. */
export function registerRest(server: FastifyInstance, parts: RestParts): void {
  const document = openApiDocument(restRoutes, parts.app.version)
  server.register(
    async (rest) => {
      // Clients name the type also where there is no body.
      rest.removeContentTypeParser('application/json')
      rest.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, text, done) => {
        if (text === '') return done(null, undefined)
        try {
          done(null, JSON.parse(String(text)))
        } catch {
          done(new FailureError(failure('INVALID_INPUT', 'the body is not JSON').error), undefined)
        }
      })
      rest.setErrorHandler((error, request, reply) => sendError(error, request, reply))
      rest.setNotFoundHandler((request, reply) =>
        sendError(
          new FailureError(
            failure(
              'NOT_FOUND',
              `${request.method} ${request.url.split('?')[0]} is not served; see ${REST_PATH}/openapi.json`,
            ).error,
          ),
          request,
          reply,
        ),
      )
      rest.get('/openapi.json', async () => document)
      for (const route of restRoutes) addRoute(rest, route, parts)
    },
    { prefix: REST_PATH },
  )
}

function addRoute(rest: FastifyInstance, route: RestRoute, parts: RestParts): void {
  rest.route({
    method: route.method,
    url: route.path.replace(/\{(\w+)\}/g, ':$1'),
    handler: async (request, reply) => {
      const { authorization } = request.headers
      const actor = await parts.authenticator.authenticate({ authorization })
      const waitSeconds = parts.limiter.take(actor ? actorName(actor) : request.ip)
      if (waitSeconds > 0) {
        reply.header('retry-after', waitSeconds)
        throw new FailureError(failure('RATE_LIMITED', 'too many requests').error)
      }
      if (!actor || actor.kind === 'system')
        throw new FailureError(failure('UNAUTHENTICATED', 'this needs an API key: Authorization: Bearer <key>').error)
      const params = request.params as Record<string, string>
      for (const [name, value] of Object.entries(params))
        if (!/_name$/.test(name) && !ID.test(value))
          throw new FailureError(failure('NOT_FOUND', `${name}: not found`).error)
      const query = parse(route.query.strict(), request.query ?? {}, 'query')
      const body = route.body === undefined ? undefined : parse(route.body, request.body, 'body')
      const gone = new AbortController()
      reply.raw.on('close', () => {
        if (!reply.raw.writableFinished) gone.abort(new Error('the client went away'))
      })
      const answer = await route.handle({
        app: parts.app,
        services: parts.services,
        actor,
        params,
        query: query as Record<string, unknown>,
        body,
        options: { signal: gone.signal, requestId: request.id },
      })
      if (answer instanceof OtherStatus) return send(reply, answer.status, answer.body)
      return send(reply, route.status, answer)
    },
  })
}

function send(reply: FastifyReply, status: number, body: unknown): FastifyReply {
  reply.status(status)
  if (body === undefined) return reply.send()
  return reply.type('application/json').send(JSON.stringify(body))
}

/** The first thing that is wrong, by the field's full name. */
function parse(schema: z.ZodType, value: unknown, what: string): unknown {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  if (issue?.code === 'unrecognized_keys') {
    const name = [...issue.path, issue.keys[0]].join('.')
    throw new FailureError(failure('INVALID_INPUT', `${name}: is not a field that is served here`, name).error)
  }
  const name = issue?.path.join('.') || what
  throw new FailureError(failure('INVALID_INPUT', `${name}: ${issue?.message ?? 'is wrong'}`, name).error)
}

/** Services name fields as GraphQL does; here they have the names of the public document. */
const restNames: Readonly<Record<string, string>> = {
  after: 'cursor',
  first: 'limit',
  organizationId: 'org_id',
  pitrWindowSeconds: 'history_retention_seconds',
  branchName: 'branch.name',
  databaseName: 'branch.database_name',
  roleName: 'branch.role_name',
  parentId: 'parent_id',
  expiresAt: 'expires_at',
  expiresInDays: 'expires_at',
  suspendAfterSeconds: 'suspend_timeout_seconds',
  size: 'autoscaling_limit_max_cu',
  settings: 'settings.pg_settings',
  sourceBranchId: 'source_branch_id',
  keepAs: 'preserve_under_name',
  ownerName: 'owner_name',
  'quotas.computeSeconds': 'settings.quota.compute_time_seconds',
  'quotas.writtenBytes': 'settings.quota.written_data_bytes',
  'quotas.storageBytes': 'settings.quota.logical_size_bytes',
}

function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const found = toFailure(error)
  if (!found) request.log.error({ err: error }, 'a request failed')
  const { status, code, message } = found ?? { status: 500, code: 'INTERNAL_ERROR', message: 'internal error' }
  return send(reply, status, { request_id: request.id, code, message })
}

function toFailure(error: unknown): { status: number; code: string; message: string } | undefined {
  if (error instanceof FailureError) {
    const { code, message, field } = error.failure
    const name = field === null ? undefined : restNames[field]
    const told =
      name !== undefined && message.startsWith(`${field}: `) ? `${name}: ${message.slice(field!.length + 2)}` : message
    return { status: statusByFailure[code], code, message: told }
  }
  if (isStorageError(error)) {
    const code = codeByStorageError[error.code]
    return code === undefined ? undefined : { status: statusByFailure[code], code, message: error.message }
  }
  // Of the server itself: a body that is too large, a content type nobody reads.
  if (error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number' && error.statusCode < 500)
    return { status: error.statusCode, code: 'INVALID_INPUT', message: error.message }
  return undefined
}
