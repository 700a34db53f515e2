/**
 * Header and line pointers of a data page (src/include/storage/bufpage.h, itemid.h, PG 18), in place on 8192 bytes.
 *
 *    0 u32 pd_lsn high   4 u32 pd_lsn low   8 u16 pd_checksum   10 u16 pd_flags   12 u16 pd_lower   14 u16 pd_upper
 *   16 u16 pd_special   18 u16 pd_pagesize_version   20 u32 pd_prune_xid   24 line pointers, u32 each
 *
 * A line pointer is offset (15 bits), flags (2 bits), length (15 bits). Offset numbers count from 1.
 */
import { CorruptionError } from '../base/errors.ts'
import { PAGE_SIZE } from '../postgres/constants.ts'
import type { Lsn } from '../postgres/lsn.ts'
import { readU16, readU32, writeU16, writeU32 } from './little-endian.ts'

/** SizeOfPageHeaderData. */
export const PAGE_HEADER_SIZE = 24

export const PD_FLAGS_OFFSET = 10
export const PD_HAS_FREE_LINES = 0x0001
export const PD_PAGE_FULL = 0x0002
export const PD_ALL_VISIBLE = 0x0004

export const LP_UNUSED = 0
export const LP_NORMAL = 1
export const LP_REDIRECT = 2
export const LP_DEAD = 3

/** BLCKSZ | PG_PAGE_LAYOUT_VERSION. */
const PAGE_SIZE_AND_VERSION = PAGE_SIZE | 4
const TWO_32 = 0x1_0000_0000

export function align8(length: number): number {
  return (length + 7) & ~7
}

export function pageLsn(page: Uint8Array): Lsn {
  return (readU32(page, 0) * TWO_32 + readU32(page, 4)) as Lsn
}

/** PageSetLSN. pd_lsn is two u32, the high half first. */
export function setPageLsn(page: Uint8Array, lsn: Lsn): void {
  writeU32(page, 0, Math.floor(lsn / TWO_32))
  writeU32(page, 4, lsn % TWO_32)
}

export function pageFlags(page: Uint8Array): number {
  return readU16(page, 10)
}

export function setPageFlag(page: Uint8Array, flag: number): void {
  writeU16(page, 10, readU16(page, 10) | flag)
}

export function clearPageFlag(page: Uint8Array, flag: number): void {
  writeU16(page, 10, readU16(page, 10) & ~flag)
}

export function pageLower(page: Uint8Array): number {
  return readU16(page, 12)
}

export function setPageLower(page: Uint8Array, lower: number): void {
  writeU16(page, 12, lower)
}

export function pageUpper(page: Uint8Array): number {
  return readU16(page, 14)
}

export function setPageUpper(page: Uint8Array, upper: number): void {
  writeU16(page, 14, upper)
}

/** Offset of the special space. */
export function pageSpecial(page: Uint8Array): number {
  return readU16(page, 16)
}

export function pagePruneXid(page: Uint8Array): number {
  return readU32(page, 20)
}

export function setPagePruneXid(page: Uint8Array, xid: number): void {
  writeU32(page, 20, xid)
}

/** PageIsNew: never initialised. */
export function isNewPage(page: Uint8Array): boolean {
  return readU16(page, 14) === 0
}

/** PageGetMaxOffsetNumber: 0 on an empty page. */
export function maxOffsetNumber(page: Uint8Array): number {
  const lower = readU16(page, 12)
  return lower <= PAGE_HEADER_SIZE ? 0 : (lower - PAGE_HEADER_SIZE) >> 2
}

export function linePointer(page: Uint8Array, offsetNumber: number): number {
  return readU32(page, PAGE_HEADER_SIZE + (offsetNumber - 1) * 4)
}

export function setLinePointer(
  page: Uint8Array,
  offsetNumber: number,
  offset: number,
  flags: number,
  length: number,
): void {
  writeU32(page, PAGE_HEADER_SIZE + (offsetNumber - 1) * 4, offset | (flags << 15) | (length << 17))
}

export function lpOffset(pointer: number): number {
  return pointer & 0x7fff
}

export function lpFlags(pointer: number): number {
  return (pointer >>> 15) & 3
}

export function lpLength(pointer: number): number {
  return pointer >>> 17
}

/** PageInit: zeroes the page and leaves `specialSize` bytes (rounded up to 8) at its end. */
export function initPage(page: Uint8Array, specialSize: number): void {
  page.fill(0)
  const special = PAGE_SIZE - align8(specialSize)
  writeU16(page, 12, PAGE_HEADER_SIZE)
  writeU16(page, 14, special)
  writeU16(page, 16, special)
  writeU16(page, 18, PAGE_SIZE_AND_VERSION)
}

/** Throws CorruptionError unless 24 <= lower <= upper <= special <= 8192 and special is aligned. */
export function checkPagePointers(page: Uint8Array): void {
  const lower = pageLower(page)
  const upper = pageUpper(page)
  const special = pageSpecial(page)
  if (lower < PAGE_HEADER_SIZE || lower > upper || upper > special || special > PAGE_SIZE || (special & 7) !== 0) {
    throw new CorruptionError('page with impossible pointers', { lower, upper, special })
  }
}

/**
 * Line pointer of an item with storage, after checking that its `lengthMin` bytes and the whole item lie between
 * pd_upper and pd_special. Throws CorruptionError otherwise.
 */
export function storedItem(page: Uint8Array, offsetNumber: number, lengthMin: number): number {
  if (offsetNumber < 1 || offsetNumber > maxOffsetNumber(page)) {
    throw new CorruptionError('no such line pointer', { offsetNumber, offsetNumberMax: maxOffsetNumber(page) })
  }
  const pointer = linePointer(page, offsetNumber)
  const offset = lpOffset(pointer)
  const length = lpLength(pointer)
  if (length < lengthMin || offset < pageUpper(page) || offset + length > pageSpecial(page)) {
    throw new CorruptionError('line pointer leads out of the tuple space', { offsetNumber, offset, length, lengthMin })
  }
  return pointer
}
