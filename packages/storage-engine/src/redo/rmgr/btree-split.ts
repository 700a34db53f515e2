/** The left half of a B-tree page split (btree_xlog_split in src/backend/access/nbtree/nbtxlog.c, PG 18). */
import { CorruptionError } from '../../base/errors.ts'
import { PAGE_SIZE } from '../../postgres/constants.ts'
import { readU16 } from '../little-endian.ts'
import { align8, linePointer, lpLength, lpOffset, maxOffsetNumber } from '../page.ts'
import { insertIndexItem } from '../page-items.ts'
import { firstDataKey, INDEX_TUPLE_HEADER_SIZE, indexTupleAt, indexTupleSize, initBtreePage } from './btree-page.ts'
import { swapPosting } from './btree-posting.ts'

const original = new Uint8Array(PAGE_SIZE)

/**
 * Rewrites `page` with the items before the split point, the new high key, and the new item if it goes left.
 * Main: level u32, firstrightoff u16, newitemoff u16, postingoff u16. Data: [new item] when it goes left or splits a
 * posting list, then the high key; each a whole number of 8 bytes. The special space is kept.
 */
export function redoSplitLeft(page: Uint8Array, main: Uint8Array, data: Uint8Array, newItemOnLeft: boolean): void {
  const firstRight = readU16(main, 4)
  const newItemNumber = readU16(main, 6)
  const postingOffset = readU16(main, 8)

  let highKeyAt = 0
  let newItem: Uint8Array | undefined
  let replacedNumber = 0
  if (newItemOnLeft || postingOffset !== 0) {
    highKeyAt = sizeAt(data, 0)
    newItem = data.slice(0, highKeyAt)
    if (postingOffset !== 0) {
      // The list before the new item takes its tid; from here on it is on the page in its new form.
      replacedNumber = newItemNumber - 1
      swapPosting(page, indexTupleAt(page, replacedNumber), newItem, postingOffset)
    }
  }
  const highKeySize = sizeAt(data, highKeyAt)
  if (highKeyAt + highKeySize !== data.length) {
    throw new CorruptionError('split record not used up', { used: highKeyAt + highKeySize, length: data.length })
  }
  const first = firstDataKey(page)
  if (firstRight > maxOffsetNumber(page) + 1 || newItemNumber > maxOffsetNumber(page) + 1) {
    throw new CorruptionError('split beyond the page', { firstRight, newItemNumber })
  }

  original.set(page)
  const special = original.subarray(PAGE_SIZE - 16)
  initBtreePage(page)
  page.set(special, PAGE_SIZE - 16)
  insertIndexItem(page, 1, data, highKeyAt, highKeySize)
  let write = 2
  for (let number = first; number < firstRight; number++) {
    if (newItemOnLeft && number === newItemNumber) insertIndexItem(page, write++, newItem!, 0, newItem!.length)
    const offset = indexTupleAt(original, number)
    const length =
      number === replacedNumber ? align8(indexTupleSize(original, offset)) : lpLength(linePointer(original, number))
    insertIndexItem(page, write++, original, lpOffset(linePointer(original, number)), length)
  }
  if (newItemOnLeft && newItemNumber === firstRight) insertIndexItem(page, write, newItem!, 0, newItem!.length)
}

function sizeAt(data: Uint8Array, at: number): number {
  const size = align8(indexTupleSize(data, at))
  if (size < INDEX_TUPLE_HEADER_SIZE || at + size > data.length) {
    throw new CorruptionError('index tuple longer than its record', { at, size, length: data.length })
  }
  return size
}
