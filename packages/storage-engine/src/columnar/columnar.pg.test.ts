/** Heap pages of a stock Postgres, with every built-in type family, go through a columnar layer and come back. */
import fs from 'node:fs'
import path from 'node:path'
import type { Client } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { duckdbQuery } from '../../test/duckdb-query.ts'
import { type PostgresFixture, startPostgres } from '../../test/postgres-fixture.ts'
import { isStorageError } from '../base/errors.ts'
import { memorySource } from '../parquet/file-reader.ts'
import { PAGE_SIZE } from '../postgres/constants.ts'
import { type ColumnarCounts, ColumnarEncoder } from './columnar-encoder.ts'
import { ColumnarFile } from './columnar-file.ts'
import type { Alignment, PostgresType, TableAttribute, TableDefinition } from './table-definition.ts'
import { codecOf } from './types/registry.ts'
import { decodeToastPointer, decompressInline, type ToastPointer, toastPayload } from './varlena.ts'
import { verifyColumnarFile } from './verify.ts'

let postgres: PostgresFixture
let client: Client
beforeAll(async () => {
  postgres = await startPostgres({ settings: { autovacuum: 'off' } })
  client = await postgres.connect()
  await client.query(
    `set timezone = 'UTC'; set datestyle = 'ISO'; set intervalstyle = 'postgres'; set bytea_output = 'hex'`,
  )
})
afterAll(() => postgres.cleanup())

interface TypeRow {
  oid: number
  typname: string
  typlen: number
  typalign: string
  typstorage: 'p' | 'e' | 'm' | 'x'
  typtype: string
  typelem: number
  typbasetype: number
  typtypmod: number
  typrelid: number
  typdelim: string
  isarray: boolean
  subtype: number | null
}

const alignmentOf = (letter: string): Alignment => ({ c: 1, s: 2, i: 4, d: 8 })[letter] as Alignment

async function resolveType(oid: number): Promise<PostgresType> {
  const { rows } = await client.query<TypeRow>(
    `select t.oid::int8::int as oid, typname, typlen::int, typalign, typstorage, typtype, typelem::int, typbasetype::int, typtypmod,
       typrelid::int, typdelim, typsubscript = 'array_subscript_handler'::regproc and typlen = -1 as isarray,
       coalesce((select rngsubtype from pg_range where rngtypid = t.oid), (select rngsubtype from pg_range where rngmultitypid = t.oid))::int as subtype
     from pg_type t where t.oid = $1`,
    [oid],
  )
  const row = rows[0]!
  const base = {
    oid: row.oid,
    name: row.typname,
    length: row.typlen,
    alignment: alignmentOf(row.typalign),
    storage: row.typstorage,
  }
  if (row.isarray) {
    const element = await resolveType(row.typelem)
    return { ...base, kind: 'array', element, delimiter: row.typdelim }
  }
  switch (row.typtype) {
    case 'e': {
      const labels = await client.query<{ oid: number; enumlabel: string }>(
        'select oid::int8::int as oid, enumlabel from pg_enum where enumtypid = $1',
        [oid],
      )
      return { ...base, kind: 'enum', labels: labels.rows.map((label) => [label.oid, label.enumlabel] as const) }
    }
    case 'd':
      return { ...base, kind: 'domain', base: await resolveType(row.typbasetype), typmod: row.typtypmod }
    case 'c':
      return { ...base, kind: 'composite', attributes: await attributesOf(row.typrelid) }
    case 'r':
      return { ...base, kind: 'range', subtype: await resolveType(row.subtype!) }
    case 'm':
      return { ...base, kind: 'multirange', subtype: await resolveType(row.subtype!) }
    default:
      return { ...base, kind: 'base' }
  }
}

