import { CorruptionError, type ErrorFields, StorageError } from '../base/errors.ts'
import { Lsn } from '../postgres/lsn.ts'
import type { DecodedRecord, WalBlock } from '../wal/record.ts'

/** Main data of a record, checked to hold at least `lengthMin` bytes. */
export function recordBytes(record: DecodedRecord, lengthMin: number): Uint8Array {
  if (record.mainData.length < lengthMin) {
    throw new CorruptionError('record body too short', {
      rmid: record.rmid,
      opcode: record.opcode,
      length: record.mainData.length,
      lengthMin,
    })
  }
  return record.mainData
}

/** Data of a block, checked to hold at least `lengthMin` bytes. */
export function blockBytes(block: WalBlock, lengthMin: number): Uint8Array {
  if (block.data.length < lengthMin) {
    throw new CorruptionError('block data too short', { blockId: block.id, length: block.data.length, lengthMin })
  }
  return block.data
}

/** The record is none that this version can redo: ingest and page reads stop here rather than guess. */
export function unsupportedRecord(record: DecodedRecord, block: WalBlock, endLsn: Lsn): StorageError {
  return new StorageError('unsupported', 'no redo for this WAL record', recordFields(record, block, endLsn))
}

/** Which record, and what of it. */
export function recordFields(record: DecodedRecord, block: WalBlock, endLsn: Lsn): ErrorFields {
  return {
    endLsn: Lsn.format(endLsn),
    rmid: record.rmid,
    opcode: `0x${record.opcode.toString(16)}`,
    blockId: block.id,
    relation: `${block.spcOid}/${block.dbOid}/${block.relNumber}`,
    fork: block.fork,
    blockNumber: block.blockNumber,
  }
}
