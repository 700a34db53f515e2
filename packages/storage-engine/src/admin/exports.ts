/** All that the control plane may use of the engine: `@tributary/storage-engine/admin`. */
export { errorText, isStorageError, StorageError, type StorageErrorCode } from '../base/errors.ts'
export { assertReachableBy, findPostgresBinaries } from '../io/postgres-binaries.ts'
export { ProjectId, TimelineId } from '../postgres/ids.ts'
export { Lsn } from '../postgres/lsn.ts'
export type {
  ComputeActivity,
  ComputeDriver,
  ComputeInfo,
  ComputeInfoState,
  ComputeSpec,
  QuorumMember,
} from './compute-driver.ts'
export { checkComputeSettings } from './compute-settings.ts'
export { openHttpComputeDriver } from './http-compute-driver.ts'
export { openHttpStackClient } from './http-stack-client.ts'
export { openHttpStorageAdmin } from './http-storage-admin-client.ts'
export {
  type FreshnessReceipt,
  openQueryClient,
  type QueryClient,
  type QueryColumn,
  type QueryExportFormat,
  type QueryLimits,
  type QueryMoment,
  type QueryRequest,
  type QueryResult,
  type QueryValue,
  type RunningQuery,
  type StepTimes,
  type TableReceipt,
} from './query-client.ts'
export type {
  PageserverStatus,
  ProcessInfo,
  ProcessKind,
  SafekeeperStatus,
  StackAddresses,
  StackClient,
  StackInfo,
  StorageStatus,
} from './stack-client.ts'
export type { LayerInfo, LsnAtTime, StorageAdmin, TimelineInfo, UpkeepStep } from './storage-admin.ts'
export type { CommitBucket, CommitHistogram, TimelineEvent, TimelineHistory } from './timeline-history.ts'
