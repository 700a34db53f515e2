import { z } from 'zod'
import { StorageError } from '../base/errors.ts'
import type { HttpHandler } from '../io/http-server.ts'
import { ProjectId, TimelineId } from '../postgres/ids.ts'
import { Lsn } from '../postgres/lsn.ts'
import type { AcceptorService } from './acceptor-service.ts'
import type { TimelineIdentity } from './timeline-identity.ts'
import type { TimelineRegistry } from './timeline-registry.ts'

/** One timeline as GET /timelines shows it. LSNs and the system identifier are text. */
export interface SafekeeperTimelineInfo {
  readonly projectId: ProjectId
  readonly timelineId: TimelineId
  readonly systemIdentifier: string
  readonly startLsn: string
  readonly term: number
  readonly lastLogTerm: number
  readonly flushLsn: string
  readonly commitLsn: string
  readonly backupLsn: string
  readonly remoteConsistentLsn: string
  readonly oldestLocalLsn: string
  /** Null while all is well. */
  readonly failure: string | null
}

const identitySchema = z.strictObject({
  projectId: z.string(),
  timelineId: z.string(),
  /** A u64 as decimal text. */
  systemIdentifier: z.string().regex(/^\d{1,20}$/),
  startLsn: z.string(),
})

/**
 *   GET    /timelines                          SafekeeperTimelineInfo[]
 *   POST   /timelines                          identity -> SafekeeperTimelineInfo; repeating it changes nothing
 *   GET    /timelines/:projectId/:timelineId   SafekeeperTimelineInfo
 *   DELETE /timelines/:projectId/:timelineId   with its WAL; deleting what is not there is no error
 */
export function safekeeperRoutes(options: {
  registry: TimelineRegistry
  create: (identity: TimelineIdentity) => Promise<AcceptorService>
}): Record<string, HttpHandler> {
  const { registry } = options
  return {
    'GET /timelines': () => registry.list().map(timelineInfo),
    'POST /timelines': async ({ body }) => timelineInfo(await options.create(parseIdentity(body))),
    'GET /timelines/:projectId/:timelineId': ({ params }) => {
      const timeline = registry.get(TimelineId.parse(params.timelineId ?? ''))
      if (timeline === undefined || timeline.identity.projectId !== ProjectId.parse(params.projectId ?? '')) {
        throw new StorageError('not-found', 'unknown timeline', { timelineId: params.timelineId })
      }
      return timelineInfo(timeline)
    },
    'DELETE /timelines/:projectId/:timelineId': ({ params }) =>
      registry.delete(ProjectId.parse(params.projectId ?? ''), TimelineId.parse(params.timelineId ?? '')),
  }
}

export function timelineInfo(timeline: AcceptorService): SafekeeperTimelineInfo {
  const status = timeline.status()
  return {
    projectId: status.projectId,
    timelineId: status.timelineId,
    systemIdentifier: status.systemIdentifier.toString(),
    startLsn: Lsn.format(status.startLsn),
    term: status.term,
    lastLogTerm: status.lastLogTerm,
    flushLsn: Lsn.format(status.flushLsn),
    commitLsn: Lsn.format(status.commitLsn),
    backupLsn: Lsn.format(status.backupLsn),
    remoteConsistentLsn: Lsn.format(status.remoteConsistentLsn),
    oldestLocalLsn: Lsn.format(timeline.oldestLocalLsn),
    failure: timeline.failure?.message ?? null,
  }
}

function parseIdentity(body: unknown): TimelineIdentity {
  const parsed = identitySchema.safeParse(body)
  if (!parsed.success) throw new StorageError('invalid-input', z.prettifyError(parsed.error))
  const { projectId, timelineId, systemIdentifier, startLsn } = parsed.data
  const start = Lsn.parse(startLsn)
  if (start % 8 !== 0) throw new StorageError('invalid-input', 'startLsn is no record boundary', { startLsn })
  return {
    projectId: ProjectId.parse(projectId),
    timelineId: TimelineId.parse(timelineId),
    systemIdentifier: BigInt(systemIdentifier),
    startLsn: start,
  }
}
