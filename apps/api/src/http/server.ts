import fastify, { type FastifyInstance } from 'fastify'
import { collectDefaultMetrics, Histogram, Registry } from 'prom-client'
import type { App } from '../app.ts'
import type { Auth } from '../auth/auth.ts'
import type { Authenticator } from '../auth/authenticate.ts'
import type { ProxyConnections } from '../control-plane/proxy-connections.ts'
import type { TimeTravelConnections } from '../control-plane/time-travel-connections.ts'
import type { Waker } from '../control-plane/wake.ts'
import type { FirstRun } from '../modules/first-run/first-run.ts'
import type { Services } from '../services.ts'
import { newUuid } from '../shared/ids.ts'
import { registerAuthRoutes } from './auth-routes.ts'
import { startGraphql } from './graphql-server.ts'
import { registerProxyRoutes } from './proxy-routes.ts'
import { RateLimiter } from './rate-limit.ts'
import { registerRest } from './rest/register-rest.ts'

/** SQL of a megabyte in JSON, with room. */
export const BODY_BYTES_MAX = 4 * 1024 * 1024

export interface HttpParts {
  readonly app: App
  readonly auth: Auth
  readonly authenticator: Authenticator
  readonly services: Services
  readonly firstRun: FirstRun
  readonly waker: Waker
  readonly connections: ProxyConnections
  readonly timeTravel: TimeTravelConnections
  readonly internalToken: string
  /** False until the first pass is done. */
  readonly isReady: () => boolean
}

/** The server itself, without routes: made first, for its log. */
export function makeServer(logLevel: string): FastifyInstance {
  return fastify({
    logger: { level: logLevel, redact: ['req.headers.authorization', 'req.headers.cookie'] },
    bodyLimit: BODY_BYTES_MAX,
    routerOptions: { ignoreTrailingSlash: true },
    // One id from browser to storage; a client's own is kept when it looks like one.
    genReqId: (request) => {
      const given = request.headers['x-request-id']
      return typeof given === 'string' && /^[\w-]{1,64}$/.test(given) ? given : newUuid()
    },
    disableRequestLogging: logLevel !== 'debug' && logLevel !== 'trace',
    trustProxy: 'loopback',
    forceCloseConnections: true,
  })
}

/** Adds all routes and listens. Resolves with what stops it. */
export async function startServer(server: FastifyInstance, parts: HttpParts): Promise<{ stop: () => Promise<void> }> {
  const { app } = parts
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const seconds = new Histogram({
    name: 'tributary_api_request_seconds',
    help: 'Time to answer a request',
    labelNames: ['route', 'status'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers: [registry],
  })
  server.addHook('onResponse', async (request, reply) => {
    seconds.observe({ route: request.routeOptions.url ?? 'none', status: reply.statusCode }, reply.elapsedTime / 1000)
  })
  server.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id)
  })

  server.get('/status', async () => ({
    state: parts.isReady() ? 'ready' : 'starting',
    pid: process.pid,
    version: app.version,
  }))
  server.get('/metrics', async (_request, reply) => {
    reply.type(registry.contentType)
    return registry.metrics()
  })

  const limiter = new RateLimiter(app.config.rateLimit)
  registerAuthRoutes(server, { app, auth: parts.auth, firstRun: parts.firstRun })
  registerProxyRoutes(server, {
    app,
    waker: parts.waker,
    connections: parts.connections,
    timeTravel: parts.timeTravel,
    token: parts.internalToken,
  })
  registerRest(server, { app, services: parts.services, authenticator: parts.authenticator, limiter })
  const graphql = await startGraphql(server, {
    app,
    services: parts.services,
    authenticator: parts.authenticator,
    limiter,
    log: server.log,
  })
  await server.listen({ host: app.config.host, port: app.config.port })
  return {
    async stop() {
      await graphql.stop()
      await server.close()
    },
  }
}
