import { beforeAll, expect, test } from 'vitest'
import { isStorageError } from '../../base/errors.ts'
import { SqlParser } from '../engine.ts'
import { extractMoments, splitMarkedName } from './moments.ts'
import { charOffsets, parseStatement, renameTables } from './parse.ts'
import { tokenize } from './tokens.ts'

let parser: SqlParser
beforeAll(async () => {
  parser = await SqlParser.open()
})

async function refusal(sql: string): Promise<string> {
  try {
    await parseStatement(parser, sql)
    return 'accepted'
  } catch (error) {
    if (!isStorageError(error)) throw error
    return error.message
  }
}

test('an AT clause becomes a name of the same length, and nothing in strings, names, comments or TIME ZONE does', () => {
  const sql = `select o.id from orders AT (LSN => '0/16B3748') o join "My Orders" at ( branch=>'de''v' , time => '2026-01-01' ) using (id)`
  const { sql: rewritten, moments } = extractMoments(sql)
  expect(rewritten.length).toBe(sql.length)
  expect(moments).toEqual([{ lsn: '0/16B3748' }, { branch: "de'v", time: '2026-01-01' }])
  const names = tokenize(rewritten).filter(({ kind }) => kind === 'quoted')
  expect(names.map(({ text }) => splitMarkedName(text.slice(1, -1)))).toEqual([
    { name: 'orders', moment: 0 },
    { name: 'My Orders', moment: 1 },
  ])
  for (const same of [
    `select 'x AT (LSN => ''0/1'')', "a AT (LSN => '0/1')" from t -- t AT (LSN => '0/1')`,
    `select ts AT TIME ZONE 'UTC', at (lsn) /* t AT (TIME => '1') /* nested */ */ from t`,
    `select $$t AT (LSN => '0/1')$$, $a$x$a$, E'it\\'s AT (LSN => 1)'`,
  ]) {
    expect(extractMoments(same)).toEqual({ sql: same, moments: [], explain: 'none' })
  }
})

test('a malformed AT clause is refused at its place', () => {
  for (const clause of [
    `AT (LSN '0/1')`,
    `AT (LSN => 5)`,
    `AT (LSN => '0/1', TIME => 'x')`,
    `AT (TIME => 'x'`,
    `AT (LSN => '0/1', LSN => '0/2')`,
  ]) {
    expect(() => extractMoments(`select * from t ${clause}`)).toThrow(/malformed AT clause.*position=\d+/)
  }
})

test('tables are told from the names of WITH queries, in their scopes', async () => {
  const tablesOf = async (sql: string): Promise<string[]> =>
    (await parseStatement(parser, sql)).statement.tables.map(({ schema, name }) =>
      schema ? `${schema}.${name}` : name,
    )
  expect(await tablesOf(`with orders as (select * from orders) select * from orders, public.orders`)).toEqual([
    'orders',
    'public.orders',
  ])
  expect(await tablesOf(`with recursive r as (select 1 as n union all select n + 1 from r) select * from r`)).toEqual(
    [],
  )
  expect(await tablesOf(`with a as (select * from b), b as (select * from a) select * from b`)).toEqual(['b'])
  expect(await tablesOf(`select (with a as (select 1 as x) select x from a) from a`)).toEqual(['a'])
  expect(await tablesOf(`select * from t where exists (select 1 from u where u.x in (select y from v))`)).toEqual([
    't',
    'u',
    'v',
  ])
})

test('tables are renamed where they stand, also after characters of several bytes', async () => {
  const parsed = await parseStatement(parser, `select 'ä😀', t.a from public . "T" t, (table u) x where t.a = 'u';`)
  expect(renameTables(parsed, ['"m"."T"', '"m"."u"'])).toBe(
    `select 'ä😀', t.a from "m"."T" t, (table "m"."u") x where t.a = 'u'`,
  )
  expect(charOffsets('ä😀x')(6)).toBe(3)
})

test('columns that may be read are found, all of them behind a star, a natural join or a whole row', async () => {
  const { statement } = await parseStatement(
    parser,
    `select a, t.B, sum(c) over (order by d) from t join u using (k) where (t).e = 1 group by f having max(g) > 1`,
  )
  for (const name of ['a', 'b', 'c', 'd', 'k', 'f', 'g']) expect(statement.columns.has(name)).toBe(true)
  expect(statement.readsAllColumns).toBe(true)
  const isAll = async (sql: string): Promise<boolean> => (await parseStatement(parser, sql)).statement.readsAllColumns
  expect(await isAll('select count(*), a from t')).toBe(false)
  for (const sql of [
    'select * from t',
    'select t.* from t',
    'select t from t',
    'select 1 from t natural join u',
    'select #1 from t',
    'from t',
    'select x from t as t2(x, y)',
    `select columns('a.*') from t`,
  ]) {
    expect([sql, await isAll(sql)]).toEqual([sql, true])
  }
})

test('anything but one SELECT without files, settings and engine functions is refused', async () => {
  for (const sql of [
    'insert into t values (1)',
    'update t set a = 1',
    'delete from t',
    'create table x as select 1',
    'drop table t',
    "copy t to '/tmp/x'",
    "attach '/tmp/x.db'",
    'install httpfs',
    'load httpfs',
    'set threads = 1',
    'pragma version',
    'call pragma_version()',
    'select 1; select 2',
    '',
    ';',
    'explain',
    'explain analyze delete from t',
    'checkpoint',
    `select * from read_parquet('/etc/passwd')`,
    `select * from read_csv('x')`,
    `select * from glob('*')`,
    `select * from duckdb_settings()`,
    `select * from query('select 1')`,
    `select * from query_table('t')`,
    `select current_setting('temp_directory')`,
    `select getvariable('x')`,
    'show tables',
    "export database 'x'",
    'select * from t at (version => 1)',
    `select '`,
    'select "',
    'select /* ',
    'select $$ ',
    'select \0',
    'select \ue000',
  ]) {
    expect([sql, await refusal(sql)]).not.toEqual([sql, 'accepted'])
  }
  for (const sql of [
    'select 1',
    'explain select 1',
    'explain analyze select 1',
    'values (1), (2)',
    'table t',
    'select * from generate_series(1, 3)',
    'describe t',
    'select 1;',
  ]) {
    expect([sql, await refusal(sql)]).toEqual([sql, 'accepted'])
  }
})

test('a syntax error says where', async () => {
  expect(await refusal('select 1,\n  frm from t where')).toMatch(/syntax error.*position=\d+, line=2/)
})
