import type { ProjectId, TimelineId } from '../postgres/ids.ts'

/**
 * Places computes: what a control plane needs of a machine, or of a scheduler. A compute belongs to whoever starts it
 * here, not to the process that asked: the caller may die and find it again with `listComputes`. The driver never starts
 * one again by itself; it reports the death, and the caller decides. Failures are StorageError: `invalid-input` (message
 * names the field), `not-found`, `conflict`, `unavailable`.
 */
export interface ComputeDriver {
  /**
   * Resolves when Postgres accepts connections. Idempotent by `computeId`: a second call waits for the first, or answers
   * with the running compute; with another spec it is a `conflict`. A second primary on a timeline fences the first one.
   * Rejects when the compute ends before it is ready; it is then listed as `failed` or `fenced`.
   */
  startCompute(spec: ComputeSpec, options?: { signal?: AbortSignal }): Promise<ComputeInfo>
  /** `graceful` hands the last WAL to the quorum first. One that is not there, or has ended, is success. */
  stopCompute(computeId: string, how: 'graceful' | 'immediate'): Promise<void>
  /** Rejects with `not-found`. An ended compute is remembered for a while, with `lastError`. */
  getCompute(computeId: string): Promise<ComputeInfo>
  listComputes(): Promise<ComputeInfo[]>
  /** What clients do on it, and how far its WAL has come. Cheap: at most one small query a second, however often asked. */
  computeActivity(computeId: string): Promise<ComputeActivity>
  /**
   * Calls `onChange` for every change of a compute's state until `signal` fires, then resolves. Connects again by itself;
   * changes missed in between are delivered as the newest state of each compute. `onList`, when given, gets all computes
   * at the start and after every gap: one that is missing there is gone.
   */
  watchComputes(
    onChange: (info: ComputeInfo) => void,
    options: { signal: AbortSignal; onList?: (computes: readonly ComputeInfo[]) => void },
  ): Promise<void>
}

export interface ComputeSpec {
  /** 16 lowercase hex digits, never used twice. */
  readonly computeId: string
  readonly projectId: ProjectId
  readonly timelineId: TimelineId
  /** `primary` writes and takes the next term; `read-only` shows the timeline as of `lsn` and never writes. */
  readonly kind: 'primary' | 'read-only'
  /** Only with `read-only`, and needed there: '0/16B3748'. */
  readonly lsn?: string
  /** postgresql.conf: see compute-settings.ts for what may be set. */
  readonly settings: Readonly<Record<string, string>>
  /** Of the role `postgres`. */
  readonly superuserPassword: string
  /**
   * Only with `read-only`: SCRAM verifiers by role, which stand instead of those that the roles had at `lsn`, so that
   * today's passwords work. Roles that are not there then are left out.
   */
  readonly roleVerifiers?: Readonly<Record<string, string>>
  /** Kept and given back; at most 16, of 256 characters. */
  readonly labels?: Readonly<Record<string, string>>
}

export type ComputeInfoState = 'starting' | 'running' | 'stopping' | 'stopped' | 'fenced' | 'failed'

export interface ComputeInfo {
  readonly computeId: string
  readonly projectId: ProjectId
  readonly timelineId: TimelineId
  readonly kind: 'primary' | 'read-only'
  /** `fenced`: another compute took over the timeline. `failed`: it ended unasked, `lastError` says why. */
  readonly state: ComputeInfoState
  readonly host: string
  readonly postgresPort: number
  readonly httpPort: number
  readonly pid: number | null
  readonly term: number | null
  /** Pages come from the PageServer as of here. */
  readonly startLsn: string | null
  readonly mode: 'fuse' | 'hydrate' | null
  /** ISO 8601, UTC. */
  readonly startedAt: string
  readonly readyAt: string | null
  readonly endedAt: string | null
  /** Parts of the start, in the order they ended; parts may overlap. */
  readonly phases: readonly { readonly name: string; readonly ms: number }[]
  readonly lastError: string | null
  readonly labels: Readonly<Record<string, string>>
}

export interface ComputeActivity {
  readonly computeId: string
  readonly sampledAt: string
  /** Client sessions now, without those of the system itself (application_name 'tributary…'). */
  readonly connections: number
  /** Of these, in a transaction or running a statement. */
  readonly activeConnections: number
  /** The last moment a client connected or ran something; null before the first. Not kept across a restart. */
  readonly lastActivityAt: string | null
  /** Counters since the start of Postgres, all databases. */
  readonly commits: number
  readonly rollbacks: number
  readonly blocksHit: number
  readonly blocksRead: number
  /** End of the WAL received from Postgres, and how much of it a quorum has; null on a read-only compute. */
  readonly flushLsn: string | null
  readonly commitLsn: string | null
  readonly lagBytes: number | null
  readonly members: readonly QuorumMember[]
}

/** One SafeKeeper as a compute sees it. */
export interface QuorumMember {
  readonly id: number
  readonly isConnected: boolean
  /** It has taken over this term's history. */
  readonly isAdopted: boolean
  /** The link was cut on purpose: see StackClient.cutLink. */
  readonly isCut: boolean
  readonly flushLsn: string
  readonly lagBytes: number
  readonly lastError: string | null
}
