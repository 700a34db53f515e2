import { expect, test } from 'vitest'
import { bytesToGib, gibToBytes, hoursToSeconds, parseDays, parseLimit, secondsToHours } from './quota-fields.ts'

test('an empty limit is no limit, and zero is zero', () => {
  expect(parseLimit('  ')).toBeNull()
  expect(parseLimit('0')).toBe(0)
  expect(parseLimit('1,5')).toBe(1.5)
  expect(parseLimit('-1')).toBeUndefined()
  expect(parseLimit('ten')).toBeUndefined()
})

test('limits survive the way to bytes and seconds and back', () => {
  expect(bytesToGib(gibToBytes(2.5))).toBe('2.5')
  expect(bytesToGib(null)).toBe('')
  expect(secondsToHours(hoursToSeconds(1.25))).toBe('1.25')
})

test.each([
  ['7', 604_800],
  ['0.05', 4_320],
  ['0.01', undefined],
  ['31', undefined],
  ['', undefined],
])('history of %j days is %s seconds', (text, seconds) => expect(parseDays(text)).toBe(seconds))
