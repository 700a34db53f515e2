import { Fork } from '../../postgres/relation.ts'
import { encodeBlockChange, encodeVisibilityClear } from '../../redo/page-change.ts'
import { type VisibilityClear, visibilityClears } from '../../redo/visibility-clears.ts'
import { vmBlockOfHeapBlock } from '../../redo/visibility-map.ts'
import type { DecodedRecord, WalRecord } from '../../wal/record.ts'
import type { ChangeWriter } from './change-writer.ts'

/** One value for each block reference of the record: an image where the record brings one, else the record itself. */
export function ingestBlocks(writer: ChangeWriter, record: WalRecord, decoded: DecodedRecord): void {
  for (let i = 0; i < decoded.blockCount; i++) {
    const block = decoded.blocks[i]!
    const change = encodeBlockChange(record, decoded, block)
    if (!change) continue
    const { spcOid, dbOid, relNumber, fork, blockNumber } = block
    writer.block(spcOid, dbOid, relNumber, fork, blockNumber, change.willInit, change.value)
  }
}

/**
 * Clears the visibility bits that a heap record drops without naming the map's page. Bits of map pages that do not exist
 * need no clearing: Postgres has been seen to ask for it.
 */
export function ingestVisibilityClears(writer: ChangeWriter, decoded: DecodedRecord): void {
  const clears = visibilityClears(decoded)
  if (clears.length === 0) return
  const first = clears[0]!
  const second = clears[1]
  if (second && vmBlockOfHeapBlock(first.heapBlock) === vmBlockOfHeapBlock(second.heapBlock)) {
    clearOnMapPage(writer, decoded, clears)
    return
  }
  for (const clear of clears) clearOnMapPage(writer, decoded, [clear])
}

/** All of `clears` lie on one page of the map. */
function clearOnMapPage(writer: ChangeWriter, decoded: DecodedRecord, clears: readonly VisibilityClear[]): void {
  const { spcOid, dbOid, relNumber } = decoded.blocks[0]!
  const mapBlock = vmBlockOfHeapBlock(clears[0]!.heapBlock)
  if (mapBlock >= writer.sizes.get(spcOid, dbOid, relNumber, Fork.vm)) return
  writer.block(spcOid, dbOid, relNumber, Fork.vm, mapBlock, false, encodeVisibilityClear(clears))
}
