import { crc32c } from '../base/crc32c.ts'
import { CorruptionError, errorText, isStorageError, StorageError } from '../base/errors.ts'
import { compress, decompress } from '../base/zstd.ts'
import type { Log } from '../io/log.ts'
import type { ObjectStore } from '../object-store/object-store.ts'
import { Lsn } from '../postgres/lsn.ts'
import type { AttachedTimeline, OpenProject } from './open-project.ts'
import { timelinePrefix } from './remote/object-paths.ts'
import type { TimelineIdentity } from './timeline/timeline.ts'

/**
 * The statistics file of a compute that was stopped cleanly (pg_stat/pgstat.stat), for the next one: autovacuum then knows
 * what it knew. One object a timeline, replaced whole; what it holds is advice, so a lost or damaged one costs no data.
 *
 *   0 u32 magic 'TSTA'   4 u32 crc32c of all from 8 on   8 u64 lsn   16 u32 length   20 zstd frame     little-endian
 */
const MAGIC = 0x41545354
const HEADER_BYTES = 20
/** Of the file itself: about 40,000 relations. */
export const STATISTICS_BYTES_MAX = 16 * 1024 * 1024

export function encodeStatistics(lsn: Lsn, file: Uint8Array): Uint8Array {
  if (file.length > STATISTICS_BYTES_MAX) {
    throw new StorageError('invalid-input', 'statistics file is too large', { bytesMax: STATISTICS_BYTES_MAX })
  }
  const frame = compress(file, 3)
  const bytes = new Uint8Array(HEADER_BYTES + frame.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, MAGIC, true)
  Lsn.write(view, 8, lsn)
  view.setUint32(16, file.length, true)
  bytes.set(frame, HEADER_BYTES)
  view.setUint32(4, crc32c(bytes, 8), true)
  return bytes
}

export function decodeStatistics(bytes: Uint8Array, object: string): { lsn: Lsn; file: Uint8Array } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < HEADER_BYTES || view.getUint32(0, true) !== MAGIC) {
    throw new CorruptionError('not a statistics object', { object })
  }
  if (view.getUint32(4, true) !== crc32c(bytes, 8)) {
    throw new CorruptionError('statistics checksum mismatch', { object, offsetBytes: 4 })
  }
  const length = view.getUint32(16, true)
  if (length > STATISTICS_BYTES_MAX) throw new CorruptionError('statistics are too large', { object, length })
  return { lsn: Lsn.read(view, 8), file: decompress(bytes.subarray(HEADER_BYTES), length) }
}

/** Durable when it resolves. An older LSN than the one kept changes nothing: a slow stop may come after the next start. */
export async function saveStatistics(
  store: ObjectStore,
  attached: AttachedTimeline,
  lsn: Lsn,
  file: Uint8Array,
): Promise<void> {
  const key = keyOf(attached)
  const known = await readStatistics(store, key).catch(() => undefined)
  if (known !== undefined && known.lsn > lsn) return
  await store.put(key, encodeStatistics(lsn, file))
}

/** The newest file of the timeline or an ancestor that is not of after `lsn`; undefined when there is none to be had. */
export async function findStatistics(
  store: ObjectStore,
  project: OpenProject,
  attached: AttachedTimeline,
  lsn: Lsn,
  log: Log,
): Promise<Uint8Array | undefined> {
  let bound = lsn
  for (let at: AttachedTimeline | undefined = attached; at; ) {
    const key = keyOf(at)
    try {
      const found = await readStatistics(store, key)
      if (found !== undefined && found.lsn <= bound) return found.file
    } catch (error) {
      log.warn('statistics are not restored', { key, error: errorText(error) })
      return undefined
    }
    const { ancestor }: TimelineIdentity = at.timeline.identity
    if (ancestor) bound = Lsn.min(bound, ancestor.lsn)
    at = ancestor && project.find(ancestor.timelineId)
  }
  return undefined
}

function keyOf({ timeline }: AttachedTimeline): string {
  const { projectId, timelineId } = timeline.identity
  return `${timelinePrefix(projectId, timelineId)}statistics.bin`
}

async function readStatistics(store: ObjectStore, key: string): Promise<{ lsn: Lsn; file: Uint8Array } | undefined> {
  const bytes = await store.get(key).catch((error: unknown) => {
    if (isStorageError(error, 'not-found')) return undefined
    throw error
  })
  return bytes && decodeStatistics(bytes, key)
}
