/**
 * Fields of a heap tuple header, in place on its page (HeapTupleHeaderData, src/include/access/htup_details.h, PG 18).
 *
 *    0 u32 xmin   4 u32 xmax   8 u32 cid or xvac   12 ctid: u16 block high, u16 block low, u16 offset number
 *   18 u16 infomask2   20 u16 infomask   22 u8 hoff   23 null bitmap, padding, data from hoff on
 */
import { CorruptionError } from '../../base/errors.ts'
import { readU16, writeU16, writeU32 } from '../little-endian.ts'
import { LP_NORMAL, lpFlags, lpLength, lpOffset, pagePruneXid, setPagePruneXid, storedItem } from '../page.ts'

/** SizeofHeapTupleHeader. */
export const HEAP_TUPLE_HEADER_SIZE = 23
/** MaxHeapTupleSize: 8192 - align8(24 + 4). */
export const HEAP_TUPLE_SIZE_MAX = 8160

export const HEAP_COMBOCID = 0x0020
const HEAP_XMAX_KEYSHR_LOCK = 0x0010
const HEAP_XMAX_EXCL_LOCK = 0x0040
const HEAP_XMAX_LOCK_ONLY = 0x0080
const HEAP_XMAX_IS_MULTI = 0x1000
const HEAP_LOCK_MASK = 0x0050
/** HEAP_XMAX_BITS | HEAP_MOVED. */
const HEAP_XMAX_BITS_AND_MOVED = 0x1cd0 | 0xc000
const HEAP_KEYS_UPDATED = 0x2000
const HEAP_HOT_UPDATED = 0x4000

const XLHL_XMAX_IS_MULTI = 0x01
const XLHL_XMAX_LOCK_ONLY = 0x02
const XLHL_XMAX_EXCL_LOCK = 0x04
const XLHL_XMAX_KEYSHR_LOCK = 0x08
const XLHL_KEYS_UPDATED = 0x10

/** Page offset of the normal tuple at `offsetNumber`. Throws CorruptionError where Postgres panics with "invalid lp". */
export function heapTupleAt(page: Uint8Array, offsetNumber: number): number {
  const pointer = storedItem(page, offsetNumber, HEAP_TUPLE_HEADER_SIZE)
  if (lpFlags(pointer) !== LP_NORMAL) throw new CorruptionError('line pointer is not a tuple', { offsetNumber })
  return lpOffset(pointer)
}

/** Length of the tuple at `offsetNumber`, known to be normal. */
export function heapTupleLength(page: Uint8Array, offsetNumber: number): number {
  return lpLength(storedItem(page, offsetNumber, HEAP_TUPLE_HEADER_SIZE))
}

export function setXmin(page: Uint8Array, tuple: number, xid: number): void {
  writeU32(page, tuple, xid)
}

export function setXmax(page: Uint8Array, tuple: number, xid: number): void {
  writeU32(page, tuple + 4, xid)
}

/** HeapTupleHeaderSetCmax(FirstCommandId, false), the same as SetCmin. */
export function clearCommandId(page: Uint8Array, tuple: number): void {
  writeU32(page, tuple + 8, 0)
  setInfomask(page, tuple, infomask(page, tuple) & ~HEAP_COMBOCID)
}

/** HeapTupleHeaderSetXvac. */
export function setXvac(page: Uint8Array, tuple: number, xid: number): void {
  writeU32(page, tuple + 8, xid)
}

export function setCtid(page: Uint8Array, tuple: number, blockNumber: number, offsetNumber: number): void {
  writeU16(page, tuple + 12, blockNumber >>> 16)
  writeU16(page, tuple + 14, blockNumber)
  writeU16(page, tuple + 16, offsetNumber)
}

export function infomask2(page: Uint8Array, tuple: number): number {
  return readU16(page, tuple + 18)
}

export function setInfomask2(page: Uint8Array, tuple: number, value: number): void {
  writeU16(page, tuple + 18, value)
}

export function infomask(page: Uint8Array, tuple: number): number {
  return readU16(page, tuple + 20)
}

export function setInfomask(page: Uint8Array, tuple: number, value: number): void {
  writeU16(page, tuple + 20, value)
}

export function tupleHoff(page: Uint8Array, tuple: number): number {
  return page[tuple + 22]!
}

export function setHotUpdated(page: Uint8Array, tuple: number, hot: boolean): void {
  const mask = infomask2(page, tuple)
  setInfomask2(page, tuple, hot ? mask | HEAP_HOT_UPDATED : mask & ~HEAP_HOT_UPDATED)
}

/** Clears the xmax bits of both masks, then sets them from a record's infobits (fix_infomask_from_infobits). */
export function setXmaxInfobits(page: Uint8Array, tuple: number, infobits: number): void {
  let mask = infomask(page, tuple) & ~HEAP_XMAX_BITS_AND_MOVED
  let mask2 = infomask2(page, tuple) & ~HEAP_KEYS_UPDATED
  if (infobits & XLHL_XMAX_IS_MULTI) mask |= HEAP_XMAX_IS_MULTI
  if (infobits & XLHL_XMAX_LOCK_ONLY) mask |= HEAP_XMAX_LOCK_ONLY
  if (infobits & XLHL_XMAX_EXCL_LOCK) mask |= HEAP_XMAX_EXCL_LOCK
  if (infobits & XLHL_XMAX_KEYSHR_LOCK) mask |= HEAP_XMAX_KEYSHR_LOCK
  if (infobits & XLHL_KEYS_UPDATED) mask2 |= HEAP_KEYS_UPDATED
  setInfomask(page, tuple, mask)
  setInfomask2(page, tuple, mask2)
}

/** HEAP_XMAX_IS_LOCKED_ONLY. */
export function isXmaxLockedOnly(mask: number): boolean {
  return (mask & HEAP_XMAX_LOCK_ONLY) !== 0 || (mask & (HEAP_XMAX_IS_MULTI | HEAP_LOCK_MASK)) === HEAP_XMAX_EXCL_LOCK
}

/** PageSetPrunable: pd_prune_xid becomes the older of itself and `xid`. */
export function setPrunable(page: Uint8Array, xid: number): void {
  const known = pagePruneXid(page)
  if (known === 0 || xidPrecedes(xid, known)) setPagePruneXid(page, xid)
}

/** Checks a tuple's t_hoff against its length before data is taken from behind it. */
export function checkedHoff(page: Uint8Array, tuple: number, length: number): number {
  const hoff = tupleHoff(page, tuple)
  if (hoff < HEAP_TUPLE_HEADER_SIZE || hoff > length)
    throw new CorruptionError('tuple with impossible t_hoff', { hoff })
  return hoff
}

/** TransactionIdPrecedes: xids compare modulo 2^32, the permanent ones (below 3) come first. */
function xidPrecedes(a: number, b: number): boolean {
  if (a < 3 || b < 3) return a < b
  return ((a - b) | 0) < 0
}
