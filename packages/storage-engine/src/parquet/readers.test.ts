/** Readers that nobody here wrote, DuckDB and hyparquet, agree with the writer; and the reader with what DuckDB writes. */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parquetReadObjects } from 'hyparquet'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { duckdbQuery } from '../../test/duckdb-query.ts'
import { decompress } from '../base/zstd.ts'
import { memorySource, ParquetFile } from './file-reader.ts'
import { ParquetWriter } from './file-writer.ts'
import { assembleRecords, type RecordObject, shredRecords } from './records.ts'
import { listNode, PhysicalType, Repetition, type SchemaNode, textMapNode } from './schema.ts'

let directory = ''
beforeAll(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'tributary-parquet-'))
})
afterAll(() => fs.rmSync(directory, { recursive: true, force: true }))

const leaf = (name: string, physicalType: PhysicalType, rest: Partial<SchemaNode> = {}): SchemaNode => ({
  name,
  repetition: Repetition.optional,
  physicalType,
  ...rest,
})
const schema: SchemaNode = {
  name: 'schema',
  repetition: Repetition.required,
  children: [
    leaf('id', PhysicalType.int32, { repetition: Repetition.required, fieldId: 1 }),
    leaf('small', PhysicalType.int32, { logicalType: { kind: 'integer', bitWidth: 16, signed: true } }),
    leaf('big', PhysicalType.int64),
    leaf('flag', PhysicalType.boolean),
    leaf('single', PhysicalType.fixedLenByteArray, {
      typeLength: 16,
      logicalType: { kind: 'decimal', precision: 38, scale: 3 },
    }),
    leaf('amount', PhysicalType.int64, { logicalType: { kind: 'decimal', precision: 18, scale: 2 } }),
    leaf('ratio', PhysicalType.double),
    leaf('day', PhysicalType.int32, { logicalType: { kind: 'date' } }),
    leaf('at', PhysicalType.int64, { logicalType: { kind: 'timestamp', adjustedToUtc: true, unit: 'micros' } }),
    leaf('local', PhysicalType.int64, { logicalType: { kind: 'timestamp', adjustedToUtc: false, unit: 'micros' } }),
    leaf('name', PhysicalType.byteArray, { logicalType: { kind: 'string' } }),
    leaf('raw', PhysicalType.byteArray),
    listNode('tags', 12, leaf('element', PhysicalType.byteArray, { logicalType: { kind: 'string' } })),
    listNode('numbers', 13, leaf('element', PhysicalType.int32)),
    textMapNode('properties'),
  ],
}

function rowAt(id: number): RecordObject {
  if (id % 11 === 0) return { id }
  const decimal = new Uint8Array(16)
  new DataView(decimal.buffer).setBigInt64(8, BigInt(id), false)
  return {
    id,
    small: (id % 65536) - 32768,
    big: BigInt(id) * 3_000_000_019n,
    flag: id % 3 === 0,
    single: decimal,
    amount: id * 7 - 5000,
    ratio: id / 3,
    day: id - 3000,
    at: id * 86_400_000_123,
    local: -id * 1_000_003,
    name: `name ${id % 17} — ü`,
    raw: Uint8Array.from([id & 255, id >> 8, 0]),
    tags: id % 5 === 0 ? [] : [`t${id}`, null, 'x'],
    numbers: id % 7 === 0 ? null : [id, null, -id],
    properties: { a: String(id), b: null },
  }
}

const isoDay = (unixDay: number): string => new Date(unixDay * 86_400_000).toISOString().slice(0, 10)

const rows = Array.from({ length: 5000 }, (_, id) => rowAt(id))

function writeFile(): { file: string; bytes: Uint8Array } {
  const parts: Uint8Array[] = []
  const writer = new ParquetWriter(schema, (bytes) => parts.push(bytes))
  const groups = [rows.slice(0, 3000), rows.slice(3000)]
  for (const group of groups) writer.writeRowGroup(group.length, shredRecords(schema, group), [0, 1000, 1500])
  writer.writeBlob(new Uint8Array(100_000).fill(7))
  writer.finish({ createdBy: 'tributary test', keyValues: new Map([['org.apache.spark.version', '4.0.0']]) })
  const file = path.join(directory, 'ours.parquet')
  const bytes = Uint8Array.from(Buffer.concat(parts))
  fs.writeFileSync(file, bytes)
  return { file, bytes }
}

