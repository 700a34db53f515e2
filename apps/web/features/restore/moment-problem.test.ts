import { expect, test } from 'vitest'
import { momentProblem } from './moment-problem.ts'

const history = { fromLsn: '0/1505EC8', fromTime: '2026-11-25T14:11:46.000Z', tipLsn: '0/2F29180' }
const problem = (moment: Parameters<typeof momentProblem>[0], lsn?: string) =>
  momentProblem(moment, lsn, history, (timeMs) => new Date(timeMs).toISOString())

test('a moment before the kept history, or after its end, is refused with what is there', () => {
  expect(problem({ kind: 'time', time: '2020-01-01T00:00:00Z' }, '0/0')).toContain('begins at 0/1505EC8, 2026-11-25T14')
  expect(problem({ kind: 'lsn', lsn: '0/1000000' }, '0/1000000')).toContain('before the history')
  expect(problem({ kind: 'lsn', lsn: 'FF/0' }, 'FF/0')).toContain('after the end of the branch, which is at 0/2F29180')
})

test('a moment inside is fine, and so is one that is not known yet', () => {
  expect(problem({ kind: 'lsn', lsn: '0/1505EC8' }, '0/1505EC8')).toBeUndefined()
  expect(problem({ kind: 'lsn', lsn: '0/2F29180' }, '0/2F29180')).toBeUndefined()
  expect(problem({ kind: 'time', time: '2026-11-25T15:00:00Z' }, '0/2F29180')).toBeUndefined()
  expect(problem({ kind: 'time', time: '2026-11-25T15:00:00Z' })).toBeUndefined()
  expect(problem(undefined)).toBeUndefined()
})

test('a moment that was fine is refused when history has ended beyond it meanwhile', () => {
  const moment = { kind: 'lsn', lsn: '0/1600000' } as const
  const later = { ...history, fromLsn: '0/1700000', fromTime: null }
  expect(momentProblem(moment, moment.lsn, history, String)).toBeUndefined()
  expect(momentProblem(moment, moment.lsn, later, String)).toContain('begins at 0/1700000.')
})
