import { StorageError } from '../../base/errors.ts'
import { formatKey } from '../key.ts'
import { ChainBuilder } from '../layer/chain-builder.ts'
import { compareKeys } from '../layer/packed-key.ts'
import type { OpenInput } from './layer-input.ts'

/** A range of keys whose reads all visit the same layers. */
export interface ImageSegment {
  readonly start: Uint8Array
  readonly end: Uint8Array
  /** Newest first. `lsn` is the highest to read there: lower in an ancestor. Versions at or below `floorLsn` are left. */
  readonly sources: readonly { readonly input: number; readonly lsn: number; readonly floorLsn: number }[]
}

/** The complete chain of a key at the segment's LSN, or undefined when it does not exist there. */
export async function chainOf(
  inputs: readonly OpenInput[],
  segment: ImageSegment,
  key: Uint8Array,
): Promise<ChainBuilder | undefined> {
  const chain = new ChainBuilder()
  for (const { input: number, lsn, floorLsn } of segment.sources) {
    const input = inputs[number]!
    if (input.kind === 'delta') input.layer.collect(key, 0, floorLsn, lsn, chain)
    else if (input.kind === 'page-image') input.layer.collect(key, 0, chain)
    else {
      await input.layer.prepare(key)
      input.layer.collect(key, chain)
    }
    if (chain.isDone) break
  }
  if (chain.values.length === 0) return undefined
  if (!chain.complete) {
    throw new StorageError('corruption', 'a live key has no complete history', { key: formatKey(key) })
  }
  return chain.values.length === 1 && chain.values[0]!.length === 0 ? undefined : chain
}

/** The segment that holds a key, by binary search; undefined: no layer speaks for it. */
export function segmentOf(segments: readonly ImageSegment[], key: Uint8Array): ImageSegment | undefined {
  let low = 0
  let high = segments.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compareKeys(segments[middle]!.start, key) <= 0) low = middle + 1
    else high = middle
  }
  const segment = segments[low - 1]
  return segment && compareKeys(key, segment.end) < 0 ? segment : undefined
}
