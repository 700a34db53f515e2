import type { StorageErrorCode } from '../base/errors.ts'
import type { ProjectId, TimelineId } from '../postgres/ids.ts'

/** Calls about Delta tables and about what is stored (docs/storage-admin-http.md). LSNs are text, times ISO 8601. */
export interface PublishRequest {
  readonly projectId: ProjectId
  readonly timelineId: TimelineId
  /** All tables of users when not given. */
  readonly table?: { readonly database: string; readonly schema: string; readonly name: string }
  /** The end of the ingested WAL when not given. */
  readonly lsn?: string
}

export interface PublishedTable {
  readonly database: string
  readonly schema: string
  readonly name: string
  readonly tableOid: number
  /** Key prefix of the Delta table in the object store; ends in '/'. */
  readonly path: string
  /** Delta version that shows the table as of `lsn`. */
  readonly version: number
  readonly lsn: string
  /** False: an older version shows just that already. */
  readonly isNewVersion: boolean
  /** Visible rows; null when the version is an older one. */
  readonly rowCount: number | null
}

export interface UnpublishedTable {
  readonly database: string
  readonly schema: string
  readonly name: string
  readonly tableOid: number
  /** `unavailable` and `exhausted`: the same call may succeed later. */
  readonly code: StorageErrorCode
  readonly reason: string
}

export interface PublishOutcome {
  readonly lsn: string
  readonly published: readonly PublishedTable[]
  readonly refused: readonly UnpublishedTable[]
}

export interface DeltaTableInfo {
  readonly database: number
  readonly tableOid: number
  /** `schema.name` as of the newest version. */
  readonly name: string
  readonly path: string
  readonly version: number
  /** The newest version shows the table as of this LSN. */
  readonly lsn: string
  readonly fileCount: number
  readonly fileBytes: number
  /** Tuples in the files, and those of them that deletion vectors mask. */
  readonly physicalRows: number
  readonly maskedRows: number
}

/** Every object of a project, accounted for. */
export interface StorageReport {
  readonly objectCount: number
  readonly sizeBytes: number
  readonly byKind: readonly ObjectKindReport[]
  /** Blocks or values that are in object storage more than once, and why. */
  readonly storedTwice: readonly StoredTwice[]
  /** What is not in the newest columns of a table as it is, and why. */
  readonly exceptions: readonly StorageException[]
  readonly tables: readonly TableLakeReport[]
}

export type StoredObjectKind =
  | 'delta-layer'
  | 'page-image-layer'
  | 'columnar-layer'
  | 'index'
  | 'delta-log'
  | 'deletion-vector'
  | 'wal'
  | 'generation'
  | 'project'
  | 'unnamed-layer'
  | 'other'

export interface ObjectKindReport {
  readonly kind: StoredObjectKind
  readonly objectCount: number
  readonly sizeBytes: number
}

export interface StoredTwice {
  readonly timelineId: TimelineId
  readonly what: 'blocks in columns and in a page image' | 'older columns' | 'large values in columns and in TOAST'
  readonly why: string
  readonly objectCount: number
  /** Of the objects concerned, whole: an upper bound of what is stored twice. */
  readonly sizeBytes: number
}

export interface StorageException {
  readonly timelineId: TimelineId
  readonly database: number
  readonly tableOid: number
  readonly what:
    | 'pages kept whole'
    | 'pages without rows'
    | 'pages with a patch'
    | 'values kept as bytes'
    | 'values out of range'
  readonly why: string
  /** Pages or values, as `what` says. */
  readonly count: number
}

/** Columns of one table on one timeline; those of ancestors are not counted again. */
export interface TableLakeReport {
  readonly timelineId: TimelineId
  readonly database: number
  readonly tableOid: number
  readonly columnarFiles: number
  readonly columnarBytes: number
  /** Heap bytes that the newest layers hold. */
  readonly heapBytes: number
  /** Tuples in the newest layers, of all versions. */
  readonly rows: number
  readonly newestLsn: string
}