async function attributesOf(relation: number): Promise<TableAttribute[]> {
  const { rows } = await client.query(
    `select attnum::int as number, attname as name, atttypid::int as typid, atttypmod as typmod, attlen::int as length, attalign, attstorage as storage,
       attisdropped, attgenerated, attmissingval::text as missing from pg_attribute where attrelid = $1 and attnum > 0 order by attnum`,
    [relation],
  )
  const attributes: TableAttribute[] = []
  for (const row of rows) {
    attributes.push({
      number: row.number,
      name: row.name,
      typmod: row.typmod,
      length: row.length,
      alignment: alignmentOf(row.attalign),
      storage: row.storage,
      ...(row.attisdropped ? {} : { type: await resolveType(row.typid) }),
      ...(row.missing === '{42}' ? { missingHex: '2a000000' } : {}),
      ...(row.attgenerated === 'v' ? { isVirtual: true } : {}),
    })
  }
  return attributes
}

async function readHeap(table: string): Promise<Uint8Array> {
  await client.query('checkpoint')
  const { rows } = await client.query<{ file: string }>('select pg_relation_filepath($1::regclass) as file', [table])
  return new Uint8Array(fs.readFileSync(path.join(postgres.dataDir, rows[0]!.file)))
}

async function toastReader(table: string): Promise<(pointer: ToastPointer) => Uint8Array | undefined> {
  const { rows } = await client.query<{ toast: string }>(
    'select reltoastrelid::regclass::text as toast from pg_class where oid = $1::regclass',
    [table],
  )
  const chunks = new Map<number, Uint8Array[]>()
  if (rows[0]!.toast !== '-') {
    const all = await client.query(
      `select chunk_id::int8::int as id, chunk_data as data from ${rows[0]!.toast} order by chunk_id, chunk_seq`,
    )
    for (const chunk of all.rows) chunks.set(chunk.id, [...(chunks.get(chunk.id) ?? []), chunk.data])
  }
  return (pointer) => {
    const parts = chunks.get(pointer.valueId)
    return parts && Uint8Array.from(Buffer.concat(parts))
  }
}

interface Transcoded {
  counts: ColumnarCounts
  bytes: Uint8Array
  table: TableDefinition
}

async function transcode(name: string, pages: { rowGroupPages: number; dataPagePages: number }): Promise<Transcoded> {
  const oid = (await client.query<{ oid: number }>('select $1::regclass::oid::int8::int as oid', [name])).rows[0]!.oid
  const table: TableDefinition = { name, attributes: await attributesOf(oid) }
  const heap = await readHeap(name)
  const parts: Uint8Array[] = []
  const encoder = new ColumnarEncoder(
    { table, isUtf8: true, firstBlock: 0, lsn: '0/0', toast: await toastReader(name), ...pages },
    (bytes) => parts.push(bytes),
  )
  for (let at = 0; at < heap.length; at += PAGE_SIZE) encoder.addPage(heap.slice(at, at + PAGE_SIZE))
  encoder.finish()
  const bytes = Uint8Array.from(Buffer.concat(parts))
  await verifyColumnarFile(memorySource(bytes), (block) => heap.slice(block * PAGE_SIZE, (block + 1) * PAGE_SIZE))
  console.log(name, 'heap', heap.length, 'file', bytes.length, JSON.stringify(encoder.counts))
  return { counts: encoder.counts, bytes, table }
}

const small = { rowGroupPages: 16, dataPagePages: 4 }

test('every page of a table churned by updates, deletes, aborts, DDL and vacuum comes back byte by byte', async () => {
  await client.query(
    `create table churn(id int primary key, n numeric(15,2), d date, t text, v varchar(20), k char(5), b bool)`,
  )
  await client.query(
    `insert into churn select i, (i * 7919 % 100000) / 100.0 - 300, date '1992-01-01' + i % 2500, repeat('x', i % 90) || i, 'v' || i % 7, 'c', i % 3 = 0 from generate_series(1, 20000) i`,
  )
  await client.query(`update churn set n = n + 1 where id % 5 = 0; delete from churn where id % 11 = 0`)
  await client.query(`begin; update churn set t = t || '!' where id % 7 = 0; rollback`)
  await client.query(
    `alter table churn add column added int default 42; alter table churn drop column v; alter table churn add column note text`,
  )
  await client.query(`update churn set note = 'n' || id where id % 13 = 0`)
  await client.query('vacuum churn')
  await client.query(`update churn set t = 'again' where id % 17 = 0`)
  const { bytes } = await transcode('churn', { rowGroupPages: 512, dataPagePages: 256 })
  const wide = await ColumnarFile.open(memorySource(bytes))
  const batchedStarts = (await wide.parquet.pageFirstRows(0)).filter((row) => row > 0 && row % 2048 === 0)
  expect(batchedStarts.length).toBeGreaterThan(0)
  const { counts } = await transcode('churn', small)
  expect(counts.wholePages).toBe(0)
  expect(counts.rows).toBeGreaterThan(18_000)
})

