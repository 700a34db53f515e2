import type { ProjectId, TimelineId } from '../postgres/ids.ts'

/**
 * What a reader of columns asks of the PageServer: which columnar layers hold the main fork of one heap at an LSN, and
 * which of its blocks have to be read as pages instead. LSNs are text. Served as JSON (docs/storage-admin-http.md).
 *
 * The rows of the heap at `lsn` are those of `layers` outside `dirtyBlocks`, and those of the pages of `dirtyBlocks` at
 * `lsn`. A row of a clean block is what it was at its layer's LSN; whether it is visible is for the commit log at `lsn`
 * to say, since a transaction may have ended without touching the block again.
 */
export interface SnapshotPlanRequest {
  readonly projectId: ProjectId
  readonly timelineId: TimelineId
  readonly spcOid: number
  readonly dbOid: number
  /** relfilenode, from pg_class or the relation map. */
  readonly relNumber: number
  readonly lsn: string
  /** At or before `lsn`: asks for the blocks that changed after it, too. */
  readonly changedSinceLsn?: string
}

export interface SnapshotPlan {
  readonly lsn: string
  /** Blocks of the main fork at `lsn`; 0 also when there is no such fork. */
  readonly blockCount: number
  /** Ascending, with disjoint block ranges; layers of ancestors included. */
  readonly layers: readonly ColumnarLayerRef[]
  /** Blocks below `blockCount` that no layer holds as of `lsn`: changed since, or never put into columns. */
  readonly dirtyBlocks: readonly BlockSpan[]
  /** Blocks below `blockCount` that changed in (`changedSinceLsn`, `lsn`]. Absent: not asked for, or not known any more. */
  readonly changedBlocks?: readonly BlockSpan[]
}

/** First block and number of blocks; ascending, disjoint, not touching. */
export type BlockSpan = readonly [firstBlock: number, blockCount: number]

export interface ColumnarLayerRef {
  /** Parquet file in the object store (docs/formats/columnar-layer.md). Never overwritten. */
  readonly objectKey: string
  readonly sizeBytes: number
  /** Timeline that wrote it: the one asked for, or an ancestor. */
  readonly timelineId: TimelineId
  /** pg_class.oid when it was written. */
  readonly tableOid: number
  /** Layers with equal values show the same columns (columnar/visible-columns.ts). */
  readonly columnsCrc: number
  /** The block range that the layer answers for in this plan. The file may hold rows of blocks past its end: leave them out. */
  readonly firstBlock: number
  readonly blockCount: number
  /** Blocks in the file, from the start of its range of 8192 blocks on. */
  readonly fileBlockCount: number
  /** LSN of the pages in the file. */
  readonly lsn: string
  /** Tuples in the file, of all versions. */
  readonly rowCount: number
}
