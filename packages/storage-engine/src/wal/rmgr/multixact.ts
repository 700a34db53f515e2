import { ByteReader } from '../../base/byte-reader.ts'

/** MultiXact records (src/include/access/multixact.h, PG 18). Opcode: info & 0xF0. */
export const MultixactOpcode = {
  zeroOffsetsPage: 0x00,
  zeroMembersPage: 0x10,
  createId: 0x20,
  truncateId: 0x30,
} as const

/** xl_multixact_create: members stand at offsets firstMemberOffset, +1, ... (modulo 2^32, never 0). */
export interface MultixactCreate {
  multixact: number
  firstMemberOffset: number
  memberXids: Uint32Array
  /** MultiXactStatus of each member, 0..5. */
  memberStatuses: Uint32Array
}

/** xl_multixact_truncate. Ends are exclusive. */
export interface MultixactTruncate {
  oldestMultixactDbOid: number
  startMultixact: number
  endMultixact: number
  startMemberOffset: number
  endMemberOffset: number
}

/** ZERO_OFF_PAGE and ZERO_MEM_PAGE: the page number. */
export function decodeMultixactZeroPage(mainData: Uint8Array): number {
  const reader = new ByteReader(mainData, 'multixact zero page record')
  const page = reader.u64Number()
  reader.end()
  return page
}

export function decodeMultixactCreate(mainData: Uint8Array): MultixactCreate {
  const reader = new ByteReader(mainData, 'multixact create record')
  const multixact = reader.u32()
  const firstMemberOffset = reader.u32()
  const count = reader.count(8)
  const memberXids = new Uint32Array(count)
  const memberStatuses = new Uint32Array(count)
  for (let index = 0; index < count; index++) {
    memberXids[index] = reader.u32()
    memberStatuses[index] = reader.u32()
  }
  reader.end()
  return { multixact, firstMemberOffset, memberXids, memberStatuses }
}

export function decodeMultixactTruncate(mainData: Uint8Array): MultixactTruncate {
  const reader = new ByteReader(mainData, 'multixact truncate record')
  const truncate = {
    oldestMultixactDbOid: reader.u32(),
    startMultixact: reader.u32(),
    endMultixact: reader.u32(),
    startMemberOffset: reader.u32(),
    endMemberOffset: reader.u32(),
  }
  reader.end()
  return truncate
}
