/**
 * The portable 64-bit roaring format of deletion vectors (github.com/RoaringBitmap/RoaringFormatSpec), little-endian:
 *
 *   u64 buckets, then for each: u32 high half of the positions, a 32-bit bitmap
 *   bitmap without runs   u32 12346, u32 containers
 *   bitmap with runs      u32 12347 | (containers - 1) << 16, one bit a container: it is a run container
 *   then                  (u16 key, u16 cardinality - 1) each; u32 offset each (left out with runs and fewer than 4)
 *   container             u16 each up to 4096 | 8192 bytes of bits | u16 runs, (u16 start, u16 length - 1) each
 */
import { ByteReader } from '../base/byte-reader.ts'
import { CorruptionError } from '../base/errors.ts'

const COOKIE_WITHOUT_RUNS = 12346
const COOKIE_WITH_RUNS = 12347
const ARRAY_VALUES_MAX = 4096
const BITMAP_BYTES = 8192
const OFFSETS_WITH_RUNS_MIN = 4
const TWO_32 = 0x1_0000_0000
/** Positions in one vector; a file of this many rows would be past any bound of ours. */
const POSITIONS_MAX = 1 << 30

interface Container {
  /** Bits 16 to 31 of its values. */
  readonly key: number
  readonly cardinality: number
  readonly isRun: boolean
  readonly bytes: Uint8Array
}

/** `positions` ascending, without repetition, below 2^48. */
export function encodeRoaring(positions: ArrayLike<number>): Uint8Array {
  const buckets: { high: number; containers: Container[] }[] = []
  for (let start = 0; start < positions.length; ) {
    const high = Math.floor(positions[start]! / TWO_32)
    const key = ((positions[start]! % TWO_32) / 65536) | 0
    let end = start + 1
    while (end < positions.length && Math.floor(positions[end]! / 65536) === Math.floor(positions[start]! / 65536)) {
      end++
    }
    const low: number[] = []
    for (let i = start; i < end; i++) low.push(positions[i]! % 65536)
    const last = buckets.at(-1)
    const bucket = last?.high === high ? last : buckets[buckets.push({ high, containers: [] }) - 1]!
    bucket.containers.push(encodeContainer(key, low))
    start = end
  }
  const parts = [littleEndian64(buckets.length)]
  for (const { high, containers } of buckets) parts.push(littleEndian32(high), ...encodeBitmap(containers))
  return concat(parts)
}

/** Ascending. Throws CorruptionError for bytes that are no such bitmap. */
export function decodeRoaring(bytes: Uint8Array): number[] {
  const reader = new ByteReader(bytes, 'roaring bitmap')
  const positions: number[] = []
  const bucketCount = reader.u32()
  if (reader.u32() !== 0) throw new CorruptionError('roaring bitmap of too many buckets')
  for (let i = 0; i < bucketCount; i++) decodeBitmap(reader, reader.u32() * TWO_32, positions)
  if (reader.offset !== bytes.length) throw new CorruptionError('bytes after a roaring bitmap', { at: reader.offset })
  return positions
}

function encodeContainer(key: number, low: readonly number[]): Container {
  const runs: [start: number, length: number][] = []
  for (const value of low) {
    const run = runs.at(-1)
    if (run && value === run[0] + run[1]) run[1]++
    else runs.push([value, 1])
  }
  const runBytes = 2 + 4 * runs.length
  const plainBytes = low.length <= ARRAY_VALUES_MAX ? 2 * low.length : BITMAP_BYTES
  const isRun = runBytes < plainBytes
  const view = new DataView(new ArrayBuffer(isRun ? runBytes : plainBytes))
  if (isRun) {
    view.setUint16(0, runs.length, true)
    runs.forEach(([start, length], i) => {
      view.setUint16(2 + 4 * i, start, true)
      view.setUint16(4 + 4 * i, length - 1, true)
    })
  } else if (low.length <= ARRAY_VALUES_MAX) {
    low.forEach((value, i) => {
      view.setUint16(2 * i, value, true)
    })
  } else {
    for (const value of low) view.setUint8(value >> 3, view.getUint8(value >> 3) | (1 << (value & 7)))
  }
  return { key, cardinality: low.length, isRun, bytes: new Uint8Array(view.buffer) }
}