test('heap pages damaged anywhere come back too, at the latest when each is rebuilt while it is encoded', async () => {
  await client.query('drop table if exists odd')
  await client.query(
    `create table odd as select i::int8 as id, repeat('y', i % 40) as t, nullif(i % 3, 0)::int2 as s, i * 1.5::numeric(12,2) as n from generate_series(1, 700) i`,
  )
  await client.query('delete from odd where id % 9 = 0')
  await client.query('vacuum odd')
  const oid = (await client.query<{ oid: number }>(`select 'odd'::regclass::oid::int8::int as oid`)).rows[0]!.oid
  const table: TableDefinition = { name: 'odd', attributes: await attributesOf(oid) }
  const heap = await readHeap('odd')
  const encode = async (pages: Uint8Array, rebuildsEveryPage: boolean) => {
    const parts: Uint8Array[] = []
    const options = { table, isUtf8: true, firstBlock: 0, lsn: '0/0', rebuildsEveryPage, ...small }
    const encoder = new ColumnarEncoder(options, (bytes) => parts.push(bytes))
    for (let at = 0; at < pages.length; at += PAGE_SIZE) encoder.addPage(pages.slice(at, at + PAGE_SIZE))
    encoder.finish()
    const file = memorySource(Uint8Array.from(Buffer.concat(parts)))
    await verifyColumnarFile(file, (block) => pages.slice(block * PAGE_SIZE, (block + 1) * PAGE_SIZE))
    return encoder.counts
  }
  expect((await encode(heap, false)).patchedPages).toBe(0)
  let state = 20_251_125
  const next = (bound: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return Math.floor((state / 0x80000000) * bound)
  }
  let patched = 0
  let secondAttempts = 0
  for (let round = 0; round < 60; round++) {
    const pages = heap.slice()
    for (let n = 0; n <= next(6); n++) {
      // Half of the damage goes into headers and line pointers, where it moves tuples about.
      const at = next(pages.length / PAGE_SIZE) * PAGE_SIZE + (n % 2 === 0 ? next(PAGE_SIZE) : next(400))
      pages[at]! ^= 1 << next(8)
    }
    // A line pointer that repeats another: the tuple of its own is under none.
    if (round % 3 === 0) pages.copyWithin(PAGE_SIZE + 24, PAGE_SIZE + 28, PAGE_SIZE + 32)
    try {
      patched += (await encode(pages, false)).patchedPages
    } catch (error) {
      if (!isStorageError(error, 'corruption')) throw error
      secondAttempts++
    }
    await encode(pages, true)
  }
  expect(patched).toBeGreaterThan(4)
  expect(secondAttempts).toBeGreaterThan(0)
  console.log(`damaged pages: ${patched} patched, ${secondAttempts} of 60 files needed the second attempt`)
})

