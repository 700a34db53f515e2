import { z } from 'zod'
import { StorageError } from '../base/errors.ts'
import { type HttpServer, openHttpServer } from '../io/http-server.ts'
import type { Log } from '../io/log.ts'
import type { LocalStackSupervisor } from './local-stack-supervisor.ts'

const point = z.union([z.strictObject({ lsn: z.string() }), z.strictObject({ time: z.string() })])
const newBranch = z.strictObject({ name: z.string(), parent: z.string().default('main'), at: point.optional() })
const restore = z.strictObject({ keptAs: z.string(), at: point })
const failover = z.strictObject({ keepOld: z.boolean().default(false) })
const kill = z.strictObject({ signal: z.enum(['SIGKILL', 'SIGTERM', 'SIGSTOP', 'SIGCONT']).default('SIGKILL') })

/** The supervisor's HTTP interface (docs/operations.md): branches by name, computes, single processes. */
export function openLocalStackAdmin(options: {
  supervisor: LocalStackSupervisor
  host: string
  port: number
  log: Log
  metricsText: () => Promise<string>
}): Promise<HttpServer> {
  const { supervisor } = options
  const nameOf = (params: Readonly<Record<string, string>>) => params['name'] ?? ''
  const processOf = (params: Readonly<Record<string, string>>) => {
    const child = supervisor.processes.get(nameOf(params))
    if (!child) throw new StorageError('not-found', 'no such process', { name: nameOf(params) })
    return child
  }
  return openHttpServer({
    host: options.host,
    port: options.port,
    log: options.log,
    token: supervisor.catalog.adminToken,
    metricsText: options.metricsText,
    status: () => ({ state: 'ready', pid: process.pid }),
    routes: {
      'GET /stack': () => supervisor.describe(),
      'POST /branches': ({ body }) => {
        const input = parse(newBranch, body)
        return supervisor.createBranch({
          name: input.name,
          parent: input.parent,
          ...(input.at === undefined ? {} : { at: input.at }),
        })
      },
      'DELETE /branches/:name': ({ params }) => supervisor.deleteBranch(nameOf(params)),
      'POST /branches/:name/start': ({ params }) => supervisor.startBranch(nameOf(params)),
      'POST /branches/:name/stop': ({ params }) => supervisor.stopBranch(nameOf(params)),
      'POST /branches/:name/failover': ({ params, body }) =>
        supervisor.failoverBranch(nameOf(params), parse(failover, body ?? {})),
      'POST /branches/:name/restore': ({ params, body }) =>
        supervisor.restoreBranch({ name: nameOf(params), ...parse(restore, body) }),
      'POST /processes/:name/start': ({ params }) => processOf(params).start(),
      'POST /processes/:name/stop': ({ params }) => processOf(params).stop(),
      'POST /processes/:name/kill': ({ params, body }) => processOf(params).kill(parse(kill, body ?? {}).signal),
    },
  })
}

function parse<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw new StorageError('invalid-input', `${issue?.path.join('.') || 'body'}: ${issue?.message}`)
}
