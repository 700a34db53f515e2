import { CorruptionError } from '../base/errors.ts'
import {
  type Action,
  type AddFile,
  type CommitInfo,
  fileKey,
  type Metadata,
  type Protocol,
  type RemoveFile,
  type Transaction,
} from './actions.ts'

/** The state of a table after some version: what reconciling the actions up to it leaves (PROTOCOL.md, "Action Reconciliation"). */
export interface DeltaSnapshot {
  readonly version: number
  readonly protocol: Protocol
  readonly metadata: Metadata
  /** By fileKey. */
  readonly files: ReadonlyMap<string, AddFile>
  /** Tombstones, by fileKey. */
  readonly removed: ReadonlyMap<string, RemoveFile>
  readonly transactions: ReadonlyMap<string, Transaction>
  /** Of the last commit that was read as such; undefined when all came from a checkpoint. */
  readonly commitInfo: CommitInfo | undefined
}

/** Replays actions, oldest version first. */
export class SnapshotBuilder {
  #protocol: Protocol | undefined
  #metadata: Metadata | undefined
  #commitInfo: CommitInfo | undefined
  readonly #files = new Map<string, AddFile>()
  readonly #removed = new Map<string, RemoveFile>()
  readonly #transactions = new Map<string, Transaction>()

  static from(snapshot: DeltaSnapshot): SnapshotBuilder {
    const builder = new SnapshotBuilder()
    builder.#protocol = snapshot.protocol
    builder.#metadata = snapshot.metadata
    builder.#commitInfo = snapshot.commitInfo
    for (const [key, file] of snapshot.files) builder.#files.set(key, file)
    for (const [key, file] of snapshot.removed) builder.#removed.set(key, file)
    for (const [key, transaction] of snapshot.transactions) builder.#transactions.set(key, transaction)
    return builder
  }

  apply(actions: readonly Action[]): void {
    for (const action of actions) {
      if ('add' in action) {
        const key = fileKey(action.add)
        this.#removed.delete(key)
        this.#files.set(key, action.add)
      } else if ('remove' in action) {
        const key = fileKey(action.remove)
        this.#files.delete(key)
        this.#removed.set(key, action.remove)
      } else if ('metaData' in action) this.#metadata = action.metaData
      else if ('protocol' in action) this.#protocol = action.protocol
      else if ('txn' in action) this.#transactions.set(action.txn.appId, action.txn)
      else this.#commitInfo = action.commitInfo
    }
  }

  /** Throws `corruption` when the log never said what the table's protocol or schema is. */
  build(version: number, table: string): DeltaSnapshot {
    if (!this.#protocol) throw new CorruptionError('delta log without a protocol', { table, version })
    if (!this.#metadata) throw new CorruptionError('delta log without metadata', { table, version })
    return {
      version,
      protocol: this.#protocol,
      metadata: this.#metadata,
      files: this.#files,
      removed: this.#removed,
      transactions: this.#transactions,
      commitInfo: this.#commitInfo,
    }
  }
}
