/**
 * Resource managers, mirroring src/include/access/rmgrlist.h (PG 18): ids, names as pg_walinspect prints them, and the
 * record type names of each one's rm_identify function (src/backend/access/rmgrdesc/).
 */
export const RmgrId = {
  xlog: 0,
  xact: 1,
  smgr: 2,
  clog: 3,
  database: 4,
  tablespace: 5,
  multixact: 6,
  relmap: 7,
  standby: 8,
  heap2: 9,
  heap: 10,
  btree: 11,
  hash: 12,
  gin: 13,
  gist: 14,
  sequence: 15,
  spgist: 16,
  brin: 17,
  commitTs: 18,
  replicationOrigin: 19,
  generic: 20,
  logicalMessage: 21,
} as const
export type RmgrId = (typeof RmgrId)[keyof typeof RmgrId]

export interface Rmgr {
  readonly id: number
  readonly name: string
  /** Bits of xl_info that choose the record type. */
  readonly typeMask: number
  /** Record type name by `(info & typeMask) >> 4`. */
  readonly types: readonly (string | undefined)[]
}

/** RM_MIN_CUSTOM_ID: ids from here to 255 belong to extensions. */
export const RMGR_CUSTOM_ID_MIN = 128

const rmgrs: readonly Rmgr[] = [
  rmgr(RmgrId.xlog, 'XLOG', 0xf0, [
    [0x00, 'CHECKPOINT_SHUTDOWN'],
    [0x10, 'CHECKPOINT_ONLINE'],
    [0x20, 'NOOP'],
    [0x30, 'NEXTOID'],
    [0x40, 'SWITCH'],
    [0x50, 'BACKUP_END'],
    [0x60, 'PARAMETER_CHANGE'],
    [0x70, 'RESTORE_POINT'],
    [0x80, 'FPW_CHANGE'],
    [0x90, 'END_OF_RECOVERY'],
    [0xa0, 'FPI_FOR_HINT'],
    [0xb0, 'FPI'],
    [0xd0, 'OVERWRITE_CONTRECORD'],
    [0xe0, 'CHECKPOINT_REDO'],
  ]),
  rmgr(RmgrId.xact, 'Transaction', 0x70, [
    [0x00, 'COMMIT'],
    [0x10, 'PREPARE'],
    [0x20, 'ABORT'],
    [0x30, 'COMMIT_PREPARED'],
    [0x40, 'ABORT_PREPARED'],
    [0x50, 'ASSIGNMENT'],
    [0x60, 'INVALIDATION'],
  ]),
  rmgr(RmgrId.smgr, 'Storage', 0xf0, [
    [0x10, 'CREATE'],
    [0x20, 'TRUNCATE'],
  ]),
  rmgr(RmgrId.clog, 'CLOG', 0xf0, [
    [0x00, 'ZEROPAGE'],
    [0x10, 'TRUNCATE'],
  ]),
  rmgr(RmgrId.database, 'Database', 0xf0, [
    [0x00, 'CREATE_FILE_COPY'],
    [0x10, 'CREATE_WAL_LOG'],
    [0x20, 'DROP'],
  ]),
  rmgr(RmgrId.tablespace, 'Tablespace', 0xf0, [
    [0x00, 'CREATE'],
    [0x10, 'DROP'],
  ]),
  rmgr(RmgrId.multixact, 'MultiXact', 0xf0, [
    [0x00, 'ZERO_OFF_PAGE'],
    [0x10, 'ZERO_MEM_PAGE'],
    [0x20, 'CREATE_ID'],
    [0x30, 'TRUNCATE_ID'],
  ]),
  rmgr(RmgrId.relmap, 'RelMap', 0xf0, [[0x00, 'UPDATE']]),
  rmgr(RmgrId.standby, 'Standby', 0xf0, [
    [0x00, 'LOCK'],
    [0x10, 'RUNNING_XACTS'],
    [0x20, 'INVALIDATIONS'],
  ]),
  rmgr(RmgrId.heap2, 'Heap2', 0xf0, [
    [0x00, 'REWRITE'],
    [0x10, 'PRUNE_ON_ACCESS'],
    [0x20, 'PRUNE_VACUUM_SCAN'],
    [0x30, 'PRUNE_VACUUM_CLEANUP'],
    [0x40, 'VISIBLE'],
    [0x50, 'MULTI_INSERT'],
    [0xd0, 'MULTI_INSERT+INIT'],
    [0x60, 'LOCK_UPDATED'],
    [0x70, 'NEW_CID'],
  ]),
  rmgr(RmgrId.heap, 'Heap', 0xf0, [
    [0x00, 'INSERT'],
    [0x80, 'INSERT+INIT'],
    [0x10, 'DELETE'],
    [0x20, 'UPDATE'],
    [0xa0, 'UPDATE+INIT'],
    [0x30, 'TRUNCATE'],
    [0x40, 'HOT_UPDATE'],
    [0xc0, 'HOT_UPDATE+INIT'],
    [0x50, 'HEAP_CONFIRM'],
    [0x60, 'LOCK'],
    [0x70, 'INPLACE'],
  ]),
  rmgr(RmgrId.btree, 'Btree', 0xf0, [
    [0x00, 'INSERT_LEAF'],
    [0x10, 'INSERT_UPPER'],
    [0x20, 'INSERT_META'],
    [0x30, 'SPLIT_L'],
    [0x40, 'SPLIT_R'],
    [0x50, 'INSERT_POST'],
    [0x60, 'DEDUP'],
    [0x70, 'DELETE'],
    [0x80, 'UNLINK_PAGE'],
    [0x90, 'UNLINK_PAGE_META'],
    [0xa0, 'NEWROOT'],
    [0xb0, 'MARK_PAGE_HALFDEAD'],
    [0xc0, 'VACUUM'],
    [0xd0, 'REUSE_PAGE'],
    [0xe0, 'META_CLEANUP'],
  ]),
  rmgr(RmgrId.hash, 'Hash', 0xf0, [
    [0x00, 'INIT_META_PAGE'],
    [0x10, 'INIT_BITMAP_PAGE'],
    [0x20, 'INSERT'],
    [0x30, 'ADD_OVFL_PAGE'],
    [0x40, 'SPLIT_ALLOCATE_PAGE'],
    [0x50, 'SPLIT_PAGE'],
    [0x60, 'SPLIT_COMPLETE'],
    [0x70, 'MOVE_PAGE_CONTENTS'],
    [0x80, 'SQUEEZE_PAGE'],
    [0x90, 'DELETE'],
    [0xa0, 'SPLIT_CLEANUP'],
    [0xb0, 'UPDATE_META_PAGE'],
    [0xc0, 'VACUUM_ONE_PAGE'],
  ]),
  rmgr(RmgrId.gin, 'Gin', 0xf0, [
    [0x10, 'CREATE_PTREE'],
    [0x20, 'INSERT'],
    [0x30, 'SPLIT'],
    [0x40, 'VACUUM_PAGE'],
    [0x50, 'DELETE_PAGE'],
    [0x60, 'UPDATE_META_PAGE'],
    [0x70, 'INSERT_LISTPAGE'],
    [0x80, 'DELETE_LISTPAGE'],
    [0x90, 'VACUUM_DATA_LEAF_PAGE'],
  ]),
  rmgr(RmgrId.gist, 'Gist', 0xf0, [
    [0x00, 'PAGE_UPDATE'],
    [0x10, 'DELETE'],
    [0x20, 'PAGE_REUSE'],
    [0x30, 'PAGE_SPLIT'],
    [0x60, 'PAGE_DELETE'],
    [0x70, 'ASSIGN_LSN'],
  ]),
  rmgr(RmgrId.sequence, 'Sequence', 0xf0, [[0x00, 'LOG']]),
  rmgr(RmgrId.spgist, 'SPGist', 0xf0, [
    [0x10, 'ADD_LEAF'],
    [0x20, 'MOVE_LEAFS'],
    [0x30, 'ADD_NODE'],
    [0x40, 'SPLIT_TUPLE'],
    [0x50, 'PICKSPLIT'],
    [0x60, 'VACUUM_LEAF'],
    [0x70, 'VACUUM_ROOT'],
    [0x80, 'VACUUM_REDIRECT'],
  ]),
  rmgr(RmgrId.brin, 'BRIN', 0xf0, [
    [0x00, 'CREATE_INDEX'],
    [0x10, 'INSERT'],
    [0x90, 'INSERT+INIT'],
    [0x20, 'UPDATE'],
    [0xa0, 'UPDATE+INIT'],
    [0x30, 'SAMEPAGE_UPDATE'],
    [0x40, 'REVMAP_EXTEND'],
    [0x50, 'DESUMMARIZE'],
  ]),
  rmgr(RmgrId.commitTs, 'CommitTs', 0xf0, [
    [0x00, 'ZEROPAGE'],
    [0x10, 'TRUNCATE'],
  ]),
  rmgr(RmgrId.replicationOrigin, 'ReplicationOrigin', 0xf0, [
    [0x00, 'SET'],
    [0x10, 'DROP'],
  ]),
  // generic_identify answers "Generic" whatever the info bits.
  rmgr(RmgrId.generic, 'Generic', 0x00, [[0x00, 'Generic']]),
  rmgr(RmgrId.logicalMessage, 'LogicalMessage', 0xf0, [[0x00, 'MESSAGE']]),
]

