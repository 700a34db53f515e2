/**
 * What a compute's control port says and takes (HTTP, JSON): GET /status, GET /activity, GET /metrics, POST /stop,
 * POST /roles, POST /databases, POST /links. LSNs are text, times are milliseconds.
 */
export type ComputeState = 'starting' | 'ready' | 'stopping' | 'stopped' | 'failed' | 'fenced'

export interface ComputeStatus {
  readonly state: ComputeState
  /** Why it failed, was fenced or stopped. */
  readonly reason?: string
  readonly computeId: string
  readonly projectId: string
  readonly timelineId: string
  readonly pid: number
  readonly postgresPid?: number
  readonly mode?: 'fuse' | 'hydrate'
  readonly modeReason?: string
  readonly readOnly: boolean
  readonly term?: number
  /** Pages come from the PageServer as of here. */
  readonly bootLsn?: string
  /** End of the WAL received from Postgres, and how much of it a quorum has. */
  readonly receivedLsn?: string
  readonly commitLsn?: string
  /** What the PageServer has ingested of it, and for how long WAL was held back because that was too little. */
  readonly ingest?: { readonly lsn: string; readonly lagBytes: number; readonly throttledMs: number }
  readonly ports: { readonly http: number; readonly postgres: number }
  readonly socketFolder: string
  readonly phases: Readonly<Record<string, number>>
  readonly hydrated?: { readonly donePages: number; readonly allPages: number }
  readonly peers: readonly object[]
}

/** Exit codes of the compute process, by cause. */
export const ComputeExit = {
  stopped: 0,
  failed: 1,
  fenced: 3,
  postgresDied: 4,
  syncWaitCancelled: 5,
  noQuorum: 6,
} as const

export interface RoleSpec {
  readonly name: string
  /** Left as it is when absent. */
  readonly password?: string
  readonly drop?: boolean
}

export interface DatabaseSpec {
  readonly name: string
  readonly owner?: string
  readonly drop?: boolean
}
