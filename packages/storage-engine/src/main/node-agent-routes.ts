import { z } from 'zod'
import type { ComputesReply } from '../admin/http-compute-driver.ts'
import type { StackReply } from '../admin/http-stack-client.ts'
import type { PollReply } from '../admin/long-poll.ts'
import { StorageError } from '../base/errors.ts'
import type { HttpHandler, HttpRequest } from '../io/http-server.ts'
import { ProjectId, TimelineId } from '../postgres/ids.ts'
import { parseComputeSpec } from './compute-spec.ts'
import { forgetTimeline } from './forget-timeline.ts'
import type { LocalStackSupervisor } from './local-stack-supervisor.ts'
import type { ManagedProcess } from './managed-process.ts'
import { readStorageStatus } from './storage-status.ts'

const links = z.strictObject({
  safekeeperIds: z.union([z.literal('all'), z.array(z.int().min(1)).min(1).max(100)]),
  cut: z.enum(['on', 'off']),
})
const signal = z.strictObject({ signal: z.enum(['SIGKILL', 'SIGTERM', 'SIGSTOP', 'SIGCONT']).default('SIGKILL') })

/** The supervisor as node agent (ComputeDriver) and as StackClient's other end; docs/operations.md lists the calls. */
export function nodeAgentRoutes(supervisor: LocalStackSupervisor): Record<string, HttpHandler> {
  const { agent, feed, storage } = supervisor
  const idOf = ({ params }: HttpRequest) => params['computeId'] ?? ''
  return {
    'GET /computes': () => agent.list(),
    'GET /computes-watch': async (request): Promise<ComputesReply> => {
      const last = lastOf(request)
      await agent.feed.next(last, waitMsOf(request), request.signal)
      const { epoch, revision } = agent.feed
      const isFull = last?.epoch !== epoch
      return { epoch, revision, isFull, computes: isFull ? agent.list() : agent.changedSince(last.revision) }
    },
    'GET /computes/:computeId': (request) => agent.get(idOf(request)),
    'PUT /computes/:computeId': (request) => {
      const spec = parseComputeSpec(request.body)
      if (spec.computeId !== idOf(request))
        throw new StorageError('invalid-input', 'computeId: is not that of the path')
      return agent.start(spec)
    },
    'DELETE /computes/:computeId': (request) => {
      const how = request.query.get('how') ?? 'graceful'
      if (how !== 'graceful' && how !== 'immediate') {
        throw new StorageError('invalid-input', 'how: must be graceful or immediate')
      }
      return agent.stop(idOf(request), how)
    },
    'GET /computes/:computeId/status': (request) => agent.status(idOf(request)),
    'GET /computes/:computeId/activity': (request) => agent.activity(idOf(request)),
    'POST /computes/:computeId/links': (request) => {
      const { safekeeperIds, cut } = parseBody(links, request.body)
      return agent.cutLinks(idOf(request), safekeeperIds, cut)
    },
    'GET /stack-info': () => supervisor.info(),
    'GET /stack-watch': async (request): Promise<StackReply> => {
      await feed.next(lastOf(request), waitMsOf(request), request.signal)
      return { epoch: feed.epoch, revision: feed.revision, stack: supervisor.info() }
    },
    'DELETE /timelines/:projectId/:timelineId': ({ params }) =>
      forgetTimeline(storage, ProjectId.parse(params['projectId'] ?? ''), TimelineId.parse(params['timelineId'] ?? '')),
    'GET /storage-status': () => readStorageStatus(storage.safekeepers, storage.pageserver),
    'POST /processes/:name/start': (request) => processOf(supervisor, request).start(),
    'POST /processes/:name/stop': (request) => processOf(supervisor, request).stop(),
    'POST /processes/:name/kill': (request) =>
      processOf(supervisor, request).kill(parseBody(signal, request.body ?? {}).signal),
  }
}

function processOf(supervisor: LocalStackSupervisor, { params }: HttpRequest): ManagedProcess {
  const name = params['name'] ?? ''
  const child = supervisor.processes.get(name)
  if (!child) throw new StorageError('not-found', 'no such process', { name: name.slice(0, 64) })
  return child
}

/** What the caller has seen last. */
function lastOf({ query }: HttpRequest): PollReply | undefined {
  const [epoch, after] = [query.get('epoch'), query.get('after')]
  if (epoch === null || after === null) return undefined
  const revision = Number(after)
  if (!Number.isSafeInteger(revision)) throw new StorageError('invalid-input', 'after: must be a number')
  return { epoch, revision }
}

function waitMsOf({ query }: HttpRequest): number {
  const waitMs = Number(query.get('waitMs') ?? 0)
  if (!Number.isFinite(waitMs)) throw new StorageError('invalid-input', 'waitMs: must be a number')
  return waitMs
}

/** Throws `invalid-input` naming the field. */
export function parseBody<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw new StorageError('invalid-input', `${issue?.path.join('.') || 'body'}: ${issue?.message}`)
}
