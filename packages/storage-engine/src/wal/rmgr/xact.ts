import { ByteReader } from '../../base/byte-reader.ts'
import { Lsn } from '../../postgres/lsn.ts'
import { type RelationLocator, readRelationLocators } from '../../postgres/two-phase.ts'

/** Transaction records (src/include/access/xact.h, ParseCommitRecord in xactdesc.c, PG 18). Opcode: info & 0x70. */
export const XactOpcode = {
  commit: 0x00,
  prepare: 0x10,
  abort: 0x20,
  commitPrepared: 0x30,
  abortPrepared: 0x40,
  assignment: 0x50,
  invalidations: 0x60,
} as const
export const XACT_OPCODE_MASK = 0x70
const HAS_XINFO = 0x80

const HAS_DBINFO = 1 << 0
const HAS_SUBXACTS = 1 << 1
const HAS_RELATIONS = 1 << 2
const HAS_INVALIDATIONS = 1 << 3
const HAS_TWOPHASE = 1 << 4
const HAS_ORIGIN = 1 << 5
const HAS_GID = 1 << 7
const HAS_DROPPED_STATS = 1 << 8

const RELATION_SIZE = 12
const STATS_SIZE = 16
const INVALIDATION_SIZE = 16
const NO_XIDS = new Uint32Array(0)

/** Main data of COMMIT, ABORT, COMMIT_PREPARED and ABORT_PREPARED. */
export interface XactEnd {
  /** Microseconds since 2000-01-01 UTC. */
  timeMicros: number
  subxids: Uint32Array
  /** Files deleted by the transaction's end. */
  droppedRelations: RelationLocator[]
  /** The transaction that was prepared; 0 in records that end an ordinary one. The record's own xid is not it. */
  preparedXid: number
  gid: string | undefined
  originLsn: Lsn
}

export interface XactAssignment {
  topLevelXid: number
  subxids: Uint32Array
}

export function xactOpcode(info: number): number {
  return info & XACT_OPCODE_MASK
}

/** Decodes COMMIT and ABORT records, prepared or not. Throws CorruptionError unless every byte is accounted for. */
export function decodeXactEnd(mainData: Uint8Array, info: number): XactEnd {
  const reader = new ByteReader(mainData, 'transaction end record')
  const end: XactEnd = {
    timeMicros: reader.i64Number(),
    subxids: NO_XIDS,
    droppedRelations: [],
    preparedXid: 0,
    gid: undefined,
    originLsn: Lsn.zero,
  }
  if ((info & HAS_XINFO) !== 0) {
    const xinfo = reader.u32()
    if ((xinfo & HAS_DBINFO) !== 0) reader.skip(8)
    if ((xinfo & HAS_SUBXACTS) !== 0) end.subxids = reader.u32Array(reader.count(4))
    if ((xinfo & HAS_RELATIONS) !== 0) end.droppedRelations = readRelationLocators(reader, reader.count(RELATION_SIZE))
    if ((xinfo & HAS_DROPPED_STATS) !== 0) reader.skip(reader.count(STATS_SIZE) * STATS_SIZE)
    if ((xinfo & HAS_INVALIDATIONS) !== 0) reader.skip(reader.count(INVALIDATION_SIZE) * INVALIDATION_SIZE)
    if ((xinfo & HAS_TWOPHASE) !== 0) end.preparedXid = reader.u32()
    if ((xinfo & HAS_GID) !== 0) end.gid = reader.zeroTerminated()
    if ((xinfo & HAS_ORIGIN) !== 0) {
      end.originLsn = Lsn.of(reader.u64Number())
      reader.skip(8)
    }
  }
  reader.end()
  return end
}

export function decodeXactAssignment(mainData: Uint8Array): XactAssignment {
  const reader = new ByteReader(mainData, 'transaction assignment record')
  const topLevelXid = reader.u32()
  const subxids = reader.u32Array(reader.count(4))
  reader.end()
  return { topLevelXid, subxids }
}
