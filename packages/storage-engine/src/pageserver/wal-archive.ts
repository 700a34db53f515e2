import { isStorageError } from '../base/errors.ts'
import type { ObjectStore } from '../object-store/object-store.ts'
import { WAL_SEGMENT_SIZE, WAL_TIMELINE } from '../postgres/constants.ts'
import { Lsn } from '../postgres/lsn.ts'
import { formatSegmentName } from '../wal/segment.ts'
import type { Timeline } from './timeline/timeline.ts'
import type { WalArchive } from './wal-receiver.ts'

const CHUNK_BYTES = 128 * 1024

/** Reads the whole committed segments that SafeKeepers put into object storage, until the first one that is missing. */
export function openWalArchive(objectStore: ObjectStore): WalArchive {
  return {
    async *read(timeline: Timeline, startLsn: Lsn, signal: AbortSignal) {
      const { projectId, timelineId } = timeline.identity
      for (let lsn = startLsn; !signal.aborted; ) {
        const offset = lsn % WAL_SEGMENT_SIZE
        const key = `projects/${projectId}/timelines/${timelineId}/wal/${formatSegmentName(WAL_TIMELINE, lsn)}`
        const segment = await objectStore.get(key, { signal }).catch((error: unknown) => {
          if (isStorageError(error, 'not-found')) return undefined
          throw error
        })
        if (!segment) return
        for (let at = offset; at < segment.length; at += CHUNK_BYTES) {
          yield { lsn: Lsn.of(lsn - offset + at), bytes: segment.subarray(at, at + CHUNK_BYTES) }
        }
        lsn = Lsn.of(lsn - offset + WAL_SEGMENT_SIZE)
      }
    },
  }
}
