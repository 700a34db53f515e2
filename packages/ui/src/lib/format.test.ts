import { describe, expect, test } from 'vitest'
import {
  formatBytes,
  formatCount,
  formatCounted,
  formatDay,
  formatDuration,
  formatExactTime,
  formatRatio,
  formatRelativeTime,
} from './format.ts'

describe('values carry a unit and no more digits than help', () => {
  test.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [1024 * 1024 - 1, '1.0 MiB'],
    ['123456789012', '115 GiB'],
    [-2048, '-2.0 KiB'],
    ['not a number', '–'],
  ])('%s bytes read as %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text))

  test.each([
    [0, '0 ms'],
    [0.25, '0.25 ms'],
    [9.96, '10.0 ms'],
    [999.6, '1.0 s'],
    [59_960, '1 min'],
    [300_000, '5 min'],
    [185_000, '3 min 05 s'],
    [7_800_000, '2 h 10 min'],
    [273_600_000, '3 d 4 h'],
    [604_800_000, '7 d'],
    [-500, '-500 ms'],
  ])('%s milliseconds read as %s', (ms, text) => expect(formatDuration(ms)).toBe(text))

  test.each([
    [-2_000, 'just now'],
    [12_000, '12 s ago'],
    [-3 * 86_400_000, 'in 3 d'],
    [400 * 86_400_000, '1 y ago'],
  ])('a moment %s ms back reads as %s', (agoMs, text) => {
    expect(formatRelativeTime(1_000_000_000_000 - agoMs, 1_000_000_000_000)).toBe(text)
  })

  test('the exact time names milliseconds and zone', () => {
    expect(formatExactTime(Date.UTC(2026, 0, 2, 3, 4, 5, 67), 'UTC')).toBe('02 Jan 2026, 03:04:05.067 UTC')
  })

  test('counts larger than a double keeps are exact as bigint', () => {
    expect(formatCount(12345678901234567890n)).toBe('12,345,678,901,234,567,890')
    expect(formatRatio(0.98765)).toBe('98.8 %')
    expect([0, 0.0001, 0.9999, 1].map(formatRatio)).toEqual(['0.0 %', '< 0.1 %', '> 99.9 %', '100.0 %'])
    expect(formatRatio(Number.NaN)).toBe('–')
  })
})

test('a count agrees with its noun, and a day leaves out the year that is now', () => {
  expect(formatCounted(1, 'snapshot')).toBe('1 snapshot')
  expect(formatCounted(1200, 'snapshot')).toBe('1,200 snapshots')
  const now = Date.UTC(2026, 10, 25, 12)
  expect(formatDay(Date.UTC(2026, 10, 1, 12), now)).toBe('1 Nov')
  expect(formatDay(Date.UTC(2024, 10, 1, 12), now)).toBe('1 Nov 2024')
})
