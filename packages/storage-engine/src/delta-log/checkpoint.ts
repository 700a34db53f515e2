/** Classic (V1) checkpoints: the reconciled actions of a version as a Parquet file, one row an action. */
import { memorySource, ParquetFile } from '../parquet/file-reader.ts'
import { ParquetWriter } from '../parquet/file-writer.ts'
import { assembleRecords, type RecordObject, shredRecords } from '../parquet/records.ts'
import { listNode, PhysicalType, Repetition, type SchemaNode, textMapNode } from '../parquet/schema.ts'
import { type Action, actionOf } from './actions.ts'
import type { DeltaSnapshot } from './snapshot.ts'

/** Rows of one row group. */
const ROW_GROUP_ACTIONS = 100_000

const text = (name: string): SchemaNode => leaf(name, PhysicalType.byteArray, true)
const int = (name: string): SchemaNode => leaf(name, PhysicalType.int32)
const long = (name: string): SchemaNode => leaf(name, PhysicalType.int64)
const flag = (name: string): SchemaNode => leaf(name, PhysicalType.boolean)

function leaf(name: string, physicalType: PhysicalType, isText = false): SchemaNode {
  return {
    name,
    repetition: Repetition.optional,
    physicalType,
    ...(isText ? { logicalType: { kind: 'string' } as const } : {}),
  }
}

function group(name: string, ...children: SchemaNode[]): SchemaNode {
  return { name, repetition: Repetition.optional, children }
}

const textList = (name: string): SchemaNode => listNode(name, undefined, text('element'))
const deletionVector = group(
  'deletionVector',
  text('storageType'),
  text('pathOrInlineDv'),
  int('offset'),
  int('sizeInBytes'),
  long('cardinality'),
)

const SCHEMA: SchemaNode = {
  name: 'spark_schema',
  repetition: Repetition.required,
  children: [
    group('txn', text('appId'), long('version'), long('lastUpdated')),
    group(
      'add',
      text('path'),
      textMapNode('partitionValues'),
      long('size'),
      long('modificationTime'),
      flag('dataChange'),
      text('stats'),
      textMapNode('tags'),
      deletionVector,
    ),
    group(
      'remove',
      text('path'),
      long('deletionTimestamp'),
      flag('dataChange'),
      flag('extendedFileMetadata'),
      textMapNode('partitionValues'),
      long('size'),
      deletionVector,
    ),
    group(
      'metaData',
      text('id'),
      text('name'),
      text('description'),
      group('format', text('provider'), textMapNode('options')),
      text('schemaString'),
      textList('partitionColumns'),
      textMapNode('configuration'),
      long('createdTime'),
    ),
    group(
      'protocol',
      int('minReaderVersion'),
      int('minWriterVersion'),
      textList('readerFeatures'),
      textList('writerFeatures'),
    ),
  ],
}

/** Tombstones older than `removedSinceMs` (Unix time) are left out: what they name may be vacuumed. */
export function encodeCheckpoint(
  snapshot: DeltaSnapshot,
  options: { readonly removedSinceMs: number },
): { readonly bytes: Uint8Array; readonly actionCount: number } {
  const removed = [...snapshot.removed.values()].filter(
    (file) => (file.deletionTimestamp ?? 0) >= options.removedSinceMs,
  )
  const actions: Action[] = [
    { protocol: snapshot.protocol },
    { metaData: snapshot.metadata },
    ...[...snapshot.transactions.values()].map((txn) => ({ txn })),
    // In a checkpoint nothing is a change.
    ...[...snapshot.files.values()].map((add) => ({ add: { ...add, dataChange: false } })),
    ...removed.map((remove) => ({ remove: { ...remove, dataChange: false } })),
  ]
  const parts: Uint8Array[] = []
  const writer = new ParquetWriter(SCHEMA, (bytes) => parts.push(bytes))
  for (let start = 0; start < actions.length; start += ROW_GROUP_ACTIONS) {
    const rows = actions.slice(start, start + ROW_GROUP_ACTIONS)
    // Actions are plain JSON values, which is what records are.
    writer.writeRowGroup(rows.length, shredRecords(SCHEMA, rows as unknown as RecordObject[]))
  }
  writer.finish({ createdBy: 'tributary', keyValues: new Map() })
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return { bytes, actionCount: actions.length }
}

/** Actions of one part of a checkpoint, of any writer. */
export async function decodeCheckpoint(bytes: Uint8Array): Promise<Action[]> {
  const file = await ParquetFile.open(memorySource(bytes), { sealed: false })
  const actions: Action[] = []
  for (let group = 0; group < file.metadata.rowGroups.length; group++) {
    const { columns, endRow } = await file.readRowGroup(group)
    for (const row of assembleRecords(file.metadata.schema, columns, endRow)) {
      const action = actionOf(row)
      if (action) actions.push(action)
    }
  }
  return actions
}
