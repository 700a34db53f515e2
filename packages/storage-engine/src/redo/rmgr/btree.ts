/**
 * Redo of resource manager Btree (btree_redo in src/backend/access/nbtree/nbtxlog.c, record layouts in
 * src/include/access/nbtxlog.h, PG 18), one block at a time: which block of the record the page is decides what is done.
 */
import { CorruptionError } from '../../base/errors.ts'
import type { Lsn } from '../../postgres/lsn.ts'
import type { DecodedRecord, WalBlock } from '../../wal/record.ts'
import { readU16, readU32 } from '../little-endian.ts'
import { align8, setPageLsn } from '../page.ts'
import { deleteIndexItem, insertIndexItem } from '../page-items.ts'
import { blockBytes, recordBytes, unsupportedRecord } from '../record-checks.ts'
import {
  BTP_HALF_DEAD,
  BTP_INCOMPLETE_SPLIT,
  BTP_LEAF,
  BTP_ROOT,
  btreeFlags,
  checkBtreePage,
  clearBtreeCycleId,
  INDEX_TUPLE_HEADER_SIZE,
  indexTupleAt,
  indexTupleSize,
  initBtreePage,
  insertTopParent,
  setBtreeFlags,
  setBtreeLevel,
  setBtreeNext,
  setBtreePrev,
  setDeleted,
  setTidBlock,
  tidBlock,
  writeMetapage,
} from './btree-page.ts'
import { redoDedup, redoDeleteItems, swapPosting } from './btree-posting.ts'
import { redoSplitLeft } from './btree-split.ts'

export const XLOG_BTREE_INSERT_LEAF = 0x00
export const XLOG_BTREE_INSERT_UPPER = 0x10
export const XLOG_BTREE_INSERT_META = 0x20
export const XLOG_BTREE_SPLIT_L = 0x30
export const XLOG_BTREE_SPLIT_R = 0x40
export const XLOG_BTREE_INSERT_POST = 0x50
export const XLOG_BTREE_DEDUP = 0x60
export const XLOG_BTREE_DELETE = 0x70
export const XLOG_BTREE_UNLINK_PAGE = 0x80
export const XLOG_BTREE_UNLINK_PAGE_META = 0x90
export const XLOG_BTREE_NEWROOT = 0xa0
export const XLOG_BTREE_MARK_PAGE_HALFDEAD = 0xb0
export const XLOG_BTREE_VACUUM = 0xc0
export const XLOG_BTREE_REUSE_PAGE = 0xd0
export const XLOG_BTREE_META_CLEANUP = 0xe0

/** sizeof(xl_btree_metadata). */
const METADATA_SIZE = 28

export function redoBtree(page: Uint8Array, record: DecodedRecord, block: WalBlock, endLsn: Lsn): void {
  if (!block.willInit) checkBtreePage(page)
  if (!redoBtreeBlock(page, record, block)) throw unsupportedRecord(record, block, endLsn)
  setPageLsn(page, endLsn)
}

