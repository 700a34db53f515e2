/**
 * Redo of resource manager Heap2 (heap2_redo in src/backend/access/heap/heapam_xlog.c, heap_page_prune_execute in
 * pruneheap.c, heap_execute_freeze_tuple in src/include/access/heapam.h, PG 18), one block at a time.
 */
import { CorruptionError } from '../../base/errors.ts'
import type { Lsn } from '../../postgres/lsn.ts'
import type { DecodedRecord, WalBlock } from '../../wal/record.ts'
import { readU16, readU32 } from '../little-endian.ts'
import {
  clearPageFlag,
  initPage,
  isNewPage,
  LP_DEAD,
  LP_REDIRECT,
  LP_UNUSED,
  maxOffsetNumber,
  PD_ALL_VISIBLE,
  setLinePointer,
  setPageFlag,
  setPageLsn,
} from '../page.ts'
import { repairFragmentation, truncateLinePointers } from '../page-items.ts'
import { recordBytes, unsupportedRecord } from '../record-checks.ts'
import { setVisibilityBits } from '../visibility-map.ts'
import { putTuple, XLH_ALL_VISIBLE_CLEARED, XLOG_HEAP_INIT_PAGE, XLOG_HEAP_OPMASK } from './heap.ts'
import { heapTupleAt, setInfomask, setInfomask2, setXmax, setXmaxInfobits, setXvac } from './heap-tuple.ts'

export const XLOG_HEAP2_REWRITE = 0x00
export const XLOG_HEAP2_PRUNE_ON_ACCESS = 0x10
export const XLOG_HEAP2_PRUNE_VACUUM_SCAN = 0x20
export const XLOG_HEAP2_PRUNE_VACUUM_CLEANUP = 0x30
export const XLOG_HEAP2_VISIBLE = 0x40
export const XLOG_HEAP2_MULTI_INSERT = 0x50
export const XLOG_HEAP2_LOCK_UPDATED = 0x60
export const XLOG_HEAP2_NEW_CID = 0x70

const XLH_INSERT_ALL_FROZEN_SET = 0x20

const XLHP_CLEANUP_LOCK = 0x04
const XLHP_HAS_FREEZE_PLANS = 0x10
const XLHP_HAS_REDIRECTIONS = 0x20
const XLHP_HAS_DEAD_ITEMS = 0x40
const XLHP_HAS_NOW_UNUSED_ITEMS = 0x80

const XLH_FREEZE_XVAC = 0x02
const XLH_INVALID_XVAC = 0x04
const FROZEN_XID = 2

/** SizeOfMultiInsertTuple: datalen u16, t_infomask2 u16, t_infomask u16, t_hoff u8. */
const MULTI_INSERT_TUPLE_SIZE = 7

export function redoHeap2(page: Uint8Array, record: DecodedRecord, block: WalBlock, endLsn: Lsn): void {
  switch (record.opcode & XLOG_HEAP_OPMASK) {
    case XLOG_HEAP2_PRUNE_ON_ACCESS:
    case XLOG_HEAP2_PRUNE_VACUUM_SCAN:
    case XLOG_HEAP2_PRUNE_VACUUM_CLEANUP:
      redoPrune(page, record, block)
      break
    case XLOG_HEAP2_VISIBLE:
      redoVisible(page, record, block, endLsn)
      return
    case XLOG_HEAP2_MULTI_INSERT:
      redoMultiInsert(page, record, block)
      break
    case XLOG_HEAP2_LOCK_UPDATED: {
      const main = recordBytes(record, 8)
      const tuple = heapTupleAt(page, readU16(main, 4))
      setXmaxInfobits(page, tuple, main[6]!)
      setXmax(page, tuple, readU32(main, 0))
      break
    }
    default:
      // REWRITE and NEW_CID are for logical decoding only and have no blocks.
      throw unsupportedRecord(record, block, endLsn)
  }
  setPageLsn(page, endLsn)
}

/**
 * Block data, in this order, each part only with its flag: freeze plans {count u16, pad u16, plans of 12 bytes},
 * redirections {count u16, (from u16, to u16)…}, dead {count u16, u16…}, unused {count u16, u16…}, and at the end the
 * offset numbers of the freeze plans.
 */
