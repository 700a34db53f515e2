import type { PageserverStatus, SafekeeperStatus, StorageStatus } from '../admin/stack-client.ts'
import type { ProjectId, TimelineId } from '../postgres/ids.ts'
import { Lsn } from '../postgres/lsn.ts'
import { readStatus, stateOf } from './managed-process.ts'
import type { NodeAddress } from './storage-processes.ts'

/** Asks every SafeKeeper and the PageServer for their status pages, and works out who is how far behind. */
export async function readStorageStatus(
  safekeepers: readonly NodeAddress[],
  pageserver: NodeAddress,
): Promise<StorageStatus> {
  const ask = ({ host, httpPort }: NodeAddress) => readStatus(`http://${host}:${httpPort}/status`)
  const [pageserverPage, ...safekeeperPages] = await Promise.all([ask(pageserver), ...safekeepers.map(ask)])
  const commitLsns = new Map<string, Lsn>()
  for (const page of safekeeperPages) {
    for (const timeline of timelinesOf(page)) {
      const lsn = Lsn.parse(timeline.commitLsn ?? '0/0')
      commitLsns.set(timeline.timelineId, Lsn.max2(lsn, commitLsns.get(timeline.timelineId) ?? Lsn.zero))
    }
  }
  const lag = (timelineId: string, lsn: string) =>
    Math.max(0, (commitLsns.get(timelineId) ?? Lsn.zero) - Lsn.parse(lsn))
  return {
    safekeepers: safekeepers.map(({ id }, index) => {
      const page = safekeeperPages[index]
      return {
        id,
        state: (stateOf(page) ?? 'unreachable') as SafekeeperStatus['state'],
        timelines: timelinesOf(page).map(
          ({ projectId, timelineId, term = 0, flushLsn = '0/0', commitLsn = '0/0' }) => ({
            projectId,
            timelineId,
            term,
            flushLsn,
            commitLsn,
            lagBytes: lag(timelineId, flushLsn),
          }),
        ),
      }
    }),
    pageserver: {
      state: (stateOf(pageserverPage) ?? 'unreachable') as PageserverStatus['state'],
      timelines: timelinesOf(pageserverPage).map(
        ({ projectId, timelineId, state = 'active', lastRecordLsn = '0/0', remoteConsistentLsn = '0/0' }) => ({
          projectId,
          timelineId,
          state,
          lastRecordLsn,
          remoteConsistentLsn,
          lagBytes: lag(timelineId, lastRecordLsn),
        }),
      ),
    },
  }
}

/** A timeline in a status page of a process of this version. */
interface TimelineFields {
  readonly projectId: ProjectId
  readonly timelineId: TimelineId
  readonly term?: number
  readonly state?: string
  readonly flushLsn?: string
  readonly commitLsn?: string
  readonly lastRecordLsn?: string
  readonly remoteConsistentLsn?: string
}

function timelinesOf(page: unknown): readonly TimelineFields[] {
  const timelines = typeof page === 'object' && page !== null && 'timelines' in page ? page.timelines : undefined
  return Array.isArray(timelines) ? (timelines as TimelineFields[]) : []
}
