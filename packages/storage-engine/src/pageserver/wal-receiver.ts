import { errorText, isStorageError } from '../base/errors.ts'
import type { Env } from '../io/env.ts'
import { Lsn } from '../postgres/lsn.ts'
import type { TimelineStatus } from '../protocol/wal-service-messages.ts'
import type { IngestSource } from './ingest/wal-ingest.ts'
import type { SafekeeperAddress } from './safekeeper-watch.ts'
import type { Timeline } from './timeline/timeline.ts'
import { WalStream } from './wal-stream.ts'

/** A stream that has been silent this long is given up when another SafeKeeper has more. Keepalives come every second. */
const SILENT_MS_MAX = 10_000
/** Another SafeKeeper must be this far ahead of the one we read from before we change. */
const LAG_BYTES_MAX = 64 * 1024 * 1024
const RETRY_MS_MIN = 100
const RETRY_MS_MAX = 5_000
/** A broken timeline is tried again this often: a SafeKeeper may have been rebuilt, or this program replaced. */
const BROKEN_RETRY_MS = 60_000
const FEEDBACK_INTERVAL_MS = 1_000
/** A stream with nothing to read and nothing to report is closed after this; a status opens it again. */
const IDLE_MS_MAX = 60_000

/** Where WAL comes from when no SafeKeeper holds it any more. Ends where the archive ends. */
export interface WalArchive {
  read(timeline: Timeline, startLsn: Lsn, signal: AbortSignal): IngestSource
}

/**
 * Feeds one timeline with committed WAL: follows the statuses of the SafeKeepers, reads from the one with the greatest
 * commit LSN and stays with it while it delivers. Does nothing at all while no SafeKeeper has more than is ingested.
 */
export class WalReceiver {
  readonly #env: Pick<Env, 'clock' | 'log' | 'network'>
  readonly #timeline: Timeline
  readonly #safekeepers: readonly SafekeeperAddress[]
  readonly #archive: WalArchive | undefined
  readonly #brokenRetryMs: number
  readonly #statuses = new Map<number, TimelineStatus>()
  readonly #stopped = new AbortController()
  #wake: (() => void) | undefined
  #running: Promise<void> | undefined
  #lastFailed: number | undefined

  constructor(options: {
    readonly env: Pick<Env, 'clock' | 'log' | 'network'>
    readonly timeline: Timeline
    readonly safekeepers: readonly SafekeeperAddress[]
    readonly archive?: WalArchive
    readonly brokenRetryMs?: number
  }) {
    this.#env = options.env
    this.#timeline = options.timeline
    this.#safekeepers = options.safekeepers
    this.#archive = options.archive
    this.#brokenRetryMs = options.brokenRetryMs ?? BROKEN_RETRY_MS
  }

  start(): void {
    this.#running ??= this.#run()
  }

  async stop(): Promise<void> {
    this.#stopped.abort()
    this.#wake?.()
    await this.#running
  }

  onStatus(status: TimelineStatus): void {
    const { systemIdentifier, timelineId } = this.#timeline.identity
    if (status.systemIdentifier !== 0n && status.systemIdentifier !== systemIdentifier) {
      const fields = { timelineId, safekeeper: status.nodeId, systemIdentifier: status.systemIdentifier.toString() }
      this.#env.log.error('safekeeper has wal of another cluster for this timeline', fields)
      return
    }
    this.#statuses.set(status.nodeId, status)
    this.#wake?.()
  }

