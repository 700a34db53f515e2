import { ByteReader } from '../../base/byte-reader.ts'

/** Tablespace records (src/include/commands/tablespace.h, PG 18). Opcode: info & 0xF0. */
export const TablespaceOpcode = { create: 0x00, drop: 0x10 } as const

/** xl_tblspc_create_rec. The path is empty for an in-place tablespace. */
export function decodeTablespaceCreate(mainData: Uint8Array): { spcOid: number; path: string } {
  const reader = new ByteReader(mainData, 'tablespace create record')
  const spcOid = reader.u32()
  const path = reader.zeroTerminated()
  reader.end()
  return { spcOid, path }
}

export function decodeTablespaceDrop(mainData: Uint8Array): number {
  const reader = new ByteReader(mainData, 'tablespace drop record')
  const spcOid = reader.u32()
  reader.end()
  return spcOid
}
