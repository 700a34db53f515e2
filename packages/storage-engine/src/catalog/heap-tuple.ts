/** Fields of a heap tuple's header (HeapTupleHeaderData, src/include/access/htup_details.h, PG 18). */
import { u16, u32 } from '../columnar/little-endian.ts'
import { PAGE_SIZE } from '../postgres/constants.ts'
import { ItemIdFlag, itemFlags, itemIdByte, itemLength, itemOffset, maxOffsetNumber } from '../postgres/item-id.ts'
import { hasPlausiblePageHeader, isNewPage, readPageLower, readPageSpecial } from '../postgres/page-header.ts'

export const TUPLE_HEADER_BYTES = 23

export const Infomask = {
  hasNull: 0x0001,
  hasExternal: 0x0004,
  xmaxExclusiveLock: 0x0040,
  xmaxLockOnly: 0x0080,
  xminCommitted: 0x0100,
  xminInvalid: 0x0200,
  xminFrozen: 0x0300,
  xmaxCommitted: 0x0400,
  xmaxInvalid: 0x0800,
  xmaxIsMulti: 0x1000,
} as const

/** HEAP_XMAX_KEYSHR_LOCK | HEAP_XMAX_EXCL_LOCK. */
const LOCK_MASK = 0x0050

export function tupleXmin(page: Uint8Array, start: number): number {
  return u32(page, start)
}

export function tupleXmax(page: Uint8Array, start: number): number {
  return u32(page, start + 4)
}

export function tupleInfomask(page: Uint8Array, start: number): number {
  return u16(page, start + 20)
}

export function tupleAttributeCount(page: Uint8Array, start: number): number {
  return u16(page, start + 18) & 0x7ff
}

/** HEAP_XMAX_IS_LOCKED_ONLY. */
export function isLockOnly(infomask: number): boolean {
  return (
    (infomask & Infomask.xmaxLockOnly) !== 0 ||
    (infomask & (Infomask.xmaxIsMulti | LOCK_MASK)) === Infomask.xmaxExclusiveLock
  )
}

/**
 * Calls back for each tuple that a normal line pointer of a heap page points at. Returns false, with no calls, when the
 * page does not read as a heap page; a new page has no tuples.
 */
export function forEachTuple(
  page: Uint8Array,
  onTuple: (start: number, end: number, offsetNumber: number) => void,
): boolean {
  if (isNewPage(page)) return true
  if (!hasPlausiblePageHeader(page) || readPageSpecial(page) !== PAGE_SIZE) return false
  const lower = readPageLower(page)
  const itemCount = maxOffsetNumber(lower)
  for (let offsetNumber = 1; offsetNumber <= itemCount; offsetNumber++) {
    const item = u32(page, itemIdByte(offsetNumber))
    if (itemFlags(item) !== ItemIdFlag.normal) continue
    const start = itemOffset(item)
    const end = start + itemLength(item)
    if (start < lower || end > PAGE_SIZE || end - start <= TUPLE_HEADER_BYTES) return false
    onTuple(start, end, offsetNumber)
  }
  return true
}
