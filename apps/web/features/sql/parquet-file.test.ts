import * as fs from 'node:fs'
import * as os from 'node:os'
import * as path from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { expect, test } from 'vitest'
import type { ResultTable } from './export-result.ts'
import { parquetColumns } from './parquet-columns.ts'
import { toParquet } from './parquet-file.ts'

/** What DuckDB reads from the file: names and types of the columns, and the rows as text. */
async function readByDuckDb(table: ResultTable) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'parquet-export-'))
  const instance = await DuckDBInstance.create(':memory:')
  try {
    const file = path.join(folder, 'result.parquet')
    fs.writeFileSync(file, toParquet(table))
    const connection = await instance.connect()
    await connection.run(`SET TimeZone = 'UTC'`)
    const described = await connection.runAndReadAll(`DESCRIBE SELECT * FROM read_parquet('${file}')`)
    const columns = described.getRows().map(([name, type]) => [String(name), String(type)])
    const list = columns.map(([name]) => `CAST("${name}" AS VARCHAR)`).join(', ')
    const read = await connection.runAndReadAll(`SELECT ${list} FROM read_parquet('${file}')`)
    return { columns, rows: read.getRows() }
  } finally {
    instance.closeSync()
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

const columns = [
  { name: 'flag', type: 'boolean' },
  { name: 'small', type: 'integer' },
  { name: 'big', type: 'bigint' },
  { name: 'real', type: 'double precision' },
  { name: 'price', type: 'numeric(12,2)' },
  { name: 'day', type: 'date' },
  { name: 'wall', type: 'timestamp without time zone' },
  { name: 'instant', type: 'timestamp with time zone' },
  { name: 'raw', type: 'bytea' },
  { name: 'words', type: 'text' },
]
const rows = [
  [
    't',
    '-2147483648',
    '9223372036854775807',
    '-0.1',
    '-12345678901.25',
    '1969-12-31',
    '2026-02-28 23:59:59.000001',
    '2026-03-01 05:30:00.5+05:30',
    '\\x00ff41',
    'grün 🌊',
  ],
  columns.map(() => null),
  ['f', '0', '-1', '1e300', '0.5', '2026-11-25', '0001-01-01 00:00:00', '1969-12-31 23:59:59-01', '\\x', ''],
]

test('DuckDB reads types, values and NULLs of an exported result', async () => {
  const read = await readByDuckDb({ columns, rows })
  expect(read.columns).toEqual([
    ['flag', 'BOOLEAN'],
    ['small', 'INTEGER'],
    ['big', 'BIGINT'],
    ['real', 'DOUBLE'],
    ['price', 'DECIMAL(18,2)'],
    ['day', 'DATE'],
    ['wall', 'TIMESTAMP'],
    ['instant', 'TIMESTAMP WITH TIME ZONE'],
    ['raw', 'BLOB'],
    ['words', 'VARCHAR'],
  ])
  expect(read.rows).toEqual([
    [
      'true',
      '-2147483648',
      '9223372036854775807',
      '-0.1',
      '-12345678901.25',
      '1969-12-31',
      '2026-02-28 23:59:59.000001',
      '2026-03-01 00:00:00.5+00',
      '\\x00\\xFFA',
      'grün 🌊',
    ],
    columns.map(() => null),
    ['false', '0', '-1', '1e+300', '0.50', '2026-11-25', '0001-01-01 00:00:00', '1970-01-01 00:59:59+00', '', ''],
  ])
})

test('more than one byte of levels, more than 14 columns, columns of one name, and no rows', async () => {
  const many = Array.from({ length: 20 }, () => ({ name: 'n', type: 'int4' }))
  const filled = Array.from({ length: 2_000 }, (_, row) =>
    many.map((_, column) => ((row + column) % 3 ? `${row}` : null)),
  )
  const read = await readByDuckDb({ columns: many, rows: filled })
  expect(read.rows).toEqual(filled)
  expect(read.columns.map(([name]) => name).slice(0, 3)).toEqual(['n', 'n_2', 'n_3'])
  expect((await readByDuckDb({ columns, rows: [] })).rows).toEqual([])
})

test.each([
  ['date', 'infinity'],
  ['date', '0044-03-15 BC'],
  ['timestamp with time zone', '2026-01-01 00:00:00'],
  ['integer', '2147483648'],
  ['bigint', '9223372036854775808'],
  ['numeric', 'NaN'],
  ['numeric', '1234567890123456789'],
  ['integer[]', '{1,2}'],
])('a %s of %s stays the text it is', (type, text) => {
  const [column] = parquetColumns({ columns: [{ name: 'a', type }], rows: [[text], [null]] })
  expect(column).toMatchObject({ kind: 'text', values: [text, null] })
})