function encodeBitmap(containers: readonly Container[]): Uint8Array[] {
  const count = containers.length
  const hasRuns = containers.some(({ isRun }) => isRun)
  const cookieBytes = hasRuns ? 4 + Math.ceil(count / 8) : 8
  const hasOffsets = !hasRuns || count >= OFFSETS_WITH_RUNS_MIN
  const headBytes = cookieBytes + 4 * count + (hasOffsets ? 4 * count : 0)
  const view = new DataView(new ArrayBuffer(headBytes))
  if (hasRuns) {
    view.setUint32(0, (COOKIE_WITH_RUNS | ((count - 1) << 16)) >>> 0, true)
    containers.forEach(({ isRun }, i) => {
      const at = 4 + (i >> 3)
      if (isRun) view.setUint8(at, view.getUint8(at) | (1 << (i & 7)))
    })
  } else {
    view.setUint32(0, COOKIE_WITHOUT_RUNS, true)
    view.setUint32(4, count, true)
  }
  let offset = headBytes
  containers.forEach(({ key, cardinality, bytes }, i) => {
    view.setUint16(cookieBytes + 4 * i, key, true)
    view.setUint16(cookieBytes + 4 * i + 2, cardinality - 1, true)
    if (hasOffsets) view.setUint32(cookieBytes + 4 * count + 4 * i, offset, true)
    offset += bytes.length
  })
  return [new Uint8Array(view.buffer), ...containers.map(({ bytes }) => bytes)]
}

function decodeBitmap(reader: ByteReader, base: number, positions: number[]): void {
  const cookie = reader.u32()
  const hasRuns = (cookie & 0xffff) === COOKIE_WITH_RUNS
  if (!hasRuns && cookie !== COOKIE_WITHOUT_RUNS) throw new CorruptionError('not a roaring bitmap', { cookie })
  const count = hasRuns ? (cookie >>> 16) + 1 : reader.u32()
  if (count > 65536) throw new CorruptionError('roaring bitmap of too many containers', { count })
  const runFlags = hasRuns ? reader.take(Math.ceil(count / 8)) : new Uint8Array(0)
  const keys = Array.from({ length: count }, () => ({ key: reader.u16(), cardinality: reader.u16() + 1 }))
  if (!hasRuns || count >= OFFSETS_WITH_RUNS_MIN) reader.skip(4 * count)
  keys.forEach(({ key, cardinality }, i) => {
    const from = base + key * 65536
    if (positions.length + cardinality > POSITIONS_MAX) throw new CorruptionError('roaring bitmap too large')
    const before = positions.length
    if (hasRuns && (runFlags[i >> 3]! & (1 << (i & 7))) !== 0) {
      for (let runs = reader.u16(); runs > 0; runs--) {
        const start = reader.u16()
        const last = start + reader.u16()
        for (let value = start; value <= last; value++) positions.push(from + value)
      }
    } else if (cardinality <= ARRAY_VALUES_MAX) {
      for (let value = 0; value < cardinality; value++) positions.push(from + reader.u16())
    } else {
      const bits = reader.take(BITMAP_BYTES)
      for (let value = 0; value < 65536; value++) {
        if ((bits[value >> 3]! & (1 << (value & 7))) !== 0) positions.push(from + value)
      }
    }
    if (positions.length - before !== cardinality) {
      throw new CorruptionError('roaring container of another size', { cardinality, got: positions.length - before })
    }
  })
}

function littleEndian32(value: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(4))
  view.setUint32(0, value, true)
  return new Uint8Array(view.buffer)
}

function littleEndian64(value: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(8))
  view.setUint32(0, value, true)
  return new Uint8Array(view.buffer)
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
