import { listObjects } from '../../object-store/list-objects.ts'
import type { ObjectStore } from '../../object-store/object-store.ts'
import type { TimelineId } from '../../postgres/ids.ts'
import { Lsn } from '../../postgres/lsn.ts'
import type {
  ObjectKindReport,
  StorageException,
  StorageReport,
  StoredObjectKind,
  StoredTwice,
  TableLakeReport,
} from '../../protocol/lake.ts'
import { decodeKey, KeyKind } from '../key.ts'
import type { ColumnarExceptions, LayerDescriptor } from '../layer/layer-descriptor.ts'
import { parseLayerName } from '../layer/layer-name.ts'
import { compareKeys } from '../layer/packed-key.ts'
import type { AttachedTimeline, OpenProject } from '../open-project.ts'
import { projectPrefix } from '../project-file.ts'
import { parseIndexKey } from '../remote/index-key.ts'

/** Accounts for every object of a project. One listing; nothing is read. */
export async function reportStorage(store: ObjectStore, project: OpenProject): Promise<StorageReport> {
  const named = new Set<string>()
  for (const { storage } of project.timelines) {
    for (const layer of storage.index.layers) named.add(storage.files.objectKey(layer))
  }
  const kinds = new Map<StoredObjectKind, { objectCount: number; sizeBytes: number }>()
  let objectCount = 0
  let sizeBytes = 0
  for await (const object of listObjects(store, projectPrefix(project.file.projectId))) {
    const kind = objectKind(object.key, named)
    const entry = kinds.get(kind) ?? { objectCount: 0, sizeBytes: 0 }
    entry.objectCount++
    entry.sizeBytes += object.sizeBytes
    kinds.set(kind, entry)
    objectCount++
    sizeBytes += object.sizeBytes
  }
  const byKind = [...kinds].map(([kind, counts]): ObjectKindReport => ({ kind, ...counts }))
  return {
    objectCount,
    sizeBytes,
    byKind: byKind.sort((a, b) => b.sizeBytes - a.sizeBytes),
    storedTwice: project.timelines.flatMap(storedTwice),
    exceptions: project.timelines.flatMap(exceptionsOf),
    tables: project.timelines.flatMap(tableReports),
  }
}