function redoPrune(page: Uint8Array, record: DecodedRecord, block: WalBlock): void {
  const flags = recordBytes(record, 2)[1]!
  const data = block.data
  let at = 0
  let planCount = 0
  const plansAt = 4
  if (flags & XLHP_HAS_FREEZE_PLANS) {
    planCount = readU16(data, 0)
    at = plansAt + planCount * 12
  }
  let itemCount = 0
  if (flags & XLHP_HAS_REDIRECTIONS) {
    const count = checkedCount(data, at, 4)
    for (let i = 0; i < count; i++) {
      const to = checkedOffsetNumber(page, readU16(data, at + 4 + i * 4))
      setLinePointer(page, checkedOffsetNumber(page, readU16(data, at + 2 + i * 4)), to, LP_REDIRECT, 0)
    }
    at += 2 + count * 4
    itemCount += count
  }
  if (flags & XLHP_HAS_DEAD_ITEMS) {
    const count = checkedCount(data, at, 2)
    for (let i = 0; i < count; i++) {
      setLinePointer(page, checkedOffsetNumber(page, readU16(data, at + 2 + i * 2)), 0, LP_DEAD, 0)
    }
    at += 2 + count * 2
    itemCount += count
  }
  if (flags & XLHP_HAS_NOW_UNUSED_ITEMS) {
    const count = checkedCount(data, at, 2)
    for (let i = 0; i < count; i++) {
      setLinePointer(page, checkedOffsetNumber(page, readU16(data, at + 2 + i * 2)), 0, LP_UNUSED, 0)
    }
    at += 2 + count * 2
    itemCount += count
  }
  if (itemCount > 0) {
    if (flags & XLHP_CLEANUP_LOCK) repairFragmentation(page)
    else truncateLinePointers(page)
  }
  for (let plan = 0; plan < planCount; plan++) at = freezeTuples(page, data, plansAt + plan * 12, at)
  if (at !== data.length) throw new CorruptionError('prune record not used up', { at, length: data.length })
}

/**
 * xlhp_freeze_plan: xmax u32, t_infomask2 u16, t_infomask u16, frzflags u8, pad, ntuples u16. Freezes the tuples whose
 * offset numbers start at data[at) and returns where the next plan's start.
 */
function freezeTuples(page: Uint8Array, data: Uint8Array, plan: number, at: number): number {
  const count = readU16(data, plan + 10)
  const end = at + count * 2
  if (end > data.length) throw new CorruptionError('freeze plan longer than its record', { end, length: data.length })
  const xmax = readU32(data, plan)
  const mask2 = readU16(data, plan + 4)
  const mask = readU16(data, plan + 6)
  const flags = data[plan + 8]!
  for (; at < end; at += 2) {
    const tuple = heapTupleAt(page, readU16(data, at))
    setXmax(page, tuple, xmax)
    if (flags & XLH_FREEZE_XVAC) setXvac(page, tuple, FROZEN_XID)
    if (flags & XLH_INVALID_XVAC) setXvac(page, tuple, 0)
    setInfomask(page, tuple, mask)
    setInfomask2(page, tuple, mask2)
  }
  return end
}

function checkedCount(data: Uint8Array, at: number, itemSize: number): number {
  const count = readU16(data, at)
  if (at + 2 + count * itemSize > data.length) {
    throw new CorruptionError('prune items longer than their record', { count, length: data.length })
  }
  return count
}

function checkedOffsetNumber(page: Uint8Array, offsetNumber: number): number {
  if (offsetNumber < 1 || offsetNumber > maxOffsetNumber(page)) {
    throw new CorruptionError('no such line pointer', { offsetNumber, offsetNumberMax: maxOffsetNumber(page) })
  }
  return offsetNumber
}

/**
 * Block 0 is the visibility-map page, block 1 the heap page. The heap page's pd_lsn stays: Postgres sets it only with
 * data checksums or wal_log_hints, which are off for the computes served here, and nothing compares it.
 */
function redoVisible(page: Uint8Array, record: DecodedRecord, block: WalBlock, endLsn: Lsn): void {
  if (block.id === 1) {
    setPageFlag(page, PD_ALL_VISIBLE)
    return
  }
  const heapBlock = record.blocks[1]
  if (block.id !== 0 || record.blockCount !== 2 || heapBlock === undefined) {
    throw new CorruptionError('visible record without its two blocks', { blockCount: record.blockCount })
  }
  const flags = recordBytes(record, 5)[4]!
  if (isNewPage(page)) initPage(page, 0)
  setVisibilityBits(page, block.blockNumber, heapBlock.blockNumber, flags & 3)
  setPageLsn(page, endLsn)
}

/** Main data: flags u8, pad, ntuples u16, then offset numbers unless the page is initialised. */
function redoMultiInsert(page: Uint8Array, record: DecodedRecord, block: WalBlock): void {
  const main = recordBytes(record, 4)
  const flags = main[0]!
  const count = readU16(main, 2)
  const init = (record.opcode & XLOG_HEAP_INIT_PAGE) !== 0
  if (init) initPage(page, 0)
  else recordBytes(record, 4 + count * 2)
  const data = block.data
  let at = 0
  for (let i = 0; i < count; i++) {
    at = (at + 1) & ~1
    const bodyLength = readU16(data, at)
    const body = at + MULTI_INSERT_TUPLE_SIZE
    if (body + bodyLength > data.length) {
      throw new CorruptionError('multi-insert tuple longer than its record', { bodyLength, length: data.length })
    }
    putTuple(page, record, block, init ? i + 1 : readU16(main, 4 + i * 2), data, at + 2, body, bodyLength)
    at = body + bodyLength
  }
  if (at !== data.length) throw new CorruptionError('multi-insert record not used up', { at, length: data.length })
  if (flags & XLH_ALL_VISIBLE_CLEARED) clearPageFlag(page, PD_ALL_VISIBLE)
  if (flags & XLH_INSERT_ALL_FROZEN_SET) setPageFlag(page, PD_ALL_VISIBLE)
}
