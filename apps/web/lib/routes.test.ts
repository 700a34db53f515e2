import { expect, test } from 'vitest'
import { routes, safeNext } from './routes.ts'

test.each([
  ['//evil.example', '/'],
  ['https://evil.example', '/'],
  ['/\\evil.example', '/'],
  [null, '/'],
  ['/projects/p1?branch=b', '/projects/p1?branch=b'],
])('after signing in, next=%s leads to %s', (next, target) => expect(safeNext(next)).toBe(target))

test('identifiers and moments are escaped in addresses', () => {
  expect(routes.branch('p/1', 'b 1')).toBe('/projects/p%2F1/branches/b%201')
  expect(routes.projectPage('p', 'tables', { branch: 'b', at: '0/16B3748', database: undefined })).toBe(
    '/projects/p/tables?branch=b&at=0%2F16B3748',
  )
})
