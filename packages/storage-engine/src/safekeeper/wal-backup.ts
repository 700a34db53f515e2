import { errorText, StorageError } from '../base/errors.ts'
import type { Env } from '../io/env.ts'
import type { ObjectStore } from '../object-store/object-store.ts'
import { WAL_SEGMENT_SIZE, WAL_TIMELINE } from '../postgres/constants.ts'
import type { TimelineId } from '../postgres/ids.ts'
import { Lsn } from '../postgres/lsn.ts'
import type { TimelineStatus } from '../protocol/wal-service-messages.ts'
import { partialSegmentKey, partialSegmentPrefix, segmentKey } from '../wal/archive-keys.ts'
import { formatSegmentName, segmentStart } from '../wal/segment.ts'
import type { AcceptorService } from './acceptor-service.ts'
import type { TimelineRegistry } from './timeline-registry.ts'
import { planTrim } from './wal-trim.ts'

/**
 * Copies committed WAL to object storage and lets go of local segments that nobody needs.
 *
 *   projects/<p>/timelines/<t>/wal/<segment>                              a complete segment
 *   projects/<p>/timelines/<t>/wal/<segment>_<end lsn>_<term>.partial     the last one of an idle timeline
 *
 * One member does it per timeline, the same in everyone's eyes while all see each other. When they do not, two may upload
 * the same segment: committed WAL is the same everywhere, so the second put changes nothing.
 */
export interface WalBackupOptions {
  readonly env: Pick<Env, 'clock' | 'log'>
  readonly nodeId: number
  readonly registry: TimelineRegistry
  readonly objectStore: ObjectStore
  /** Statuses of the other members that answer now. */
  readonly peerStatuses: (timelineId: TimelineId) => readonly TimelineStatus[]
  readonly intervalMs: number
  readonly partialIdleMs: number
}

/** A member that lags more than this does not archive: it would hold back everyone's trimming. */
const BACKUP_LAG_BYTES_MAX = 128 * 1024 * 1024

interface IdleState {
  commitLsn: Lsn
  sinceMs: number
  partialLsn: Lsn
}

export class WalBackup {
  readonly #options: WalBackupOptions
  readonly #closing = new AbortController()
  readonly #idle = new Map<TimelineId, IdleState>()
  readonly #done: Promise<void>

  constructor(options: WalBackupOptions) {
    this.#options = options
    this.#done = this.#run()
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#done
  }

