import { CorruptionError } from '../../base/errors.ts'

/**
 * What Heap and Heap2 records mean outside the pages they name (src/include/access/heapam_xlog.h, PG 18): visibility-map
 * bits that no block reference announces. The bodies belong to redo.
 */
export const HeapOpcode = {
  insert: 0x00,
  delete: 0x10,
  update: 0x20,
  truncate: 0x30,
  hotUpdate: 0x40,
  confirm: 0x50,
  lock: 0x60,
  inplace: 0x70,
} as const

export const Heap2Opcode = {
  rewrite: 0x00,
  pruneOnAccess: 0x10,
  pruneVacuumScan: 0x20,
  pruneVacuumCleanup: 0x30,
  visible: 0x40,
  multiInsert: 0x50,
  lockUpdated: 0x60,
  newCid: 0x70,
} as const

export const HEAP_OPCODE_MASK = 0x70
/** XLOG_HEAP_INIT_PAGE: redo initialises the page. */
export const HEAP_INIT_PAGE = 0x80

/** XLH_* bits about the visibility map; the other bits of the same bytes belong to redo. */
export const HeapFlag = {
  insertAllVisibleCleared: 0x01,
  insertAllFrozenSet: 0x20,
  deleteAllVisibleCleared: 0x01,
  updateOldAllVisibleCleared: 0x01,
  updateNewAllVisibleCleared: 0x02,
  lockAllFrozenCleared: 0x01,
} as const

/** Byte of the flags in the main data, and the main data's shortest length, by `info & 0x70`. */
const HEAP_FLAGS_OFFSET: Readonly<Record<number, number>> = {
  [HeapOpcode.insert]: 2,
  [HeapOpcode.delete]: 7,
  [HeapOpcode.update]: 7,
  [HeapOpcode.hotUpdate]: 7,
  [HeapOpcode.lock]: 7,
}
const HEAP2_FLAGS_OFFSET: Readonly<Record<number, number>> = {
  [Heap2Opcode.multiInsert]: 0,
  [Heap2Opcode.lockUpdated]: 7,
}

/** The flags byte of a Heap record; 0 for those without one (TRUNCATE, CONFIRM, INPLACE). */
export function readHeapFlags(mainData: Uint8Array, info: number): number {
  return flagsAt(mainData, HEAP_FLAGS_OFFSET[info & HEAP_OPCODE_MASK])
}

/** The flags byte of a Heap2 record that carries visibility flags (MULTI_INSERT, LOCK_UPDATED); 0 for the others. */
export function readHeap2Flags(mainData: Uint8Array, info: number): number {
  return flagsAt(mainData, HEAP2_FLAGS_OFFSET[info & HEAP_OPCODE_MASK])
}

function flagsAt(mainData: Uint8Array, offset: number | undefined): number {
  if (offset === undefined) return 0
  const flags = mainData[offset]
  if (flags === undefined)
    throw new CorruptionError('heap record is too short for its flags', { length: mainData.length })
  return flags
}