test('DuckDB reads the visible columns of a layer and gets what Postgres has', async () => {
  await client.query(`create table plain as select i as id, (i * 7919 % 100000) / 100.0 - 300::numeric(15,2) as n, (i * 1.25)::numeric(15,2) as m,
    date '1492-01-01' + i * 40 as d, timestamp '1969-12-31 12:00' + i * interval '1 minute' as t, 'text ' || i % 50 as s, i % 3 = 0 as b, i / 8.0::float8 as f
    from generate_series(1, 5000) i`)
  await client.query('alter table plain add column added int default 42')
  await client.query(
    "insert into plain select i, 0, 1, '2000-01-01', '2000-01-01', 'new', true, 0.5, 7 from generate_series(5001, 5100) i",
  )
  const { bytes } = await transcode('plain', small)
  const file = path.join(postgres.rootDir, 'plain.parquet')
  fs.writeFileSync(file, bytes)
  const [ours] =
    await duckdbQuery(`select count(*)::varchar as n, sum(a1)::varchar as id, sum(a2::decimal(38,10))::decimal(20,2)::varchar as free, sum(a3)::varchar as m,
    min(a4)::varchar as d0, max(a4)::varchar as d1, min(a5)::varchar as t0, max(a5)::varchar as t1, count(distinct a6)::varchar as s,
    count(*) filter (a7)::varchar as b, sum(a8)::decimal(20,3)::varchar as f, sum(a9)::varchar as added from '${file}'`)
  const { rows } =
    await client.query(`select count(*)::text as n, sum(id)::text as id, sum(n)::numeric(20,2)::text as free, sum(m)::text as m,
    min(d)::text as d0, max(d)::text as d1, min(t)::text as t0, max(t)::text as t1, count(distinct s)::text as s,
    count(*) filter (where b)::text as b, sum(f)::numeric(20,3)::text as f, sum(added)::text as added from plain`)
  expect(ours).toEqual(rows[0])
})

test('a flipped bit in a layer is found, never a wrong page', async () => {
  const { bytes } = await transcode('plain', small)
  const heap = await readHeap('plain')
  for (let offset = 7; offset < bytes.length; offset += 997) {
    const damaged = bytes.slice()
    damaged[offset]! ^= 1 << (offset % 8)
    try {
      await verifyColumnarFile(memorySource(damaged), (block) => heap.slice(block * PAGE_SIZE, (block + 1) * PAGE_SIZE))
    } catch (error) {
      expect(isStorageError(error, 'corruption')).toBe(true)
      expect(String(error)).not.toContain('differs from the original')
    }
  }
})

