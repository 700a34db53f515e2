/**
 * Adding, removing and moving items of a page (src/backend/storage/page/bufpage.c, PG 18). The physical order of the
 * tuples is kept as Postgres makes it: a later record's result, and the comparison with Postgres's own pages, depend on it.
 * Space that becomes free is zeroed, so that page images can leave the hole out.
 */
import { CorruptionError } from '../base/errors.ts'
import { PAGE_SIZE } from '../postgres/constants.ts'
import { readU32, writeU32 } from './little-endian.ts'
import {
  align8,
  checkPagePointers,
  clearPageFlag,
  LP_NORMAL,
  LP_UNUSED,
  linePointer,
  lpFlags,
  lpLength,
  lpOffset,
  maxOffsetNumber,
  PAGE_HEADER_SIZE,
  PD_HAS_FREE_LINES,
  pageLower,
  pageSpecial,
  pageUpper,
  setLinePointer,
  setPageFlag,
  setPageLower,
  setPageUpper,
  storedItem,
} from './page.ts'

/** MaxHeapTuplesPerPage (src/include/access/htup_details.h). */
export const HEAP_TUPLES_PER_PAGE_MAX = 291
/** Line pointers that fit on a page at all; index pages hold fewer (MaxIndexTuplesPerPage). */
const LINE_POINTERS_MAX = (PAGE_SIZE - PAGE_HEADER_SIZE) / 4

/** Items to keep while compacting: offset number, old offset, aligned length. One redo at a time uses them. */
const keptNumber = new Uint16Array(LINE_POINTERS_MAX)
const keptOffset = new Uint16Array(LINE_POINTERS_MAX)
const keptLength = new Uint16Array(LINE_POINTERS_MAX)
const compactScratch = new Uint8Array(PAGE_SIZE)

/**
 * Makes room for an item of `length` bytes at a line pointer that is free or one past the last (PageAddItemExtended
 * with PAI_OVERWRITE | PAI_IS_HEAP) and returns the page offset to write it to. The bytes there are stale.
 */
export function reserveHeapItem(page: Uint8Array, offsetNumber: number, length: number): number {
  checkPagePointers(page)
  const limit = maxOffsetNumber(page) + 1
  if (offsetNumber < 1 || offsetNumber > limit || offsetNumber > HEAP_TUPLES_PER_PAGE_MAX) {
    throw new CorruptionError('heap item beyond the free line pointers', { offsetNumber, limit })
  }
  if (offsetNumber < limit) {
    const pointer = linePointer(page, offsetNumber)
    if (lpFlags(pointer) !== LP_UNUSED || lpLength(pointer) !== 0) {
      throw new CorruptionError('heap item on a line pointer in use', { offsetNumber })
    }
  }
  const lower = offsetNumber === limit ? pageLower(page) + 4 : pageLower(page)
  const upper = pageUpper(page) - align8(length)
  if (lower > upper) throw new CorruptionError('heap item does not fit', { offsetNumber, length, lower, upper })
  setLinePointer(page, offsetNumber, upper, LP_NORMAL, length)
  setPageLower(page, lower)
  setPageUpper(page, upper)
  return upper
}

/**
 * Inserts an index item before the line pointer `offsetNumber`, moving later pointers up (PageAddItemExtended without
 * flags). Copies source[from, from + length).
 */
export function insertIndexItem(
  page: Uint8Array,
  offsetNumber: number,
  source: Uint8Array,
  from: number,
  length: number,
): void {
  checkPagePointers(page)
  const limit = maxOffsetNumber(page) + 1
  if (offsetNumber < 1 || offsetNumber > limit || length > 0x7fff || from + length > source.length) {
    throw new CorruptionError('index item beyond the line pointers', { offsetNumber, limit, length })
  }
  const lower = pageLower(page) + 4
  const upper = pageUpper(page) - align8(length)
  if (lower > upper) throw new CorruptionError('index item does not fit', { offsetNumber, length, lower, upper })
  if (offsetNumber < limit) {
    const at = PAGE_HEADER_SIZE + (offsetNumber - 1) * 4
    page.copyWithin(at + 4, at, lower - 4)
  }
  setLinePointer(page, offsetNumber, upper, LP_NORMAL, length)
  copyBytes(source, from, page, upper, length)
  setPageLower(page, lower)
  setPageUpper(page, upper)
}

