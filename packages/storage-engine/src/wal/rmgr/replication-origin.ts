import { ByteReader } from '../../base/byte-reader.ts'
import { Lsn } from '../../postgres/lsn.ts'

/** Replication origin records (src/include/replication/origin.h, PG 18). Opcode: info & 0xF0. */
export const ReplicationOriginOpcode = { set: 0x00, drop: 0x10 } as const

export function decodeReplicationOriginSet(mainData: Uint8Array): { nodeId: number; remoteLsn: Lsn; force: boolean } {
  const reader = new ByteReader(mainData, 'replication origin set record')
  const remoteLsn = Lsn.of(reader.u64Number())
  const nodeId = reader.u16()
  const force = reader.u8() !== 0
  reader.skip(5)
  reader.end()
  return { nodeId, remoteLsn, force }
}

export function decodeReplicationOriginDrop(mainData: Uint8Array): number {
  const reader = new ByteReader(mainData, 'replication origin drop record')
  const nodeId = reader.u16()
  reader.end()
  return nodeId
}
