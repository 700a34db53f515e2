import { expect, test } from 'vitest'
import { Lsn } from '../postgres/lsn.ts'
import { advance, formatSegmentName, parseSegmentName, recordEndAt, recordStartAt, segmentEnd } from './segment.ts'

test('segment names are those of Postgres and parse back', () => {
  expect(formatSegmentName(1, Lsn.parse('0/1000000'))).toBe('000000010000000000000001')
  expect(formatSegmentName(1, Lsn.parse('0/FFFFFFFF'))).toBe('0000000100000000000000FF')
  expect(formatSegmentName(0xab, Lsn.parse('12/FF000028'))).toBe('000000AB00000012000000FF')
  expect(parseSegmentName('000000AB00000012000000FF')).toEqual({ timeline: 0xab, startLsn: Lsn.parse('12/FF000000') })
})

test.each([
  '',
  '00000001000000000000001',
  '000000010000000000000100',
  '00000001000000000000000g',
  '0000000100000000000000FF.partial',
])('refuses %j as a segment name', (name) => {
  expect(() => parseSegmentName(name)).toThrow('not a wal segment name')
})

test('a record starts 8-aligned and after a page header that stands there', () => {
  expect(recordStartAt(Lsn.of(0x1000000))).toBe(0x1000028)
  expect(recordStartAt(Lsn.of(0x1001ff9))).toBe(0x1002018)
  expect(recordStartAt(Lsn.of(0x1002018))).toBe(0x1002018)
  expect(recordStartAt(Lsn.of(0x1002019))).toBe(0x1002020)
})

test('record ends count the page headers between and stop at a page end', () => {
  expect(recordEndAt(Lsn.of(0x1000028), 8192 - 40)).toBe(0x1002000)
  expect(recordEndAt(Lsn.of(0x1000028), 8192 - 40 + 1)).toBe(0x1002020)
  expect(advance(Lsn.of(0x1ffff00), 256 + 10)).toBe(0x2000000 + 40 + 10)
})

test('the end of a segment is its own end at a boundary', () => {
  expect(segmentEnd(Lsn.of(0x1000000))).toBe(0x1000000)
  expect(segmentEnd(Lsn.of(0x1000001))).toBe(0x2000000)
})