/** Copies source[from, from + length) into target at `at`; short copies avoid the cost of a subarray. */
export function copyBytes(source: Uint8Array, from: number, target: Uint8Array, at: number, length: number): void {
  if (length < 64) for (let i = 0; i < length; i++) target[at + i] = source[from + i]!
  else target.set(source.subarray(from, from + length), at)
}

/** PageIndexTupleDelete: removes one item and its line pointer, moving data and pointers together. */
export function deleteIndexItem(page: Uint8Array, offsetNumber: number): void {
  checkPagePointers(page)
  const pointer = storedItem(page, offsetNumber, 1)
  const offset = lpOffset(pointer)
  const size = align8(lpLength(pointer))
  if ((offset & 7) !== 0) throw new CorruptionError('index item not aligned', { offsetNumber, offset })
  const at = PAGE_HEADER_SIZE + (offsetNumber - 1) * 4
  page.copyWithin(at, at + 4, pageLower(page))
  const upper = pageUpper(page)
  if (offset > upper) page.copyWithin(upper + size, upper, offset)
  page.fill(0, upper, upper + size)
  setPageUpper(page, upper + size)
  lowerPage(page, pageLower(page) - 4)
  shiftItemsBefore(page, offset, size)
}

/** PageIndexMultiDelete: removes items given by ascending offset numbers, `count` u16 at offsets[from). */
export function deleteIndexItems(page: Uint8Array, offsets: Uint8Array, from: number, count: number): void {
  const offsetAt = (i: number): number => offsets[from + i * 2]! | (offsets[from + i * 2 + 1]! << 8)
  if (count <= 2) {
    for (let i = count - 1; i >= 0; i--) deleteIndexItem(page, offsetAt(i))
    return
  }
  checkPagePointers(page)
  const lineCount = maxOffsetNumber(page)
  let kept = 0
  let next = 0
  for (let number = 1; number <= lineCount; number++) {
    const pointer = storedItem(page, number, 1)
    if (next < count && number === offsetAt(next)) {
      next++
      continue
    }
    const offset = lpOffset(pointer)
    if ((offset & 7) !== 0) throw new CorruptionError('index item not aligned', { offsetNumber: number, offset })
    keptNumber[kept] = kept + 1
    keptOffset[kept] = offset
    keptLength[kept] = align8(lpLength(pointer))
    kept++
  }
  if (next !== count) throw new CorruptionError('index items to delete are not on the page', { count, found: next })
  checkKeptLength(page, kept)
  // Line pointers close up in place: the kept ones only ever move down.
  let write = PAGE_HEADER_SIZE
  next = 0
  for (let number = 1; number <= lineCount; number++) {
    if (next < count && number === offsetAt(next)) {
      next++
      continue
    }
    writeU32(page, write, readU32(page, PAGE_HEADER_SIZE + (number - 1) * 4))
    write += 4
  }
  lowerPage(page, write)
  compactItems(page, kept)
}

/** PageIndexTupleOverwrite: replaces the item in place, moving the data before it when the aligned length changes. */
export function overwriteIndexItem(page: Uint8Array, offsetNumber: number, item: Uint8Array, length: number): void {
  checkPagePointers(page)
  const pointer = storedItem(page, offsetNumber, 1)
  const offset = lpOffset(pointer)
  const oldSize = align8(lpLength(pointer))
  if ((offset & 7) !== 0) throw new CorruptionError('index item not aligned', { offsetNumber, offset })
  const upper = pageUpper(page)
  if (align8(length) > oldSize + (upper - pageLower(page))) {
    throw new CorruptionError('index item does not fit', { offsetNumber, length })
  }
  const shrink = oldSize - align8(length)
  if (shrink !== 0) {
    page.copyWithin(upper + shrink, upper, offset)
    if (shrink > 0) page.fill(0, upper, upper + shrink)
    setPageUpper(page, upper + shrink)
    shiftItemsBefore(page, offset, shrink)
  }
  setLinePointer(page, offsetNumber, offset + shrink, lpFlags(pointer), length)
  copyBytes(item, 0, page, offset + shrink, length)
}