/** True for the ids of Postgres itself and of extensions; false for the gap between them. */
export function isKnownRmgr(rmid: number): boolean {
  return rmid < rmgrs.length || rmid >= RMGR_CUSTOM_ID_MIN
}

/** The resource manager, or undefined for an extension's and for unused ids. */
export function rmgrOf(rmid: number): Rmgr | undefined {
  return rmgrs[rmid]
}

/** All resource managers of Postgres itself, by id. */
export function builtinRmgrs(): readonly Rmgr[] {
  return rmgrs
}

/** As pg_walinspect prints it in `resource_manager`: extensions that are not loaded are "custom128", ... */
export function formatRmgrName(rmid: number): string {
  return rmgrs[rmid]?.name ?? `custom${String(rmid).padStart(3, '0')}`
}

/** As pg_walinspect prints it in `record_type`. */
export function formatRecordType(rmid: number, info: number): string {
  const known = rmgrs[rmid]
  const type = known?.types[(info & known.typeMask) >> 4]
  return type ?? `UNKNOWN (${(info & 0xf0).toString(16).toUpperCase()})`
}

function rmgr(id: number, name: string, typeMask: number, typeNames: readonly [number, string][]): Rmgr {
  const types: (string | undefined)[] = new Array<string | undefined>(16).fill(undefined)
  for (const [type, typeName] of typeNames) types[type >> 4] = typeName
  return { id, name, typeMask, types }
}
