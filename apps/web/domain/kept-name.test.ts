import { expect, test } from 'vitest'
import { keptName } from './kept-name.ts'

test('the name of a kept state says when, and fits where names must fit', () => {
  expect(keptName('main', Date.UTC(2026, 10, 25, 11, 3))).toBe('main_old_20261125_1103')
  expect(keptName('x'.repeat(80), 0)).toHaveLength(63)
})
