/**
 * Visibility map fork (src/backend/access/heap/visibilitymap.c, PG 18): 2 bits for each heap block, after a page header of
 * 24 bytes.
 */
export const VM_HEAP_BLOCKS_PER_PAGE = 32672
const PAGE_HEADER_SIZE = 24

export const VisibilityBit = { allVisible: 1, allFrozen: 2 } as const

export function vmPage(heapBlock: number): number {
  return Math.floor(heapBlock / VM_HEAP_BLOCKS_PER_PAGE)
}

/** Byte within the VM page. */
export function vmByte(heapBlock: number): number {
  return PAGE_HEADER_SIZE + ((heapBlock % VM_HEAP_BLOCKS_PER_PAGE) >>> 2)
}

export function vmShift(heapBlock: number): number {
  return (heapBlock & 3) * 2
}

export function readVmBits(page: Uint8Array, heapBlock: number): number {
  return (page[vmByte(heapBlock)]! >>> vmShift(heapBlock)) & 3
}
