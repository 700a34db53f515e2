/** Catalogs, visibility and out-of-line values read from the files of a stopped stock server, against what it said itself. */
import type { Client } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { dataDirSource } from '../../test/data-dir-source.ts'
import { createPostgres, type PostgresFixture } from '../../test/postgres-fixture.ts'
import { codecOf } from '../columnar/types/registry.ts'
import { decodeToastPointer, toastPayload } from '../columnar/varlena.ts'
import type { Catalog } from './catalog.ts'
import { CATALOG_COLUMNS } from './catalog-columns.ts'
import { scanVisibleTuples } from './heap-scan.ts'
import { readCatalog, readDatabases } from './read-catalog.ts'
import type { SnapshotSource } from './snapshot-source.ts'
import { ToastValues } from './toast-values.ts'
import { TransactionStatus } from './transaction-status.ts'

let postgres: PostgresFixture
let source: SnapshotSource
let catalog: Catalog
let expected: Expected

interface Expected {
  databases: { oid: number; datname: string; encoding: number }[]
  relations: { oid: number; schema: string; name: string; kind: string; path: string | null; toast: number }[]
  attributes: { rel: number; num: number; name: string; len: number; align: string; dropped: boolean; type: string }[]
  enums: { type: string; labels: string[] }[]
  keys: { rel: number; key: number[] }[]
  children: { parent: number; kids: number[] }[]
  counts: { oid: number; count: number }[]
  blobs: { id: number; digest: string }[]
  columns: { table: string; column: string; type: string; num: number }[]
}

const SETTINGS = { autovacuum: 'off', max_prepared_transactions: 10, fsync: 'off' }

const SCHEMA = `
  create schema shop; create schema "Mixed Case";
  create type mood as enum ('sad', 'ok', 'happy'); alter type mood add value 'calm' before 'ok';
  create domain positive as numeric(10,2) check (value > 0);
  create type pair as (x int, y text, z mood[]);
  create type span as range (subtype = float8);
  create table shop.t (id int primary key, gone text, m mood, p positive, r pair, s span, a int[], g int generated always as (id * 2) stored);
  insert into shop.t (id, gone, m) select i, repeat('x', i % 50), 'ok' from generate_series(1, 5000) i;
  alter table shop.t drop column gone;
  alter table shop.t add column added text default 'missing value', add column n numeric default 12.50, add column d date default '2024-02-29', add column arr int[] default '{1,2,3}';
  insert into shop.t (id) select generate_series(6000, 6100);
  delete from shop.t where id % 10 = 0; update shop.t set m = 'sad' where id % 7 = 0;
  create table "Mixed Case"."Ta ble" ("Co lumn" int, "b" char(7));
  create table parts (k int, v text, primary key (v, k)) partition by range (k);
  create table parts_1 partition of parts for values from (0) to (100);
  create table parts_2 (v text not null, extra int, k int not null); alter table parts_2 drop column extra;
  alter table parts attach partition parts_2 for values from (100) to (200);
  insert into parts select i, 'v' || i from generate_series(0, 199) i;
  create table parent (a int); create table child (b int) inherits (parent); insert into child values (1, 2); insert into parent values (3);
  create table blobs (id int, v text); alter table blobs alter v set storage external;
  insert into blobs select i, repeat(md5(i::text), 100 + i) from generate_series(1, 300) i;
  create table squeezed (id int, v text); insert into squeezed select i, string_agg(md5(j::text), '') || repeat('z', 5000) from generate_series(1, 40) i, generate_series(1, 300 + i) j group by i;
  create materialized view mv as select id from shop.t where id < 100; create view vw as select 1 as one;
  create unlogged table volatile (x int); create sequence sq;
  vacuum full pg_class; vacuum full pg_type; reindex index pg_class_oid_index;`

const TABLES = [
  'shop.t',
  '"Mixed Case"."Ta ble"',
  'parts_1',
  'parts_2',
  'parent',
  'child',
  'blobs',
  'locked',
  'prep',
  'mv',
]

beforeAll(async () => {
  postgres = await createPostgres({ settings: SETTINGS })
  await postgres.start()
  const client = await postgres.connect()
  for (const statement of SCHEMA.split(';')) if (statement.trim()) await client.query(statement)
  await client.query(`begin; create table never (x int); insert into shop.t (id) values (-1); rollback`)
  await client.query(`begin; insert into shop.t (id) values (7001); savepoint a; insert into shop.t (id) values (7002);
    rollback to a; savepoint b; insert into shop.t (id) values (7003); release b; delete from shop.t where id = 1; commit`)
  await client.query(`create table prep as select generate_series(1, 10) as x`)
  await client.query(
    `begin; delete from prep where x < 4; insert into prep values (99); create table prepared_ddl (x int); prepare transaction 'p1'`,
  )
  await client.query(`begin; savepoint s; insert into prep values (50); release s; prepare transaction 'p2'`)
  await client.query(`commit prepared 'p2'`)
  await lockedRows(client)
  expected = await ask(client)
  await client.end()
  // A session that is cut off leaves its transaction in progress for ever.
  const lost = await postgres.connect()
  await lost.query(`begin; insert into prep values (1000); delete from prep where x = 9; checkpoint`)
  await postgres.stop('immediate')
  await postgres.start()
  await postgres.stop()
  source = dataDirSource(postgres.dataDir)
  const database = (await readDatabases(source)).find(({ name }) => name === 'postgres')!
  catalog = await readCatalog(source, database)
})
afterAll(() => postgres.cleanup())

