/**
 * Finds the distinct values of a column chunk, or gives up early: a large dictionary is paid by every read of one page
 * (docs/formats/columnar-layer.md). Open addressing over the value bytes, so equal means equal bit by bit.
 */
import { BytesValues, type FixedValues, type Values } from './values.ts'

/** Eleven years of dates. */
export const DICTIONARY_ENTRIES_MAX = 4096
export const DICTIONARY_BYTES_MAX = 16 * 1024
/** Between these numbers of values the count of distinct ones is estimated, and a dictionary given up that would grow too large. */
const [SAMPLE_VALUES_MIN, SAMPLE_VALUES_MAX] = [500, 2048]
/** An estimate is off by a third at the most, nearly always. */
const ESTIMATED_ENTRIES_MAX = DICTIONARY_ENTRIES_MAX * 1.5
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
  if (values instanceof BytesValues) return collectBytes(values)
  if (values.width === 4) return collectWords(values.words, values.count)
  if (values.width === 8) return collectWordPairs(values.words, values.count)
  return collectFixed(values)
}

const table = new Int32Array(TABLE_SIZE)

/** The entries found so far; one at a time, since a thread builds one dictionary after the other. */
class Entries {
  readonly firsts = new Int32Array(DICTIONARY_ENTRIES_MAX)
  count = 0
  #sizeBytes = 0

  /** Makes the value at `index` an entry in `slot` and returns it; -1: the dictionary is not worth it. */
  add(index: number, slot: number, sizeBytes: number): number {
    this.#sizeBytes += sizeBytes
    if (this.count === DICTIONARY_ENTRIES_MAX || this.#sizeBytes > DICTIONARY_BYTES_MAX) return -1
    if (index > SAMPLE_VALUES_MIN && index < SAMPLE_VALUES_MAX && this.#isGrowing(index)) return -1
    this.firsts[this.count] = index
    table[slot] = this.count
    return this.count++
  }

  /** Of n values drawn from m, about n * n / 2m repeat an earlier one. */
  #isGrowing(valueCount: number): boolean {
    const repeated = valueCount - this.count
    return valueCount * valueCount > 2 * repeated * ESTIMATED_ENTRIES_MAX
  }

  finish(indexes: Int32Array): Dictionary {
    return { entries: this.firsts, entryCount: this.count, indexes }
  }
}

// One loop for each width: they run over every value of every column, and a shared one would call through closures.

function collectWords(words: Int32Array, count: number): Dictionary | undefined {
  const entries = new Entries()
  const { firsts } = entries
  const indexes = new Int32Array(count)
  let last = 0
  let entry = -1
  for (let index = 0; index < count; index++) {
    const word = words[index]!
    if (word !== last || entry < 0) {
      let slot = (Math.imul(word, 0x9e3779b1) >>> 15) & (TABLE_SIZE - 1)
      entry = table[slot]!
      while (entry >= 0 && words[firsts[entry]!] !== word) {
        slot = (slot + 1) & (TABLE_SIZE - 1)
        entry = table[slot]!
      }
      if (entry < 0) entry = entries.add(index, slot, 4)
      if (entry < 0) return undefined
      last = word
    }
    indexes[index] = entry
  }
  return entries.finish(indexes)
}

function collectWordPairs(words: Int32Array, count: number): Dictionary | undefined {
  const entries = new Entries()
  const { firsts } = entries
  const indexes = new Int32Array(count)
  let lastLow = 0
  let lastHigh = 0
  let entry = -1
  for (let index = 0; index < count; index++) {
    const low = words[index * 2]!
    const high = words[index * 2 + 1]!
    if (low !== lastLow || high !== lastHigh || entry < 0) {
      const mixed = Math.imul(low, 0x9e3779b1) ^ Math.imul(high, 0x85ebca6b)
      let slot = (mixed ^ (mixed >>> 15)) & (TABLE_SIZE - 1)
      entry = table[slot]!
      while (entry >= 0 && (words[firsts[entry]! * 2] !== low || words[firsts[entry]! * 2 + 1] !== high)) {
        slot = (slot + 1) & (TABLE_SIZE - 1)
        entry = table[slot]!
      }
      if (entry < 0) entry = entries.add(index, slot, 8)
      if (entry < 0) return undefined
      lastLow = low
      lastHigh = high
    }
    indexes[index] = entry
  }
  return entries.finish(indexes)
}

function collectFixed({ bytes, width, count }: FixedValues): Dictionary | undefined {
  const entries = new Entries()
  const { firsts } = entries
  const indexes = new Int32Array(count)
  for (let index = 0; index < count; index++) {
    const at = index * width
    let slot = hash(bytes, at, at + width) & (TABLE_SIZE - 1)
    let entry = table[slot]!
    while (entry >= 0 && !equalBytes(bytes, firsts[entry]! * width, at, width)) {
      slot = (slot + 1) & (TABLE_SIZE - 1)
      entry = table[slot]!
    }
    if (entry < 0) entry = entries.add(index, slot, width)
    if (entry < 0) return undefined
    indexes[index] = entry
  }
  return entries.finish(indexes)
}

function collectBytes({ data, offsets, count }: BytesValues): Dictionary | undefined {
  const entries = new Entries()
  const { firsts } = entries
  const indexes = new Int32Array(count)
  for (let index = 0; index < count; index++) {
    const start = offsets[index]!
    const length = offsets[index + 1]! - start
    let slot = hash(data, start, start + length) & (TABLE_SIZE - 1)
    let entry = table[slot]!
    while (entry >= 0 && !isEntry(data, offsets, firsts[entry]!, start, length)) {
      slot = (slot + 1) & (TABLE_SIZE - 1)
      entry = table[slot]!
    }
    if (entry < 0) entry = entries.add(index, slot, length + 4)
    if (entry < 0) return undefined
    indexes[index] = entry
  }
  return entries.finish(indexes)
}

function isEntry(data: Uint8Array, offsets: Int32Array, first: number, start: number, length: number): boolean {
  const at = offsets[first]!
  return length === offsets[first + 1]! - at && equalBytes(data, at, start, length)
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
