/** Redo of resource manager Sequence (seq_redo in src/backend/commands/sequence.c, PG 18): the record is the whole page. */
import type { Lsn } from '../../postgres/lsn.ts'
import type { DecodedRecord, WalBlock } from '../../wal/record.ts'
import { writeU32 } from '../little-endian.ts'
import { initPage, pageSpecial, setPageLsn } from '../page.ts'
import { insertIndexItem } from '../page-items.ts'
import { recordBytes, unsupportedRecord } from '../record-checks.ts'

export const XLOG_SEQ_LOG = 0x00
const SEQ_MAGIC = 0x1717
/** sizeof(xl_seq_rec): the relation, three u32. */
const SEQUENCE_RECORD_SIZE = 12

export function redoSequence(page: Uint8Array, record: DecodedRecord, block: WalBlock, endLsn: Lsn): void {
  if (record.opcode !== XLOG_SEQ_LOG) throw unsupportedRecord(record, block, endLsn)
  const main = recordBytes(record, SEQUENCE_RECORD_SIZE + 1)
  initPage(page, 4)
  writeU32(page, pageSpecial(page), SEQ_MAGIC)
  insertIndexItem(page, 1, main, SEQUENCE_RECORD_SIZE, main.length - SEQUENCE_RECORD_SIZE)
  setPageLsn(page, endLsn)
}
