/**
 * Pages of the free-space-map fork (src/backend/storage/freespace/fsmpage.c, src/include/storage/fsm_internals.h,
 * PG 18): page header, u32 next slot, then a binary tree of one-byte nodes in which a parent is the maximum of its
 * children; the leaves are the slots.
 */
import { CorruptionError } from '../base/errors.ts'
import { PAGE_SIZE } from '../postgres/constants.ts'
import { PAGE_HEADER_SIZE } from './page.ts'

const NODES_AT = PAGE_HEADER_SIZE + 4
const NODES_PER_PAGE = PAGE_SIZE - NODES_AT
const NON_LEAF_NODES_PER_PAGE = PAGE_SIZE / 2 - 1
/** SlotsPerFSMPage. */
export const SLOTS_PER_FSM_PAGE = NODES_PER_PAGE - NON_LEAF_NODES_PER_PAGE

/** Zeroes the slots from `firstSlot` on and rebuilds the tree above them (fsm_truncate_avail, fsm_rebuild_page). */
export function clearFreeSpaceTail(page: Uint8Array, firstSlot: number): void {
  if (firstSlot > SLOTS_PER_FSM_PAGE) throw new CorruptionError('slot not on a free-space-map page', { firstSlot })
  page.fill(0, NODES_AT + NON_LEAF_NODES_PER_PAGE + firstSlot, PAGE_SIZE)
  for (let node = NON_LEAF_NODES_PER_PAGE - 1; node >= 0; node--) {
    const left = 2 * node + 1
    const leftValue = left < NODES_PER_PAGE ? page[NODES_AT + left]! : 0
    const rightValue = left + 1 < NODES_PER_PAGE ? page[NODES_AT + left + 1]! : 0
    page[NODES_AT + node] = Math.max(leftValue, rightValue)
  }
}
