import { crc32c } from '../../base/crc32c.ts'
import { CorruptionError, StorageError } from '../../base/errors.ts'
import { GLOBAL_TABLESPACE_OID, PAGE_SIZE } from '../../postgres/constants.ts'
import { Lsn } from '../../postgres/lsn.ts'
import { Fork } from '../../postgres/relation.ts'
import type { BootBundle, BootBundleFile, BootBundleHeader, BootRelation } from '../../protocol/boot-bundle.ts'
import { MULTIXACTS_PER_OFFSETS_PAGE, XIDS_PER_CLOG_PAGE } from '../../redo/slru-page.ts'
import { type ClusterState, decodeClusterState } from '../ingest/cluster-state.ts'
import type { RecordPosition } from '../ingest/record-journal.ts'
import { decodeKey, encodeKey, KEY_BYTES, KeyKind, KeyScratch, Slru } from '../key.ts'
import { kindRange } from '../keyspace.ts'
import { rebuildPage } from '../rebuild-page.ts'
import { recordPositionAt } from './record-position.ts'
import { decodeCount } from './relation-size.ts'
import type { Timeline } from './timeline.ts'
import type { TimelineStorage } from './timeline-storage.ts'

const FILE_MODE = 0o600
const PG_VERSION = new TextEncoder().encode('18\n')
const PAGES_PER_COLLECT = 128

const SLRU_DIRECTORIES: readonly (readonly [Slru, string])[] = [
  [Slru.xact, 'pg_xact'],
  [Slru.multixactOffsets, 'pg_multixact/offsets'],
  [Slru.multixactMembers, 'pg_multixact/members'],
]

/**
 * The small files of a data directory as of `lsn`, which must be the end of a record and ingested.
 * Throws `invalid-input` for an LSN inside a record (naming the record end before it) or before the history.
 */
export async function collectBootBundle(timeline: Timeline, lsn: Lsn): Promise<BootBundle> {
  const { storage, identity } = timeline
  const position = await recordPositionAt(storage, lsn)
  if (position.endLsn !== lsn) {
    const fields = { lsn: Lsn.format(lsn), recordEndLsn: Lsn.format(position.endLsn) }
    throw new StorageError('invalid-input', 'lsn is not the end of a record', fields)
  }
  const state = await clusterStateAt(storage, position, lsn)
  const relations = await relationsAt(storage, lsn)
  const databases = await databasesAt(storage, lsn)
  const files: BootBundleFile[] = [
    file('PG_VERSION', PG_VERSION),
    ...databases.map(({ spcOid, dbOid }) => file(`${databaseDirectory(spcOid, dbOid)}/PG_VERSION`, PG_VERSION)),
    ...(await relationMapFiles(storage, lsn)),
    ...(await slruFiles(storage, state, lsn)),
    ...(await twoPhaseFiles(storage, lsn)),
    ...(await initForkFiles(storage, relations, lsn)),
  ]
  const header: BootBundleHeader = {
    formatVersion: 1,
    projectId: identity.projectId,
    timelineId: identity.timelineId,
    systemIdentifier: identity.systemIdentifier.toString(),
    lsn: Lsn.format(lsn),
    prevRecordLsn: Lsn.format(position.startLsn),
    checkpoint: {
      nextXid: ((BigInt(state.nextXidEpoch) << 32n) | BigInt(state.nextXidLow)).toString(),
      nextOid: state.nextOid,
      nextMulti: state.nextMulti,
      nextMultiOffset: state.nextMultiOffset,
      oldestXid: state.oldestXid,
      oldestXidDb: state.oldestXidDb,
      oldestMulti: state.oldestMulti,
      oldestMultiDb: state.oldestMultiDb,
      time: state.checkpointTime,
      isShutdown: state.shutdownCheckpointEndLsn === lsn,
    },
    controlFile: encodeBase64(identity.controlFile),
    parameters: {
      maxConnections: state.maxConnections,
      maxWorkerProcesses: state.maxWorkerProcesses,
      maxWalSenders: state.maxWalSenders,
      maxPreparedXacts: state.maxPreparedXacts,
      maxLocksPerXact: state.maxLocksPerXact,
      walLevel: state.walLevel,
      walLogHints: state.walLogHints,
      trackCommitTimestamp: state.trackCommitTimestamp,
    },
    databases,
    relations,
    unlogged: relations
      .filter((relation) => relation[6] >= 0)
      .map(([spcOid, dbOid, relNumber]) => ({ spcOid, dbOid, relNumber })),
  }
  return { header, files }
}

