import type { Lsn } from '../postgres/lsn.ts'

/**
 * Slows the writer of WAL down while the PageServer cannot keep up, so that reads at the tip wait for a bounded amount of
 * WAL. What it may append is a share of what the PageServer takes in:
 *
 *   lag        0 ........ limit/2 ........ limit ................... 2 x limit ......
 *              not measured | rate measured | share 1.25 ---------> 0.5     | 0.5
 *
 * The rate is measured only while the PageServer is behind, since one with nothing to do shows how fast the writer is. One
 * that has not moved while it was behind, or has not moved for ABSENT_MS, counts as absent: nothing is held up then, as
 * commits must not depend on it (docs/decisions/0016-backpressure-from-ingest.md).
 */
export interface IngestReport {
  readonly atMs: number
  /** End of what the PageServer has ingested. */
  readonly lsn: Lsn
}

export interface IngestView {
  /** LSNs that were new, while the PageServer was behind; the newest last. */
  readonly reports: readonly IngestReport[]
  readonly lagBytes: number
  readonly nowMs: number
}

/** Without news for so long the PageServer counts as absent. */
export const ABSENT_MS = 10_000
/** No single pause is longer. */
export const PAUSE_MS_MAX = 1000
const SHARE_AT_LIMIT = 1.25
const SHARE_MIN = 0.5
/** Reports older than this say nothing about the rate now. */
const RATE_WINDOW_MS = 10_000

/** Bytes a second that may be appended; infinite where nothing is held up. */
export function allowedBytesPerSecond({ reports, lagBytes, nowMs }: IngestView, limitBytes: number): number {
  const first = reports[0]
  const last = reports.at(-1)
  if (lagBytes <= limitBytes || first === undefined || last === undefined) return Number.POSITIVE_INFINITY
  if (last.atMs <= first.atMs || nowMs - last.atMs > ABSENT_MS) return Number.POSITIVE_INFINITY
  const bytesPerSecond = ((last.lsn - first.lsn) * 1000) / (last.atMs - first.atMs)
  const excess = Math.min(1, (lagBytes - limitBytes) / limitBytes)
  return bytesPerSecond * (SHARE_AT_LIMIT - (SHARE_AT_LIMIT - SHARE_MIN) * excess)
}

/** Keeps the reports, and turns the allowed rate into pauses. Times are monotonic milliseconds. */
export class IngestThrottle {
  #limitBytes: number
  #reports: IngestReport[] = []
  #ingestedLsn = 0 as Lsn
  #nextAppendMs = Number.NEGATIVE_INFINITY

  /** Infinite: never a pause. */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes
  }

  /** The greatest LSN reported; 0 before the first report. */
  get ingestedLsn(): Lsn {
    return this.#ingestedLsn
  }

  lagBytes(endLsn: Lsn): number {
    return this.#ingestedLsn === 0 ? 0 : Math.max(0, endLsn - this.#ingestedLsn)
  }

  /** The PageServer is said to have ingested up to `lsn`, while the log ends at `endLsn`. */
  report(lsn: Lsn, endLsn: Lsn, nowMs: number): void {
    if (lsn <= this.#ingestedLsn) return
    this.#ingestedLsn = lsn
    if (endLsn - lsn <= this.#limitBytes / 2) {
      this.#reports = []
      return
    }
    this.#reports.push({ atMs: nowMs, lsn })
    // Two stay, however far apart.
    while (this.#reports.length > 2 && nowMs - this.#reports[1]!.atMs > RATE_WINDOW_MS) this.#reports.shift()
  }

  /** `byteCount` bytes were appended, after which the log ends at `endLsn`. */
  appended(byteCount: number, endLsn: Lsn, nowMs: number): void {
    const lagBytes = this.lagBytes(endLsn)
    if (lagBytes <= this.#limitBytes) return
    const view = { reports: this.#reports, lagBytes, nowMs }
    const bytesPerSecond = allowedBytesPerSecond(view, this.#limitBytes)
    if (bytesPerSecond === Number.POSITIVE_INFINITY) return
    const dueMs = Math.max(this.#nextAppendMs, nowMs) + (byteCount * 1000) / bytesPerSecond
    this.#nextAppendMs = Math.min(dueMs, nowMs + PAUSE_MS_MAX)
  }

  /** No pauses from now on. */
  end(): void {
    this.#limitBytes = Number.POSITIVE_INFINITY
    this.#nextAppendMs = Number.NEGATIVE_INFINITY
  }

  /** How long the next append should wait; less than a timer can measure counts as nothing. */
  pauseMs(nowMs: number): number {
    const pauseMs = this.#nextAppendMs - nowMs
    return pauseMs < 1 ? 0 : pauseMs
  }
}
