import { expect, test } from 'vitest'
import { quoteName, rowsSql, sqlName } from './read-rows.ts'

test('no table name can break out of its quotes', () => {
  expect(quoteName('a"; DROP TABLE b; --')).toBe('"a""; DROP TABLE b; --"')
  expect(rowsSql({ schema: 'public', table: 'Order "x"', limit: 50, offset: 100, orderBy: ['id', 'b"'] })).toBe(
    'SELECT * FROM "public"."Order ""x""" ORDER BY "id", "b""" LIMIT 50 OFFSET 100',
  )
})

test('a name is put in quotes only where SQL needs them', () => {
  expect(sqlName('o_totalprice')).toBe('o_totalprice')
  for (const name of ['order', 'Order', '1st', 'two words', '']) expect(sqlName(name)).toBe(`"${name}"`)
  expect(sqlName('a"b')).toBe('"a""b"')
})