const ZOO: readonly [type: string, values: readonly string[]][] = [
  ['bool', ['true', 'false']],
  ['int2', ['-32768', '32767', '0']],
  ['int4', ['-2147483648', '2147483647']],
  ['int8', ['-9223372036854775808', '9223372036854775807']],
  ['float4', ['1.5', 'NaN', '-Infinity', '1e-10', '1234567', '0.1', '-0']],
  ['float8', ['1e300', 'NaN', 'Infinity', '-0', '0.1', '1e15', '123456789012345', '1e-5', '0.0001']],
  [
    'numeric',
    [
      '0',
      '0.00',
      'NaN',
      'Infinity',
      '-Infinity',
      '1e1000',
      '-123.4500',
      '0.000001',
      '10000',
      '99999999999999999999999999999999999999999.5',
    ],
  ],
  ['numeric(10,2)', ['12.34', '-0.01', '99999999.99', 'NaN', '0', '100']],
  ['numeric(18,0)', ['999999999999999999', '-999999999999999999', '10000']],
  ['numeric(38,10)', ['1234567890123456789012345678.0123456789', '-0.0000000001', 'NaN']],
  ['numeric(50,3)', ['123.456']],
  ['numeric(3,-2)', ['12300']],
  ['money', ['1234.56', '-0.01', '-92233720368547758.08']],
  ['text', ['', 'abc', 'ünïcode', 'x'.repeat(126), 'x'.repeat(127), 'x'.repeat(3000)]],
  ['varchar(10)', ['abc']],
  ['char(5)', ['ab', '']],
  ['name', ['a_name', '']],
  ['"char"', ['a', '', '\\200']],
  ['bytea', ['\\x00ff10', '\\x']],
  ['date', ['2024-02-29', '4713-01-01 BC', 'infinity', '-infinity', '5874897-12-31', '0001-01-01 BC']],
  ['time', ['00:00', '23:59:59.999999', '24:00']],
  ['timetz', ['12:34:56.789+05:30', '00:00-08', '01:00+00:00:30']],
  [
    'timestamp',
    [
      '2024-01-01 12:00:00.5',
      'infinity',
      '-infinity',
      '4713-01-01 00:00:00 BC',
      '294276-12-31 23:59:59.999999',
      '0001-12-31 23:59:59 BC',
    ],
  ],
  ['timestamptz', ['2024-06-01 12:00+02', 'infinity', '1969-12-31 23:59:59.000001+00']],
  [
    'interval',
    [
      '1 year 2 mons 3 days 04:05:06.789',
      '-1 year +2 days -00:00:01',
      '0',
      'infinity',
      '-infinity',
      '-3 mons',
      '1 day -01:00',
      '100 hours',
    ],
  ],
  ['uuid', ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11']],
  ['inet', ['192.168.0.1', '10.0.0.0/8', '::1', 'fe80::1/64', '::ffff:1.2.3.4', '1:2:0:0:3:0:0:0']],
  ['cidr', ['10.0.0.0/8', '2001:db8::/32']],
  ['macaddr', ['08:00:2b:01:02:03']],
  ['macaddr8', ['08:00:2b:01:02:03:04:05']],
  ['bit(5)', ['10101']],
  ['varbit', ['', '101', '1111000011110000']],
  ['json', ['{"a": 1}']],
  [
    'jsonb',
    ['{"b":[1,2.50,{"c":null}],"a":"x\\ny\\u00e9\\"","long":true}', '1', '"s"', '[]', '{}', '[[],[false]]', '1e100'],
  ],
  ['xml', ['<a>1</a>']],
  ['tsvector', ["'a':1A,2 'b''c':3 'd'"]],
  ['point', ['(1.5,-2)']],
  ['line', ['{1,2,3}']],
  ['lseg', ['[(0,0),(1,1)]']],
  ['box', ['(1,2),(0,0)']],
  ['path', ['((0,0),(1,1))', '[(0,0),(1,1)]']],
  ['polygon', ['((0,0),(1,1),(2,0))']],
  ['circle', ['<(1,2),3>']],
  ['pg_lsn', ['16/B374D848']],
  ['oid', ['4294967295']],
  ['xid', ['4000000000']],
  ['xid8', ['18446744073709551615']],
  ['tid', ['(4294967295,7)']],
  ['int4[]', ['{1,NULL,3}', '{}', '{{1,2},{3,4}}', '[0:1]={5,6}', 'NULL']],
  ['text[]', ['{a,"b c",NULL,"NULL","","q\\"\\\\"}']],
  ['numeric(6,2)[]', ['{1.5,NaN}', '{2.25}']],
  ['date[]', ['{2020-01-01,infinity}']],
  ['point[]', ['{"(1,2)","(3,4)"}']],
  ['box[]', ['{(1,1),(0,0);(2,2),(1,1)}']],
  ['mood', ['sad', 'happy']],
  ['mood[]', ['{sad,happy}']],
  ['positive', ['5']],
  ['pair', ['(1,"a b")', '(,)', '(2,"")', '(3,"q""\\\\")']],
  ['pair[]', ['{"(1,x)"}']],
  ['int4range', ['[1,10)', 'empty', '(,5)', '(,)']],
  ['numrange', ['[1.5,2.5]']],
  ['tsrange', ['[2020-01-01,2021-01-01)']],
  ['daterange', ['[2020-01-01,infinity)']],
  ['int4multirange', ['{[1,3),[5,7)}', '{}']],
  ['nummultirange', ['{[1.1,2.2),[3,)}']],
]

test('every built-in type comes back byte by byte, and its text is what Postgres prints', async () => {
  await client.query(
    `create type mood as enum ('sad', 'ok', 'happy'); create domain positive as int check (value > 0); create type pair as (x int, y text)`,
  )
  await client.query(`create table zoo(id int, ${ZOO.map(([type], i) => `c${i} ${type}`).join(', ')})`)
  const rowCount = Math.max(...ZOO.map(([, values]) => values.length)) + 1
  for (let row = 0; row < rowCount; row++) {
    const texts = ZOO.map(([, values]) => values[row] ?? (row % 2 ? null : values[0]!)).map((text) =>
      text === 'NULL' ? null : text,
    )
    await client.query(
      `insert into zoo values (${row}, ${ZOO.map(([type], i) => `$${i + 1}::text::${type}`).join(', ')})`,
      texts,
    )
  }
  const { counts, table } = await transcode('zoo', small)
  expect(counts.wholePages).toBe(0)
  // A patch would hide a codec that does not give its bytes back.
  expect(counts.patchBytes).toBe(0)
  const heap = await readHeap('zoo')
  const toast = await toastReader('zoo')
  const differences: string[] = []
  for (let i = 0; i < ZOO.length; i++) {
    const attribute = table.attributes[i + 1]!
    const codec = codecOf(attribute.type!, attribute.typmod, { isUtf8: true })
    const { rows } = await client.query<{ id: number; t: string | null }>(
      `select id, case when num_nulls(c${i}) = 1 then null else format('%s', c${i}) end as t from zoo order by id`,
    )
    const ours = textsOf(heap, table, i + 1, (bytes, start, end) => codec.text(bytes, start, end), toast)
    for (const row of rows)
      if ((ours.get(row.id) ?? null) !== row.t)
        differences.push(`${ZOO[i]![0]}: ${ours.get(row.id)} instead of ${row.t}`)
  }
  expect(differences).toEqual([])
})

/** Reads one attribute of each tuple straight from the heap: id -> text. */
function textsOf(
  heap: Uint8Array,
  table: TableDefinition,
  index: number,
  text: (bytes: Uint8Array, start: number, end: number) => string,
  toast: (pointer: ToastPointer) => Uint8Array | undefined,
): Map<number, string> {
  const texts = new Map<number, string>()
  const view = new DataView(heap.buffer)
  for (let page = 0; page < heap.length; page += PAGE_SIZE) {
    const lower = view.getUint16(page + 12, true)
    for (let item = page + 24; item < page + lower; item += 4) {
      const start = page + (view.getUint32(item, true) & 0x7fff)
      const hasNulls = view.getUint16(start + 20, true) & 1
      let at = heap[start + 22]!
      let id = 0
      table.attributes.forEach((attribute, i) => {
        if (hasNulls && !(heap[start + 23 + (i >> 3)]! & (1 << (i & 7)))) return
        const { length, alignment } = attribute
        if (length > 0 || heap[start + at] === 0) at = Math.ceil(at / alignment) * alignment
        const from = start + at
        const first = heap[from]!
        const size = length > 0 ? length : first === 1 ? 18 : first & 1 ? first >> 1 : view.getUint32(from, true) >>> 2
        if (i === 0) id = view.getInt32(from, true)
        if (i === index) {
          if (length > 0) texts.set(id, text(heap, from, from + size))
          else if (first === 1) {
            const pointer = decodeToastPointer(heap, from)
            const payload = toastPayload(pointer, toast(pointer)!)
            texts.set(id, text(payload, 0, payload.length))
          } else if (first & 1) texts.set(id, text(heap, from + 1, from + size))
          else if (first & 2) {
            const payload = decompressInline(heap.subarray(from, from + size))
            texts.set(id, text(payload, 0, payload.length))
          } else texts.set(id, text(heap, from + 4, from + size))
        }
        at += size
      })
    }
  }
  return texts
}

test('inline compressed, external and plain stored values come back, and are visible', async () => {
  await client.query(`create table toasted(id int, c text, e text, p text)`)
  await client.query(
    `alter table toasted alter c set storage main, alter e set storage external, alter p set storage plain`,
  )
  await client.query(
    `insert into toasted select i, repeat('abcdefgh', 400), repeat(md5(i::text), 200), 'plain ' || i from generate_series(1, 50) i`,
  )
  const { counts } = await transcode('toasted', small)
  expect(counts.patchBytes).toBe(0)
  expect(counts.wholePages).toBe(0)
  expect(counts.rawValues).toBe(100)
  expect(counts.overflowValues).toBe(0)
})
