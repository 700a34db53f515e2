import { assert } from '../../base/assert.ts'
import type { Disk, DiskFile } from '../../io/disk.ts'
import { KEY_BYTES } from '../key.ts'
import { DELTA_SORT_KEY_BYTES, type DeltaLayer, DeltaLayerWriter, sortLsn } from '../layer/delta-layer.ts'
import { comparePacked } from '../layer/packed-key.ts'
import { closeInputs, type LayerInput, openInputs } from './layer-input.ts'
import { timelineIdBytes } from './timeline-id-bytes.ts'
import type { WrittenLayer } from './write-delta-layer.ts'

export interface MergeDeltaLayersTask {
  readonly timelineId: string
  readonly inputs: readonly LayerInput[]
  /** Outputs are `<outputPath>.0`, `<outputPath>.1`, … */
  readonly outputPath: string
  /** An output ends with the first key that takes it beyond this. */
  readonly outputBytesTarget: number
  readonly startLsn: number
  /** Exclusive. */
  readonly endLsn: number
}

/**
 * Merges delta layers into ones that are cut by key: all versions, in key and LSN order. Memory: two blocks an input and
 * the writer's buffers.
 */
export function mergeDeltaLayers(disk: Disk, task: MergeDeltaLayersTask): WrittenLayer[] {
  const inputs = openInputs(disk, task.inputs)
  const outputs: WrittenLayer[] = []
  let output: { path: string; file: DiskFile; writer: DeltaLayerWriter } | undefined
  try {
    const cursors = inputs.map((input) => {
      assert(input.kind === 'delta', 'only delta layers are merged')
      return new RowCursor(input.layer)
    })
    const lastKey = new Uint8Array(KEY_BYTES)
    const finish = () => {
      if (!output) return
      outputs.push({ path: output.path, ...output.writer.finish(task.startLsn, task.endLsn) })
      void output.file.close()
      output = undefined
    }
    for (let next = smallest(cursors); next; next = smallest(cursors)) {
      const isNewKey = comparePacked(lastKey, 0, next.rows, next.at, KEY_BYTES) !== 0
      if (isNewKey && output && output.writer.sizeBytes >= task.outputBytesTarget) finish()
      if (!output) {
        const path = `${task.outputPath}.${outputs.length}`
        const file = disk.openNow(path, 'create')
        output = { path, file, writer: new DeltaLayerWriter(file, timelineIdBytes(task.timelineId)) }
      }
      const key = next.rows.subarray(next.at, next.at + KEY_BYTES)
      if (isNewKey) lastKey.set(key)
      output.writer.add(
        key,
        sortLsn(next.rows, next.at),
        next.layer.reader.flag(next.row),
        next.layer.reader.value(next.row),
      )
      next.advance()
    }
    finish()
    return outputs
  } finally {
    void output?.file.close()
    closeInputs(inputs)
  }
}

class RowCursor {
  readonly layer: DeltaLayer
  row = 0
  rows: Uint8Array = new Uint8Array(0)
  at = 0

  constructor(layer: DeltaLayer) {
    this.layer = layer
    this.#load()
  }

  get isAtEnd(): boolean {
    return this.row >= this.layer.reader.rowCount
  }

  advance(): void {
    this.row++
    this.#load()
  }

  #load(): void {
    if (this.isAtEnd) return
    this.rows = this.layer.reader.rowsOf(this.row)
    this.at = this.layer.reader.rowOffset(this.row)
  }
}

/** The cursor with the smallest sort key. Inputs are few, so a scan beats a heap. */
function smallest(cursors: readonly RowCursor[]): RowCursor | undefined {
  let best: RowCursor | undefined
  for (const cursor of cursors) {
    if (cursor.isAtEnd) continue
    if (!best || comparePacked(cursor.rows, cursor.at, best.rows, best.at, DELTA_SORT_KEY_BYTES) < 0) best = cursor
  }
  return best
}
