import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { ApolloServer, type ApolloServerPlugin, HeaderMap } from '@apollo/server'
import { unwrapResolverError } from '@apollo/server/errors'
import { ApolloArmor } from '@escape.tech/graphql-armor'
import { isStorageError, type StorageErrorCode } from '@tributary/storage-engine/admin'
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import { GraphQLError, type GraphQLFormattedError, parse, validate } from 'graphql'
import { useServer } from 'graphql-ws/use/ws'
import { WebSocketServer } from 'ws'
import type { Actor, App } from '../app.ts'
import type { Authenticator } from '../auth/authenticate.ts'
import { actorName } from '../auth/permission.ts'
import type { GraphContext } from '../graphql/context.ts'
import { makeLoaders } from '../graphql/loaders.ts'
import { schema } from '../graphql/schema.ts'
import type { Services } from '../services.ts'
import { newUuid } from '../shared/ids.ts'
import { type FailureCode, FailureError } from '../shared/result.ts'
import type { RateLimiter } from './rate-limit.ts'

export const GRAPHQL_PATH = '/graphql'
const SOCKETS_MAX = 1000
const SOCKETS_PER_ACTOR_MAX = 50
const SOCKET_MESSAGE_BYTES_MAX = 256 * 1024

/** What one request may ask for, with `limits`; see docs/api.md. */
const parseOptions = { maxTokens: 4000 }
const limits = {
  maxDepth: { n: 14 },
  maxAliases: { n: 30 },
  maxDirectives: { n: 50 },
  // The parser of graphql has this limit itself; the library's answers with status 500, to every syntax error too.
  maxTokens: { enabled: false },
  costLimit: { maxCost: 60_000, objectCost: 2, scalarCost: 1, depthCostFactor: 1.4, ignoreIntrospection: true },
  blockFieldSuggestion: { enabled: false },
}

export interface GraphqlParts {
  readonly app: App
  readonly services: Services
  readonly authenticator: Authenticator
  readonly limiter: RateLimiter
  readonly log: FastifyBaseLogger
}

export async function startGraphql(
  server: FastifyInstance,
  parts: GraphqlParts,
): Promise<{ stop: () => Promise<void> }> {
  const armor = new ApolloArmor(limits).protect()
  const apollo = new ApolloServer<GraphContext>({
    schema,
    // Console and tools read it; what it says is public in docs/api.md.
    introspection: true,
    csrfPrevention: true,
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    validationRules: armor.validationRules,
    parseOptions,
    allowBatchedHttpRequests: false,
    plugins: [...(armor.plugins as ApolloServerPlugin<GraphContext>[])],
    formatError: (formatted, error) => formatError(formatted, error, parts.log),
  })
  await apollo.start()

  server.route({
    method: ['GET', 'POST'],
    url: GRAPHQL_PATH,
    handler: async (request, reply) => {
      const actor = await parts.authenticator.authenticate(request.headers)
      const waitSeconds = parts.limiter.take(actor ? actorName(actor) : request.ip)
      if (waitSeconds > 0)
        return reply
          .status(429)
          .header('retry-after', waitSeconds)
          .send({ errors: [{ message: 'too many requests', extensions: { code: 'RATE_LIMITED' } }] })
      const headers = new HeaderMap()
      for (const [name, value] of Object.entries(request.headers))
        if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value)
      const abort = new AbortController()
      request.raw.on('close', () => {
        if (!reply.raw.writableFinished) abort.abort()
      })
      reply.raw.on('close', () => {
        if (!reply.raw.writableFinished) abort.abort()
      })
      const response = await apollo.executeHTTPGraphQLRequest({
        httpGraphQLRequest: {
          method: request.method,
          headers,
          search: new URL(request.url, 'http://localhost').search,
          body: request.body,
        },
        context: async () => contextOf(parts, actor, request.id, abort.signal),
      })
      reply.status(response.status ?? 200)
      for (const [name, value] of response.headers) reply.header(name, value)
      if (response.body.kind === 'complete') return reply.send(response.body.string)
      throw new Error('incremental delivery is not used')
    },
  })

  const sockets = startSockets(server.server, parts, armor.validationRules)
  return {
    async stop() {
      await sockets.stop()
      await apollo.stop()
    },
  }
}

function contextOf(
  parts: GraphqlParts,
  actor: Actor | null,
  requestId: string,
  signal: AbortSignal,
  options: { readonly cache: boolean } = { cache: true },
): GraphContext {
  const { app, services } = parts
  return { app, services, actor, requestId, signal, loaders: makeLoaders(app, services, options) }
}

