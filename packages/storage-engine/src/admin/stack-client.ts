import type { ProjectId, TimelineId } from '../postgres/ids.ts'

/** The supervisor of one machine: its processes, the state of storage, and drills. Failures are StorageError. */
export interface StackClient {
  stack(): Promise<StackInfo>
  /** What SafeKeepers and PageServer say of themselves now; one that does not answer is listed as not reachable. */
  storageStatus(): Promise<StorageStatus>
  /**
   * `stop` asks the process to end and keeps it down until `start`; `kill` is SIGKILL, after which the supervisor starts
   * it again as after any crash. Computes are not processes here: see ComputeDriver. Rejects with `not-found`.
   */
  processAction(name: string, action: 'start' | 'stop' | 'kill'): Promise<void>
  /**
   * SafeKeepers drop the log of a timeline that the PageServer has deleted. `conflict` while it is there, `unavailable`
   * when one of them does not answer: to be repeated. `found`: one of them still had it.
   */
  forgetTimeline(projectId: ProjectId, timelineId: TimelineId): Promise<{ readonly found: boolean }>
  /** Breaks (`on`) or mends (`off`) the links between a compute and SafeKeepers, as a network fault would. */
  cutLink(computeId: string, safekeeperIds: readonly number[] | 'all', cut: 'on' | 'off'): Promise<void>
  /** Calls `onChange` with the whole stack whenever a process changes its state, and once at the start. */
  watch(onChange: (stack: StackInfo) => void, options: { signal: AbortSignal }): Promise<void>
}

export type ProcessKind =
  | 'supervisor'
  | 'safekeeper'
  | 'pageserver'
  | 'query-worker'
  | 'api'
  | 'proxy'
  | 'web'
  | 'compute'

export interface StackInfo {
  readonly pid: number
  readonly home: string
  readonly startedAt: string
  readonly addresses: StackAddresses
  readonly processes: readonly ProcessInfo[]
}

/** Null where the part is not started by this stack. */
export interface StackAddresses {
  readonly adminUrl: string
  readonly webUrl: string | null
  readonly apiUrl: string | null
  readonly graphqlUrl: string | null
  readonly queryWorkerUrl: string | null
  readonly pageserverUrl: string
  /** The proxy. */
  readonly postgres: { readonly host: string; readonly port: number } | null
}

export interface ProcessInfo {
  readonly name: string
  readonly kind: ProcessKind
  /** `restarting`: it died and is started again after a pause. */
  readonly state: 'starting' | 'running' | 'restarting' | 'stopped'
  readonly pid: number | null
  readonly startedAt: string | null
  readonly restartCount: number
  /** Serves /status and /metrics; null for a process without them. */
  readonly url: string | null
  /** Why it died last. */
  readonly lastError: string | null
}

export interface StorageStatus {
  readonly safekeepers: readonly SafekeeperStatus[]
  readonly pageserver: PageserverStatus
}

export interface SafekeeperStatus {
  readonly id: number
  /** `unreachable`: no answer. `rebuilding`: it lost its disk and takes no part yet. */
  readonly state: 'ready' | 'starting' | 'rebuilding' | 'stopping' | 'unreachable'
  readonly timelines: readonly {
    readonly projectId: ProjectId
    readonly timelineId: TimelineId
    readonly term: number
    readonly flushLsn: string
    readonly commitLsn: string
    /** Behind the greatest commit LSN that any SafeKeeper has of this timeline. */
    readonly lagBytes: number
  }[]
}

export interface PageserverStatus {
  readonly state: 'ready' | 'starting' | 'stopping' | 'unreachable'
  readonly timelines: readonly {
    readonly projectId: ProjectId
    readonly timelineId: TimelineId
    readonly state: string
    readonly lastRecordLsn: string
    /** Everything below is in object storage: the PageServer's disk may go. */
    readonly remoteConsistentLsn: string
    /** Behind the greatest commit LSN that any SafeKeeper has of this timeline. */
    readonly lagBytes: number
  }[]
}
