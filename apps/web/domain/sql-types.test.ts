import { expect, test } from 'vitest'
import { isNumericType } from './sql-types.ts'

test('numbers are known by the names of Postgres and of DuckDB, and nothing else is taken for one', () => {
  const numbers = [
    ...['int2', 'int4', 'int8', 'integer', 'smallint', 'bigint', 'float4', 'float8', 'real', 'double precision'],
    ...['numeric', 'numeric(12,2)', 'money', 'oid'],
    ...['TINYINT', 'UTINYINT', 'USMALLINT', 'UINTEGER', 'UBIGINT', 'HUGEINT', 'UHUGEINT', 'FLOAT', 'DOUBLE'],
    'DECIMAL(18,3)',
  ]
  expect(numbers.filter((type) => !isNumericType(type))).toEqual([])
  const others = ['text', 'interval', 'point', 'int4range', 'int4[]', 'INTEGER[]', 'bool', 'timestamptz', 'oidvector']
  expect(others.filter((type) => isNumericType(type))).toEqual([])
})
