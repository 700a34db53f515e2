import { ApolloServer, type ApolloServerPlugin, HeaderMap } from '@apollo/server'
import { ApolloArmor } from '@escape.tech/graphql-armor'
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import type { App } from '../app.ts'
import type { Authenticator } from '../auth/authenticate.ts'
import { actorName } from '../auth/permission.ts'
import type { GraphContext } from '../graphql/context.ts'
import { makeLoaders } from '../graphql/loaders.ts'
import { schema } from '../graphql/schema.ts'
import type { Services } from '../services.ts'
import { formatError } from './graphql-error.ts'
import { startSockets } from './graphql-sockets.ts'
import type { RateLimiter } from './rate-limit.ts'

export const GRAPHQL_PATH = '/graphql'

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
        context: async () => ({
          app: parts.app,
          services: parts.services,
          actor,
          authenticate: () => Promise.resolve(actor),
          requestId: request.id,
          signal: abort.signal,
          loaders: makeLoaders(parts.app, parts.services, { cache: true }),
        }),
      })
      reply.status(response.status ?? 200)
      for (const [name, value] of response.headers) reply.header(name, value)
      if (response.body.kind === 'complete') return reply.send(response.body.string)
      throw new Error('incremental delivery is not used')
    },
  })

  const sockets = startSockets(server.server, {
    ...parts,
    path: GRAPHQL_PATH,
    parseOptions,
    validationRules: armor.validationRules,
  })
  return {
    async stop() {
      await sockets.stop()
      await apollo.stop()
    },
  }
}
