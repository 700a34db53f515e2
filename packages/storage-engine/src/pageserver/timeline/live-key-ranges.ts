import type { Lsn } from '../../postgres/lsn.ts'
import { decodeKey, KeyKind, type Slru } from '../key.ts'
import { type KeyRange, kindRange, relationForkRange, slruSegmentRange, WHOLE_KINDS } from '../keyspace.ts'
import { decodeCount } from './relation-size.ts'
import type { TimelineStorage } from './timeline-storage.ts'

/** Every key that exists at `lsn` lies in one of these ranges, sorted and disjoint: what image layers must cover. */
export async function liveKeyRanges(storage: TimelineStorage, lsn: Lsn): Promise<KeyRange[]> {
  const ranges: KeyRange[] = WHOLE_KINDS.map(kindRange)
  const sizes = kindRange(KeyKind.relationSize)
  for (const { key, value } of await storage.scan(sizes.start, sizes.end, lsn)) {
    const { a, b, c, d } = decodeKey(key)
    const blockCount = decodeCount(value)
    if (blockCount > 0) ranges.push(relationForkRange(a, b, c, d, blockCount))
  }
  const segments = kindRange(KeyKind.slruSegment)
  for (const { key, value } of await storage.scan(segments.start, segments.end, lsn)) {
    const { a, c } = decodeKey(key)
    ranges.push(slruSegmentRange(a as Slru, c, decodeCount(value)))
  }
  return ranges.sort((x, y) => compareBytes(x.start, y.start))
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!
  return 0
}
