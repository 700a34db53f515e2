import { errorText, isStorageError } from '../../base/errors.ts'
import type { Timer } from '../../io/clock.ts'
import type { StorageContext } from '../timeline/storage-context.ts'
import type { StorageProgress } from '../timeline/storage-progress.ts'
import { mergeLevel0 } from './compaction.ts'
import { makeImages } from './image-making.ts'
import type { UpkeepTarget } from './upkeep-target.ts'

export interface BackgroundUpkeepOptions {
  readonly context: StorageContext
  readonly target: UpkeepTarget
  readonly progress: StorageProgress
  readonly level0Count: () => number
}

/** Merges and image making of one timeline, as flushes make them due. */
export class BackgroundUpkeep {
  readonly #options: BackgroundUpkeepOptions
  #running: Promise<void> = Promise.resolve()
  #isQueued = false
  #isFailing = false
  #failure: string | undefined
  #retryTimer: Timer | undefined

  constructor(options: BackgroundUpkeepOptions) {
    this.#options = options
  }

  /** Then ingest does not wait for it. */
  get isFailing(): boolean {
    return this.#isFailing
  }

  /** Why it failed the last time; undefined: it did not. */
  get failure(): string | undefined {
    return this.#failure
  }

  /** Merges come first, also while images are being made: ingest waits for them when they fall behind. */
  start(): void {
    if (this.#isQueued) return
    this.#isQueued = true
    this.#running = this.#running.then(() => this.#options.context.heavyWorkLock.run(() => this.#work()))
  }

  /** To be called once the progress is closed. */
  async close(): Promise<void> {
    this.#retryTimer?.cancel()
    await this.#running
  }

  async #work(): Promise<void> {
    this.#isQueued = false
    const { context, target, progress, level0Count } = this.#options
    if (progress.isClosed) return
    try {
      const { level0LayersMax } = context.settings
      await mergeLevel0(context, target, { level0LayersMin: level0LayersMax })
      this.#isFailing = false
      progress.moved()
      const mustYield = () => level0Count() >= level0LayersMax || progress.isClosed
      if (!(await makeImages(context, target, { isForced: false, mustYield }))) this.start()
      this.#failure = undefined
    } catch (error) {
      this.#isFailing = true
      this.#failure = errorText(error)
      if (isStorageError(error, 'fenced')) progress.fail(error)
      progress.moved()
      if (isStorageError(error, 'aborted')) return
      context.env.log.error('upkeep failed', { timelineId: target.timelineId, error: errorText(error) })
      if (isStorageError(error) && error.retryable) this.#retryLater()
    }
  }

  /** A timeline that nobody writes to any more has no next flush that would start it. */
  #retryLater(): void {
    const { context, progress } = this.#options
    this.#retryTimer?.cancel()
    if (progress.isClosed) return
    this.#retryTimer = context.env.clock.setTimer(context.settings.upkeepRetryMs, () => this.start())
  }
}
