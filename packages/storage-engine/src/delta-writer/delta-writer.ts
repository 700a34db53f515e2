import { StorageError } from '../base/errors.ts'
import type { Action, AddFile, DeletionVectorDescriptor } from '../delta-log/actions.ts'
import {
  decodeDeletionVector,
  deletionVectorFileName,
  deletionVectorPlace,
  encodeDeletionVectorFile,
  readDeletionVectorFile,
} from '../delta-log/deletion-vector.ts'
import { DeltaTable } from '../delta-log/delta-table.ts'
import { cutVersions, logKeysBelow } from '../delta-log/log-vacuum.ts'
import type { DeltaSnapshot } from '../delta-log/snapshot.ts'
import type { Env } from '../io/env.ts'
import type { ObjectStore } from '../object-store/object-store.ts'
import { Lsn } from '../postgres/lsn.ts'
import type { DeltaPublisher, PublishedState, TablePublication } from '../protocol/delta-publisher.ts'
import { resolvePath } from './data-path.ts'
import { addOf, type PlannedFile, planPublication, removeOf, Tag } from './publish-plan.ts'

/** Commits between two checkpoints of a log. */
const CHECKPOINT_INTERVAL = 10
/** Tables whose newest version is remembered; each about 4 KiB a data file. */
const KNOWN_TABLES_MAX = 1000
/** Tombstones younger than this, and all of the table's retention, stay in checkpoints. */
const TOMBSTONE_MS = 30 * 24 * 3_600_000

export interface DeltaWriterOptions {
  readonly env: Pick<Env, 'clock' | 'random'>
  readonly objectStore: ObjectStore
}

/** Writes the logs and deletion vectors of Delta tables over data files that others made. */
export class DeltaWriter implements DeltaPublisher {
  readonly #env: DeltaWriterOptions['env']
  readonly #store: ObjectStore
  readonly #known = new Map<string, DeltaSnapshot>()
  readonly #cutTimes = new Map<string, { readonly version: number; readonly timeMs: number }>()

  constructor(options: DeltaWriterOptions) {
    this.#env = options.env
    this.#store = options.objectStore
  }

  async state(prefix: string): Promise<PublishedState | undefined> {
    const snapshot = await this.#newest(new DeltaTable(this.#store, prefix))
    if (!snapshot) return undefined
    return {
      version: snapshot.version,
      name: snapshot.metadata.name ?? '',
      lsn: publishedLsn(snapshot),
      files: [...snapshot.files.values()].map((file) => ({
        objectKey: resolvePath(prefix, file.path),
        sizeBytes: file.size,
        physicalRows: numRecords(file),
        maskedRows: file.deletionVector?.cardinality ?? 0,
        isSettled: file.tags?.[Tag.settled] === 'true',
      })),
    }
  }

