/**
 * RLE / bit-packing hybrid of Parquet (apache/parquet-format Encodings.md), used for levels and dictionary indexes.
 *
 *   run    := varint(count << 1) value             value in ceil(width / 8) bytes, little-endian
 *   packed := varint(groups << 1 | 1) bits         groups of 8 values, low bits first
 */
import { CorruptionError } from '../../base/errors.ts'

/** Repeats at least this long become a run; shorter ones cost more as a run than in a packed group. */
const RUN_MIN = 16

/** Upper bound of the encoded size of `count` values. */
export function hybridSizeMax(count: number, width: number): number {
  // At worst packed runs and repeats alternate, each with a header of at most 5 bytes and a value of at most 4.
  return 64 + Math.ceil(count / 8) * width + Math.ceil(count / RUN_MIN) * 16
}

/**
 * Encodes values[start, end) into `out` at `at` and returns the end. `out` has room for `hybridSizeMax`.
 *
 * Readers take values in batches of some power of two, counted from the start of the row group, and are several times
 * slower at a packed run that they enter within a group of 8. So every packed run begins at a multiple of 8 of that count:
 * `position` is the first value's, and what comes before the first multiple is written as repeats, be they of one value.
 */
export function encodeHybrid(
  values: Uint8Array | Int32Array,
  start: number,
  end: number,
  width: number,
  out: Uint8Array,
  at: number,
  position = 0,
): number {
  let offset = at
  let index = start
  const alignedStart = Math.min(end, start + ((8 - (position % 8)) % 8))
  while (index < alignedStart) {
    let runEnd = index + 1
    while (runEnd < end && values[runEnd] === values[index]) runEnd++
    if (runEnd < end) runEnd = Math.max(Math.min(runEnd, alignedStart), runEnd - ((runEnd - alignedStart) & 7))
    offset = encodeRepeat(values[index]!, runEnd - index, width, out, offset)
    index = runEnd
  }
  let pending = index
  while (index < end) {
    const value = values[index]!
    let runEnd = index + 1
    while (runEnd < end && values[runEnd] === value) runEnd++
    // A packed run in the middle must hold whole groups of 8: lend it the first values of the repeat, and the last to the next.
    const runStart = index + ((8 - ((index - pending) % 8)) % 8)
    const runStop = runEnd === end ? end : runEnd - ((runEnd - runStart) & 7)
    if (runStop - runStart >= RUN_MIN || (index === pending && runEnd === end)) {
      if (runStart > pending) offset = encodePacked(values, pending, runStart, width, out, offset)
      offset = encodeRepeat(value, runStop - runStart, width, out, offset)
      pending = runStop
      index = runStop
    } else index = runEnd
  }
  if (pending < end) offset = encodePacked(values, pending, end, width, out, offset)
  return offset
}

function encodeRepeat(value: number, count: number, width: number, out: Uint8Array, at: number): number {
  let offset = encodeVarint(count * 2, out, at)
  for (let shift = 0; shift < width; shift += 8) out[offset++] = value >>> shift
  return offset
}

function encodePacked(
  values: Uint8Array | Int32Array,
  start: number,
  end: number,
  width: number,
  out: Uint8Array,
  at: number,
): number {
  const groups = (end - start + 7) >> 3
  let position = encodeVarint(groups * 2 + 1, out, at)
  const stop = position + groups * width
  let bits = 0
  let bitCount = 0
  for (let i = start; i < end; i++) {
    bits |= values[i]! << bitCount
    bitCount += width
    while (bitCount >= 8) {
      out[position++] = bits
      bits >>>= 8
      bitCount -= 8
    }
  }
  if (bitCount > 0) out[position++] = bits
  while (position < stop) out[position++] = 0
  return stop
}

function encodeVarint(value: number, out: Uint8Array, at: number): number {
  let rest = value
  let position = at
  while (rest > 127) {
    out[position++] = (rest & 127) | 128
    rest >>>= 7
  }
  out[position++] = rest
  return position
}

/**
 * Decodes `count` values of bytes[start, end) into `out` from `outStart`. Returns the offset after the last run read.
 * Throws CorruptionError when the bytes end before that many values.
 */
export function decodeHybrid(
  bytes: Uint8Array,
  start: number,
  end: number,
  width: number,
  out: Uint8Array | Int32Array,
  outStart: number,
  count: number,
): number {
  if (width > 32) throw new CorruptionError('parquet bit width too large', { width })
  let position = start
  let at = outStart
  const outEnd = outStart + count
  while (at < outEnd) {
    let header = 0
    for (let shift = 0; ; shift += 7) {
      if (position >= end || shift > 28) throw new CorruptionError('parquet hybrid run ends too early', { position })
      const byte = bytes[position++]!
      header |= (byte & 127) << shift
      if (byte < 128) break
    }
    header >>>= 0
    const length = header >>> 1
    if (length === 0) throw new CorruptionError('parquet hybrid run of no values', { position })
    if ((header & 1) === 0) {
      const valueBytes = (width + 7) >> 3
      if (position + valueBytes > end) throw new CorruptionError('parquet hybrid run ends too early', { position })
      let value = 0
      for (let i = 0; i < valueBytes; i++) value |= bytes[position++]! << (8 * i)
      const stop = Math.min(outEnd, at + length)
      out.fill(value, at, stop)
      at = stop
      continue
    }
    const runEnd = position + length * width
    const wanted = Math.min(outEnd - at, length * 8)
    // Some writers cut the padding of the last group, so only the wanted bits must be there.
    if (position + Math.ceil((wanted * width) / 8) > end) {
      throw new CorruptionError('parquet packed run ends too early', { position })
    }
    if (width <= 24) {
      const mask = (1 << width) - 1
      let bits = 0
      let bitCount = 0
      for (const stop = at + wanted; at < stop; at++) {
        while (bitCount < width) {
          bits |= bytes[position++]! << bitCount
          bitCount += 8
        }
        out[at] = bits & mask
        bits >>>= width
        bitCount -= width
      }
    } else {
      at = unpackWide(bytes, position, width, out, at, wanted)
    }
    position = Math.min(runEnd, end)
  }
  return position
}

function unpackWide(
  bytes: Uint8Array,
  start: number,
  width: number,
  out: Uint8Array | Int32Array,
  outStart: number,
  count: number,
): number {
  for (let i = 0; i < count; i++) {
    let value = 0
    for (let bit = 0; bit < width; bit++) {
      const from = i * width + bit
      if (bytes[start + (from >> 3)]! & (1 << (from & 7))) value |= 1 << bit
    }
    out[outStart + i] = value
  }
  return outStart + count
}

/** Bits needed to hold 0..max. */
export function bitWidth(max: number): number {
  return 32 - Math.clz32(max)
}
