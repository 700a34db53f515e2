import { assert } from '../../base/assert.ts'
import type { Disk } from '../../io/disk.ts'
import { blockOf } from '../layer/open-layer-index.ts'
import { closeInputs, type LayerInput, openInputs } from './layer-input.ts'

export interface ListChangedBlocksTask {
  /** A delta layer. */
  readonly input: LayerInput
  /** Ranges of one fork's block keys; versions in (floorLsn, lsn] count. */
  readonly ranges: readonly {
    readonly start: Uint8Array
    readonly end: Uint8Array
    readonly floorLsn: number
    readonly lsn: number
  }[]
}

/** Numbers of the blocks that a delta layer has versions of. */
export function listChangedBlocks(disk: Disk, task: ListChangedBlocksTask): Uint32Array {
  const inputs = openInputs(disk, [task.input])
  try {
    const input = inputs[0]!
    assert(input.kind === 'delta', 'changes are in delta layers')
    const blocks: number[] = []
    for (const { start, end, floorLsn, lsn } of task.ranges) {
      const add = (key: Uint8Array) => {
        blocks.push(blockOf(key, 0))
        return true
      }
      input.layer.visitKeys(start, end, lsn, add, floorLsn)
    }
    return Uint32Array.from(blocks)
  } finally {
    closeInputs(inputs)
  }
}
