/**
 * Pages of the visibility-map fork (src/backend/access/heap/visibilitymap.c, PG 18): after the page header two bits a
 * heap block, 1 all-visible, 2 all-frozen; four heap blocks a byte.
 */
import { CorruptionError } from '../base/errors.ts'
import { PAGE_SIZE } from '../postgres/constants.ts'
import { PAGE_HEADER_SIZE } from './page.ts'

export const VISIBILITYMAP_ALL_VISIBLE = 1
export const VISIBILITYMAP_ALL_FROZEN = 2
export const VISIBILITYMAP_VALID_BITS = 3

/** HEAPBLOCKS_PER_PAGE. */
export const HEAP_BLOCKS_PER_VM_PAGE = (PAGE_SIZE - PAGE_HEADER_SIZE) * 4

/** Block of the visibility-map fork that holds the bits of a heap block (HEAPBLK_TO_MAPBLOCK). */
export function vmBlockOfHeapBlock(heapBlock: number): number {
  return Math.floor(heapBlock / HEAP_BLOCKS_PER_VM_PAGE)
}

/** Sets bits of one heap block; `vmBlock` is the number of this page. */
export function setVisibilityBits(page: Uint8Array, vmBlock: number, heapBlock: number, bits: number): void {
  const index = heapBlock - vmBlock * HEAP_BLOCKS_PER_VM_PAGE
  checkIndex(index, vmBlock, heapBlock)
  page[PAGE_HEADER_SIZE + (index >> 2)]! |= bits << ((index & 3) * 2)
}

export function clearVisibilityBits(page: Uint8Array, vmBlock: number, heapBlock: number, bits: number): void {
  const index = heapBlock - vmBlock * HEAP_BLOCKS_PER_VM_PAGE
  checkIndex(index, vmBlock, heapBlock)
  page[PAGE_HEADER_SIZE + (index >> 2)]! &= ~(bits << ((index & 3) * 2))
}

/** Clears the bits of all heap blocks from `heapBlockCount` on (visibilitymap_prepare_truncate). */
export function clearVisibilityTail(page: Uint8Array, vmBlock: number, heapBlockCount: number): void {
  const index = heapBlockCount - vmBlock * HEAP_BLOCKS_PER_VM_PAGE
  checkIndex(index, vmBlock, heapBlockCount)
  const at = PAGE_HEADER_SIZE + (index >> 2)
  page[at]! &= (1 << ((index & 3) * 2)) - 1
  page.fill(0, at + 1)
}

function checkIndex(index: number, vmBlock: number, heapBlock: number): void {
  if (index < 0 || index >= HEAP_BLOCKS_PER_VM_PAGE) {
    throw new CorruptionError('heap block not on this visibility-map page', { vmBlock, heapBlock })
  }
}
