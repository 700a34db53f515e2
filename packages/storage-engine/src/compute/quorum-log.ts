import type { QuorumMember } from '../admin/compute-driver.ts'
import type { Lsn } from '../postgres/lsn.ts'

/** How far the PageServer is behind this compute's WAL. */
export interface IngestLag {
  /** 0 before anything was heard of the PageServer. */
  readonly ingestedLsn: Lsn
  readonly lagBytes: number
  /** Time for which WAL was held back because of it, since the start. */
  readonly throttledMs: number
}

/** The WAL quorum as the compute sees it: main/ joins it with the proposer. */
export interface QuorumLog {
  /** Wins an election and settles the end of the log. Rejects with `fenced` or `unavailable`. */
  elect(): Promise<{ readonly term: number; readonly endLsn: Lsn }>
  /** Appends bytes that begin where the log ends. False when too much is uncommitted or not ingested: then wait for `hasRoom`. */
  append(lsn: Lsn, bytes: Uint8Array): boolean
  hasRoom(): Promise<void>
  /** From now on the PageServer's lag slows nothing down. */
  endThrottle(): void
  ingestLag(): IngestLag | undefined
  /** Everything below is on a majority, in this term. */
  readonly commitLsn: Lsn
  onCommit: (lsn: Lsn) => void
  /** A higher term exists: this compute must stop. Called once. */
  onFenced: (error: Error) => void
  /** No majority has given a sign of life for the lease time: reads served here may be stale by now. */
  onQuorumLost: () => void
  /** The SafeKeepers, as seen from here. */
  peers(): readonly QuorumMember[]
  close(): Promise<void>
}
