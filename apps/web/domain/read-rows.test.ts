import { expect, test } from 'vitest'
import { quoteName, rowsSql } from './read-rows.ts'

test('no table name can break out of its quotes', () => {
  expect(quoteName('a"; DROP TABLE b; --')).toBe('"a""; DROP TABLE b; --"')
  expect(rowsSql({ schema: 'public', table: 'Order "x"', limit: 50, offset: 100, orderBy: ['id', 'b"'] })).toBe(
    'SELECT * FROM "public"."Order ""x""" ORDER BY "id", "b""" LIMIT 50 OFFSET 100',
  )
})
