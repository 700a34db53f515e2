import { DEFAULT_TABLESPACE_OID, GLOBAL_TABLESPACE_OID, RELATION_SEGMENT_BLOCKS } from './constants.ts'
import { Fork, type RelationFork } from './relation.ts'

/**
 * Files of relations below the data directory (GetRelationPath, src/common/relpath.c, PG 18).
 *   global/<rel>                                       shared catalogs, database 0
 *   base/<db>/<rel>                                    default tablespace
 *   pg_tblspc/<spc>/PG_18_202506291/<db>/<rel>         other tablespaces
 * followed by _fsm, _vm or _init for the forks, and .1, .2, ... for each further GiB. Temporary relations carry the backend
 * in their names (t3_16384) and are no business of storage: they do not parse.
 */
export const TABLESPACE_VERSION_DIRECTORY = 'PG_18_202506291'

export interface RelationSegment extends RelationFork {
  /** 0 for the first file. */
  readonly segment: number
}

const FORK_SUFFIX = ['', '_fsm', '_vm', '_init'] as const
const FILE = /^([1-9]\d{0,9})(?:_(fsm|vm|init))?(?:\.([1-9]\d{0,4}))?$/
const OID = /^[1-9]\d{0,9}$/
const OID_MAX = 0xffff_ffff

/** Path of the file that holds a segment, with '/' between the parts. */
export function formatRelationPath(relation: RelationFork, segment = 0): string {
  const file = `${relation.relNumber}${FORK_SUFFIX[relation.fork]}${segment === 0 ? '' : `.${segment}`}`
  return `${formatDatabaseDirectory(relation.spcOid, relation.dbOid)}/${file}`
}

/** Directory that holds the files of a database in a tablespace. */
export function formatDatabaseDirectory(spcOid: number, dbOid: number): string {
  if (spcOid === GLOBAL_TABLESPACE_OID) return 'global'
  if (spcOid === DEFAULT_TABLESPACE_OID) return `base/${dbOid}`
  return `pg_tblspc/${spcOid}/${TABLESPACE_VERSION_DIRECTORY}/${dbOid}`
}

/** The relation segment that a path names, or undefined when it names none. */
export function parseRelationPath(path: string): RelationSegment | undefined {
  const slash = path.lastIndexOf('/')
  if (slash < 0) return undefined
  const directory = parseDatabaseDirectory(path.slice(0, slash))
  const match = FILE.exec(path.slice(slash + 1))
  if (directory === undefined || match === null) return undefined
  const relNumber = Number(match[1])
  if (relNumber > OID_MAX) return undefined
  const fork = match[2] === undefined ? Fork.main : (FORK_SUFFIX.indexOf(`_${match[2] as 'fsm'}`) as Fork)
  return { ...directory, relNumber, fork, segment: Number(match[3] ?? 0) }
}

export function parseDatabaseDirectory(directory: string): { spcOid: number; dbOid: number } | undefined {
  if (directory === 'global') return { spcOid: GLOBAL_TABLESPACE_OID, dbOid: 0 }
  const parts = directory.split('/')
  if (parts[0] === 'base' && parts.length === 2 && isOid(parts[1]!)) {
    return { spcOid: DEFAULT_TABLESPACE_OID, dbOid: Number(parts[1]) }
  }
  const inTablespace =
    parts[0] === 'pg_tblspc' &&
    parts.length === 4 &&
    parts[2] === TABLESPACE_VERSION_DIRECTORY &&
    isOid(parts[1]!) &&
    isOid(parts[3]!)
  return inTablespace ? { spcOid: Number(parts[1]), dbOid: Number(parts[3]) } : undefined
}

/** First block number, within the fork, of a segment file. */
export function segmentFirstBlock(segment: number): number {
  return segment * RELATION_SEGMENT_BLOCKS
}

function isOid(text: string): boolean {
  return OID.test(text) && Number(text) <= OID_MAX
}
