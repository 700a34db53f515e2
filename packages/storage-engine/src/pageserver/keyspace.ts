import { encodeKey, KeyKind, type Slru } from './key.ts'

/** Keys [start, end). */
export interface KeyRange {
  readonly start: Uint8Array
  readonly end: Uint8Array
}

/** Every key of one kind. */
export function kindRange(kind: number): KeyRange {
  return { start: encodeKey({ kind }), end: encodeKey({ kind: kind + 1 }) }
}

/** Blocks [0, blockCount) of one fork. */
export function relationForkRange(
  spcOid: number,
  dbOid: number,
  relNumber: number,
  fork: number,
  blockCount: number,
): KeyRange {
  const fields = { kind: KeyKind.relationBlock, a: spcOid, b: dbOid, c: relNumber, d: fork }
  return { start: encodeKey(fields), end: encodeKey({ ...fields, e: blockCount }) }
}

/** Pages [0, pageCount) of one SLRU segment. */
export function slruSegmentRange(slru: Slru, segment: number, pageCount: number): KeyRange {
  const fields = { kind: KeyKind.slruPage, a: slru, c: segment }
  return { start: encodeKey(fields), end: encodeKey({ ...fields, e: pageCount }) }
}

/** Kinds that have no blocks below them: always live as a whole. */
export const WHOLE_KINDS: readonly number[] = [
  KeyKind.twoPhaseFile,
  KeyKind.clusterState,
  KeyKind.relationMap,
  KeyKind.relationSize,
  KeyKind.database,
  KeyKind.slruSegment,
  KeyKind.recordJournal,
  KeyKind.commitJournal,
  KeyKind.eventJournal,
]