/** Rows locked by several sessions (multixacts), one of which then updates or deletes. */
async function lockedRows(client: Client): Promise<void> {
  await client.query(`create table locked as select i as id, 0 as n from generate_series(1, 200) i`)
  await client.query(`alter table locked add primary key (id)`)
  const others = [await postgres.connect(), await postgres.connect()]
  for (let round = 0; round < 20; round++) {
    for (const other of others) await other.query(`begin; select * from locked where id = ${round + 1} for key share`)
    await others[0]!.query(`update locked set n = 1 where id = ${round + 1}`)
    await others[0]!.query(round % 3 === 0 ? 'rollback' : 'commit')
    await others[1]!.query('commit')
  }
  for (const other of others) await other.end()
}

async function ask(client: Client): Promise<Expected> {
  const rows = async <Row>(sql: string): Promise<Row[]> => (await client.query(sql)).rows as Row[]
  const counts: Expected['counts'] = []
  for (const table of TABLES) {
    counts.push(
      ...(await rows<Expected['counts'][0]>(
        `select '${table}'::regclass::oid::int as oid, count(*)::int from only ${table}`,
      )),
    )
  }
  return {
    databases: await rows(`select oid::int, datname, encoding from pg_database order by 1`),
    relations:
      await rows(`select c.oid::int, nspname as schema, relname as name, relkind as kind, pg_relation_filepath(c.oid) as path,
      reltoastrelid::int as toast from pg_class c join pg_namespace n on n.oid = relnamespace order by c.oid`),
    attributes:
      await rows(`select attrelid::int as rel, attnum as num, attname as name, attlen as len, attalign as align, attisdropped as dropped,
      format_type(atttypid, null) as type from pg_attribute a join pg_class c on c.oid = attrelid where attnum > 0 and relkind in ('r', 'p', 'm', 't') order by 1, 2`),
    enums: await rows(
      `select typname as type, array_agg(enumlabel::text order by enumsortorder) as labels from pg_enum join pg_type t on t.oid = enumtypid group by 1`,
    ),
    keys: await rows(`select indrelid::int as rel, indkey::int2[] as key from pg_index where indisprimary`),
    children:
      await rows(`select inhparent::int as parent, array_agg(inhrelid::int order by inhseqno, inhrelid) as kids from pg_inherits
      join pg_class c on c.oid = inhparent where relkind in ('r', 'p') group by 1`),
    counts,
    blobs: await rows(`select id, md5(v) as digest from blobs union all select 1000 + id, md5(v) from squeezed`),
    columns:
      await rows(`select relname as table, attname as column, attnum as num, case when t.typlen = -1 then 'varlena' || case typalign when 'd' then 8 else 4 end
      when typname in ('regproc', 'xid') then 'oid' else typname end as type from pg_attribute join pg_class c on c.oid = attrelid join pg_type t on t.oid = atttypid
      where attnum > 0 and c.relname in (${Object.keys(CATALOG_COLUMNS)
        .map((name) => `'${name}'`)
        .join()}) order by 1, 3`),
  }
}

test('the columns of the catalogs that are read are those of the server', () => {
  for (const [table, columns] of Object.entries(CATALOG_COLUMNS)) {
    const theirs = expected.columns.filter((row) => row.table === table).slice(0, Object.keys(columns).length)
    expect(theirs.map(({ column, type }) => [column, type])).toEqual(Object.entries(columns))
  }
})

test('databases, relations and their files are those of the server', async () => {
  const databases = await readDatabases(source)
  expect(
    databases.map(({ oid, name, encoding }) => ({ oid, datname: name, encoding })).sort((a, b) => a.oid - b.oid),
  ).toEqual(expected.databases)
  const ours = [...catalog.relations].sort((a, b) => a.oid - b.oid)
  expect(ours.map(({ oid, schema, name, kind, toastOid }) => ({ oid, schema, name, kind, toast: toastOid }))).toEqual(
    expected.relations.map(({ oid, schema, name, kind, toast }) => ({ oid, schema, name, kind, toast })),
  )
  const relNumbers = ours.map(({ locator }) => locator?.relNumber ?? null)
  expect(relNumbers).toEqual(
    expected.relations.map(({ path }) => (path === null ? null : Number(/\d+$/.exec(path)![0]))),
  )
})