async function clusterStateAt(storage: TimelineStorage, position: RecordPosition, lsn: Lsn): Promise<ClusterState> {
  const [chain] = await storage.collect(encodeKey({ kind: KeyKind.clusterState }), 1, lsn)
  const value = chain?.values[0]
  if (!value) throw new CorruptionError('timeline has no cluster state', { lsn: Lsn.format(lsn) })
  const state = decodeClusterState(value)
  state.nextXidLow = position.nextXidLow
  state.nextXidEpoch = position.nextXidEpoch
  return state
}

/** Forks at `lsn` by relation. Of an unlogged relation only the init fork counts. */
async function relationsAt(storage: TimelineStorage, lsn: Lsn): Promise<BootRelation[]> {
  const { start, end } = kindRange(KeyKind.relationSize)
  const relations: [number, number, number, number, number, number, number][] = []
  for (const { key, value } of await storage.scan(start, end, lsn)) {
    const { a: spcOid, b: dbOid, c: relNumber, d: fork } = decodeKey(key)
    let relation = relations.at(-1)
    if (!relation || relation[2] !== relNumber || relation[1] !== dbOid || relation[0] !== spcOid) {
      relation = [spcOid, dbOid, relNumber, -1, -1, -1, -1]
      relations.push(relation)
    }
    relation[3 + fork] = decodeCount(value)
  }
  return relations.map((relation) => {
    const [spcOid, dbOid, relNumber, , , , initBlocks] = relation
    return initBlocks >= 0 ? [spcOid, dbOid, relNumber, -1, -1, -1, initBlocks] : relation
  })
}

async function databasesAt(storage: TimelineStorage, lsn: Lsn): Promise<{ spcOid: number; dbOid: number }[]> {
  const { start, end } = kindRange(KeyKind.database)
  const entries = await storage.scan(start, end, lsn)
  return entries.map(({ key }) => decodeKey(key)).map(({ a, b }) => ({ spcOid: a, dbOid: b }))
}

async function relationMapFiles(storage: TimelineStorage, lsn: Lsn): Promise<BootBundleFile[]> {
  const { start, end } = kindRange(KeyKind.relationMap)
  const maps = await storage.scan(start, end, lsn)
  return maps.map(({ key, value }) => {
    const { a: spcOid, b: dbOid } = decodeKey(key)
    return file(`${databaseDirectory(spcOid, dbOid)}/pg_filenode.map`, value.slice())
  })
}

