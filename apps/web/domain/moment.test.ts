import { expect, test } from 'vitest'
import { fromLocalInput, momentText, parseMoment, pointInput, toLocalInput } from './moment.ts'

test('an address holds a tip, an LSN or a time, and nothing else passes', () => {
  expect(parseMoment(null)).toEqual({ kind: 'tip' })
  expect(parseMoment('0/16b3748')).toEqual({ kind: 'lsn', lsn: '0/16B3748' })
  expect(parseMoment('2026-01-02T03:04:05Z')).toEqual({ kind: 'time', time: '2026-01-02T03:04:05.000Z' })
  expect(parseMoment('yesterday-ish')).toBeUndefined()
})

test('a moment survives the way into an address and back', () => {
  for (const text of ['0/16B3748', '2026-01-02T03:04:05.678Z']) {
    const moment = parseMoment(text)
    expect(moment && momentText(moment)).toBe(text)
  }
  expect(pointInput({ kind: 'tip' })).toBeUndefined()
})

test('a time field keeps milliseconds', () => {
  expect(fromLocalInput(toLocalInput('2026-01-02T03:04:05.678Z'))).toBe('2026-01-02T03:04:05.678Z')
  expect(fromLocalInput('')).toBeUndefined()
})