test('DuckDB reads every type, null, list and map that the writer writes', async () => {
  const { file } = writeFile()
  const [totals] = await duckdbQuery(`
    select count(*) n, count(small) small, sum(small)::bigint ssmall, sum(big)::hugeint::varchar big, count(*) filter (flag) flag_count,
      sum(single)::varchar single, sum(amount)::varchar amount, sum(ratio)::bigint ratio, min(day)::varchar min_day,
      max("at")::varchar max_at, min("local")::varchar min_local, count(distinct name) distinct_names, sum(octet_length(raw))::bigint raw_bytes,
      sum(len(tags))::bigint tags, sum(list_sum(numbers))::bigint numbers, count(properties) props
    from '${file}'`)
  const kept = rows.filter((row) => row.small !== undefined)
  const sum = (pick: (row: RecordObject) => number): number => kept.reduce((total, row) => total + pick(row), 0)
  expect(totals).toMatchObject({
    n: '5000',
    small: String(kept.length),
    ssmall: String(sum((row) => Number(row.small))),
    big: String(kept.reduce((total, row) => total + BigInt(row.big as bigint), 0n)),
    flag_count: String(kept.filter((row) => row.flag).length),
    distinct_names: '17',
    raw_bytes: String(kept.length * 3),
    tags: String(sum((row) => (row.tags as unknown[]).length)),
    numbers: '0',
    props: String(kept.length),
    min_day: isoDay(1 - 3000),
  })
  expect(Number(totals!.single) * 1000).toBeCloseTo(
    sum((row) => Number(row.id)),
    3,
  )
  expect(Number(totals!.amount) * 100).toBeCloseTo(
    sum((row) => Number(row.amount)),
    3,
  )
  expect(await duckdbQuery(`select name, tags, day::varchar as d from '${file}' where id = 101`)).toEqual([
    { name: 'name 16 — ü', tags: ['t101', null, 'x'], d: isoDay(101 - 3000) },
  ])
  const fields = await duckdbQuery(
    `select name, field_id, logical_type from parquet_schema('${file}') where name = 'id' or name = 'tags'`,
  )
  expect(fields.map((field) => Number(field.field_id))).toEqual([1, 12])
})

test('hyparquet reads the same rows', async () => {
  const { bytes } = writeFile()
  const buffer = bytes.buffer as ArrayBuffer
  const read = (await parquetReadObjects({
    file: { byteLength: bytes.length, slice: (start, end) => buffer.slice(start, end) },
    compressors: { ZSTD: (input, size) => decompress(input, size) },
    utf8: false,
  })) as Record<string, unknown>[]
  expect(read.length).toBe(rows.length)
  for (const id of [0, 1, 999, 2999, 3000, 4999]) {
    expect(read[id]!.id).toBe(id)
    expect(read[id]!.name ?? undefined).toEqual(rows[id]!.name)
    expect(read[id]!.tags ?? undefined).toEqual(rows[id]!.tags)
    expect(read[id]!.ratio ?? undefined).toEqual(rows[id]!.ratio)
    expect(read[id]!.small ?? undefined).toEqual(rows[id]!.small)
  }
})

test.each([
  ['zstd', 'V1'],
  ['snappy', 'V1'],
  ['uncompressed', 'V1'],
  ['zstd', 'V2'],
  ['snappy', 'V2'],
])('the reader reads what DuckDB writes with %s, pages and encodings of %s', async (codec, version) => {
  const file = path.join(directory, `duckdb-${codec}-${version}.parquet`)
  await duckdbQuery(`copy (
      select i::integer as i, (i * 1000003)::bigint as b, case when i % 3 = 0 then null else 'text ' || (i % 100) end as t,
        'unique ' || i as u, (i / 7.0)::double as d, i % 2 = 0 as f, case when i % 5 = 0 then null else [i, null, i + 1] end as l,
        {'x': i, 'y': ['a', null]} as s, map {'k': i::varchar} as m
      from range(20000) r(i)
    ) to '${file}' (format parquet, compression ${codec}, row_group_size 8192, parquet_version ${version})`)
  const parquet = await ParquetFile.open(memorySource(new Uint8Array(fs.readFileSync(file))), { sealed: false })
  const read: RecordObject[] = []
  for (let group = 0; group < parquet.metadata.rowGroups.length; group++) {
    const { columns, endRow } = await parquet.readRowGroup(group)
    read.push(...assembleRecords(parquet.metadata.schema, columns, endRow))
  }
  expect(read.length).toBe(20_000)
  for (let i = 0; i < read.length; i += 997) {
    expect(read[i]).toEqual({
      i,
      b: i * 1000003,
      t: i % 3 === 0 ? null : `text ${i % 100}`,
      u: `unique ${i}`,
      d: i / 7,
      f: i % 2 === 0,
      l: i % 5 === 0 ? null : [i, null, i + 1],
      s: { x: i, y: ['a', null] },
      m: { k: String(i) },
    })
  }
})