/** Segments as files. The pages that hold nextXid and nextMulti must be there, or the server does not start. */
async function slruFiles(storage: TimelineStorage, state: ClusterState, lsn: Lsn): Promise<BootBundleFile[]> {
  const neededPages = new Map<Slru, number>([
    [Slru.xact, Math.floor(state.nextXidLow / XIDS_PER_CLOG_PAGE)],
    [Slru.multixactOffsets, Math.floor(state.nextMulti / MULTIXACTS_PER_OFFSETS_PAGE)],
  ])
  const key = new KeyScratch()
  const { start, end } = kindRange(KeyKind.slruSegment)
  const pageCounts = new Map<string, number>()
  for (const { key: found, value } of await storage.scan(start, end, lsn)) {
    const { a: slru, c: segment } = decodeKey(found)
    pageCounts.set(`${slru}/${segment}`, decodeCount(value))
  }
  const stored = new Map(pageCounts)
  for (const [slru, page] of neededPages) {
    const name = `${slru}/${Math.floor(page / 32)}`
    pageCounts.set(name, Math.max(pageCounts.get(name) ?? 0, (page % 32) + 1))
  }
  const files: BootBundleFile[] = []
  for (const [name, pageCount] of pageCounts) {
    const [slru, segment] = name.split('/').map(Number) as [Slru, number]
    const directory = SLRU_DIRECTORIES.find(([known]) => known === slru)?.[1]
    if (directory === undefined) throw new CorruptionError('unknown slru in the key space', { slru })
    const bytes = new Uint8Array(pageCount * PAGE_SIZE)
    const storedCount = stored.get(name) ?? 0
    const keys = new Uint8Array(storedCount * KEY_BYTES)
    for (let page = 0; page < storedCount; page++) keys.set(key.slruPage(slru, segment, page), page * KEY_BYTES)
    await readPages(storage, keys, storedCount, lsn, bytes)
    files.push(file(`${directory}/${segment.toString(16).toUpperCase().padStart(4, '0')}`, bytes))
  }
  return files
}

async function twoPhaseFiles(storage: TimelineStorage, lsn: Lsn): Promise<BootBundleFile[]> {
  const { start, end } = kindRange(KeyKind.twoPhaseFile)
  const stored = await storage.scan(start, end, lsn)
  return stored.map(({ key, value }) => {
    const { b: high, c: low } = decodeKey(key)
    const bytes = new Uint8Array(value.length + 4)
    bytes.set(value)
    new DataView(bytes.buffer).setUint32(value.length, crc32c(value), true)
    const name = [high, low].map((half) => half.toString(16).toUpperCase().padStart(8, '0')).join('')
    return file(`pg_twophase/${name}`, bytes)
  })
}

async function initForkFiles(
  storage: TimelineStorage,
  relations: readonly BootRelation[],
  lsn: Lsn,
): Promise<BootBundleFile[]> {
  const key = new KeyScratch()
  const files: BootBundleFile[] = []
  for (const [spcOid, dbOid, relNumber, , , , initBlocks] of relations) {
    if (initBlocks < 0) continue
    const keys = new Uint8Array(initBlocks * KEY_BYTES)
    for (let block = 0; block < initBlocks; block++) {
      keys.set(key.relationBlock(spcOid, dbOid, relNumber, Fork.init, block), block * KEY_BYTES)
    }
    const bytes = new Uint8Array(initBlocks * PAGE_SIZE)
    await readPages(storage, keys, initBlocks, lsn, bytes)
    files.push(file(`${databaseDirectory(spcOid, dbOid)}/${relNumber}_init`, bytes))
  }
  return files
}

async function readPages(
  storage: TimelineStorage,
  keys: Uint8Array,
  keyCount: number,
  lsn: Lsn,
  target: Uint8Array,
): Promise<void> {
  for (let from = 0; from < keyCount; from += PAGES_PER_COLLECT) {
    const count = Math.min(PAGES_PER_COLLECT, keyCount - from)
    const part = keys.subarray(from * KEY_BYTES, (from + count) * KEY_BYTES)
    const chains = await storage.collect(part, count, lsn)
    chains.forEach((chain, i) => {
      target.set(rebuildPage(part.subarray(i * KEY_BYTES, (i + 1) * KEY_BYTES), chain), (from + i) * PAGE_SIZE)
    })
  }
}

function databaseDirectory(spcOid: number, dbOid: number): string {
  return spcOid === GLOBAL_TABLESPACE_OID ? 'global' : `base/${dbOid}`
}

function file(path: string, bytes: Uint8Array): BootBundleFile {
  return { path, mode: FILE_MODE, bytes }
}

function encodeBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
}
