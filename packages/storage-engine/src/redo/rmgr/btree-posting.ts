/**
 * Posting lists of B-tree leaves: deduplication, deletion of single heap tids, and splits of a list by an insert
 * (src/backend/access/nbtree/nbtdedup.c; btree_xlog_dedup, btree_xlog_updates in nbtxlog.c, PG 18).
 */
import { CorruptionError } from '../../base/errors.ts'
import { PAGE_SIZE } from '../../postgres/constants.ts'
import { readU16 } from '../little-endian.ts'
import { align8, maxOffsetNumber } from '../page.ts'
import { copyBytes, deleteIndexItems, insertIndexItem, overwriteIndexItem } from '../page-items.ts'
import {
  BTP_HAS_GARBAGE,
  btreeFlags,
  clearAlternativeTid,
  firstDataKey,
  HEAP_TID_SIZE,
  indexTupleAt,
  indexTupleSize,
  initBtreePage,
  isPosting,
  itemLength,
  postingCount,
  postingOffset,
  setBtreeFlags,
  setIndexTupleSize,
  setPosting,
} from './btree-page.ts'

const original = new Uint8Array(PAGE_SIZE)
/** The tuple being formed; no index tuple is longer than a third of a page, and 13 bits hold its size. */
const formed = new Uint8Array(PAGE_SIZE)

/**
 * _bt_swap_posting: the tid of `newItem` goes into the posting list at page[tuple) as entry `index`, and the list's
 * last tid goes into `newItem`. The list keeps its length.
 */
export function swapPosting(page: Uint8Array, tuple: number, newItem: Uint8Array, index: number): void {
  if (!isPosting(page, tuple)) throw new CorruptionError('posting split of a tuple without a posting list')
  const count = postingCount(page, tuple)
  const list = tuple + postingOffset(page, tuple)
  if (index <= 0 || index >= count) throw new CorruptionError('posting split outside the list', { index, count })
  const at = list + index * HEAP_TID_SIZE
  const last = list + (count - 1) * HEAP_TID_SIZE
  for (let i = 0; i < HEAP_TID_SIZE; i++) formed[i] = page[last + i]!
  page.copyWithin(at + HEAP_TID_SIZE, at, last)
  copyBytes(newItem, 0, page, at, HEAP_TID_SIZE)
  copyBytes(formed, 0, newItem, 0, HEAP_TID_SIZE)
}

/** Merges the intervals {base offset number u16, item count u16} of `data` into posting list tuples. */
export function redoDedup(page: Uint8Array, intervalCount: number, data: Uint8Array): void {
  if (data.length < intervalCount * 4) {
    throw new CorruptionError('dedup record too short', { intervalCount, length: data.length })
  }
  original.set(page)
  const first = firstDataKey(page)
  const last = maxOffsetNumber(page)
  const special = original.subarray(PAGE_SIZE - 16)
  initBtreePage(page)
  page.set(special, PAGE_SIZE - 16)
  if (first === 2) insertIndexItem(page, 1, original, indexTupleAt(original, 1), itemLength(original, 1))
  let write = first
  let interval = 0
  for (let number = first; number <= last; ) {
    const merged = interval < intervalCount && readU16(data, interval * 4) === number
    const count = merged ? readU16(data, interval * 4 + 2) : 1
    if (merged) interval++
    if (count < 1 || number + count - 1 > last) {
      throw new CorruptionError('dedup interval beyond the page', { number, count, last })
    }
    const base = indexTupleAt(original, number)
    if (count === 1) insertIndexItem(page, write, original, base, indexTupleSize(original, base))
    else insertIndexItem(page, write, formed, 0, formPosting(number, count))
    number += count
    write++
  }
  if (interval !== intervalCount) {
    throw new CorruptionError('dedup intervals do not fit the page', { intervalCount, found: interval })
  }
  setBtreeFlags(page, btreeFlags(page) & ~BTP_HAS_GARBAGE)
}

