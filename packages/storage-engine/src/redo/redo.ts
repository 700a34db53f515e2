/**
 * Redo of WAL records, one page at a time: the page before, the record and the block of it that names the page give
 * the page after. No other page of the record is ever needed.
 *
 * Native: XLOG full-page images, Heap, Heap2, Btree, Sequence. Hash, Gin, Gist, SPGist, BRIN and Generic take the
 * page after the change from the record (wal_consistency_checking puts it there). Anything else is `unsupported`.
 */
import { CorruptionError, isStorageError } from '../base/errors.ts'
import type { Lsn } from '../postgres/lsn.ts'
import { restoreBlockImage } from '../wal/block-image.ts'
import type { DecodedRecord, WalBlock } from '../wal/record.ts'
import { RmgrId } from '../wal/rmgr-table.ts'

import { isNewPage, setPageLsn } from './page.ts'
import { recordFields, unsupportedRecord } from './record-checks.ts'
import { redoBtree } from './rmgr/btree.ts'
import { redoHeap } from './rmgr/heap.ts'
import { redoHeap2 } from './rmgr/heap2.ts'
import { redoSequence } from './rmgr/sequence.ts'

export const XLOG_FPI_FOR_HINT = 0xa0
export const XLOG_FPI = 0xb0

/** True for resource managers whose records are redone by taking the page image they carry, restorable or not. */
export function redoesByImage(rmid: number): boolean {
  switch (rmid) {
    case RmgrId.hash:
    case RmgrId.gin:
    case RmgrId.gist:
    case RmgrId.spgist:
    case RmgrId.brin:
    case RmgrId.generic:
      return true
    default:
      return false
  }
}

/**
 * False when the record leaves the block's page as it is: an FPI_FOR_HINT without an image (full_page_writes=off).
 * Throws `unsupported` when the page changes in a way this version cannot redo.
 */
export function changesBlock(record: DecodedRecord, block: WalBlock, endLsn: Lsn): boolean {
  if (block.hasImage && block.applyImage) return true
  switch (record.rmid) {
    case RmgrId.xlog:
      if (record.opcode === XLOG_FPI_FOR_HINT) return false
      throw unsupportedRecord(record, block, endLsn)
    case RmgrId.heap:
    case RmgrId.heap2:
    case RmgrId.btree:
    case RmgrId.sequence:
      return true
    default:
      if (redoesByImage(record.rmid) && block.hasImage) return true
      throw unsupportedRecord(record, block, endLsn)
  }
}

/**
 * Applies one block of a record to `page`, which holds the page before it, or anything when the block is WILL_INIT or
 * carries an image to restore. `endLsn` (end of the record) becomes pd_lsn. On an error the page is undefined.
 *
 * Throws CorruptionError when the record and the page cannot belong together, `unsupported` when the record is unknown.
 */
export function redoBlock(page: Uint8Array, record: DecodedRecord, block: WalBlock, endLsn: Lsn): void {
  if (!changesBlock(record, block, endLsn)) return
  if (block.hasImage && (block.applyImage || redoesByImage(record.rmid))) {
    restoreBlockImage(block, page)
    if (!isNewPage(page)) setPageLsn(page, endLsn)
    return
  }
  try {
    switch (record.rmid) {
      case RmgrId.heap:
        redoHeap(page, record, block, endLsn)
        return
      case RmgrId.heap2:
        redoHeap2(page, record, block, endLsn)
        return
      case RmgrId.btree:
        redoBtree(page, record, block, endLsn)
        return
      case RmgrId.sequence:
        redoSequence(page, record, block, endLsn)
        return
      default:
        throw unsupportedRecord(record, block, endLsn)
    }
  } catch (error) {
    if (!isStorageError(error, 'corruption')) throw error
    throw new CorruptionError('redo of a WAL record failed', recordFields(record, block, endLsn), { cause: error })
  }
}
