import type { Lsn } from '../postgres/lsn.ts'
import type { BootBundle } from '../protocol/boot-bundle.ts'
import type { Account, RelationTree } from './data-dir.ts'
import type { ReadPages, UsePages } from './hydrate.ts'
import type { QuorumLog } from './quorum-log.ts'

/** A mount for base/ and global/, as fuse/ makes it. */
export interface PageMount {
  readonly mountPath: string
  plant(seed: RelationTree & Account): void
  readonly ended: Promise<string>
  close(): Promise<void>
}

export interface PageSource {
  readonly readPages: ReadPages
  readonly usePages: UsePages
  close(): void
}

/** How a compute reaches the rest of the system; main/ joins these with the safekeeper, page and fuse parts. */
export interface ComputeParts {
  /** Undefined for a read-only compute. */
  readonly quorum: QuorumLog | undefined
  readBootBundle(lsn: Lsn): Promise<BootBundle>
  openPages(lsn: Lsn): PageSource
  /** Keeps the PageServer from collecting what reads at `lsn` need. */
  leaseLsn(lsn: Lsn, seconds: number): Promise<void>
  /** Leaves Postgres's statistics file for the next compute. */
  saveStatistics(lsn: Lsn, file: Uint8Array): Promise<void>
  /** Why a mount is not possible here, or undefined. */
  readonly mountObstacle: string | undefined
  openMount(options: { mountPath: string; cacheFolder: string; usePages: UsePages }): Promise<PageMount>
  readonly postgresProgram: string
}
