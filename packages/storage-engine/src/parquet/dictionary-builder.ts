/**
 * Finds the distinct values of a column chunk, or gives up early: a large dictionary is paid by every read of one page
 * (docs/formats/columnar-layer.md). Open addressing over the value bytes, so equal means equal bit by bit.
 */
import { BytesValues, type Values } from './values.ts'

export const DICTIONARY_ENTRIES_MAX = 2048
export const DICTIONARY_BYTES_MAX = 16 * 1024
/** After this many values, a dictionary with more than half of them distinct is given up. */
const SAMPLE_VALUES = 500
/** Power of two, four times the entries. */
const TABLE_SIZE = DICTIONARY_ENTRIES_MAX * 4

export interface Dictionary {
  /** Index in the column's values of each entry's first occurrence. */
  readonly entries: Int32Array
  readonly entryCount: number
  /** Entry of each value. */
  readonly indexes: Int32Array
}

export function buildDictionary(values: Values): Dictionary | undefined {
  if (values.count === 0) return undefined
  table.fill(-1)
  return values instanceof BytesValues
    ? collect(
        values.count,
        (index) => values.offsets[index + 1]! - values.offsets[index]! + 4,
        bytesHash(values),
        bytesEqual(values),
      )
    : values.width === 4
      ? collectInt32(values.bytes, values.count)
      : collect(
          values.count,
          () => values.width,
          fixedHash(values.bytes, values.width),
          fixedEqual(values.bytes, values.width),
        )
}

const table = new Int32Array(TABLE_SIZE)

function collect(
  count: number,
  sizeOf: (index: number) => number,
  hashOf: (index: number) => number,
  equal: (a: number, b: number) => boolean,
): Dictionary | undefined {
  const entries = new Int32Array(DICTIONARY_ENTRIES_MAX)
  const indexes = new Int32Array(count)
  let entryCount = 0
  let sizeBytes = 0
  for (let index = 0; index < count; index++) {
    let slot = hashOf(index) & (TABLE_SIZE - 1)
    let entry = table[slot]!
    while (entry >= 0 && !equal(entries[entry]!, index)) {
      slot = (slot + 1) & (TABLE_SIZE - 1)
      entry = table[slot]!
    }
    if (entry < 0) {
      sizeBytes += sizeOf(index)
      if (entryCount === DICTIONARY_ENTRIES_MAX || sizeBytes > DICTIONARY_BYTES_MAX) return undefined
      if (index > SAMPLE_VALUES && entryCount * 2 > index) return undefined
      entry = entryCount++
      entries[entry] = index
      table[slot] = entry
    }
    indexes[index] = entry
  }
  return { entries, entryCount, indexes }
}

function collectInt32(bytes: Uint8Array, count: number): Dictionary | undefined {
  const words = int32View(bytes, count)
  return collect(
    count,
    () => 4,
    (index) => Math.imul(words[index]!, 0x9e3779b1) >>> 15,
    (a, b) => words[a] === words[b],
  )
}

/** The values as words: in place where aligned, else a copy. */
function int32View(bytes: Uint8Array, count: number): Int32Array {
  if (bytes.byteOffset % 4 === 0) return new Int32Array(bytes.buffer, bytes.byteOffset, count)
  return new Int32Array(bytes.slice(0, count * 4).buffer)
}

function fixedHash(bytes: Uint8Array, width: number): (index: number) => number {
  return (index) => hash(bytes, index * width, index * width + width)
}

function fixedEqual(bytes: Uint8Array, width: number): (a: number, b: number) => boolean {
  return (a, b) => equalBytes(bytes, a * width, b * width, width)
}

function bytesHash(values: BytesValues): (index: number) => number {
  const { data, offsets } = values
  return (index) => hash(data, offsets[index]!, offsets[index + 1]!)
}

function bytesEqual(values: BytesValues): (a: number, b: number) => boolean {
  const { data, offsets } = values
  return (a, b) => {
    const length = offsets[a + 1]! - offsets[a]!
    return length === offsets[b + 1]! - offsets[b]! && equalBytes(data, offsets[a]!, offsets[b]!, length)
  }
}

/** FNV-1a over at most the first 32 and the last byte: long values differ early or are not worth a dictionary. */
function hash(bytes: Uint8Array, start: number, end: number): number {
  let value = 0x811c9dc5 ^ (end - start)
  const stop = Math.min(end, start + 32)
  for (let i = start; i < stop; i++) value = Math.imul(value ^ bytes[i]!, 0x01000193)
  if (end > start) value = Math.imul(value ^ bytes[end - 1]!, 0x01000193)
  return value ^ (value >>> 15)
}

function equalBytes(bytes: Uint8Array, a: number, b: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (bytes[a + i] !== bytes[b + i]) return false
  return true
}
