import { errorText, StorageError } from '../../base/errors.ts'
import { listPages } from '../../object-store/list-objects.ts'
import type { TimelineId } from '../../postgres/ids.ts'
import { timelinePrefix } from '../remote/object-paths.ts'
import type { StorageContext } from './storage-context.ts'

/** No write that began before a deletion is still under way after this. */
const LATE_WRITE_MS_MAX = 24 * 3600_000
const RETRY_MS = 10 * 60_000

interface DeletedTimeline {
  /** Of the last word on it, which goes last of all. */
  readonly key: string
  /** Of the deletion; undefined until it is read. */
  deletedUnixMs: number | undefined
  dueUnixMs: number
}

/** The bytes of a deletion's last word: one line of JSON. */
export function encodeDeletion(deletedUnixMs: number): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify({ format: 'tributary-timeline-deletion', deletedUnixMs })}\n`)
}

/**
 * Removes everything that deleted timelines leave in object storage, whoever wrote it. The deletion is durable before, by
 * its last word; what is removed in between, or arrives late, nobody reads. After LATE_WRITE_MS_MAX the prefix is emptied
 * once more and the last word removed with it.
 */
export class DeletedTimelines {
  readonly #context: StorageContext
  readonly #timelines = new Map<TimelineId, DeletedTimeline>()
  #sweeping: Promise<void> | undefined

  constructor(context: StorageContext) {
    this.#context = context
  }

  has(timelineId: TimelineId): boolean {
    return this.#timelines.has(timelineId)
  }

  /** To be swept at once. */
  add(timelineId: TimelineId, key: string, deletedUnixMs?: number): void {
    this.#timelines.set(timelineId, { key, deletedUnixMs, dueUnixMs: 0 })
  }

  /** Sweeps what is due. Failures are logged and tried again later. */
  sweep(): Promise<void> {
    this.#sweeping ??= this.#sweep().finally(() => {
      this.#sweeping = undefined
    })
    return this.#sweeping
  }

  async #sweep(): Promise<void> {
    const { clock, log } = this.#context.env
    for (const [timelineId, deleted] of this.#timelines) {
      if (deleted.dueUnixMs > clock.nowMs()) continue
      deleted.dueUnixMs = clock.nowMs() + RETRY_MS
      try {
        await this.#sweepOne(timelineId, deleted)
      } catch (error) {
        log.warn('objects of a deleted timeline are left for later', { timelineId, error: errorText(error) })
      }
    }
  }

  async #sweepOne(timelineId: TimelineId, deleted: DeletedTimeline): Promise<void> {
    const { env, store, projectId, generation } = this.#context
    deleted.deletedUnixMs ??= deletedAt(await store.get(deleted.key), deleted.key)
    const endUnixMs = deleted.deletedUnixMs + LATE_WRITE_MS_MAX
    const isLast = env.clock.nowMs() >= endUnixMs
    // A newer owner sweeps for itself.
    await generation.confirm()
    const prefix = timelinePrefix(projectId, timelineId)
    for await (const objects of listPages(store, prefix)) {
      const keys = objects.map(({ key }) => key).filter((key) => key !== deleted.key)
      if (keys.length > 0) await store.delete(keys)
    }
    if (!isLast) {
      deleted.dueUnixMs = endUnixMs
      return
    }
    await store.delete([deleted.key])
    this.#timelines.delete(timelineId)
  }
}

/** Throws `corruption` naming the object. */
function deletedAt(bytes: Uint8Array, key: string): number {
  try {
    const parsed: unknown = JSON.parse(new TextDecoder().decode(bytes))
    if (typeof parsed === 'object' && parsed !== null && 'deletedUnixMs' in parsed) {
      const { deletedUnixMs } = parsed
      if (typeof deletedUnixMs === 'number' && Number.isSafeInteger(deletedUnixMs)) return deletedUnixMs
    }
  } catch {
    // As below.
  }
  throw new StorageError('corruption', 'not the last word on a timeline', { object: key })
}
