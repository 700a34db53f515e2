import { z } from 'zod'
import { type HttpHandler, type HttpServer, openHttpServer } from '../io/http-server.ts'
import type { Log } from '../io/log.ts'
import type { LocalBranches } from './local-branches.ts'
import type { LocalStackSupervisor } from './local-stack-supervisor.ts'
import { nodeAgentRoutes, parseBody } from './node-agent-routes.ts'

const point = z.union([z.strictObject({ lsn: z.string() }), z.strictObject({ time: z.string() })])
const newBranch = z.strictObject({ name: z.string(), parent: z.string().default('main'), at: point.optional() })
const restore = z.strictObject({ keptAs: z.string(), at: point })
const failover = z.strictObject({ keepOld: z.boolean().default(false) })

/** The supervisor's HTTP interface (docs/operations.md): computes, processes and, with the engine alone, branches by name. */
export function openLocalStackAdmin(options: {
  supervisor: LocalStackSupervisor
  host: string
  port: number
  log: Log
  metricsText: () => Promise<string>
}): Promise<HttpServer> {
  const { supervisor } = options
  return openHttpServer({
    host: options.host,
    port: options.port,
    log: options.log,
    token: supervisor.catalog.adminToken,
    metricsText: options.metricsText,
    status: () => ({ state: 'ready', pid: process.pid }),
    routes: {
      'GET /stack': () => supervisor.describe(),
      ...nodeAgentRoutes(supervisor),
      ...(supervisor.branches ? branchRoutes(supervisor.branches) : {}),
    },
  })
}

function branchRoutes(branches: LocalBranches): Record<string, HttpHandler> {
  const nameOf = (params: Readonly<Record<string, string>>) => params['name'] ?? ''
  return {
    'POST /branches': ({ body }) => {
      const input = parseBody(newBranch, body)
      return branches.create({
        name: input.name,
        parent: input.parent,
        ...(input.at === undefined ? {} : { at: input.at }),
      })
    },
    'DELETE /branches/:name': ({ params }) => branches.delete(nameOf(params)),
    'POST /branches/:name/start': ({ params }) => branches.start(nameOf(params)),
    'POST /branches/:name/stop': ({ params }) => branches.stop(nameOf(params)),
    'POST /branches/:name/failover': ({ params, body }) =>
      branches.failover(nameOf(params), parseBody(failover, body ?? {})),
    'POST /branches/:name/restore': ({ params, body }) =>
      branches.restore({ name: nameOf(params), ...parseBody(restore, body) }),
  }
}
