import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { z } from 'zod'
import type { App } from '../app.ts'
import type { ProxyConnections } from '../control-plane/proxy-connections.ts'
import type { TimeTravelConnections } from '../control-plane/time-travel-connections.ts'
import type { Waker } from '../control-plane/wake.ts'
import type { Endpoint } from '../generated/prisma/client.ts'
import {
  type ConnectionsAnswer,
  connectionsReport,
  PROXY_CONNECTIONS_PATH,
  PROXY_ROUTE_PATH,
  PROXY_WAKE_PATH,
  type ProxyProblemCode,
  type RouteAnswer,
  routeQuery,
  type WakeAnswer,
  wakeRequest,
} from '../proxy/proxy-contract.ts'
import type { Failure, FailureCode } from '../shared/result.ts'

const problemStatus: Readonly<Record<ProxyProblemCode, number>> = {
  endpoint_not_found: 404,
  endpoint_disabled: 403,
  out_of_range: 422,
  quota_exceeded: 402,
  too_many: 429,
  unavailable: 503,
  invalid_input: 400,
  unauthorized: 401,
}

const problemByFailure: Partial<Readonly<Record<FailureCode, ProxyProblemCode>>> = {
  NOT_FOUND: 'endpoint_not_found',
  INVALID_INPUT: 'out_of_range',
  QUOTA_EXCEEDED: 'quota_exceeded',
  RATE_LIMITED: 'too_many',
}

/** What the Postgres proxy asks; see proxy/proxy-contract.ts. Answers only to the internal token. */
export function registerProxyRoutes(
  server: FastifyInstance,
  parts: {
    readonly app: App
    readonly waker: Waker
    readonly connections: ProxyConnections
    readonly timeTravel: TimeTravelConnections
    readonly token: string
  },
): void {
  const { app, waker, connections, timeTravel } = parts
  const tokenDigest = createHash('sha256').update(parts.token).digest()

  const isTrusted = (request: FastifyRequest): boolean => {
    const given = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? ''
    return timingSafeEqual(createHash('sha256').update(given).digest(), tokenDigest)
  }

  const refuse = (reply: FastifyReply, code: ProxyProblemCode, message: string) =>
    reply.status(problemStatus[code]).send({ code, message })
  const refuseFailure = (reply: FastifyReply, error: Failure) =>
    refuse(reply, problemByFailure[error.code] ?? 'unavailable', error.message)

  const parsed = <Value>(schema: z.ZodType<Value>, value: unknown, reply: FastifyReply): Value | undefined => {
    const result = schema.safeParse(value)
    if (result.success) return result.data
    const issue = result.error.issues[0]
    void refuse(reply, 'invalid_input', `${issue?.path.join('.') || 'body'}: ${issue?.message}`)
    return undefined
  }

  server.register(async (routes) => {
    routes.addHook('onRequest', async (request, reply) => {
      if (!isTrusted(request)) await refuse(reply, 'unauthorized', 'the internal token is wrong')
    })

    routes.get(PROXY_ROUTE_PATH, async (request, reply) => {
      const query = parsed(routeQuery, request.query, reply)
      if (!query) return reply
      const endpoint = await findEndpoint(app, query.endpoint, query.user)
      if (!endpoint) return refuse(reply, 'endpoint_not_found', `endpoint ${query.endpoint} not found`)
      const common = {
        projectId: endpoint.projectId,
        branchId: endpoint.branchId,
        verifier: endpoint.verifier,
        limits: { connectionsMax: endpoint.maxConnections, idleTimeoutMs: 0 },
      }
      if (query.lsn !== undefined || query.timestamp !== undefined) {
        const branch = await app.database.branch.findUniqueOrThrow({
          where: { id: endpoint.branchId },
          include: { project: true },
        })
        const settled = await timeTravel.settle(branch, { lsn: query.lsn, time: query.timestamp })
        if (!settled.ok) return refuseFailure(reply, settled.error)
        return { ...common, endpointId: settled.value, state: 'idle', address: null } satisfies RouteAnswer
      }
      return {
        ...common,
        endpointId: endpoint.id,
        state: endpoint.state === 'ACTIVE' ? 'active' : endpoint.state === 'STARTING' ? 'init' : 'idle',
        address: addressOf(endpoint),
      } satisfies RouteAnswer
    })

    routes.post(PROXY_WAKE_PATH, async (request, reply) => {
      const body = parsed(wakeRequest, request.body, reply)
      if (!body) return reply
      const woken = timeTravel.isKey(body.endpointId)
        ? await timeTravel.open(body.endpointId)
        : await waker.wake(
            body.endpointId,
            {
              cause: 'connection',
              clientAddress: body.cause.clientAddress,
              role: body.cause.user,
              database: body.cause.database,
            },
            { deadAddress: body.deadAddress },
          )
      if (!woken.ok) return refuseFailure(reply, woken.error)
      return woken.value satisfies WakeAnswer
    })

    routes.post(PROXY_CONNECTIONS_PATH, async (request, reply) => {
      const body = parsed(connectionsReport, request.body, reply)
      if (!body) return reply
      connections.accept(body)
      const ids = body.endpoints.map(({ endpointId }) => endpointId)
      for (const id of ids) timeTravel.touch(id)
      const endpoints = await app.database.endpoint.findMany({ where: { id: { in: ids } } })
      const current = ids.flatMap((endpointId) => {
        if (timeTravel.isKey(endpointId)) return [{ endpointId, address: timeTravel.addressOf(endpointId) }]
        const endpoint = endpoints.find(({ id }) => id === endpointId)
        // While a compute changes, its sessions are left to end by themselves.
        if (endpoint && endpoint.state !== 'ACTIVE' && endpoint.state !== 'IDLE') return []
        return [{ endpointId, address: endpoint ? addressOf(endpoint) : null }]
      })
      return { current } satisfies ConnectionsAnswer
    })
  })
}

function addressOf(
  endpoint: Pick<Endpoint, 'state' | 'desiredState' | 'host' | 'port'>,
): { host: string; port: number } | null {
  const { state, desiredState, host, port } = endpoint
  return state === 'ACTIVE' && desiredState === 'RUNNING' && host !== null && port !== null ? { host, port } : null
}

type RoutedEndpoint = Pick<
  Endpoint,
  'id' | 'projectId' | 'branchId' | 'state' | 'desiredState' | 'host' | 'port' | 'maxConnections'
> & { readonly verifier: string | null }

/**
 * By its id, or by that of its branch (then the branch's read-write endpoint), with or without `-pooler`; with the role's
 * verifier. One statement, since every connection waits for it.
 */
async function findEndpoint(app: App, name: string, user: string): Promise<RoutedEndpoint | undefined> {
  const id = name.replace(/-pooler$/, '')
  const [found] = await app.database.$queryRaw<RoutedEndpoint[]>`
    SELECT e.id, e."projectId", e."branchId", e.state, e."desiredState", e.host, e.port, e."maxConnections", r.verifier
      FROM "Endpoint" e JOIN "Project" p ON p.id = e."projectId"
      LEFT JOIN "Role" r ON r."branchId" = e."branchId" AND r.name = ${user}
     WHERE (e.id = ${id} OR e."branchId" = ${id} AND e.type = 'READ_WRITE') AND p."deletedAt" IS NULL
     LIMIT 1`
  return found
}
