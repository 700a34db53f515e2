/**
 * Hint bits that a page of the PageServer can have from the start. Postgres sets them as it reads and does not log them,
 * so that a page made from WAL has none: a new compute looks each row's transactions up once more, and each row so found
 * makes its page dirty again, to be written out before its buffer is of use for another.
 *
 * They are set as HeapTupleSatisfiesMVCC does (heapam_visibility.c, PG 18): the inserter as the commit log says; the
 * deleter, when the inserter has committed and it is one transaction that does more than lock. PD_ALL_VISIBLE says that
 * every inserter on the page has committed (bufpage.h), also where the commit log is gone.
 *
 * HeapTupleHeaderData (htup_details.h): 0 u32 t_xmin, 4 u32 t_xmax, 20 u16 t_infomask, 22 u8 t_hoff. Line pointer
 * (itemid.h): offset (15 bits), flags (2 bits), length (15 bits). Little-endian.
 */
import type { CommitLog } from './commit-log.ts'
import { PAGE_SIZE } from './constants.ts'
import { hasPlausiblePageHeader, PAGE_HEADER_SIZE, PageFlag, readPageFlags, readPageLower } from './page-header.ts'
import { XidStatus } from './slru.ts'

const PD_SPECIAL_OFFSET = 16
const LP_NORMAL = 1
const TUPLE_HEADER_BYTES = 23
const INFOMASK_OFFSET = 20

/** Bits of t_infomask. */
const LOCK_MASK = 0x0050
const XMAX_EXCL_LOCK = 0x0040
const XMAX_LOCK_ONLY = 0x0080
const XMIN_COMMITTED = 0x0100
const XMIN_INVALID = 0x0200
const XMAX_COMMITTED = 0x0400
const XMAX_INVALID = 0x0800
const XMAX_IS_MULTI = 0x1000
/** Rows moved before Postgres 9.0, whose transaction ids mean something else. */
const MOVED = 0xc000

/** Sets, in place, the hint bits of the rows of a heap page. Any other page stays as it is. */
export function setHintBits(page: Uint8Array, commitLog: CommitLog): void {
  if (!isHeapPage(page)) return
  const isAllVisible = (readPageFlags(page) & PageFlag.allVisible) !== 0
  const lower = readPageLower(page)
  for (let at = PAGE_HEADER_SIZE; at + 4 <= lower; at += 4) {
    const tuple = page[at]! | ((page[at + 1]! & 0x7f) << 8)
    const flags = (page[at + 1]! >> 7) | ((page[at + 2]! & 1) << 1)
    if (flags !== LP_NORMAL || tuple < lower || tuple + TUPLE_HEADER_BYTES > PAGE_SIZE) continue
    const before = page[tuple + INFOMASK_OFFSET]! | (page[tuple + INFOMASK_OFFSET + 1]! << 8)
    if (before & MOVED) continue
    let mask = before
    if ((mask & (XMIN_COMMITTED | XMIN_INVALID)) === 0) {
      const status = isAllVisible ? XidStatus.committed : commitLog.status(u32(page, tuple))
      if (status === XidStatus.committed) mask |= XMIN_COMMITTED
      else if (status === XidStatus.aborted) mask |= XMIN_INVALID
    }
    if (mask & XMIN_COMMITTED && hasDeleter(mask)) {
      const status = commitLog.status(u32(page, tuple + 4))
      if (status === XidStatus.committed) mask |= XMAX_COMMITTED
      else if (status === XidStatus.aborted) mask |= XMAX_INVALID
    }
    if (mask !== before) page[tuple + INFOMASK_OFFSET + 1] = mask >> 8
  }
}

/** Pages of indexes and sequences have a special space, and none of them this flag. */
function isHeapPage(page: Uint8Array): boolean {
  return hasPlausiblePageHeader(page) && (page[PD_SPECIAL_OFFSET]! | (page[PD_SPECIAL_OFFSET + 1]! << 8)) === PAGE_SIZE
}

/** t_xmax is a transaction that updated or deleted the row, of unknown outcome; HEAP_XMAX_IS_LOCKED_ONLY does not hold. */
function hasDeleter(mask: number): boolean {
  if (mask & (XMAX_COMMITTED | XMAX_INVALID | XMAX_IS_MULTI | XMAX_LOCK_ONLY)) return false
  return (mask & LOCK_MASK) !== XMAX_EXCL_LOCK
}

function u32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
}
