import { isStorageError } from '../base/errors.ts'
import type { ObjectStore } from '../object-store/object-store.ts'
import { WAL_SEGMENT_SIZE } from '../postgres/constants.ts'
import { Lsn } from '../postgres/lsn.ts'
import { partialSegmentEnd, partialSegmentPrefix, segmentKey } from '../wal/archive-keys.ts'
import type { Timeline } from './timeline/timeline.ts'
import type { WalArchive } from './wal-receiver.ts'

const CHUNK_BYTES = 128 * 1024

/**
 * Reads the committed WAL that SafeKeepers put into object storage: whole segments until the first one that is missing,
 * then the longest partial copy of that one.
 */
export function openWalArchive(objectStore: ObjectStore): WalArchive {
  return {
    async *read(timeline: Timeline, startLsn: Lsn, signal: AbortSignal) {
      for (let lsn = startLsn; !signal.aborted; ) {
        const offset = lsn % WAL_SEGMENT_SIZE
        const segment =
          (await getWhole(objectStore, timeline, lsn, signal)) ?? (await getPartial(objectStore, timeline, lsn, signal))
        if (!segment) return
        for (let at = offset; at < segment.length; at += CHUNK_BYTES) {
          yield { lsn: Lsn.of(lsn - offset + at), bytes: segment.subarray(at, at + CHUNK_BYTES) }
        }
        if (segment.length < WAL_SEGMENT_SIZE) return
        lsn = Lsn.of(lsn - offset + WAL_SEGMENT_SIZE)
      }
    },
  }
}

function getWhole(
  objectStore: ObjectStore,
  timeline: Timeline,
  lsn: Lsn,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  const { projectId, timelineId } = timeline.identity
  return getIfThere(objectStore, segmentKey(projectId, timelineId, lsn), signal)
}

async function getPartial(
  objectStore: ObjectStore,
  timeline: Timeline,
  lsn: Lsn,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  const { projectId, timelineId } = timeline.identity
  const { objects } = await objectStore.list(partialSegmentPrefix(projectId, timelineId, lsn), { signal })
  let longest: { key: string; endLsn: Lsn } | undefined
  for (const { key } of objects) {
    const endLsn = partialSegmentEnd(key)
    if (endLsn !== undefined && endLsn > lsn && endLsn > (longest?.endLsn ?? 0)) longest = { key, endLsn }
  }
  // It goes away when the segment is complete: then the next try finds that.
  return longest && getIfThere(objectStore, longest.key, signal)
}

function getIfThere(objectStore: ObjectStore, key: string, signal: AbortSignal): Promise<Uint8Array | undefined> {
  return objectStore.get(key, { signal }).catch((error: unknown) => {
    if (isStorageError(error, 'not-found')) return undefined
    throw error
  })
}