  async #run(): Promise<void> {
    const { env, registry, intervalMs } = this.#options
    const { signal } = this.#closing
    while (!signal.aborted) {
      await env.clock.sleep(intervalMs, { signal }).catch(() => undefined)
      for (const timeline of registry.list()) {
        if (signal.aborted) return
        if (timeline.failure !== undefined) continue
        try {
          await this.backUp(timeline)
          await this.#trim(timeline)
        } catch (error) {
          if (signal.aborted) return
          const { timelineId } = timeline.identity
          env.log.warn('wal backup failed', { timelineId, error: errorText(error) })
        }
      }
    }
  }

  /** One round for one timeline: complete segments, then the partial one when it is time. */
  async backUp(timeline: AcceptorService): Promise<void> {
    const { nodeId, peerStatuses } = this.#options
    const { timelineId } = timeline.identity
    if (chooseArchiver(nodeId, timeline.status(), peerStatuses(timelineId)) !== nodeId) return
    await this.#uploadSegments(timeline)
    await this.#uploadPartial(timeline)
  }

  async #uploadSegments(timeline: AcceptorService): Promise<void> {
    const { objectStore, env } = this.#options
    const { projectId, timelineId } = timeline.identity
    const { signal } = this.#closing
    while (timeline.failure === undefined) {
      const { backupLsn, commitLsn } = timeline.state
      const startLsn = segmentStart(backupLsn)
      const endLsn = (startLsn + WAL_SEGMENT_SIZE) as Lsn
      if (endLsn > commitLsn) return
      if (startLsn < segmentStart(timeline.oldestLocalLsn)) {
        throw new StorageError('unavailable', 'wal to archive is not here', { lsn: Lsn.format(startLsn) })
      }
      // Committed WAL is never cut, so the file does not change under the upload.
      const key = segmentKey(projectId, timelineId, startLsn)
      await objectStore.putFile(key, timeline.segmentPath(startLsn), { signal })
      timeline.learn({ backupLsn: endLsn })
      await this.#deletePartials(timeline, startLsn)
      env.log.info('wal segment archived', { timelineId, segment: formatSegmentName(WAL_TIMELINE, startLsn) })
    }
  }

  async #uploadPartial(timeline: AcceptorService): Promise<void> {
    const { env, objectStore, partialIdleMs } = this.#options
    const { projectId, timelineId, startLsn: timelineStartLsn } = timeline.identity
    const { commitLsn, backupLsn } = timeline.state
    const nowMs = env.clock.monotonicMs()
    const idle = this.#idle.get(timelineId)
    if (idle === undefined || idle.commitLsn !== commitLsn) {
      this.#idle.set(timelineId, { commitLsn, sinceMs: nowMs, partialLsn: idle?.partialLsn ?? Lsn.zero })
      return
    }
    if (nowMs - idle.sinceMs < partialIdleMs || idle.partialLsn === commitLsn) return
    const startLsn = Lsn.max2(segmentStart(backupLsn), segmentStart(timeline.oldestLocalLsn))
    if (commitLsn <= Lsn.max2(startLsn, timelineStartLsn)) return
    const bytes = new Uint8Array(commitLsn - startLsn)
    timeline.readNow(startLsn, bytes)
    const piece = { startLsn, endLsn: commitLsn, term: timeline.lastLogTerm }
    const key = partialSegmentKey(projectId, timelineId, piece)
    await objectStore.put(key, bytes, { signal: this.#closing.signal })
    idle.partialLsn = commitLsn
    await this.#deletePartials(timeline, startLsn, key)
    env.log.info('partial wal segment archived', { timelineId, endLsn: Lsn.format(commitLsn) })
  }

  /** Partial pieces of a segment, but for `keptKey`. */
  async #deletePartials(timeline: AcceptorService, startLsn: Lsn, keptKey?: string): Promise<void> {
    const { objectStore } = this.#options
    const { projectId, timelineId } = timeline.identity
    const prefix = partialSegmentPrefix(projectId, timelineId, startLsn)
    const { objects } = await objectStore.list(prefix, { signal: this.#closing.signal })
    const keys = objects.map(({ key }) => key).filter((key) => key !== keptKey)
    if (keys.length > 0) await objectStore.delete(keys)
  }

  async #trim(timeline: AcceptorService): Promise<void> {
    const lsn = planTrim(timeline.state)
    if (lsn < timeline.oldestLocalLsn + WAL_SEGMENT_SIZE && lsn <= segmentStart(timeline.oldestLocalLsn)) return
    // What is let go of must be known to be archived after a restart, too.
    await timeline.persistProgress()
    const count = await timeline.trim(lsn)
    if (count > 0) {
      const { timelineId } = timeline.identity
      this.#options.env.log.info('local wal removed', { timelineId, segments: count, below: Lsn.format(lsn) })
    }
  }
}

/** The member that archives a timeline: by its id among those that are there and near the end. */
export function chooseArchiver(nodeId: number, own: TimelineStatus, peers: readonly TimelineStatus[]): number {
  const all = [{ ...own, nodeId }, ...peers]
  const newest = Math.max(...all.map((status) => status.commitLsn))
  const near = all.filter((status) => newest - status.commitLsn <= BACKUP_LAG_BYTES_MAX)
  const ids = [...new Set(near.map((status) => status.nodeId))].sort((a, b) => a - b)
  return ids[Number.parseInt(own.timelineId.slice(-6), 16) % ids.length]!
}