function objectKind(key: string, named: ReadonlySet<string>): StoredObjectKind {
  if (key.includes('/_delta_log/')) return 'delta-log'
  if (/\/deletion_vector_[^/]*\.bin$/.test(key)) return 'deletion-vector'
  if (parseIndexKey(key)) return 'index'
  if (key.includes('/generations/')) return 'generation'
  if (/\/wal\//.test(key)) return 'wal'
  if (key.endsWith('/project.json') || key.endsWith('/initdb.bin')) return 'project'
  const layer = parseLayerName(key.slice(key.lastIndexOf('/') + 1))
  if (!layer) return 'other'
  if (!named.has(key) && layer.kind !== 'columnar') return 'unnamed-layer'
  return `${layer.kind}-layer`
}

function storedTwice({ storage, timeline }: AttachedTimeline): StoredTwice[] {
  const { timelineId } = timeline.identity
  const { layers } = storage.index
  const columnar = layers.filter(({ kind }) => kind === 'columnar')
  const overlapping = layers.filter(
    (layer) => layer.kind === 'page-image' && columnar.some((other) => overlap(layer, other)),
  )
  const newest = newestColumns(columnar)
  const older = columnar.filter((layer) => newest.get(chunkId(layer)) !== layer)
  const found: StoredTwice[] = []
  const add = (what: StoredTwice['what'], why: string, concerned: readonly LayerDescriptor[]) => {
    if (concerned.length === 0) return
    const sizeBytes = concerned.reduce((sum, layer) => sum + layer.sizeBytes, 0)
    found.push({ timelineId, what, why, objectCount: concerned.length, sizeBytes })
  }
  add(
    'blocks in columns and in a page image',
    'the page images are older and needed by the restore window, a branch or a lease until the next garbage collection past it, or cover a table that was small when they were made',
    overlapping,
  )
  add('older columns', 'earlier states of the same blocks, needed by the restore window, a branch or a lease', older)
  const withToast = columnar.filter((layer) => newest.get(chunkId(layer)) === layer && hasToast(layer))
  add(
    'large values in columns and in TOAST',
    'values that lie out of line are shown in the columns of their row, and are served to Postgres from the TOAST relation',
    withToast,
  )
  return found
}

/**
 * True when the file is larger than the heap pages it holds: only values from elsewhere can make it so. Tables with few
 * such values are not counted.
 */
function hasToast(layer: LayerDescriptor): boolean {
  return layer.sizeBytes > layer.valueBytes
}

function overlap(a: LayerDescriptor, b: LayerDescriptor): boolean {
  return compareKeys(a.keyStart, b.keyEnd) < 0 && compareKeys(b.keyStart, a.keyEnd) < 0
}

/** Of each chunk. */
function newestColumns(columnar: readonly LayerDescriptor[]): Map<string, LayerDescriptor> {
  const newest = new Map<string, LayerDescriptor>()
  for (const layer of columnar) {
    const known = newest.get(chunkId(layer))
    if (!known || known.startLsn < layer.startLsn) newest.set(chunkId(layer), layer)
  }
  return newest
}

function chunkId(layer: LayerDescriptor): string {
  return layer.keyStart.join()
}

const exceptionReasons = {
  wholePages: ['pages kept whole', 'the page that the columns gave back was another one, so its bytes are kept too'],
  undecodablePages: [
    'pages without rows',
    'of the pages kept whole, those that do not read as pages of the table: no column shows their rows',
  ],
  patchedPages: [
    'pages with a patch',
    'bytes that belong to no row, such as those of rows that were pruned, are kept apart',
  ],
  rawValues: ['values kept as bytes', 'the value of the column does not say which bytes Postgres wrote'],
  overflowValues: [
    'values out of range',
    'the type of the column cannot hold them: NULL there, with their text beside',
  ],
} as const satisfies Partial<Record<keyof ColumnarExceptions, readonly [StorageException['what'], string]>>

function exceptionsOf({ storage, timeline }: AttachedTimeline): StorageException[] {
  const { timelineId } = timeline.identity
  const columnar = storage.index.layers.filter(({ kind }) => kind === 'columnar')
  const found = new Map<string, { -readonly [Field in keyof StorageException]: StorageException[Field] }>()
  for (const { keyStart, table, exceptions } of newestColumns(columnar).values()) {
    if (!table || !exceptions) continue
    const { b: database } = decodeKey(keyStart)
    for (const [name, [what, why]] of Object.entries(exceptionReasons)) {
      const count = exceptions[name as keyof typeof exceptionReasons]
      if (count === 0) continue
      const id = `${database}/${table.oid}/${name}`
      const entry = found.get(id) ?? { timelineId, database, tableOid: table.oid, what, why, count: 0 }
      found.set(id, entry)
      entry.count += count
    }
  }
  return [...found.values()]
}

function tableReports({ storage, timeline }: AttachedTimeline): TableLakeReport[] {
  const timelineId: TimelineId = timeline.identity.timelineId
  const columnar = storage.index.layers.filter(({ kind }) => kind === 'columnar')
  const newest = newestColumns(columnar)
  const tables = new Map<
    string,
    { -readonly [Field in keyof TableLakeReport]: TableLakeReport[Field] } & { lsn: number }
  >()
  for (const layer of columnar) {
    const { b: database, kind } = decodeKey(layer.keyStart)
    if (kind !== KeyKind.relationBlock || !layer.table) continue
    const id = `${database}/${layer.table.oid}`
    const report = tables.get(id) ?? {
      timelineId,
      database,
      tableOid: layer.table.oid,
      columnarFiles: 0,
      columnarBytes: 0,
      heapBytes: 0,
      rows: 0,
      newestLsn: '',
      lsn: 0,
    }
    tables.set(id, report)
    report.columnarFiles++
    report.columnarBytes += layer.sizeBytes
    report.lsn = Math.max(report.lsn, layer.startLsn)
    if (newest.get(chunkId(layer)) !== layer) continue
    report.heapBytes += layer.valueBytes
    report.rows += layer.rowCount
  }
  return [...tables.values()].map(({ lsn, ...report }) => ({ ...report, newestLsn: Lsn.format(Lsn.of(lsn)) }))
}
