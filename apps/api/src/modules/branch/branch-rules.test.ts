import { expect, test } from 'vitest'
import { checkExpiry, checkLsnInWindow, deletionRefusal, keptName, parsePoint } from './branch-rules.ts'

const now = Date.parse('2026-06-01T00:00:00Z')
const branch = { id: 'br-a', name: 'a', isDefault: false, isProtected: false, childCount: 0 }

test('a point is one of LSN, time and snapshot; nothing is the tip', () => {
  expect(parsePoint('at', null, now)).toEqual({ ok: true, value: { kind: 'tip' } })
  expect(parsePoint('at', { lsn: '0/1', time: '2026-01-01T00:00:00Z' }, now).ok).toBe(false)
})

test('a time in the future and text that is no LSN are refused by the name of the field', () => {
  for (const input of [
    { time: '2027-01-01T00:00:00Z' },
    { time: 'yesterday' },
    { lsn: '16B3748' },
    { lsn: '0/123456789' },
  ]) {
    const parsed = parsePoint('to', input, now)
    expect(parsed.ok).toBe(false)
    if (!parsed.ok) expect([parsed.error.field, parsed.error.message.startsWith('to: ')]).toEqual(['to', true])
  }
})

test('an LSN after the end or before the history is refused, at the ends it is taken', () => {
  const window = { fromLsn: '0/1000', toLsn: '1/0' }
  expect(checkLsnInWindow('at', '1/1', window).ok).toBe(false)
  expect(checkLsnInWindow('at', '0/FFF', window).ok).toBe(false)
  for (const lsn of ['0/1000', '1/0', '0/FFFFFFFF']) expect(checkLsnInWindow('at', lsn, window).ok).toBe(true)
})

test('the default branch, a protected one and one with children are not deleted', () => {
  expect(deletionRefusal(branch, false).ok).toBe(true)
  expect(deletionRefusal({ ...branch, isDefault: true }, true).ok).toBe(false)
  expect(deletionRefusal({ ...branch, isProtected: true }, true).ok).toBe(false)
  expect(deletionRefusal({ ...branch, childCount: 2 }, false).ok).toBe(false)
  expect(deletionRefusal({ ...branch, childCount: 2 }, true).ok).toBe(true)
})

test('an expiry lies ahead, at most 30 days, and never on a protected branch', () => {
  const at = (days: number) => new Date(now + days * 86_400_000)
  expect(checkExpiry(branch, at(1), now).ok).toBe(true)
  for (const days of [-1, 0, 31]) expect(checkExpiry(branch, at(days), now).ok).toBe(false)
  expect(checkExpiry({ ...branch, isProtected: true }, at(1), now).ok).toBe(false)
  expect(checkExpiry(branch, new Date(Number.NaN), now).ok).toBe(false)
})

test('the name of a kept state fits the bound of names', () => {
  expect(keptName('main', new Date(now))).toBe('main_old_2026-06-01T00:00:00Z')
  expect([...keptName('x'.repeat(256), new Date(now))]).toHaveLength(256)
})
