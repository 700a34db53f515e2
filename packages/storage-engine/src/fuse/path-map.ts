import { DEFAULT_TABLESPACE_OID, GLOBAL_TABLESPACE_OID, RELATION_SEGMENT_BLOCKS } from '../postgres/constants.ts'
import type { Fork, RelationFork } from '../postgres/relation.ts'

/**
 * Where relation files stand in a data directory (GetRelationPath, src/common/relpath.c, PG 18):
 * `base/<db>/<rel>[_fsm|_vm|_init][.<segment>]`, `global/<rel>...` for shared catalogs.
 */
const SUFFIXES = ['', '_fsm', '_vm', '_init'] as const
const RELATION_PATH = /^(?:base\/(\d+)|global)\/(\d+)(_fsm|_vm|_init)?(?:\.(\d+))?$/

export interface RelationSegment {
  readonly relation: RelationFork
  /** 0 for the file without a number. */
  readonly segment: number
}

/** Undefined for what is no relation: maps, temporary files (`base/<db>/t<backend>_<rel>`), version files. */
export function parseRelationPath(path: string): RelationSegment | undefined {
  const match = RELATION_PATH.exec(path)
  if (!match) return undefined
  const [, dbText, relText, suffix = '', segmentText] = match
  const fork = SUFFIXES.indexOf(suffix as (typeof SUFFIXES)[number]) as Fork
  return {
    relation: {
      spcOid: dbText === undefined ? GLOBAL_TABLESPACE_OID : DEFAULT_TABLESPACE_OID,
      dbOid: dbText === undefined ? 0 : Number(dbText),
      relNumber: Number(relText),
      fork,
    },
    segment: segmentText === undefined ? 0 : Number(segmentText),
  }
}

export function relationDirectory(relation: Pick<RelationFork, 'spcOid' | 'dbOid'>): string {
  return relation.spcOid === GLOBAL_TABLESPACE_OID ? 'global' : `base/${relation.dbOid}`
}

export function relationFileName(relation: Pick<RelationFork, 'relNumber' | 'fork'>, segment: number): string {
  return `${relation.relNumber}${SUFFIXES[relation.fork]}${segment === 0 ? '' : `.${segment}`}`
}

export function relationPath(relation: RelationFork, segment: number): string {
  return `${relationDirectory(relation)}/${relationFileName(relation, segment)}`
}

/**
 * Blocks in each segment file of a fork. A fork of 0 blocks is one empty file. A fork that ends exactly at a segment's
 * end has no further, empty file: md.c makes that only when it extends.
 */
export function segmentBlockCounts(blockCount: number): number[] {
  if (blockCount === 0) return [0]
  const counts: number[] = []
  for (let rest = blockCount; rest > 0; rest -= RELATION_SEGMENT_BLOCKS) {
    counts.push(Math.min(rest, RELATION_SEGMENT_BLOCKS))
  }
  return counts
}
