/**
 * Visibility-map bits that heap records clear without naming the map's page (visibilitymap_clear calls in
 * src/backend/access/heap/heapam_xlog.c, PG 18). Ingest turns them into changes of the map's pages.
 */
import { CorruptionError } from '../base/errors.ts'
import type { DecodedRecord } from '../wal/record.ts'
import { RmgrId } from '../wal/rmgr-table.ts'
import { recordBytes } from './record-checks.ts'
import {
  XLH_ALL_VISIBLE_CLEARED,
  XLH_UPDATE_NEW_ALL_VISIBLE_CLEARED,
  XLOG_HEAP_DELETE,
  XLOG_HEAP_HOT_UPDATE,
  XLOG_HEAP_INSERT,
  XLOG_HEAP_LOCK,
  XLOG_HEAP_OPMASK,
  XLOG_HEAP_UPDATE,
} from './rmgr/heap.ts'
import { XLOG_HEAP2_LOCK_UPDATED, XLOG_HEAP2_MULTI_INSERT } from './rmgr/heap2.ts'
import { VISIBILITYMAP_ALL_FROZEN, VISIBILITYMAP_VALID_BITS } from './visibility-map.ts'

export interface VisibilityClear {
  /** Block of the heap's main fork; the map's page is vmBlockOfHeapBlock(heapBlock) of its VM fork. */
  readonly heapBlock: number
  /** Bits to clear: 3 all-visible and all-frozen, 2 all-frozen only. */
  readonly bits: number
}

const NONE: readonly VisibilityClear[] = []

/**
 * The bits a record clears, of the relation of its block 0. Empty for most records; two entries only for an update
 * across two pages. Two entries on one map page must become one change of it.
 */
export function visibilityClears(record: DecodedRecord): readonly VisibilityClear[] {
  if (record.rmid !== RmgrId.heap && record.rmid !== RmgrId.heap2) return NONE
  const opcode = record.opcode & XLOG_HEAP_OPMASK
  if (record.rmid === RmgrId.heap) {
    switch (opcode) {
      case XLOG_HEAP_INSERT:
        return recordBytes(record, 3)[2]! & XLH_ALL_VISIBLE_CLEARED ? clears(record, VISIBILITYMAP_VALID_BITS) : NONE
      case XLOG_HEAP_DELETE:
        return recordBytes(record, 8)[7]! & XLH_ALL_VISIBLE_CLEARED ? clears(record, VISIBILITYMAP_VALID_BITS) : NONE
      case XLOG_HEAP_UPDATE:
      case XLOG_HEAP_HOT_UPDATE:
        return updateClears(record)
      case XLOG_HEAP_LOCK:
        return recordBytes(record, 8)[7]! & XLH_ALL_VISIBLE_CLEARED ? clears(record, VISIBILITYMAP_ALL_FROZEN) : NONE
      default:
        return NONE
    }
  }
  if (opcode === XLOG_HEAP2_MULTI_INSERT) {
    return recordBytes(record, 4)[0]! & XLH_ALL_VISIBLE_CLEARED ? clears(record, VISIBILITYMAP_VALID_BITS) : NONE
  }
  if (opcode === XLOG_HEAP2_LOCK_UPDATED) {
    return recordBytes(record, 8)[7]! & XLH_ALL_VISIBLE_CLEARED ? clears(record, VISIBILITYMAP_ALL_FROZEN) : NONE
  }
  return NONE
}

function updateClears(record: DecodedRecord): readonly VisibilityClear[] {
  const flags = recordBytes(record, 14)[7]!
  if ((flags & (XLH_ALL_VISIBLE_CLEARED | XLH_UPDATE_NEW_ALL_VISIBLE_CLEARED)) === 0) return NONE
  const newBlock = heapBlockOf(record, 0)
  const oldBlock = record.blockCount > 1 ? heapBlockOf(record, 1) : newBlock
  const found: VisibilityClear[] = []
  if (flags & XLH_ALL_VISIBLE_CLEARED) found.push({ heapBlock: oldBlock, bits: VISIBILITYMAP_VALID_BITS })
  if (flags & XLH_UPDATE_NEW_ALL_VISIBLE_CLEARED && !(oldBlock === newBlock && found.length > 0)) {
    found.push({ heapBlock: newBlock, bits: VISIBILITYMAP_VALID_BITS })
  }
  return found
}

function clears(record: DecodedRecord, bits: number): readonly VisibilityClear[] {
  return [{ heapBlock: heapBlockOf(record, 0), bits }]
}

function heapBlockOf(record: DecodedRecord, index: number): number {
  if (index >= record.blockCount)
    throw new CorruptionError('heap record without its block', { rmid: record.rmid, index })
  return record.blocks[index]!.blockNumber
}
