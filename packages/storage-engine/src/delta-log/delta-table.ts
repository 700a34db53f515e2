import { isStorageError, StorageError } from '../base/errors.ts'
import { listObjects } from '../object-store/list-objects.ts'
import type { ObjectStore } from '../object-store/object-store.ts'
import { type Action, decodeCommit, encodeCommit } from './actions.ts'
import { decodeCheckpoint, encodeCheckpoint } from './checkpoint.ts'
import { checkpointKey, commitKey, lastCheckpointKey, logPrefix } from './log-path.ts'
import { type LogSegment, planLogSegment } from './log-segment.ts'
import { type DeltaSnapshot, SnapshotBuilder } from './snapshot.ts'
import { requireReadableTable } from './table-features.ts'

/** A Delta table in an object store: reads versions and commits the next one. */
export class DeltaTable {
  readonly #store: ObjectStore
  /** Folder of the table: a key prefix that ends in '/'. */
  readonly prefix: string

  constructor(store: ObjectStore, prefix: string) {
    this.#store = store
    this.prefix = prefix
  }

  /**
   * The table as of a version, or its newest one. Throws `not-found` (no such table or version, or one that is no longer
   * kept), `unsupported` (a feature that is not known), `corruption`.
   */
  async snapshot(version?: number): Promise<DeltaSnapshot> {
    const segment = planLogSegment(this.prefix, await this.logKeys(), version)
    const snapshot = await this.#replay(segment)
    requireReadableTable(snapshot.protocol)
    return snapshot
  }

  /** Undefined: there is no such table. */
  async snapshotIfAny(): Promise<DeltaSnapshot | undefined> {
    try {
      return await this.snapshot()
    } catch (error) {
      if (isStorageError(error, 'not-found')) return undefined
      throw error
    }
  }

  /** The snapshot and what was committed after it by others. */
  async refresh(snapshot: DeltaSnapshot): Promise<DeltaSnapshot> {
    let { version } = snapshot
    const builder = SnapshotBuilder.from(snapshot)
    for (;;) {
      const actions = await this.commitOf(version + 1)
      if (!actions) return version === snapshot.version ? snapshot : builder.build(version, this.prefix)
      builder.apply(actions)
      version++
    }
  }

  /** Undefined: no such version yet. */
  async commitOf(version: number): Promise<Action[] | undefined> {
    const key = commitKey(this.prefix, version)
    try {
      return decodeCommit(await this.#store.get(key), key)
    } catch (error) {
      if (isStorageError(error, 'not-found')) return undefined
      throw error
    }
  }

  /**
   * Commits `actions` as the version after `snapshot` (the first one when there is none), by put-if-absent: a log entry is
   * never overwritten. Throws `conflict` when that version was taken by another writer.
   */
  async commit(snapshot: DeltaSnapshot | undefined, actions: readonly Action[]): Promise<DeltaSnapshot> {
    const version = (snapshot?.version ?? -1) + 1
    const key = commitKey(this.prefix, version)
    const bytes = encodeCommit(actions)
    const outcome = await this.#store.putIfAbsent(key, bytes)
    // A retry of our own write whose answer was lost finds its bytes there.
    if (outcome === 'exists' && !isSame(await this.#store.get(key), bytes)) {
      throw new StorageError('conflict', 'delta version was committed by another writer', {
        table: this.prefix,
        version,
      })
    }
    const builder = snapshot ? SnapshotBuilder.from(snapshot) : new SnapshotBuilder()
    builder.apply(actions)
    return builder.build(version, this.prefix)
  }

  /** Writes a checkpoint of a version that is committed, and the hint to it. */
  async writeCheckpoint(snapshot: DeltaSnapshot, options: { readonly removedSinceMs: number }): Promise<void> {
    const { bytes, actionCount } = encodeCheckpoint(snapshot, options)
    await this.#store.put(checkpointKey(this.prefix, snapshot.version), bytes)
    const hint = { version: snapshot.version, size: actionCount, sizeInBytes: bytes.length }
    await this.#store.put(lastCheckpointKey(this.prefix), new TextEncoder().encode(JSON.stringify(hint)))
  }

  /** Of all that lies below `_delta_log/`. */
  async logKeys(): Promise<string[]> {
    const keys: string[] = []
    for await (const { key } of listObjects(this.#store, logPrefix(this.prefix))) keys.push(key)
    return keys
  }

  async #replay(segment: LogSegment): Promise<DeltaSnapshot> {
    const builder = new SnapshotBuilder()
    for (const key of segment.checkpointKeys) builder.apply(await decodeCheckpoint(await this.#store.get(key)))
    for (const version of segment.commitVersions) {
      const key = commitKey(this.prefix, version)
      builder.apply(decodeCommit(await this.#store.get(key), key))
    }
    return builder.build(segment.version, this.prefix)
  }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}