/** Forms one posting list tuple of the `count` items from `number` on in `formed`; returns its length. */
function formPosting(number: number, count: number): number {
  const base = indexTupleAt(original, number)
  const keySize = isPosting(original, base) ? postingOffset(original, base) : indexTupleSize(original, base)
  formed.set(original.subarray(base, base + keySize))
  let at = keySize
  for (let i = 0; i < count; i++) {
    const tuple = indexTupleAt(original, number + i)
    const posting = isPosting(original, tuple)
    const from = posting ? tuple + postingOffset(original, tuple) : tuple
    const length = posting ? postingCount(original, tuple) * HEAP_TID_SIZE : HEAP_TID_SIZE
    if (at + length > PAGE_SIZE - 8) throw new CorruptionError('posting list longer than a page', { count })
    copyBytes(original, from, formed, at, length)
    at += length
  }
  return finishPosting(keySize, (at - keySize) / HEAP_TID_SIZE)
}

/** Sets the header of the tuple in `formed` for `tidCount` tids behind its key and pads it; returns its length. */
function finishPosting(keySize: number, tidCount: number): number {
  const end = keySize + tidCount * HEAP_TID_SIZE
  const size = align8(end)
  formed.fill(0, end, size)
  setIndexTupleSize(formed, 0, size)
  setPosting(formed, 0, tidCount, keySize)
  return size
}

/**
 * Deletion of items of a leaf by VACUUM or an inserter. Data: deleted offset numbers u16 [deletedCount], updated offset
 * numbers u16 [updatedCount], then for each of those {count u16, indexes into its posting list u16…} to drop.
 */
export function redoDeleteItems(page: Uint8Array, data: Uint8Array, deletedCount: number, updatedCount: number): void {
  let at = (deletedCount + updatedCount) * 2
  if (at > data.length) {
    throw new CorruptionError('index deletion longer than its record', {
      deletedCount,
      updatedCount,
      length: data.length,
    })
  }
  for (let i = 0; i < updatedCount; i++) {
    const dropCount = readU16(data, at)
    if (at + 2 + dropCount * 2 > data.length) {
      throw new CorruptionError('posting update longer than its record', { dropCount, length: data.length })
    }
    dropTids(page, readU16(data, (deletedCount + i) * 2), data, at + 2, dropCount)
    at += 2 + dropCount * 2
  }
  if (deletedCount > 0) deleteIndexItems(page, data, 0, deletedCount)
  setBtreeFlags(page, btreeFlags(page) & ~BTP_HAS_GARBAGE)
}

/** _bt_update_posting: drops entries of one posting list; with one left the tuple becomes an ordinary one. */
function dropTids(page: Uint8Array, offsetNumber: number, data: Uint8Array, dropsAt: number, dropCount: number): void {
  const tuple = indexTupleAt(page, offsetNumber)
  if (!isPosting(page, tuple)) throw new CorruptionError('posting update of a tuple without a list', { offsetNumber })
  const count = postingCount(page, tuple)
  const keySize = postingOffset(page, tuple)
  const left = count - dropCount
  if (left < 1) throw new CorruptionError('posting update drops the whole list', { offsetNumber, count, dropCount })
  formed.set(page.subarray(tuple, tuple + keySize))
  let write = left > 1 ? keySize : 0
  let drop = 0
  for (let i = 0; i < count; i++) {
    if (drop < dropCount && readU16(data, dropsAt + drop * 2) === i) {
      drop++
      continue
    }
    if (i - drop >= left) break
    copyBytes(page, tuple + keySize + i * HEAP_TID_SIZE, formed, write, HEAP_TID_SIZE)
    write += HEAP_TID_SIZE
  }
  if (drop !== dropCount) throw new CorruptionError('posting update names no such entry', { offsetNumber, count })
  let size = keySize
  if (left > 1) size = finishPosting(keySize, left)
  else {
    setIndexTupleSize(formed, 0, keySize)
    clearAlternativeTid(formed, 0)
  }
  overwriteIndexItem(page, offsetNumber, formed, size)
}