  /** The greatest commit LSN that any SafeKeeper has reported. */
  get knownCommitLsn(): Lsn {
    let lsn = Lsn.zero
    for (const status of this.#statuses.values()) lsn = Lsn.max2(lsn, status.commitLsn)
    return lsn
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped
    let retryMs = RETRY_MS_MIN
    while (!signal.aborted) {
      const status = this.#choose()
      if (!status) {
        await this.#nextStatus()
        continue
      }
      const before = this.#timeline.lastRecordLsn
      try {
        await this.#readFrom(status)
      } catch (error) {
        if (signal.aborted) return
        this.#lastFailed = status.nodeId
        const fields = { timelineId: this.#timeline.identity.timelineId, safekeeper: status.nodeId }
        this.#env.log.warn('wal stream ended', { ...fields, error: errorText(error) })
        // The archive has another copy, made by whoever had it whole.
        if (isArchiveOfUse(error)) await this.#readArchive()
      }
      if (this.#timeline.state.kind === 'broken') {
        await this.#env.clock.sleep(this.#brokenRetryMs, { signal }).catch(() => undefined)
        continue
      }
      retryMs = this.#timeline.lastRecordLsn > before ? RETRY_MS_MIN : Math.min(retryMs * 2, RETRY_MS_MAX)
      await this.#env.clock.sleep(retryMs, { signal }).catch(() => undefined)
    }
  }

  /** The SafeKeeper with the most committed WAL that is not ingested yet; one that just failed only if it is alone. */
  #choose(): TimelineStatus | undefined {
    const ahead = [...this.#statuses.values()].filter((status) => status.commitLsn > this.#timeline.lastRecordLsn)
    const others = ahead.filter((status) => status.nodeId !== this.#lastFailed)
    const candidates = others.length > 0 ? others : ahead
    return candidates.reduce<TimelineStatus | undefined>(
      (best, status) => (best && best.commitLsn >= status.commitLsn ? best : status),
      undefined,
    )
  }

  async #readFrom(status: TimelineStatus): Promise<void> {
    const safekeeper = this.#safekeepers.find(({ id }) => id === status.nodeId)
    if (!safekeeper) return
    const { projectId, timelineId } = this.#timeline.identity
    const stream = await WalStream.open({
      env: this.#env,
      safekeeper,
      projectId,
      timelineId,
      startLsn: this.#timeline.lastRecordLsn,
      signal: this.#stopped.signal,
    })
    const onStop = () => stream.close()
    this.#stopped.signal.addEventListener('abort', onStop, { once: true })
    const watching = this.#watch(stream)
    try {
      await this.#timeline.ingestFrom(stream)
      this.#lastFailed = undefined
    } finally {
      this.#stopped.signal.removeEventListener('abort', onStop)
      stream.close()
      watching.cancel()
    }
  }

  /** Sends feedback, and gives the stream up when it is silent, far behind another, or of no more use. */
  #watch(stream: WalStream): { cancel(): void } {
    const { clock } = this.#env
    let idleSinceMs = clock.monotonicMs()
    let lastLsn = this.#timeline.lastRecordLsn
    let timer = clock.setTimer(FEEDBACK_INTERVAL_MS, () => check())
    const check = () => {
      const { lastRecordLsn, remoteConsistentLsn } = this.#timeline.storage
      stream.sendFeedback({ lastRecordLsn, diskConsistentLsn: remoteConsistentLsn, remoteConsistentLsn })
      if (lastRecordLsn !== lastLsn || remoteConsistentLsn < lastRecordLsn) idleSinceMs = clock.monotonicMs()
      lastLsn = lastRecordLsn
      const othersLsn = this.knownCommitLsn
      const isSilent = stream.silentMs() > SILENT_MS_MAX
      const isBehind = othersLsn - stream.commitLsn > LAG_BYTES_MAX
      const isIdle = clock.monotonicMs() - idleSinceMs > IDLE_MS_MAX
      if (isSilent || isBehind || isIdle) {
        if (!isIdle) this.#lastFailed = stream.safekeeperId
        stream.close()
        return
      }
      timer = clock.setTimer(FEEDBACK_INTERVAL_MS, check)
    }
    return { cancel: () => timer.cancel() }
  }

  async #readArchive(): Promise<void> {
    if (!this.#archive) return
    const source = this.#archive.read(this.#timeline, this.#timeline.lastRecordLsn, this.#stopped.signal)
    try {
      await this.#timeline.ingestFrom(source)
    } catch (error) {
      const fields = { timelineId: this.#timeline.identity.timelineId, error: errorText(error) }
      this.#env.log.warn('archived wal could not be read', fields)
    }
  }

  #nextStatus(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined
        resolve()
      }
      if (this.#stopped.signal.aborted) this.#wake()
    })
  }
}

function isArchiveOfUse(error: unknown): boolean {
  return (
    isStorageError(error, 'not-found') || isStorageError(error, 'invalid-input') || isStorageError(error, 'corruption')
  )
}
