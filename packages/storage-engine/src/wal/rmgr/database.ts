import { ByteReader } from '../../base/byte-reader.ts'

/** Database records (src/include/commands/dbcommands_xlog.h, PG 18). Opcode: info & 0xF0. */
export const DatabaseOpcode = { createFileCopy: 0x00, createWalLog: 0x10, drop: 0x20 } as const

/** xl_dbase_create_file_copy_rec: all files of the source directory are copied as they are. */
export interface DatabaseFileCopy {
  dbOid: number
  spcOid: number
  sourceDbOid: number
  sourceSpcOid: number
}

/** xl_dbase_drop_rec: the database goes from each of the tablespaces. */
export interface DatabaseDrop {
  dbOid: number
  spcOids: Uint32Array
}

export function decodeDatabaseFileCopy(mainData: Uint8Array): DatabaseFileCopy {
  const reader = new ByteReader(mainData, 'database file copy record')
  const copy = { dbOid: reader.u32(), spcOid: reader.u32(), sourceDbOid: reader.u32(), sourceSpcOid: reader.u32() }
  reader.end()
  return copy
}

/** CREATE_WAL_LOG: makes the directory; ordinary records follow for every page. */
export function decodeDatabaseWalLog(mainData: Uint8Array): { dbOid: number; spcOid: number } {
  const reader = new ByteReader(mainData, 'database create record')
  const create = { dbOid: reader.u32(), spcOid: reader.u32() }
  reader.end()
  return create
}

export function decodeDatabaseDrop(mainData: Uint8Array): DatabaseDrop {
  const reader = new ByteReader(mainData, 'database drop record')
  const dbOid = reader.u32()
  const spcOids = reader.u32Array(reader.count(4))
  reader.end()
  return { dbOid, spcOids }
}
