import { expect, test } from 'vitest'
import { decodeKey, encodeKey, formatKey, KEY_BYTES, KeyKind, KeyScratch } from './key.ts'
import { kindRange, relationForkRange } from './keyspace.ts'

test('bytewise order of keys is the order of their fields', () => {
  const fields = [0, 1, 255, 256, 0xffff, 0x10000, 0xfffffffe, 0xffffffff]
  let previous = Buffer.alloc(0)
  for (const a of fields) {
    for (const e of fields) {
      const key = Buffer.from(encodeKey({ kind: KeyKind.relationBlock, a, e }))
      expect(Buffer.compare(previous, key)).toBe(-1)
      previous = key
    }
  }
})

test('a key decodes to the fields it was made of', () => {
  const fields = { kind: 0x61, a: 1663, b: 0xffffffff, c: 16384, d: 3, e: 0x80000001 }
  const key = encodeKey(fields)
  expect(key.length).toBe(KEY_BYTES)
  expect(decodeKey(key)).toEqual(fields)
  expect(formatKey(key)).toBe('610000067fffffffff000040000380000001')
})

test('the range of a fork holds its last possible block and nothing of the next fork', () => {
  const range = relationForkRange(1663, 5, 16384, 0, 0xffffffff)
  const inside = Buffer.from(new KeyScratch().relationBlock(1663, 5, 16384, 0, 0xfffffffe))
  const outside = Buffer.from(new KeyScratch().relationBlock(1663, 5, 16384, 1, 0))
  expect(Buffer.compare(range.start, inside)).toBeLessThanOrEqual(0)
  expect(Buffer.compare(inside, range.end)).toBe(-1)
  expect(Buffer.compare(outside, range.end)).toBeGreaterThanOrEqual(0)
  const kind = kindRange(KeyKind.relationBlock)
  expect(Buffer.compare(outside, kind.end)).toBe(-1)
})
