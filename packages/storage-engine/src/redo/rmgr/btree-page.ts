/**
 * B-tree pages and index tuples (src/include/access/nbtree.h, itup.h, PG 18), in place.
 *
 * Special space, 16 bytes: 0 u32 btpo_prev   4 u32 btpo_next   8 u32 btpo_level   12 u16 btpo_flags   14 u16 btpo_cycleid
 * Index tuple: 0 tid {u16 block high, u16 block low, u16 offset}   6 u16 info: length 13 bits, 0x2000 alternative tid.
 * A posting list tuple has 0x2000 in info and in its tid's offset, whose low 12 bits count the heap tids; the tid's
 * block is the offset of the list in the tuple.
 */
import { CorruptionError } from '../../base/errors.ts'
import { PAGE_SIZE } from '../../postgres/constants.ts'
import { readU16, readU32, writeU16, writeU32 } from '../little-endian.ts'
import {
  initPage,
  linePointer,
  lpLength,
  lpOffset,
  PAGE_HEADER_SIZE,
  pageSpecial,
  setPageLower,
  setPageUpper,
  storedItem,
} from '../page.ts'
import { insertIndexItem } from '../page-items.ts'

export const BTP_LEAF = 0x0001
export const BTP_ROOT = 0x0002
export const BTP_DELETED = 0x0004
export const BTP_META = 0x0008
export const BTP_HALF_DEAD = 0x0010
export const BTP_SPLIT_END = 0x0020
export const BTP_HAS_GARBAGE = 0x0040
export const BTP_INCOMPLETE_SPLIT = 0x0080
export const BTP_HAS_FULLXID = 0x0100

const BTREE_SPECIAL_SIZE = 16
const BTREE_SPECIAL = PAGE_SIZE - BTREE_SPECIAL_SIZE
const BTREE_MAGIC = 0x053162

export const INDEX_TUPLE_HEADER_SIZE = 8
const INDEX_SIZE_MASK = 0x1fff
const INDEX_ALT_TID_MASK = 0x2000
const BT_OFFSET_MASK = 0x0fff
const BT_IS_POSTING = 0x2000
export const HEAP_TID_SIZE = 6

/** _bt_pageinit. */
export function initBtreePage(page: Uint8Array): void {
  initPage(page, BTREE_SPECIAL_SIZE)
}

/** Throws CorruptionError unless the page has the special space of a B-tree page. */
export function checkBtreePage(page: Uint8Array): void {
  if (pageSpecial(page) !== BTREE_SPECIAL) {
    throw new CorruptionError('not a B-tree page', { special: pageSpecial(page) })
  }
}

export function setBtreePrev(page: Uint8Array, blockNumber: number): void {
  writeU32(page, BTREE_SPECIAL, blockNumber)
}

export function btreeNext(page: Uint8Array): number {
  return readU32(page, BTREE_SPECIAL + 4)
}

export function setBtreeNext(page: Uint8Array, blockNumber: number): void {
  writeU32(page, BTREE_SPECIAL + 4, blockNumber)
}

export function setBtreeLevel(page: Uint8Array, level: number): void {
  writeU32(page, BTREE_SPECIAL + 8, level)
}

export function btreeFlags(page: Uint8Array): number {
  return readU16(page, BTREE_SPECIAL + 12)
}

export function setBtreeFlags(page: Uint8Array, flags: number): void {
  writeU16(page, BTREE_SPECIAL + 12, flags)
}

export function clearBtreeCycleId(page: Uint8Array): void {
  writeU16(page, BTREE_SPECIAL + 14, 0)
}

/** P_FIRSTDATAKEY: 1 on a rightmost page, else 2 behind the high key. */
export function firstDataKey(page: Uint8Array): number {
  return btreeNext(page) === 0 ? 1 : 2
}

/** Page offset of an index tuple, checked to lie in the tuple space with the length it claims. */
export function indexTupleAt(page: Uint8Array, offsetNumber: number): number {
  const pointer = storedItem(page, offsetNumber, INDEX_TUPLE_HEADER_SIZE)
  const offset = lpOffset(pointer)
  if (indexTupleSize(page, offset) > lpLength(pointer)) {
    throw new CorruptionError('index tuple longer than its line pointer says', { offsetNumber })
  }
  return offset
}

/** Length by the line pointer of an item already checked. */
export function itemLength(page: Uint8Array, offsetNumber: number): number {
  return lpLength(linePointer(page, offsetNumber))
}

