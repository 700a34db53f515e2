import { expect, test } from 'vitest'
import { slugFrom, validateEmail, validateSlug, validateSqlName } from './validate.ts'

test('a slug made from any name is empty or valid', () => {
  for (const name of ['Acme Data & Co.', '  --x--  ', 'Écluse Ünïted', `${'a'.repeat(47)}!b`, '日本']) {
    const slug = slugFrom(name)
    if (slug !== '') expect(validateSlug(slug)).toBeUndefined()
  }
  expect(slugFrom('Acme Data & Co.')).toBe('acme-data-co')
  expect(slugFrom('Écluse')).toBe('ecluse')
})

test('the length of a SQL name is counted in bytes, as Postgres does', () => {
  expect(validateSqlName('é'.repeat(31), 'database')).toBeUndefined()
  expect(validateSqlName('é'.repeat(32), 'database')).toMatch(/63 bytes/)
  expect(validateSqlName('pg_x', 'role')).toMatch(/pg_/)
})

test.each(['', 'a@b', 'a b@c.d', '@c.de'])('%j is not an address', (text) => expect(validateEmail(text)).toBeDefined())
