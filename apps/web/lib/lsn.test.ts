import { expect, test } from 'vitest'
import { formatLsn, lsnDistance, parseLsn } from './lsn.ts'

test('an LSN survives the way to a number and back', () => {
  for (const text of ['0/0', '0/16B3748', 'FFFFFFFF/FFFFFFFF', '1/0'])
    expect(formatLsn(parseLsn(text) ?? -1n)).toBe(text)
})

test.each(['', '16B3748', '0/', '0/123456789', '0/XYZ', '0/1/2'])('%j is not an LSN', (text) => {
  expect(parseLsn(text)).toBeUndefined()
})

test('a distance spans the border of the two halves', () => {
  expect(lsnDistance('0/FFFFFFFF', '1/0')).toBe(1n)
  expect(lsnDistance('0/10', 'nonsense')).toBeUndefined()
})