test('attributes, enums, primary keys and children are those of the server', () => {
  const rows = catalog.relations
    .filter(({ kind }) => /[rpmt]/.test(kind))
    .sort((a, b) => a.oid - b.oid)
    .flatMap(({ oid }) => catalog.tableDefinition(oid).attributes.map((attribute) => ({ oid, attribute })))
  expect(
    rows.map(({ oid, attribute }) => [
      oid,
      attribute.number,
      attribute.name,
      attribute.length,
      attribute.type === undefined,
    ]),
  ).toEqual(expected.attributes.map(({ rel, num, name, len, dropped }) => [rel, num, name, len, dropped]))
  const t = catalog.tableDefinition(catalog.find('shop', 't')!.oid)
  const kinds = t.attributes.map(({ type }) => type?.kind)
  expect(kinds).toEqual([
    'base',
    undefined,
    'enum',
    'domain',
    'composite',
    'range',
    'array',
    'base',
    'base',
    'base',
    'base',
    'array',
  ])
  const missing = t.attributes
    .filter(({ missingHex }) => missingHex !== undefined)
    .map((attribute) => {
      const bytes = Uint8Array.from(Buffer.from(attribute.missingHex!, 'hex'))
      return codecOf(attribute.type!, attribute.typmod, { isUtf8: true }).text(bytes, 0, bytes.length)
    })
  expect(missing).toEqual(['missing value', '12.50', '2024-02-29', '{1,2,3}'])
  const mood = t.attributes[2]!.type!
  expect(mood.kind === 'enum' && mood.labels.map(([, label]) => label)).toEqual(
    expected.enums.find(({ type }) => type === 'mood')!.labels,
  )
  for (const { rel, key } of expected.keys) expect(catalog.primaryKey(rel)).toEqual(key)
  for (const { parent, kids } of expected.children) expect(catalog.children(parent)).toEqual(kids)
  expect(catalog.scannedRelations(catalog.find('public', 'parts')!.oid).map(({ name }) => name)).toEqual([
    'parts_1',
    'parts_2',
  ])
  expect(catalog.find('public', 'never')).toBeUndefined()
  expect(catalog.find('public', 'prepared_ddl')).toBeUndefined()
  expect(catalog.userTables().map(({ name }) => name)).not.toContain('volatile')
})

test('rows counted under aborts, savepoints, prepared and lost transactions and shared locks are those the server shows', async () => {
  const transactions = new TransactionStatus(source)
  for (const { oid, count } of expected.counts) {
    let found = 0
    await scanVisibleTuples(source, transactions, catalog.relation(oid)!.locator!, () => found++)
    expect([catalog.relation(oid)!.name, found]).toEqual([catalog.relation(oid)!.name, count])
  }
})

test('a scan gives way after no more than 4 pages, and a catalog is the same for it', async () => {
  const steps: Set<Uint8Array>[] = []
  const giving: SnapshotSource = {
    ...source,
    giveWay: async () => {
      steps.push(new Set())
    },
  }
  const { locator } = catalog.find('pg_catalog', 'pg_attribute')!
  await scanVisibleTuples(
    giving,
    new TransactionStatus(giving),
    locator!,
    () => undefined,
    (page) => {
      steps.at(-1)!.add(page)
      return false
    },
  )
  const pageCounts = steps.map(({ size }) => size)
  expect(pageCounts.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(32)
  expect(Math.max(...pageCounts)).toBeLessThanOrEqual(4)
  expect((await readCatalog(giving, catalog.database)).relations).toEqual(catalog.relations)
})

test('values out of line, plain and compressed, are fetched through the index of their relation', async () => {
  const transactions = new TransactionStatus(source)
  const found: { id: number; digest: string }[] = []
  for (const [name, base] of [
    ['blobs', 0],
    ['squeezed', 1000],
  ] as const) {
    const relation = catalog.find('public', name)!
    const index = catalog.validIndexes(relation.toastOid)[0]!
    const toast = new ToastValues(source, transactions, catalog.relation(relation.toastOid)!.locator!, index.locator!)
    const pointers: { id: number; bytes: Uint8Array }[] = []
    await scanVisibleTuples(source, transactions, relation.locator!, (page, start) => {
      const data = start + page[start + 22]!
      pointers.push({
        id: new DataView(page.buffer, page.byteOffset).getInt32(data, true),
        bytes: page.slice(data + 4, data + 22),
      })
    })
    for (const { id, bytes } of pointers) {
      const pointer = decodeToastPointer(bytes, 0)
      const value = toastPayload(pointer, (await toast.fetch(pointer))!)
      found.push({ id: base + id, digest: (await import('node:crypto')).createHash('md5').update(value).digest('hex') })
    }
  }
  expect(found.sort((a, b) => a.id - b.id)).toEqual(expected.blobs.sort((a, b) => a.id - b.id))
  expect(found.length).toBe(340)
})
