import { ByteReader } from '../../base/byte-reader.ts'
import { type RelationLocator, readRelationLocators } from '../../postgres/two-phase.ts'

/** Sequence records (src/include/commands/sequence.h, PG 18). Opcode: info & 0xF0. */
export const SequenceOpcode = { log: 0x00 } as const

/** xl_seq_rec and the one tuple of the sequence's page. The tuple borrows from the record. */
export interface SequenceLog {
  locator: RelationLocator
  tuple: Uint8Array
}

export function decodeSequenceLog(mainData: Uint8Array): SequenceLog {
  const reader = new ByteReader(mainData, 'sequence record')
  const [locator] = readRelationLocators(reader, 1)
  return { locator: locator!, tuple: reader.take(reader.remaining) }
}
