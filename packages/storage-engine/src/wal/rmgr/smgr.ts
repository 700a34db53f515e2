import { ByteReader } from '../../base/byte-reader.ts'
import { CorruptionError } from '../../base/errors.ts'
import type { Fork, RelationFork } from '../../postgres/relation.ts'

/** Storage records (src/include/catalog/storage_xlog.h, PG 18). Opcode: info & 0xF0. */
export const SmgrOpcode = { create: 0x10, truncate: 0x20 } as const

/** SMGR_TRUNCATE_* bits: which forks shrink. */
export const SmgrTruncateFlag = { heap: 1, vm: 2, fsm: 4 } as const

/** xl_smgr_truncate. */
export interface SmgrTruncate {
  /** New length of the main fork in blocks; the other forks follow from it. */
  blockCount: number
  spcOid: number
  dbOid: number
  relNumber: number
  flags: number
}

/** xl_smgr_create. */
export function decodeSmgrCreate(mainData: Uint8Array): RelationFork {
  const reader = new ByteReader(mainData, 'storage create record')
  const relation = { spcOid: reader.u32(), dbOid: reader.u32(), relNumber: reader.u32(), fork: reader.u32() }
  reader.end()
  if (relation.fork > 3)
    throw new CorruptionError('storage create record names an unknown fork', { fork: relation.fork })
  return { ...relation, fork: relation.fork as Fork }
}

export function decodeSmgrTruncate(mainData: Uint8Array): SmgrTruncate {
  const reader = new ByteReader(mainData, 'storage truncate record')
  const blockCount = reader.u32()
  const truncate = {
    blockCount,
    spcOid: reader.u32(),
    dbOid: reader.u32(),
    relNumber: reader.u32(),
    flags: reader.i32(),
  }
  reader.end()
  return truncate
}