/** False when the opcode has no such block. REUSE_PAGE has none at all. */
function redoBtreeBlock(page: Uint8Array, record: DecodedRecord, block: WalBlock): boolean {
  switch (record.opcode) {
    case XLOG_BTREE_INSERT_LEAF:
    case XLOG_BTREE_INSERT_UPPER:
    case XLOG_BTREE_INSERT_META:
      if (block.id === 0) redoInsert(page, record, block)
      else if (block.id === 1 && record.opcode !== XLOG_BTREE_INSERT_LEAF) clearIncompleteSplit(page)
      else if (block.id === 2 && record.opcode === XLOG_BTREE_INSERT_META) redoMeta(page, block)
      else return false
      return true
    case XLOG_BTREE_INSERT_POST:
      if (block.id !== 0) return false
      redoInsertPosting(page, record, block)
      return true
    case XLOG_BTREE_SPLIT_L:
    case XLOG_BTREE_SPLIT_R:
      return redoSplit(page, record, block)
    case XLOG_BTREE_DEDUP:
      if (block.id !== 0) return false
      redoDedup(page, readU16(recordBytes(record, 2), 0), block.data)
      return true
    case XLOG_BTREE_DELETE: {
      if (block.id !== 0) return false
      const main = recordBytes(record, 8)
      redoDeleteItems(page, block.data, readU16(main, 4), readU16(main, 6))
      return true
    }
    case XLOG_BTREE_VACUUM: {
      if (block.id !== 0) return false
      const main = recordBytes(record, 4)
      redoDeleteItems(page, block.data, readU16(main, 0), readU16(main, 2))
      clearBtreeCycleId(page)
      return true
    }
    case XLOG_BTREE_UNLINK_PAGE:
    case XLOG_BTREE_UNLINK_PAGE_META:
      return redoUnlink(page, record, block)
    case XLOG_BTREE_MARK_PAGE_HALFDEAD:
      return redoHalfDead(page, record, block)
    case XLOG_BTREE_NEWROOT:
      return redoNewRoot(page, record, block)
    case XLOG_BTREE_META_CLEANUP:
      if (block.id !== 0) return false
      redoMeta(page, block)
      return true
    default:
      return false
  }
}

function redoMeta(page: Uint8Array, block: WalBlock): void {
  writeMetapage(page, blockBytes(block, METADATA_SIZE))
}

function clearIncompleteSplit(page: Uint8Array): void {
  setBtreeFlags(page, btreeFlags(page) & ~BTP_INCOMPLETE_SPLIT)
}

function redoInsert(page: Uint8Array, record: DecodedRecord, block: WalBlock): void {
  const offsetNumber = readU16(recordBytes(record, 2), 0)
  const data = blockBytes(block, INDEX_TUPLE_HEADER_SIZE)
  insertIndexItem(page, offsetNumber, data, 0, data.length)
}

/** The new item falls into the posting list before it: that list takes its tid and gives up its last one. */
function redoInsertPosting(page: Uint8Array, record: DecodedRecord, block: WalBlock): void {
  const offsetNumber = readU16(recordBytes(record, 2), 0)
  const data = blockBytes(block, 2 + INDEX_TUPLE_HEADER_SIZE)
  const newItem = data.slice(2)
  swapPosting(page, indexTupleAt(page, offsetNumber - 1), newItem, readU16(data, 0))
  insertIndexItem(page, offsetNumber, newItem, 0, newItem.length)
}

/** Blocks: 0 the left half, 1 the new right page, 2 its right sibling, 3 the child whose split this finishes. */
function redoSplit(page: Uint8Array, record: DecodedRecord, block: WalBlock): boolean {
  const main = recordBytes(record, 10)
  const level = readU32(main, 0)
  switch (block.id) {
    case 0: {
      const right = blockById(record, 1)
      redoSplitLeft(page, main, block.data, record.opcode === XLOG_BTREE_SPLIT_L)
      setBtreeFlags(page, level === 0 ? BTP_INCOMPLETE_SPLIT | BTP_LEAF : BTP_INCOMPLETE_SPLIT)
      setBtreeNext(page, right.blockNumber)
      clearBtreeCycleId(page)
      return true
    }
    case 1:
      initBtreePage(page)
      setBtreePrev(page, blockById(record, 0).blockNumber)
      setBtreeNext(page, findBlock(record, 2)?.blockNumber ?? 0)
      setBtreeLevel(page, level)
      setBtreeFlags(page, level === 0 ? BTP_LEAF : 0)
      restoreItems(page, block.data)
      return true
    case 2:
      setBtreePrev(page, blockById(record, 1).blockNumber)
      return true
    case 3:
      clearIncompleteSplit(page)
      return true
    default:
      return false
  }
}

/**
 * _bt_restore_page: `data` is the tuple space of a page, the tuple of the highest offset number first. They are added
 * lowest offset number first, so that they lie as they did.
 */
