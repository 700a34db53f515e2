import type { ProjectId, TimelineId } from '../postgres/ids.ts'
import type { DeltaTableInfo, PublishOutcome, PublishRequest, StorageReport } from '../protocol/lake.ts'
import type { SnapshotPlan, SnapshotPlanRequest } from '../protocol/snapshot-plan.ts'
import type { TimelineHistory } from './timeline-history.ts'

/**
 * What the control plane may ask of the storage side. Implemented over HTTP by http-storage-admin-client.ts and served by
 * the PageServer process; every call is idempotent for the ids it is given. LSNs are text ('0/16B3748'), times are
 * ISO 8601 in UTC. Failures are StorageError: `not-found`, `invalid-input` (message names the field), `conflict`,
 * `unavailable`.
 */
export interface StorageAdmin extends TimelineHistory {
  /** Makes the project and its root timeline (initdb). Repeating it with the same ids returns the same. */
  createProject(input: { projectId: ProjectId; timelineId: TimelineId }): Promise<TimelineInfo>
  deleteProject(projectId: ProjectId): Promise<void>
  listProjects(): Promise<ProjectId[]>

  /** At the tip when neither lsn nor time is given. A time means the last commit at or before it. */
  createBranch(input: {
    projectId: ProjectId
    timelineId: TimelineId
    ancestorTimelineId: TimelineId
    at?: { lsn: string } | { time: string }
  }): Promise<TimelineInfo>
  /** Refused with `conflict` while children exist. */
  deleteTimeline(projectId: ProjectId, timelineId: TimelineId): Promise<void>
  getTimeline(projectId: ProjectId, timelineId: TimelineId): Promise<TimelineInfo>
  listTimelines(projectId: ProjectId): Promise<TimelineInfo[]>

  /** The end of the last commit at or before `time`, and what lies on either side. */
  lsnAtTime(projectId: ProjectId, timelineId: TimelineId, time: string): Promise<LsnAtTime>
  timeAtLsn(projectId: ProjectId, timelineId: TimelineId, lsn: string): Promise<{ commitTime: string | null }>

  /** Keeps GC from passing `lsn` until the lease ends or is renewed under the same id. */
  leaseLsn(input: {
    projectId: ProjectId
    timelineId: TimelineId
    leaseId: string
    lsn: string
    seconds: number
  }): Promise<void>
  /** The same until the PageServer ends, or `releaseReads`: for one query, which then fails. */
  holdReads(input: {
    projectId: ProjectId
    timelineId: TimelineId
    holdId: string
    lsn: string
    seconds: number
  }): Promise<void>
  releaseReads(projectId: ProjectId, timelineId: TimelineId, holdId: string): Promise<void>
  setPitrWindow(projectId: ProjectId, seconds: number): Promise<void>

  /** Flushes, compacts and collects at once; for tests and operators. */
  runUpkeep(projectId: ProjectId, timelineId: TimelineId, steps: readonly UpkeepStep[]): Promise<void>
  /** Every layer of a timeline with key and LSN range, kind, size and place. */
  layerMap(projectId: ProjectId, timelineId: TimelineId): Promise<LayerInfo[]>

  /**
   * Columnar layers of one heap at an LSN, and the blocks to read as pages instead. Waits until the LSN is ingested;
   * `not-found` when it is older than the history kept.
   */
  snapshotPlan(request: SnapshotPlanRequest): Promise<SnapshotPlan>

  /**
   * Makes a Delta version of one table, or of all, that shows the rows visible at the LSN; resolves when it is readable.
   * From then on the tables are published again whenever they have changed. `conflict` in `refused` for an LSN before the
   * newest version's.
   */
  publishTables(request: PublishRequest): Promise<PublishOutcome>
  /** Tables of a timeline that were published, as their newest versions are. */
  deltaTables(projectId: ProjectId, timelineId: TimelineId): Promise<DeltaTableInfo[]>
  /** Every object of the project by kind, what is stored twice and why, and the columns of each table. */
  storageReport(projectId: ProjectId): Promise<StorageReport>
}

/** `publish`: what was published before, if it changed. `gc`: layers, then data files that nothing needs. */
/** `scrub`: reads every layer whole and removes objects that earlier owners left behind. */
export type UpkeepStep = 'flush' | 'compact' | 'images' | 'publish' | 'gc' | 'scrub'

export interface TimelineInfo {
  readonly projectId: ProjectId
  readonly timelineId: TimelineId
  readonly ancestorTimelineId: TimelineId | null
  readonly ancestorLsn: string | null
  /** WAL of this timeline begins here: the branch point, or the end of initdb. */
  readonly startLsn: string
  readonly lastRecordLsn: string
  readonly remoteConsistentLsn: string
  readonly gcCutoffLsn: string
  /** Text: a u64 does not fit a JSON number. */
  readonly systemIdentifier: string
  readonly lastCommitTime: string | null
  /** Sum of relation sizes at lastRecordLsn, or null until counted. */
  readonly logicalSizeBytes: number | null
  readonly layerCount: number
  readonly layerSizeBytes: number
}

export interface LsnAtTime {
  readonly lsn: string
  /** `future`: nothing was committed after `time` yet. `past`: `time` is before the history kept. */
  readonly kind: 'exact' | 'future' | 'past' | 'no-commits'
  readonly commitTime: string | null
}

export interface LayerInfo {
  readonly name: string
  readonly kind: 'delta' | 'page-image' | 'columnar'
  readonly keyStart: string
  readonly keyEnd: string
  readonly lsnStart: string
  readonly lsnEnd: string
  readonly sizeBytes: number
  readonly level: number
  readonly isLocal: boolean
}
