import type { TimelineId } from '../../postgres/ids.ts'
import type { Lsn } from '../../postgres/lsn.ts'
import type { UserHeap } from '../upkeep/columnar-plan.ts'

/**
 * The versioned key-value store below one timeline: what ingest writes and page reads collect from. It knows layers,
 * LSNs and ancestors; it does not know what a value means.
 *
 * A key is 18 bytes, ordered bytewise (pageserver/key.ts). A value with `willInit` needs nothing older to be understood;
 * a value without it is a change on top of the next older one. A `willInit` value of length 0 is a tombstone.
 * No key has two values at one LSN.
 */
export interface TimelineStorage {
  readonly timelineId: TimelineId
  /** Everything at or below is readable. */
  readonly lastRecordLsn: Lsn
  /** Everything at or below is in layers that whoever opens the project next is sure to find. */
  readonly remoteConsistentLsn: Lsn
  /** Reads below are refused: GC may have removed what they need. */
  readonly gcCutoffLsn: Lsn
  /** Where a branch begins: what lies at or below is the ancestor's. */
  readonly ancestor?: { readonly storage: TimelineStorage; readonly lsn: Lsn } | undefined

  /** Adds a version; copies key and value. Not visible to reads until `advance`. One writer. */
  put(key: Uint8Array, lsn: Lsn, willInit: boolean, value: Uint8Array): void
  /** Makes all puts at or below `lsn` visible and moves lastRecordLsn. */
  advance(lsn: Lsn): void
  /** Forgets what was put since the last `advance`: the writer starts anew from there. */
  rollback(): void
  /** Resolves when ingest may go on: waits while too many frozen layers are unflushed. */
  ready(): Promise<void>

  /**
   * For each of the packed keys the versions at or below `lsn`, newest first, down to and including the first `willInit`
   * one, from this timeline and its ancestors. Bytes are valid until the next call to any method.
   */
  collect(packedKeys: Uint8Array, keyCount: number, lsn: Lsn): Promise<ValueChain[]>
  /**
   * The same without waiting, or undefined when a layer must be fetched or read in the background first. A scan, which comes by
   * once, leaves no blocks of layers in the cache.
   */
  collectNow(packedKeys: Uint8Array, keyCount: number, lsn: Lsn, isScan?: boolean): ValueChain[] | undefined
  /** Keys in [start, end) with a version at or below `lsn` whose newest one is no tombstone, ascending, with that newest `willInit` value. */
  scan(start: Uint8Array, end: Uint8Array, lsn: Lsn): Promise<{ key: Uint8Array; lsn: Lsn; value: Uint8Array }[]>
  /** All versions of a key in (fromLsn, toLsn], oldest first, ancestors included. */
  history(key: Uint8Array, fromLsn: Lsn, toLsn: Lsn): Promise<{ lsn: Lsn; value: Uint8Array }[]>

  /** Freezes the open layer and resolves when all up to now is in object storage. */
  flush(): Promise<void>
  close(): Promise<void>
}

export interface ValueChain {
  /** Newest first. */
  readonly lsns: readonly Lsn[]
  readonly values: readonly Uint8Array[]
  /** True when the last value is `willInit`; false when the key has no complete history (absent when also empty). */
  readonly complete: boolean
}

/** What the store asks of those who know what values mean. Given at open; called from upkeep. */
export interface ValueSemantics {
  /** Folds a complete chain into one `willInit` value; an empty result is a tombstone. Pure; also run on workers. */
  materialize(key: Uint8Array, chain: ValueChain): Uint8Array
  /** Packed, sorted, disjoint key ranges (start, end) that exist at `lsn`: what image layers must cover. */
  liveKeyRanges(lsn: Lsn): Promise<{ start: Uint8Array; end: Uint8Array }[]>
  /** Tables whose main forks may lie in columnar layers, from the catalogs at `lsn`. Without it there are none. */
  userHeaps?(lsn: Lsn): Promise<readonly UserHeap[]>
}

/**
 * How far a batch value at `lsn` counts on this line: one of an ancestor may tell of records beyond the branch point, which
 * are not in the branch's history.
 */
export function lineEndAbove(storage: TimelineStorage, lsn: Lsn): Lsn {
  let endLsn = storage.lastRecordLsn
  for (let at = storage.ancestor; at && lsn <= at.lsn; at = at.storage.ancestor) endLsn = at.lsn
  return endLsn
}
