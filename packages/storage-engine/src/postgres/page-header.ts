import type { Lsn } from './lsn.ts'

/**
 * PageHeaderData (src/include/storage/bufpage.h, PG 18). Little-endian, 24 bytes.
 *    0 pd_lsn: u32 HIGH half, then u32 low half   8 u16 pd_checksum   10 u16 pd_flags   12 u16 pd_lower   14 u16 pd_upper
 *   16 u16 pd_special   18 u16 pd_pagesize_version   20 u32 pd_prune_xid
 * pd_upper = 0 means a new page: all zeros.
 */
export const PAGE_HEADER_SIZE = 24
/** PD_PAGESIZE_VERSION: page size 8192 | layout version 4. */
export const PAGE_SIZE_VERSION = 0x2004

export const PageFlag = { hasFreeLines: 0x0001, pageFull: 0x0002, allVisible: 0x0004 } as const

export function readPageLsn(page: Uint8Array): Lsn {
  return (u32(page, 0) * 0x1_0000_0000 + u32(page, 4)) as Lsn
}

export function writePageLsn(page: Uint8Array, lsn: Lsn): void {
  writeU32(page, 0, Math.floor(lsn / 0x1_0000_0000))
  writeU32(page, 4, lsn % 0x1_0000_0000)
}

export function readPageChecksum(page: Uint8Array): number {
  return u16(page, 8)
}

export function readPageFlags(page: Uint8Array): number {
  return u16(page, 10)
}

export function readPageLower(page: Uint8Array): number {
  return u16(page, 12)
}

export function readPageUpper(page: Uint8Array): number {
  return u16(page, 14)
}

export function readPageSpecial(page: Uint8Array): number {
  return u16(page, 16)
}

export function readPagePruneXid(page: Uint8Array): number {
  return u32(page, 20)
}

/** PageIsNew: never initialised. */
export function isNewPage(page: Uint8Array): boolean {
  return readPageUpper(page) === 0
}

/**
 * The plausibility test of PageIsVerified for a page that is not new: lower, upper and special are in order and the layout
 * version is 4.
 */
export function hasPlausiblePageHeader(page: Uint8Array): boolean {
  const lower = readPageLower(page)
  const upper = readPageUpper(page)
  const special = readPageSpecial(page)
  return (
    lower >= PAGE_HEADER_SIZE &&
    lower <= upper &&
    upper <= special &&
    special <= page.length &&
    special % 8 === 0 &&
    u16(page, 18) === PAGE_SIZE_VERSION
  )
}

function u16(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8)
}

function u32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
}

function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value & 255
  bytes[at + 1] = (value >>> 8) & 255
  bytes[at + 2] = (value >>> 16) & 255
  bytes[at + 3] = value >>> 24
}