  async publish(table: TablePublication): Promise<{ version: number; isNewVersion: boolean }> {
    const delta = new DeltaTable(this.#store, table.prefix)
    const snapshot = await this.#newest(delta)
    if (snapshot && table.lsn < publishedLsn(snapshot)) {
      throw new StorageError('conflict', 'a later lsn is published already', {
        table: table.name,
        lsn: Lsn.format(Lsn.of(table.lsn)),
        publishedLsn: Lsn.format(Lsn.of(publishedLsn(snapshot))),
      })
    }
    const nowMs = this.#env.clock.nowMs()
    const masked = await this.#maskedRows(table.prefix, snapshot, table)
    const plan = planPublication(snapshot, table, {
      nowMs,
      newTableId: () => uuidText(this.#env.random.bytes(16)),
      maskedRows: (file) => masked.get(file.path) ?? [],
    })
    const { setup, adds, removes } = plan
    if (snapshot && setup.length === 0 && adds.length === 0 && removes.length === 0) {
      return { version: snapshot.version, isNewVersion: false }
    }
    const vectors = await this.#writeVectors(table.prefix, adds)
    const actions: Action[] = [
      { commitInfo: this.#commitInfo(table, nowMs) },
      ...setup,
      { txn: { appId: transactionId(table), version: table.lsn, lastUpdated: nowMs } },
    ]
    for (const file of removes) actions.push({ remove: removeOf(file, nowMs) })
    adds.forEach((planned, i) => {
      if (planned.current) actions.push({ remove: removeOf(planned.current, nowMs) })
      const vector = planned.deadRows === undefined ? planned.current?.deletionVector : vectors[i]
      actions.push({ add: addOf(planned, nowMs, vector) })
    })
    const next = await delta.commit(snapshot, withoutIdlePairs(actions))
    this.#remember(table.prefix, next)
    if (next.version % CHECKPOINT_INTERVAL === 0 && next.version > 0) {
      const removedSinceMs = nowMs - Math.max(TOMBSTONE_MS, table.retentionMs)
      await delta.writeCheckpoint(next, { removedSinceMs })
      this.#remember(table.prefix, withoutTombstones(next, removedSinceMs))
    }
    return { version: next.version, isNewVersion: true }
  }

  async neededKeys(prefix: string, sinceMs: number): Promise<ReadonlySet<string>> {
    const keys = new Set<string>()
    const snapshot = await this.#newest(new DeltaTable(this.#store, prefix))
    const add = (file: { path: string; deletionVector?: DeletionVectorDescriptor | undefined }) => {
      keys.add(resolvePath(prefix, file.path))
      const place = file.deletionVector && deletionVectorPlace(file.deletionVector)
      if (place?.kind === 'file') keys.add(`${prefix}${place.path}`)
    }
    for (const file of snapshot?.files.values() ?? []) add(file)
    for (const file of snapshot?.removed.values() ?? []) if ((file.deletionTimestamp ?? 0) >= sinceMs) add(file)
    return keys
  }

  async removableLogKeys(prefix: string, sinceMs: number): Promise<readonly string[]> {
    const delta = new DeltaTable(this.#store, prefix)
    const keys = await delta.logKeys()
    let cut: number | undefined
    for (const version of cutVersions(prefix, keys)) {
      const timeMs = await this.#commitTimeMs(delta, version)
      // It was the newest version then, or a later one was: what is below it has been replaced for long enough.
      if (timeMs === undefined || timeMs > sinceMs) break
      cut = version
    }
    return cut === undefined ? [] : logKeysBelow(prefix, keys, cut)
  }

  forget(prefix: string): void {
    this.#known.delete(prefix)
    this.#cutTimes.delete(prefix)
  }

  /** Of the lowest version that was too young for a cut the last time, for each table. Undefined: the commit does not say. */
  async #commitTimeMs(delta: DeltaTable, version: number): Promise<number | undefined> {
    const known = this.#cutTimes.get(delta.prefix)
    if (known?.version === version) return known.timeMs
    const actions = await delta.commitOf(version)
    const timeMs = actions?.flatMap((action) => ('commitInfo' in action ? [action.commitInfo.timestamp] : []))[0]
    if (typeof timeMs !== 'number') return undefined
    if (this.#cutTimes.size >= KNOWN_TABLES_MAX) this.#cutTimes.clear()
    this.#cutTimes.set(delta.prefix, { version, timeMs })
    return timeMs
  }

  async #newest(delta: DeltaTable): Promise<DeltaSnapshot | undefined> {
    const known = this.#known.get(delta.prefix)
    const snapshot = known ? await delta.refresh(known) : await delta.snapshotIfAny()
    if (snapshot) this.#remember(delta.prefix, snapshot)
    return snapshot
  }

  #remember(prefix: string, snapshot: DeltaSnapshot): void {
    this.#known.delete(prefix)
    this.#known.set(prefix, snapshot)
    if (this.#known.size <= KNOWN_TABLES_MAX) return
    const oldest = this.#known.keys().next()
    if (!oldest.done) this.#known.delete(oldest.value)
  }

  /** Positions that are masked now, of the files that stay. */
  async #maskedRows(
    prefix: string,
    snapshot: DeltaSnapshot | undefined,
    table: TablePublication,
  ): Promise<Map<string, number[]>> {
    const masked = new Map<string, number[]>()
    if (!snapshot) return masked
    const staying = new Set(
      table.files.filter(({ deadRows }) => deadRows !== undefined).map(({ objectKey }) => objectKey),
    )
    for (const file of snapshot.files.values()) {
      if (!file.deletionVector || !staying.has(resolvePath(prefix, file.path))) continue
      masked.set(file.path, await this.#readVector(prefix, file.deletionVector))
    }
    return masked
  }

  async #readVector(prefix: string, descriptor: DeletionVectorDescriptor): Promise<number[]> {
    const place = deletionVectorPlace(descriptor)
    if (place.kind === 'inline') return decodeDeletionVector(place.serialized)
    if (place.kind === 'absolute')
      throw new StorageError('unsupported', 'deletion vector elsewhere', { path: place.path })
    const key = `${prefix}${place.path}`
    return decodeDeletionVector(readDeletionVectorFile(await this.#store.get(key), descriptor.offset ?? 1, key))
  }

  /** One file for all vectors of a version. By position in `adds`; undefined where nothing is masked. */
  async #writeVectors(
    prefix: string,
    adds: readonly PlannedFile[],
  ): Promise<readonly (DeletionVectorDescriptor | undefined)[]> {
    const masking = adds.filter(({ deadRows }) => deadRows !== undefined && deadRows.length > 0)
    if (masking.length === 0) return []
    const uuid = this.#env.random.bytes(16)
    const { bytes, descriptors } = encodeDeletionVectorFile(
      uuid,
      masking.map(({ deadRows }) => deadRows!),
    )
    await this.#store.put(`${prefix}${deletionVectorFileName(uuid)}`, bytes)
    return adds.map((planned) => {
      const index = masking.indexOf(planned)
      return index < 0 ? undefined : descriptors[index]
    })
  }

  #commitInfo(table: TablePublication, nowMs: number) {
    return {
      timestamp: nowMs,
      operation: 'WRITE',
      operationParameters: { mode: 'Overwrite', partitionBy: '[]' },
      isBlindAppend: false,
      engineInfo: 'Tributary',
      tributary: {
        timelineId: table.timelineId,
        lsn: Lsn.format(Lsn.of(table.lsn)),
        ...(table.commitTime === null ? {} : { commitTime: table.commitTime }),
      },
    }
  }
}

/** A file that is only tagged anew keeps its key: `add` replaces it, and a `remove` of the same key is not allowed beside. */
function withoutIdlePairs(actions: readonly Action[]): Action[] {
  const added = new Set(actions.flatMap((action) => ('add' in action ? [keyOf(action.add)] : [])))
  return actions.filter((action) => !('remove' in action) || !added.has(keyOf(action.remove)))
}

function keyOf(file: {
  readonly path: string
  readonly deletionVector?: DeletionVectorDescriptor | undefined
}): string {
  return `${file.path}\0${JSON.stringify(file.deletionVector ?? null)}`
}

function withoutTombstones(snapshot: DeltaSnapshot, removedSinceMs: number): DeltaSnapshot {
  const removed = [...snapshot.removed].filter(([, file]) => (file.deletionTimestamp ?? 0) >= removedSinceMs)
  return { ...snapshot, removed: new Map(removed) }
}

function transactionId(table: TablePublication): string {
  return `tributary/${table.timelineId}/${table.tableOid}`
}

function publishedLsn(snapshot: DeltaSnapshot): number {
  return Math.max(0, ...[...snapshot.transactions.values()].map(({ version }) => version))
}

function numRecords(file: AddFile): number {
  const stats: unknown = file.stats === undefined ? undefined : JSON.parse(file.stats)
  const count = (stats as { numRecords?: unknown } | undefined)?.numRecords
  return typeof count === 'number' ? count : 0
}

function uuidText(bytes: Uint8Array): string {
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