export function indexTupleSize(bytes: Uint8Array, tuple: number): number {
  return readU16(bytes, tuple + 6) & INDEX_SIZE_MASK
}

export function tidBlock(bytes: Uint8Array, tuple: number): number {
  return ((readU16(bytes, tuple) << 16) | readU16(bytes, tuple + 2)) >>> 0
}

export function setTidBlock(bytes: Uint8Array, tuple: number, blockNumber: number): void {
  writeU16(bytes, tuple, blockNumber >>> 16)
  writeU16(bytes, tuple + 2, blockNumber)
}

export function isPosting(bytes: Uint8Array, tuple: number): boolean {
  return (readU16(bytes, tuple + 6) & INDEX_ALT_TID_MASK) !== 0 && (readU16(bytes, tuple + 4) & BT_IS_POSTING) !== 0
}

export function postingCount(bytes: Uint8Array, tuple: number): number {
  return readU16(bytes, tuple + 4) & BT_OFFSET_MASK
}

/** Offset of the posting list in its tuple, which is also the length of the key before it. Checked against the tuple. */
export function postingOffset(bytes: Uint8Array, tuple: number): number {
  const offset = tidBlock(bytes, tuple)
  if (
    offset < INDEX_TUPLE_HEADER_SIZE ||
    offset + postingCount(bytes, tuple) * HEAP_TID_SIZE > indexTupleSize(bytes, tuple)
  ) {
    throw new CorruptionError('posting list leads out of its tuple', { offset, count: postingCount(bytes, tuple) })
  }
  return offset
}

export function setIndexTupleSize(bytes: Uint8Array, tuple: number, size: number): void {
  writeU16(bytes, tuple + 6, (readU16(bytes, tuple + 6) & ~INDEX_SIZE_MASK) | size)
}

/** BTreeTupleSetPosting. */
export function setPosting(bytes: Uint8Array, tuple: number, count: number, offset: number): void {
  writeU16(bytes, tuple + 6, readU16(bytes, tuple + 6) | INDEX_ALT_TID_MASK)
  writeU16(bytes, tuple + 4, count | BT_IS_POSTING)
  setTidBlock(bytes, tuple, offset)
}

export function clearAlternativeTid(bytes: Uint8Array, tuple: number): void {
  writeU16(bytes, tuple + 6, readU16(bytes, tuple + 6) & ~INDEX_ALT_TID_MASK)
}

const topParentTuple = new Uint8Array(INDEX_TUPLE_HEADER_SIZE)

/** The only item of a half-dead leaf: a dummy high key that names the top parent (BTreeTupleSetTopParent). */
export function insertTopParent(page: Uint8Array, topParent: number): void {
  topParentTuple.fill(0)
  setTidBlock(topParentTuple, 0, topParent)
  writeU16(topParentTuple, 6, INDEX_TUPLE_HEADER_SIZE | INDEX_ALT_TID_MASK)
  insertIndexItem(page, 1, topParentTuple, 0, INDEX_TUPLE_HEADER_SIZE)
}

/** BTPageSetDeleted: the page keeps only the full xid from which on it may be reused, 8 bytes at `safeXidAt`. */
export function setDeleted(page: Uint8Array, source: Uint8Array, safeXidAt: number): void {
  setBtreeFlags(page, (btreeFlags(page) & ~BTP_HALF_DEAD) | BTP_DELETED | BTP_HAS_FULLXID)
  setPageLower(page, PAGE_HEADER_SIZE + 8)
  setPageUpper(page, pageSpecial(page))
  for (let i = 0; i < 8; i++) page[PAGE_HEADER_SIZE + i] = source[safeXidAt + i]!
}

/**
 * The metapage from a record's xl_btree_metadata (_bt_restore_meta). Data: version, root, level, fastroot, fastlevel,
 * last_cleanup_num_delpages, u32 each, allequalimage u8. Page: magic first, then the same, a double -1 and the byte.
 */
export function writeMetapage(page: Uint8Array, data: Uint8Array): void {
  initBtreePage(page)
  const meta = PAGE_HEADER_SIZE
  writeU32(page, meta, BTREE_MAGIC)
  for (let field = 0; field < 6; field++) writeU32(page, meta + 4 + field * 4, readU32(data, field * 4))
  // btm_last_cleanup_num_heap_tuples = -1.0
  writeU32(page, meta + 36, 0xbff00000)
  page[meta + 40] = data[24]!
  setBtreeFlags(page, BTP_META)
  setPageLower(page, meta + 48)
}