const codeByStorageError: Readonly<Record<StorageErrorCode, FailureCode | 'INTERNAL_ERROR'>> = {
  unavailable: 'UNAVAILABLE',
  exhausted: 'UNAVAILABLE',
  unsupported: 'UNAVAILABLE',
  aborted: 'UNAVAILABLE',
  'invalid-input': 'INVALID_INPUT',
  'not-found': 'NOT_FOUND',
  conflict: 'CONFLICT',
  fenced: 'CONFLICT',
  corruption: 'INTERNAL_ERROR',
}

/** Failures keep their code; what nobody foresaw is masked, and logged with the id of the request. */
function formatError(formatted: GraphQLFormattedError, error: unknown, log: FastifyBaseLogger): GraphQLFormattedError {
  const original = unwrapResolverError(error)
  if (original instanceof FailureError)
    return { ...formatted, message: original.failure.message, extensions: { code: original.failure.code } }
  if (isStorageError(original)) {
    log.warn({ err: original, path: formatted.path }, 'storage refused')
    return { ...formatted, message: original.message, extensions: { code: codeByStorageError[original.code] } }
  }
  const code = formatted.extensions?.['code']
  const isExpected = original instanceof GraphQLError || (code !== undefined && code !== 'INTERNAL_SERVER_ERROR')
  if (isExpected) return formatted
  log.error({ err: original, path: formatted.path }, 'a resolver failed')
  return {
    message: 'internal error',
    ...(formatted.path ? { path: formatted.path } : {}),
    extensions: { code: 'INTERNAL_ERROR' },
  }
}

interface SocketExtra extends Record<PropertyKey, unknown> {
  readonly request: IncomingMessage
  actor?: Actor | null
}

/**
 * Subscriptions (graphql-ws). Who connects is known by cookie, by `authorization` of the request, or by `authorization` in
 * the payload of connection_init. The origin of a browser must be the console's: cookies travel with any page's sockets.
 */
function startSockets(http: Server, parts: GraphqlParts, rules: readonly unknown[]): { stop: () => Promise<void> } {
  const { app, authenticator, log } = parts
  const sockets = new WebSocketServer({ noServer: true, maxPayload: SOCKET_MESSAGE_BYTES_MAX })
  const countByActor = new Map<string, number>()
  const abort = new AbortController()

  const cleanup = useServer<{ authorization?: string }, SocketExtra>(
    {
      schema,
      async onConnect(context) {
        const { request } = context.extra
        const given = context.connectionParams?.authorization
        const actor = await authenticator.authenticate({
          cookie: isOwnOrigin(request, app.config.webOrigin) ? request.headers.cookie : undefined,
          authorization: typeof given === 'string' ? given : request.headers.authorization,
        })
        if (!actor) return false
        const name = actorName(actor)
        const count = countByActor.get(name) ?? 0
        if (count >= SOCKETS_PER_ACTOR_MAX) return false
        countByActor.set(name, count + 1)
        context.extra.actor = actor
        return true
      },
      onClose(context) {
        const { actor } = context.extra
        if (!actor) return
        const name = actorName(actor)
        const count = (countByActor.get(name) ?? 1) - 1
        if (count > 0) countByActor.set(name, count)
        else countByActor.delete(name)
      },
      context: (context) => contextOf(parts, context.extra.actor ?? null, newUuid(), abort.signal, { cache: false }),
      onSubscribe(_context, _id, message) {
        const document = (() => {
          try {
            return parse(message.query, parseOptions)
          } catch (error) {
            return error instanceof GraphQLError ? error : new GraphQLError('not a document')
          }
        })()
        if (document instanceof GraphQLError) return [document]
        const errors = validate(schema, document, [...(rules as Parameters<typeof validate>[2] & object)])
        return errors.length > 0 ? errors : undefined
      },
      onNext(_context, _id, _payload, _args, result) {
        if (!result.errors) return
        return {
          data: result.data ?? null,
          errors: result.errors.map((error) => formatError(error.toJSON(), error, log)),
        }
      },
    },
    sockets,
  )

  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost')
    if (pathname !== GRAPHQL_PATH || sockets.clients.size >= SOCKETS_MAX) {
      socket.end('HTTP/1.1 404 Not Found\r\nconnection: close\r\n\r\n')
      return
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => sockets.emit('connection', webSocket, request))
  }
  http.on('upgrade', onUpgrade)
  return {
    async stop() {
      abort.abort()
      http.off('upgrade', onUpgrade)
      await cleanup.dispose()
    },
  }
}

function isOwnOrigin(request: IncomingMessage, webOrigin: string): boolean {
  const { origin } = request.headers
  // Programs send none, and have no cookies of somebody else.
  return origin === undefined || origin === new URL(webOrigin).origin
}
