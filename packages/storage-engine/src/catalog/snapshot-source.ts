import type { SlruKind } from '../postgres/slru.ts'
import type { RelationLocator } from '../postgres/two-phase.ts'

/**
 * What one timeline holds at one LSN, as far as reading tables needs it. Every call answers as of the same LSN. Pages are
 * borrowed: valid until the caller lets go of them, never to be written to.
 */
export interface SnapshotSource {
  /** Blocks of the main fork; undefined: no such relation. */
  blockCount(relation: RelationLocator): Promise<number | undefined>
  /** Pages of the main fork by position; undefined: all zeros, or beyond the end. */
  readPages(
    relation: RelationLocator,
    firstBlock: number,
    blockCount: number,
  ): Promise<readonly (Uint8Array | undefined)[]>
  /** Pages of the main fork by position in `blocks`, which ascend; left out where one call for each costs no more. */
  readBlocks?(relation: RelationLocator, blocks: readonly number[]): Promise<readonly (Uint8Array | undefined)[]>
  /** pg_filenode.map of a database, or of `global` (database 0). */
  relationMap(spcOid: number, dbOid: number): Promise<Uint8Array | undefined>
  /** Undefined: not there, truncated or not yet made. */
  slruPage(slru: SlruKind, page: number): Promise<Uint8Array | undefined>
  /** Called between short steps of decoding, to let others have the thread. Left out where nobody else waits for it. */
  giveWay?(): Promise<void>
}

/** Blocks asked for at once: 1 MiB. */
export const SCAN_BLOCKS = 128
/** Pages decoded between two calls of `giveWay`: few, as every scan that runs at once may take a step before the next turn. */
export const STEP_BLOCKS = 4
