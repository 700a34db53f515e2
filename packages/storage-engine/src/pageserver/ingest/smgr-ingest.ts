import { ByteReader } from '../../base/byte-reader.ts'
import { Fork } from '../../postgres/relation.ts'
import { SLOTS_PER_FSM_PAGE } from '../../redo/free-space-map.ts'
import { encodeFreeSpaceTruncation, encodeVisibilityTruncation } from '../../redo/page-change.ts'
import { HEAP_BLOCKS_PER_VM_PAGE, vmBlockOfHeapBlock } from '../../redo/visibility-map.ts'
import type { DecodedRecord } from '../../wal/record.ts'
import type { ChangeWriter } from './change-writer.ts'
import type { IngestContext } from './wal-ingest.ts'

/** src/include/catalog/storage_xlog.h, PG 18. */
const Type = { create: 0x10, truncate: 0x20 } as const
const TruncateFlag = { heap: 1, vm: 2, fsm: 4 } as const
/** FSM_TREE_DEPTH (src/include/storage/fsm_internals.h) with 8 KiB pages. */
const FSM_TREE_DEPTH = 3

/** smgr_redo (src/backend/catalog/storage.c, PG 18). False: not a record type of Storage. */
export function ingestSmgr(context: IngestContext, decoded: DecodedRecord): boolean {
  const data = new ByteReader(decoded.mainData, 'wal record')
  switch (decoded.opcode) {
    case Type.create: {
      const spcOid = data.u32()
      const dbOid = data.u32()
      const relNumber = data.u32()
      context.writer.createFork(spcOid, dbOid, relNumber, data.u32())
      return true
    }
    case Type.truncate: {
      const blockCount = data.u32()
      const relation: Relation = { spcOid: data.u32(), dbOid: data.u32(), relNumber: data.u32() }
      const flags = data.u32()
      if (flags & TruncateFlag.heap) cutFork(context.writer, relation, Fork.main, blockCount)
      if (flags & TruncateFlag.vm) truncateVisibilityMap(context.writer, relation, blockCount)
      if (flags & TruncateFlag.fsm) truncateFreeSpaceMap(context.writer, relation, blockCount)
      return true
    }
    default:
      return false
  }
}

interface Relation {
  readonly spcOid: number
  readonly dbOid: number
  readonly relNumber: number
}

function cutFork(writer: ChangeWriter, relation: Relation, fork: Fork, blockCount: number): void {
  const { spcOid, dbOid, relNumber } = relation
  if (writer.sizes.get(spcOid, dbOid, relNumber, fork) <= blockCount) return
  writer.setForkSize(spcOid, dbOid, relNumber, fork, blockCount)
}

/** visibilitymap_prepare_truncate: there is no other chance to clear these bits before the heap grows again. */
function truncateVisibilityMap(writer: ChangeWriter, relation: Relation, heapBlockCount: number): void {
  const { spcOid, dbOid, relNumber } = relation
  const lastPage = vmBlockOfHeapBlock(heapBlockCount)
  if (writer.sizes.get(spcOid, dbOid, relNumber, Fork.vm) <= lastPage) return
  if (heapBlockCount % HEAP_BLOCKS_PER_VM_PAGE === 0) {
    cutFork(writer, relation, Fork.vm, lastPage)
    return
  }
  writer.block(spcOid, dbOid, relNumber, Fork.vm, lastPage, false, encodeVisibilityTruncation(heapBlockCount))
  cutFork(writer, relation, Fork.vm, lastPage + 1)
}

/** FreeSpaceMapPrepareTruncateRel. */
function truncateFreeSpaceMap(writer: ChangeWriter, relation: Relation, heapBlockCount: number): void {
  const { spcOid, dbOid, relNumber } = relation
  const firstSlot = heapBlockCount % SLOTS_PER_FSM_PAGE
  const lastPage = fsmLeafBlock(Math.floor(heapBlockCount / SLOTS_PER_FSM_PAGE))
  if (writer.sizes.get(spcOid, dbOid, relNumber, Fork.fsm) <= lastPage) return
  if (firstSlot === 0) {
    cutFork(writer, relation, Fork.fsm, lastPage)
    return
  }
  writer.block(spcOid, dbOid, relNumber, Fork.fsm, lastPage, false, encodeFreeSpaceTruncation(firstSlot))
  cutFork(writer, relation, Fork.fsm, lastPage + 1)
}

/** Block of a leaf page, counting the upper pages laid out before it (fsm_logical_to_physical). */
function fsmLeafBlock(leaf: number): number {
  let pages = 0
  let index = leaf
  for (let level = 0; level < FSM_TREE_DEPTH; level++) {
    pages += index + 1
    index = Math.floor(index / SLOTS_PER_FSM_PAGE)
  }
  return pages - 1
}
