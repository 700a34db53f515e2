import { expect, test } from 'vitest'
import { lakeReaders, lakeSnippet } from './lake-snippets.ts'

test('every reader is given the address of the table', () => {
  for (const reader of lakeReaders) expect(lakeSnippet(reader, '/data/objects/t/1')).toContain('/data/objects/t/1')
})

test('a bucket is named as each reader wants it, with credentials for DuckDB', () => {
  expect(lakeSnippet('spark', 's3://lake/t')).toContain('load("s3a://lake/t")')
  expect(lakeSnippet('python', 's3://lake/t')).toContain('DeltaTable("s3://lake/t")')
  expect(lakeSnippet('duckdb', 's3://lake/t')).toContain('CREATE SECRET')
  expect(lakeSnippet('duckdb', '/lake/t')).not.toContain('SECRET')
})

test('a quote in the address does not end the text it stands in', () => {
  expect(lakeSnippet('duckdb', "/data/o'neil/t")).toContain("delta_scan('/data/o''neil/t')")
  expect(lakeSnippet('python', '/data/"x"/t')).toContain('DeltaTable("/data/\\"x\\"/t")')
})
