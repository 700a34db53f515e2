import type { Disk, DiskFile } from '../../io/disk.ts'
import { compareKeys, keyAfter, maxKey, minKey } from '../layer/packed-key.ts'
import { PageImageLayerWriter } from '../layer/page-image-layer.ts'
import type { ValueSemantics } from '../timeline/timeline-storage.ts'
import { closeInputs, type LayerInput, type OpenInput, openInputs } from './layer-input.ts'
import { chainOf, type ImageSegment } from './segment-chain.ts'
import { timelineIdBytes } from './timeline-id-bytes.ts'
import type { WrittenLayer } from './write-delta-layer.ts'

/** Keys of one piece are listed in memory in steps of at most this many: 18 bytes each. */
const KEYS_PER_STEP_MAX = 8192

export interface WritePageImagesTask {
  readonly timelineId: string
  readonly inputs: readonly LayerInput[]
  /** Ascending, disjoint, within [keyStart, keyEnd). */
  readonly segments: readonly ImageSegment[]
  /** Ascending, disjoint: keys outside do not exist at `lsn`. */
  readonly liveRanges: readonly { readonly start: Uint8Array; readonly end: Uint8Array }[]
  readonly keyStart: Uint8Array
  readonly keyEnd: Uint8Array
  readonly lsn: number
  readonly outputPath: string
  readonly outputBytesTarget: number
}

/**
 * Folds every live key of a range at one LSN into a value and writes page-image layers that together cover the range
 * without a gap. Memory: two blocks an input, the listed keys, one chain, and the writer's buffers.
 */
export async function writePageImages(
  disk: Disk,
  materialize: ValueSemantics['materialize'],
  task: WritePageImagesTask,
): Promise<WrittenLayer[]> {
  const inputs = openInputs(disk, task.inputs)
  const outputs: WrittenLayer[] = []
  let output: { path: string; file: DiskFile; writer: PageImageLayerWriter; keyStart: Uint8Array } | undefined
  const open = (keyStart: Uint8Array) => {
    const path = `${task.outputPath}.${outputs.length}`
    const file = disk.openNow(path, 'create')
    output = { path, file, writer: new PageImageLayerWriter(file, timelineIdBytes(task.timelineId)), keyStart }
    return output
  }
  const finish = (keyEnd: Uint8Array) => {
    if (!output) return
    outputs.push({ path: output.path, ...output.writer.finish(output.keyStart, keyEnd, task.lsn) })
    void output.file.close()
    output = undefined
  }
  try {
    for (const input of inputs) if (input.kind === 'columnar') await input.layer.open()
    let current = open(task.keyStart)
    for (const segment of task.segments) {
      for (const range of task.liveRanges) {
        const start = maxKey(segment.start, range.start)
        const end = minKey(segment.end, range.end)
        if (compareKeys(start, end) >= 0) continue
        for (const key of keysOf(inputs, segment, start, end)) {
          const chain = await chainOf(inputs, segment, key)
          const value = chain && materialize(key, chain)
          if (value === undefined || value.length === 0) continue
          if (current.writer.sizeBytes >= task.outputBytesTarget) {
            finish(key)
            current = open(key)
          }
          current.writer.add(key, value)
        }
      }
    }
    finish(task.keyEnd)
    return outputs
  } finally {
    void output?.file.close()
    closeInputs(inputs)
  }
}

/** Keys that any source has in [start, end), ascending. */
function* keysOf(
  inputs: readonly OpenInput[],
  segment: ImageSegment,
  start: Uint8Array,
  end: Uint8Array,
): Generator<Uint8Array> {
  let from = start
  for (;;) {
    const step = listKeys(inputs, segment, from, end)
    yield* step.keys
    if (step.next === undefined) return
    from = step.next
  }
}

/** The first keys of [start, end), and where to go on. */
function listKeys(
  inputs: readonly OpenInput[],
  segment: ImageSegment,
  start: Uint8Array,
  end: Uint8Array,
): { keys: Uint8Array[]; next: Uint8Array | undefined } {
  const found: Uint8Array[] = []
  // Every source lists up to the bound; only keys below the first bound that was hit are complete.
  let completeEnd = end
  let isCut = false
  for (const { input: number, lsn } of segment.sources) {
    let count = 0
    const visit = (key: Uint8Array): boolean => {
      found.push(key.slice())
      count++
      if (count < KEYS_PER_STEP_MAX) return true
      completeEnd = minKey(completeEnd, keyAfter(key))
      isCut = true
      return false
    }
    const input = inputs[number]!
    if (input.kind === 'delta') input.layer.visitKeys(start, completeEnd, lsn, visit)
    else input.layer.visitKeys(start, completeEnd, visit)
  }
  const sorted = found.filter((key) => compareKeys(key, completeEnd) < 0).sort(compareKeys)
  const keys = sorted.filter((key, i) => i === 0 || compareKeys(sorted[i - 1]!, key) !== 0)
  return { keys, next: isCut && compareKeys(completeEnd, end) < 0 ? completeEnd : undefined }
}
