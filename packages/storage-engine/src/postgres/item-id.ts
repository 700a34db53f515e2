import { PAGE_HEADER_SIZE } from './page-header.ts'

/**
 * ItemIdData (src/include/storage/itemid.h, PG 18): line pointer, u32. Bits 0..14 offset, 15..16 flags, 17..31 length. Line
 * pointers follow the page header; offset numbers count from 1.
 */
export const ITEM_ID_SIZE = 4

export const ItemIdFlag = { unused: 0, normal: 1, redirect: 2, dead: 3 } as const

export function itemOffset(itemId: number): number {
  return itemId & 0x7fff
}

export function itemFlags(itemId: number): number {
  return (itemId >>> 15) & 3
}

export function itemLength(itemId: number): number {
  return itemId >>> 17
}

export function makeItemId(offset: number, flags: number, length: number): number {
  return (offset | (flags << 15) | (length << 17)) >>> 0
}

/** Byte of the line pointer of an offset number (1-based). */
export function itemIdByte(offsetNumber: number): number {
  return PAGE_HEADER_SIZE + (offsetNumber - 1) * ITEM_ID_SIZE
}

/** PageGetMaxOffsetNumber from pd_lower: 0 when there is none. */
export function maxOffsetNumber(pageLower: number): number {
  return pageLower <= PAGE_HEADER_SIZE ? 0 : (pageLower - PAGE_HEADER_SIZE) >>> 2
}
