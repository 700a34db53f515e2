import type { Clock } from '../io/clock.ts'
import type { Lsn } from '../postgres/lsn.ts'
import { IngestThrottle } from './ingest-throttle.ts'

export interface AppendRoomOptions {
  readonly clock: Pick<Clock, 'monotonicMs' | 'sleep'>
  /** WAL that the PageServer has not ingested, above which appends are slowed down. */
  readonly ingestLagBytesMax: number
  /** End of all WAL appended. */
  readonly endLsn: () => Lsn
  readonly commitLsn: () => Lsn
  /** Fires when the proposer is closed. */
  readonly signal: AbortSignal
}

/** How far the PageServer is behind, and what that has cost the writer. */
export interface IngestLag {
  /** Ingested by the PageServer, as the SafeKeepers say; 0 before they have said anything. */
  readonly ingestedLsn: Lsn
  readonly lagBytes: number
  /** Since the proposer was opened. */
  readonly throttledMs: number
}

/** Uncommitted WAL above which appends wait. */
const UNCOMMITTED_BYTES_MAX = 16 * 1024 * 1024

/** When the writer may append more: what is uncommitted is bounded, and what the PageServer has not ingested is slowed down. */
export class AppendRoom {
  readonly #options: AppendRoomOptions
  readonly #throttle: IngestThrottle
  #throttledMs = 0
  #waiters: (() => void)[] = []
  #isOpen = false

  constructor(options: AppendRoomOptions) {
    this.#options = options
    this.#throttle = new IngestThrottle(options.ingestLagBytesMax)
  }

  get ingestLag(): IngestLag {
    const { ingestedLsn } = this.#throttle
    return { ingestedLsn, lagBytes: this.#throttle.lagBytes(this.#options.endLsn()), throttledMs: this.#throttledMs }
  }

  /** `byteCount` bytes were appended. True when the next may follow at once. */
  appended(byteCount: number): boolean {
    const nowMs = this.#options.clock.monotonicMs()
    this.#throttle.appended(byteCount, this.#options.endLsn(), nowMs)
    return this.#hasRoomNow() && this.#throttle.pauseMs(nowMs) === 0
  }

  /** The PageServer is said to have ingested up to `lsn`. */
  ingested(lsn: Lsn, nowMs: number): void {
    this.#throttle.report(lsn, this.#options.endLsn(), nowMs)
  }

  /** To be called when the commit LSN has moved. */
  onCommit(): void {
    if (this.#hasRoomNow()) this.#wake()
  }

  /** Resolves when the next append may follow, or `open` was called. */
  async wait(): Promise<void> {
    const { clock, signal } = this.#options
    if (!this.#hasRoomNow()) await new Promise<void>((resolve) => this.#waiters.push(resolve))
    const pauseMs = this.#throttle.pauseMs(clock.monotonicMs())
    if (pauseMs === 0 || this.#isOpen) return
    this.#throttledMs += pauseMs
    await clock.sleep(pauseMs, { signal }).catch(() => undefined)
  }

  endThrottle(): void {
    this.#throttle.end()
  }

  /** Nobody waits any more: the next append will be refused. */
  open(): void {
    this.#isOpen = true
    this.#wake()
  }

  #hasRoomNow(): boolean {
    return this.#isOpen || this.#options.endLsn() - this.#options.commitLsn() < UNCOMMITTED_BYTES_MAX
  }

  #wake(): void {
    const waiters = this.#waiters
    this.#waiters = []
    for (const wake of waiters) wake()
  }
}