/**
 * PageRepairFragmentation: closes the gaps between the tuples of a heap page, drops trailing free line pointers and
 * sets PD_HAS_FREE_LINES by what is left.
 */
export function repairFragmentation(page: Uint8Array): void {
  checkPagePointers(page)
  const lineCount = maxOffsetNumber(page)
  const upper = pageUpper(page)
  const special = pageSpecial(page)
  let kept = 0
  let freeCount = 0
  let lastUsed = 0
  for (let number = 1; number <= lineCount; number++) {
    const pointer = linePointer(page, number)
    if (lpFlags(pointer) === LP_UNUSED) {
      setLinePointer(page, number, 0, LP_UNUSED, 0)
      freeCount++
      continue
    }
    lastUsed = number
    const length = lpLength(pointer)
    if (length === 0) continue
    const offset = lpOffset(pointer)
    if (offset < upper || offset + length > special) {
      throw new CorruptionError('line pointer leads out of the tuple space', { offsetNumber: number, offset, length })
    }
    keptNumber[kept] = number
    keptOffset[kept] = offset
    keptLength[kept] = align8(length)
    kept++
  }
  checkKeptLength(page, kept)
  compactItems(page, kept)
  if (lastUsed !== lineCount) {
    freeCount -= lineCount - lastUsed
    lowerPage(page, PAGE_HEADER_SIZE + lastUsed * 4)
  }
  if (freeCount > 0) setPageFlag(page, PD_HAS_FREE_LINES)
  else clearPageFlag(page, PD_HAS_FREE_LINES)
}

/** PageTruncateLinePointerArray: drops trailing free line pointers but the first. */
export function truncateLinePointers(page: Uint8Array): void {
  checkPagePointers(page)
  let last = maxOffsetNumber(page)
  while (last > 1 && lpFlags(linePointer(page, last)) === LP_UNUSED) last--
  if (last < maxOffsetNumber(page)) lowerPage(page, PAGE_HEADER_SIZE + last * 4)
  let free = false
  for (let number = last; number >= 1 && !free; number--) free = lpFlags(linePointer(page, number)) === LP_UNUSED
  if (free) setPageFlag(page, PD_HAS_FREE_LINES)
  else clearPageFlag(page, PD_HAS_FREE_LINES)
}

function checkKeptLength(page: Uint8Array, kept: number): void {
  let total = 0
  for (let i = 0; i < kept; i++) total += keptLength[i]!
  const available = pageSpecial(page) - pageLower(page)
  if (total > available) throw new CorruptionError('items longer than the page', { total, available })
}

/**
 * compactify_tuples: the kept items move to the end of the page in the order of their line pointers, the first one
 * last. Items already in place are left alone.
 */
function compactItems(page: Uint8Array, kept: number): void {
  const special = pageSpecial(page)
  let upper = special
  let i = 0
  while (i < kept && upper === keptOffset[i]! + keptLength[i]!) upper -= keptLength[i++]!
  if (i < kept) {
    compactScratch.set(page)
    for (; i < kept; i++) {
      const length = keptLength[i]!
      const from = keptOffset[i]!
      upper -= length
      copyBytes(compactScratch, from, page, upper, length)
      const number = keptNumber[i]!
      const pointer = linePointer(page, number)
      setLinePointer(page, number, upper, lpFlags(pointer), lpLength(pointer))
    }
  }
  page.fill(0, pageUpper(page), upper)
  setPageUpper(page, upper)
}

/** Cuts the line pointer array and zeroes what is cut. */
function lowerPage(page: Uint8Array, lower: number): void {
  page.fill(0, lower, pageLower(page))
  setPageLower(page, lower)
}

/** Line pointers to data at or before `offset` follow that data up by `size` bytes (down when negative). */
function shiftItemsBefore(page: Uint8Array, offset: number, size: number): void {
  const lineCount = maxOffsetNumber(page)
  for (let number = 1; number <= lineCount; number++) {
    const pointer = linePointer(page, number)
    if (lpLength(pointer) === 0 || lpOffset(pointer) > offset) continue
    setLinePointer(page, number, lpOffset(pointer) + size, lpFlags(pointer), lpLength(pointer))
  }
}
