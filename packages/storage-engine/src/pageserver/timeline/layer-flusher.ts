import { errorText, isStorageError } from '../../base/errors.ts'
import { retryForever } from '../remote/retry-forever.ts'
import { LayerBuilds } from '../upkeep/flush.ts'
import type { IndexPublisher } from './index-publisher.ts'
import type { StorageContext } from './storage-context.ts'
import type { StorageProgress } from './storage-progress.ts'
import type { VersionHistory } from './storage-version.ts'
import type { TimelineFiles } from './timeline-files.ts'

export interface LayerFlusherOptions {
  readonly context: StorageContext
  readonly files: TimelineFiles
  readonly history: VersionHistory
  readonly publisher: IndexPublisher
  readonly progress: StorageProgress
  /** Called after each layer that the index names from now on. */
  readonly onFlushed: () => void
}

/**
 * Brings frozen layers to object storage, oldest first: each becomes a level-0 delta layer, and with the index write that
 * names it the timeline is consistent up to its last LSN. Tries for ever, but for what no attempt will mend.
 */
export class LayerFlusher {
  readonly #options: LayerFlusherOptions
  readonly #builds: LayerBuilds
  #flushing: Promise<void> | undefined

  constructor(options: LayerFlusherOptions) {
    this.#options = options
    this.#builds = new LayerBuilds(options.context, options.files)
  }

  /** To be called when a layer was frozen. */
  start(): void {
    const { context, files, history, progress } = this.#options
    const { frozen } = history.current
    if (progress.isFailed || frozen.length === 0) return
    if (this.#flushing) {
      this.#builds.begin(frozen)
      return
    }
    this.#flushing = this.#flushFrozen()
      .catch((error: unknown) => {
        if (isStorageError(error, 'aborted')) return
        progress.fail(error)
        const fields = { timelineId: files.timelineId, error: errorText(error) }
        context.env.log.error('flush failed for good', fields)
      })
      .finally(() => {
        this.#flushing = undefined
        progress.moved()
        if (!progress.isClosed) this.start()
      })
  }

  /** To be called once the progress is closed. Resolves when nothing reads frozen layers any more. */
  async close(): Promise<void> {
    await this.#flushing?.catch(() => undefined)
    await this.#builds.settle()
  }

  async #flushFrozen(): Promise<void> {
    const { context, history, publisher, progress, onFlushed } = this.#options
    for (;;) {
      const oldest = history.current.frozen.at(-1)
      if (!oldest) return
      await retryForever('flush', { ...context.retry, signal: progress.signal }, async () => {
        this.#builds.begin(history.current.frozen)
        const built = await this.#builds.built(oldest)
        await publisher.publish(
          () => ({ added: built ? [built] : [], fields: { consistentLsn: oldest.lastLsn } }),
          (_index, map) => {
            const { open, frozen } = history.current
            history.swap({ open, frozen: frozen.slice(0, -1), map })
          },
        )
      })
      this.#builds.published(oldest)
      progress.moved()
      onFlushed()
    }
  }
}
