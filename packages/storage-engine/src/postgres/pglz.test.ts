import { expect, test } from 'vitest'
import { CorruptionError } from '../base/errors.ts'
import { decompressPglz } from './pglz.ts'

function decompress(source: number[], targetLength: number): string {
  const target = new Uint8Array(targetLength)
  decompressPglz(Uint8Array.from(source), target)
  return Buffer.from(target).toString('latin1')
}

test('literals, copies and copies that overlap themselves', () => {
  expect(decompress([0b000, 0x61, 0x62, 0x63], 3)).toBe('abc')
  expect(decompress([0b1000, 0x61, 0x62, 0x63, 0x00, 0x03], 6)).toBe('abcabc')
  expect(decompress([0b10, 0x61, 0x02, 0x01], 6)).toBe('aaaaaa')
})

test('a length nibble of 15 takes one more byte', () => {
  expect(decompress([0b10, 0x61, 0x0f, 0x01, 0xff], 1 + 18 + 255)).toBe('a'.repeat(274))
})

test('a 12-bit distance has its high bits in the tag', () => {
  const literals: number[] = []
  for (let at = 0; at < 304; at += 8) literals.push(0, ...Array.from({ length: 8 }, (_, i) => (at + i) & 255))
  const text = decompress([...literals, 1, 0x10, 0x2c], 304 + 3)
  expect(text.slice(304)).toBe(text.slice(4, 7))
})

test.each<[string, number[], number]>([
  ['a copy from before the start', [1, 0x00, 0x01], 3],
  ['a copy over no distance', [0b10, 0x61, 0x00, 0x00], 4],
  ['a tag cut short', [0b10, 0x61, 0x00], 4],
  ['a length byte cut short', [0b10, 0x61, 0x0f, 0x01], 40],
  ['too little', [0, 0x61], 2],
  ['too much', [0, 0x61, 0x62], 1],
  ['nothing', [], 1],
])('%s is corruption', (_what, source, targetLength) => {
  expect(() => decompress(source, targetLength)).toThrow(CorruptionError)
})