function restoreItems(page: Uint8Array, data: Uint8Array): void {
  let count = 0
  for (let at = 0; at < data.length; count++) at += restoredSize(data, at)
  let at = 0
  const starts = new Uint16Array(count)
  for (let i = 0; i < count; i++) {
    starts[i] = at
    at += restoredSize(data, at)
  }
  for (let i = count - 1; i >= 0; i--) {
    insertIndexItem(page, count - i, data, starts[i]!, restoredSize(data, starts[i]!))
  }
}

function restoredSize(data: Uint8Array, at: number): number {
  const size = align8(indexTupleSize(data, at))
  if (size < INDEX_TUPLE_HEADER_SIZE || at + size > data.length) {
    throw new CorruptionError('index tuple longer than its record', { at, size, length: data.length })
  }
  return size
}

/** Blocks: 0 the leaf, 1 the parent of the subtree. Main: poffset u16, pad, leafblk, leftblk, rightblk, topparent u32. */
function redoHalfDead(page: Uint8Array, record: DecodedRecord, block: WalBlock): boolean {
  const main = recordBytes(record, 20)
  if (block.id === 1) {
    const offsetNumber = readU16(main, 0)
    const rightSibling = tidBlock(page, indexTupleAt(page, offsetNumber + 1))
    setTidBlock(page, indexTupleAt(page, offsetNumber), rightSibling)
    deleteIndexItem(page, offsetNumber + 1)
    return true
  }
  if (block.id !== 0) return false
  writeHalfDeadLeaf(page, readU32(main, 8), readU32(main, 12), readU32(main, 16))
  return true
}

function writeHalfDeadLeaf(page: Uint8Array, prev: number, next: number, topParent: number): void {
  initBtreePage(page)
  setBtreePrev(page, prev)
  setBtreeNext(page, next)
  setBtreeFlags(page, BTP_HALF_DEAD | BTP_LEAF)
  insertTopParent(page, topParent)
}

/**
 * Blocks: 0 the target, 1 its left sibling, 2 its right sibling, 3 the leaf if that is another page, 4 the metapage.
 * Main: leftsib u32, rightsib u32, level u32, pad, safexid u64 @16, leafleftsib u32, leafrightsib u32, leaftopparent u32.
 */
function redoUnlink(page: Uint8Array, record: DecodedRecord, block: WalBlock): boolean {
  const main = recordBytes(record, 36)
  const left = readU32(main, 0)
  const right = readU32(main, 4)
  const level = readU32(main, 8)
  switch (block.id) {
    case 0:
      initBtreePage(page)
      setBtreePrev(page, left)
      setBtreeNext(page, right)
      setBtreeLevel(page, level)
      setDeleted(page, main, 16)
      if (level === 0) setBtreeFlags(page, btreeFlags(page) | BTP_LEAF)
      return true
    case 1:
      setBtreeNext(page, right)
      return true
    case 2:
      setBtreePrev(page, left)
      return true
    case 3:
      writeHalfDeadLeaf(page, readU32(main, 24), readU32(main, 28), readU32(main, 32))
      return true
    case 4:
      redoMeta(page, block)
      return true
    default:
      return false
  }
}

/** Blocks: 0 the new root, 1 its left child, 2 the metapage. */
function redoNewRoot(page: Uint8Array, record: DecodedRecord, block: WalBlock): boolean {
  const level = readU32(recordBytes(record, 8), 4)
  switch (block.id) {
    case 0:
      initBtreePage(page)
      setBtreeLevel(page, level)
      setBtreeFlags(page, level === 0 ? BTP_ROOT | BTP_LEAF : BTP_ROOT)
      if (level > 0) restoreItems(page, block.data)
      return true
    case 1:
      clearIncompleteSplit(page)
      return true
    case 2:
      redoMeta(page, block)
      return true
    default:
      return false
  }
}

function findBlock(record: DecodedRecord, id: number): WalBlock | undefined {
  for (let i = 0; i < record.blockCount; i++) if (record.blocks[i]!.id === id) return record.blocks[i]
  return undefined
}

function blockById(record: DecodedRecord, id: number): WalBlock {
  const block = findBlock(record, id)
  if (block === undefined) throw new CorruptionError('record lacks a block', { opcode: record.opcode, blockId: id })
  return block
}
