import { ByteReader } from '../../base/byte-reader.ts'
import { CorruptionError } from '../../base/errors.ts'
import { decodeRelmap, RELMAP_SIZE } from '../../postgres/relmap.ts'

/** Relation map records (src/include/utils/relmapper.h, PG 18). Opcode: info & 0xF0. */
export const RelmapOpcode = { update: 0x00 } as const

/** xl_relmap_update. */
export interface RelmapUpdate {
  /** 0 for the shared map. */
  dbOid: number
  spcOid: number
  /** The new file, whole and with a checked CRC. Borrows from the record. */
  file: Uint8Array
}

export function decodeRelmapUpdate(mainData: Uint8Array): RelmapUpdate {
  const reader = new ByteReader(mainData, 'relation map update record')
  const dbOid = reader.u32()
  const spcOid = reader.u32()
  const length = reader.i32()
  if (length !== RELMAP_SIZE) throw new CorruptionError('relation map update has a wrong length', { length })
  const file = reader.take(length)
  reader.end()
  decodeRelmap(file)
  return { dbOid, spcOid, file }
}
