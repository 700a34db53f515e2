import type { Action, AddFile, DeletionVectorDescriptor, Metadata, RemoveFile } from '../delta-log/actions.ts'
import type { DeltaSnapshot } from '../delta-log/snapshot.ts'
import { writtenProtocol } from '../delta-log/table-features.ts'
import type { PublishedFile, TablePublication } from '../protocol/delta-publisher.ts'
import { relativePath } from './data-path.ts'
import { deltaSchema, hasTimestampNtz } from './delta-schema.ts'

/** Tags of an `add`. */
export const Tag = { lsn: 'tributary.lsn', settled: 'tributary.settled' } as const

export interface PlannedFile {
  readonly path: string
  readonly file: PublishedFile
  /** The file as it stands in the last version. */
  readonly current: AddFile | undefined
  /** Rows to mask in a new deletion vector; undefined: keep what `current` has. */
  readonly deadRows: Uint32Array | undefined
}

/** What the next version has to say; all parts empty: nothing. */
export interface PublishPlan {
  readonly setup: readonly Action[]
  /** Files to add, or to add again with another deletion vector. */
  readonly adds: readonly PlannedFile[]
  readonly removes: readonly AddFile[]
}

/** Compares the newest version (none before the first) with what is to be shown. */
export function planPublication(
  snapshot: DeltaSnapshot | undefined,
  table: TablePublication,
  context: {
    readonly nowMs: number
    readonly newTableId: () => string
    /** Positions that a file's present deletion vector masks. */
    readonly maskedRows: (file: AddFile) => ArrayLike<number>
  },
): PublishPlan {
  const currentOf = new Map([...(snapshot?.files.values() ?? [])].map((file) => [file.path, file]))
  const adds: PlannedFile[] = []
  const kept = new Set<string>()
  for (const file of table.files) {
    const path = relativePath(table.prefix, file.objectKey)
    kept.add(path)
    const current = currentOf.get(path)
    const isSame =
      current !== undefined && (file.deadRows === undefined || sameRows(file.deadRows, context.maskedRows(current)))
    const isSettled = current?.tags?.[Tag.settled] === String(file.isSettled)
    if (isSame && isSettled) continue
    adds.push({ path, file, current, deadRows: isSame ? undefined : (file.deadRows ?? new Uint32Array(0)) })
  }
  const removes = [...currentOf.values()].filter(({ path }) => !kept.has(path))
  return { setup: setupActions(snapshot, table, context), adds, removes }
}

export function removeOf(file: AddFile, nowMs: number): RemoveFile {
  return {
    path: file.path,
    deletionTimestamp: nowMs,
    dataChange: true,
    extendedFileMetadata: true,
    partitionValues: {},
    size: file.size,
    ...(file.deletionVector ? { deletionVector: file.deletionVector } : {}),
  }
}

export function addOf(
  planned: PlannedFile,
  nowMs: number,
  deletionVector: DeletionVectorDescriptor | undefined,
): AddFile {
  const { path, file } = planned
  return {
    path,
    partitionValues: {},
    size: file.sizeBytes,
    modificationTime: nowMs,
    dataChange: true,
    stats: planned.file.bounds === undefined && planned.current?.stats ? planned.current.stats : statsOf(file),
    tags: { [Tag.lsn]: file.lsn, [Tag.settled]: String(file.isSettled) },
    ...(deletionVector ? { deletionVector } : {}),
  }
}

/** JSON text. Of all rows of the file, masked ones too: bounds and counts of the rows that are shown may be narrower. */
function statsOf({ rowCount, bounds = {} }: PublishedFile): string {
  const minValues: Record<string, string | number> = {}
  const maxValues: Record<string, string | number> = {}
  const nullCount: Record<string, number> = {}
  for (const [column, ofColumn] of Object.entries(bounds)) {
    nullCount[column] = ofColumn.nullCount
    if (ofColumn.min !== undefined) minValues[column] = ofColumn.min
    if (ofColumn.max !== undefined) maxValues[column] = ofColumn.max
  }
  return JSON.stringify({ numRecords: rowCount, tightBounds: false, minValues, maxValues, nullCount })
}

function setupActions(
  snapshot: DeltaSnapshot | undefined,
  table: TablePublication,
  { nowMs, newTableId }: { readonly nowMs: number; readonly newTableId: () => string },
): Action[] {
  const protocol = writtenProtocol({
    hasTimestampNtz:
      hasTimestampNtz(table.columns) || (snapshot?.protocol.readerFeatures ?? []).includes('timestampNtz'),
  })
  const schemaString = deltaSchema(table.columns)
  const columnIdMax = Math.max(
    0,
    Number(snapshot?.metadata.configuration['delta.columnMapping.maxColumnId'] ?? 0),
    ...table.columns.map(({ number }) => number),
  )
  const metadata: Metadata = {
    id: snapshot?.metadata.id ?? newTableId(),
    name: table.name,
    format: { provider: 'parquet', options: {} },
    schemaString,
    partitionColumns: [],
    configuration: {
      'delta.enableDeletionVectors': 'true',
      'delta.columnMapping.mode': 'name',
      'delta.columnMapping.maxColumnId': String(columnIdMax),
    },
    createdTime: snapshot?.metadata.createdTime ?? nowMs,
  }
  const actions: Action[] = []
  if (JSON.stringify(snapshot?.protocol) !== JSON.stringify(protocol)) actions.push({ protocol })
  const isSame = snapshot?.metadata.schemaString === schemaString && snapshot.metadata.name === table.name
  if (!isSame) actions.push({ metaData: metadata })
  return actions
}

function sameRows(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}
