/**
 * A random concurrent workload over tables of every kind: inserts, updates, deletes, aborts, subtransactions, DDL, vacuum,
 * out-of-line values, prepared transactions, shared row locks. Seeded: the statements are the same each time, their
 * interleaving is not.
 */
import type pg from 'pg'
import type { Stack } from '../stack-fixture.ts'

export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** An integer in [0, bound). */
  below(bound: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)]!
  }
}

/** Values of each type that have gone wrong somewhere before. */
export const TYPE_ZOO: readonly (readonly [type: string, values: readonly string[]])[] = [
  ['bool', ['true', 'false']],
  ['int2', ['-32768', '32767', '0']],
  ['int4', ['-2147483648', '2147483647', '7']],
  ['int8', ['-9223372036854775808', '9223372036854775807', '9007199254740993']],
  ['float4', ['1.5', 'NaN', '-Infinity', '1e-10', '1234567', '0.1', '-0']],
  ['float8', ['1e300', 'NaN', 'Infinity', '-0', '0.1', '123456789012345', '1e-5']],
  ['numeric', ['0', '0.00', '-123.4500', '0.000001', '10000', '99999999999999.5']],
  ['numeric(10,2)', ['12.34', '-0.01', '99999999.99', '0', '100']],
  ['numeric(18,0)', ['999999999999999999', '-999999999999999999']],
  ['numeric(38,10)', ['1234567890123456789012345678.0123456789', '-0.0000000001']],
  ['money', ['1234.56', '-0.01']],
  ['text', ['', 'abc', 'ünïcode 😀', 'line\nbreak', 'quote \' " \\']],
  ['varchar(10)', ['abc', '']],
  ['char(5)', ['ab', '', 'abcde']],
  ['name', ['a_name', '']],
  ['bytea', ['\\x00ff10', '\\x']],
  ['date', ['2024-02-29', '1969-12-31', '5874897-12-31', '0044-03-15 BC', 'infinity', '-infinity']],
  ['time', ['00:00', '23:59:59.999999', '24:00']],
  ['timetz', ['12:34:56.789+05:30', '00:00-08']],
  ['timestamp', ['2024-01-01 12:00:00.5', '0044-03-15 12:00:00 BC', 'infinity', '-infinity']],
  ['timestamptz', ['2024-06-01 12:00+02', '1969-12-31 23:59:59.000001+00', 'infinity']],
  ['interval', ['1 year 2 mons 3 days 04:05:06.789', '-1 year +2 days -00:00:01', '0', '100 hours', '-3 mons']],
  ['uuid', ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11']],
  ['inet', ['192.168.0.1', '10.0.0.0/8', '::1', 'fe80::1/64']],
  ['cidr', ['10.0.0.0/8', '2001:db8::/32']],
  ['macaddr', ['08:00:2b:01:02:03']],
  ['bit(5)', ['10101']],
  ['varbit', ['', '101', '1111000011110000']],
  ['json', ['{"a": 1}', '[1, 2]']],
  ['jsonb', ['{"b":[1,2.50,{"c":null}],"a":"x\\ny\\u00e9\\"","long":true}', '1', '"s"', '[]', '{}', '[[],[false]]']],
  ['xml', ['<a>1</a>']],
  ['tsvector', ["'a':1A,2 'b''c':3 'd'"]],
  ['point', ['(1.5,-2)']],
  ['box', ['(1,2),(0,0)']],
  ['polygon', ['((0,0),(1,1),(2,0))']],
  ['pg_lsn', ['16/B374D848']],
  ['oid', ['4294967295', '0']],
  ['int4[]', ['{1,NULL,3}', '{}']],
  ['text[]', ['{a,"b c",NULL,"NULL",""}']],
  ['date[]', ['{2020-01-01,1999-12-31}']],
  ['mood', ['sad', 'happy', 'ok']],
  ['positive', ['5', '6']],
  ['pair', ['(1,"a b")', '(,)', '(2,"")']],
  ['int4range', ['[1,10)', 'empty', '(,5)']],
  ['tsrange', ['[2020-01-01,2021-01-01)']],
  ['int4multirange', ['{[1,3),[5,7)}', '{}']],
]

export const WORKLOAD_SCHEMA: readonly string[] = [
  `create type mood as enum ('sad', 'ok', 'happy')`,
  'create domain positive as int check (value > 0)',
  'create type pair as (x int, y text)',
  'create schema shop',
  `create table shop.accounts (id int primary key, balance numeric(14,2) not null, note text, seen timestamptz)`,
  `insert into shop.accounts select i, (i * 7919 % 100000) / 100.0, repeat('n', i % 200), '2024-01-01' from generate_series(1, 20000) i`,
  `create table zoo (id int primary key, ${TYPE_ZOO.map(([type], i) => `c${i} ${type}`).join(', ')})`,
  'create table large (id int primary key, plain text, packed text, raw bytea)',
  'alter table large alter plain set storage external',
  `create table parts (k int, v text, n numeric, primary key (k, v)) partition by range (k)`,
  'create table parts_a partition of parts for values from (0) to (1000)',
  'create table parts_b (n numeric, gone int, v text, k int)',
  'alter table parts_b drop column gone',
  'alter table parts_b alter k set not null, alter v set not null',
  'alter table parts attach partition parts_b for values from (1000) to (2000)',
  `insert into parts select i % 2000, 'v' || i, i / 8.0 from generate_series(1, 6000) i`,
  'create table evolving (id int, a int)',
  `insert into evolving select i, i % 10 from generate_series(1, 8000) i`,
  'create table moods (id int, m mood)',
  `insert into moods select i, (array['sad', 'ok', 'happy'])[i % 3 + 1]::mood from generate_series(1, 500) i`,
  'create table locked (id int primary key, n int)',
  'insert into locked select i, 0 from generate_series(1, 300) i',
  'create table keyless (v int, t text)',
  'create table base (x int)',
  'create table derived (y int) inherits (base)',
]

/** Tables whose rows are compared, as they are named in both engines. */
export const WORKLOAD_TABLES = [
  'shop.accounts',
  'zoo',
  'large',
  'parts',
  'parts_b',
  'evolving',
  'moods',
  'locked',
  'keyless',
  'base',
]

/** Statements that mean the same to both engines. */
export const WORKLOAD_QUERIES: readonly string[] = [
  'select count(*), sum(balance), min(id), max(seen) from shop.accounts where id between 500 and 15000',
  'select length(note), count(*), max(balance) from shop.accounts group by 1 having count(*) > 3',
  `select m, count(*) from moods where m > 'sad' group by m`,
  'select k % 100, count(*), sum(n), min(v) from parts group by 1',
  `select a.id, a.balance, l.n from shop.accounts a join locked l using (id) where a.balance > 100`,
  'select v, count(*), count(t) from keyless group by v',
  "select p.relname, count(*) from pg_class p join pg_attribute a on a.attrelid = p.oid where p.relkind = 'r' and p.relnamespace >= 2200 and attnum > 0 group by 1",
  'select id, length(plain), length(packed), octet_length(raw) from large where id % 2 = 0',
  'select id from shop.accounts where note is not null except select id from evolving',
  'select count(*) from evolving where id in (select id from locked) or id > 7000',
  `select c20, c21 from zoo where c16 > '2000-01-01' and c9 is not null`,
  'select x, count(*) from (select x from base union all select id from locked) u group by x',
]

/** Of one session between two transactions, so that others get their turn. */
const PAUSE_MS = 15

export class Workload {
  readonly #stack: Stack
  readonly #random: Random
  #zooId = 0
  #serial = 0
  #isStopping = false
  readonly errors: string[] = []
  count = 0
  /** What happened, not only what was tried. */
  readonly done = {
    aborts: 0,
    subtransactionsKept: 0,
    subtransactionsAborted: 0,
    ddl: 0,
    ddlAborted: 0,
    prepared: 0,
    preparedCommitted: 0,
    preparedRolledBack: 0,
    vacuums: 0,
    sharedLocks: 0,
  }

  constructor(stack: Stack, seed: number) {
    this.#stack = stack
    this.#random = new Random(seed)
  }

  stop(): void {
    this.#isStopping = true
  }

  /** One session: transactions until `stop`. */
  async run(): Promise<void> {
    const client = await this.#stack.client()
    try {
      while (!this.#isStopping) {
        try {
          await this.#transaction(client)
        } catch (error) {
          // Deadlocks, duplicate keys and lock timeouts are part of life; anything else is not.
          const code = (error as { code?: string }).code ?? ''
          if (!/^(40P01|23505|55P03|23514|42701|42703|40001|2BP01|42P01|55000|42710|57014)$/.test(code)) {
            this.errors.push(String(error))
          }
          await client.query('rollback').catch(() => undefined)
        }
        this.count++
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
      }
    } finally {
      await client.end()
    }
  }

  async #transaction(client: pg.Client): Promise<void> {
    const random = this.#random
    await client.query(`set lock_timeout = '500ms'`)
    const kind = random.below(100)
    if (kind < 8) return this.#ddl(client)
    if (kind < 12) return this.#vacuum(client)
    if (kind < 18) return this.#prepared(client)
    if (kind < 26) return this.#sharedLock(client)
    await client.query('begin')
    for (let i = random.below(4); i >= 0; i--) await this.#change(client)
    if (kind < 45) {
      await client.query('savepoint s')
      await this.#change(client)
      const isKept = random.below(2) === 0
      await client.query(isKept ? 'release s' : 'rollback to s')
      this.done[isKept ? 'subtransactionsKept' : 'subtransactionsAborted']++
      await this.#change(client)
    }
    const isAborted = random.below(5) === 0
    await client.query(isAborted ? 'rollback' : 'commit')
    if (isAborted) this.done.aborts++
  }

  async #change(client: pg.Client): Promise<void> {
    const random = this.#random
    const id = random.below(6000) + 1
    switch (random.below(12)) {
      case 0:
      case 1:
        await client.query(
          `update shop.accounts set balance = balance + 0.01, seen = now() where id between ${id} and ${id + random.below(40)}`,
        )
        return
      case 2:
        await client.query(`delete from shop.accounts where id between ${id} and ${id + 3}`)
        return
      case 3:
        await client.query(
          `insert into shop.accounts select i, i / 3.0, 'again', null from generate_series(${id}, ${id + 5}) i on conflict (id) do update set note = 'conflict'`,
        )
        return
      case 4:
      case 5:
        return this.#insertZoo(client)
      case 6: {
        const size = 10 + random.below(6000)
        await client.query(
          `insert into large values (${++this.#serial}, repeat('p', ${size}), (select string_agg(md5(i::text), '') from generate_series(1, ${size / 20}) i), decode(repeat('0a', ${random.below(3000)}), 'hex'))`,
        )
        return
      }
      case 7:
        await client.query(
          `update large set plain = plain || 'x' where id % 7 = ${random.below(7)}; delete from large where id % 13 = ${random.below(13)}`,
        )
        return
      case 8:
        await client.query(
          `update parts set n = n + 1 where k = ${random.below(2000)}; delete from parts where k = ${random.below(2000)}`,
        )
        return
      case 9:
        await client.query(
          `insert into parts values (${random.below(2000)}, 'w${++this.#serial}', ${random.below(100)} / 7.0)`,
        )
        return
      case 10:
        await client.query(
          `insert into keyless values (${random.below(10)}, 'x'), (1, null); delete from keyless where v = ${random.below(10)}; insert into derived values (1, 2)`,
        )
        return
      default:
        await client.query(
          `update moods set m = (array['sad', 'happy'])[${random.below(2) + 1}]::mood where id = ${random.below(500)}; update evolving set a = a + 1 where id = ${id}`,
        )
    }
  }

  async #insertZoo(client: pg.Client): Promise<void> {
    const random = this.#random
    const values = TYPE_ZOO.map(([type, choices]) =>
      random.below(4) === 0 ? 'null' : `${literal(random.pick(choices))}::${type}`,
    )
    await client.query(`insert into zoo values (${++this.#zooId}, ${values.join(', ')})`)
    if (random.below(3) === 0) await client.query(`delete from zoo where id = ${random.below(this.#zooId) + 1}`)
  }

  async #ddl(client: pg.Client): Promise<void> {
    const choice = this.#random.below(8)
    await this.#ddlOf(client, choice)
    if (choice === 2 || choice === 7) this.done.ddlAborted++
    // 1 finds nothing to do now and then, 3 is none.
    else if (choice !== 1 && choice !== 3) this.done.ddl++
  }

  async #ddlOf(client: pg.Client, choice: number): Promise<void> {
    const random = this.#random
    const name = `d${++this.#serial}`
    switch (choice) {
      case 0:
        await client.query(
          `alter table evolving add column ${name} ${random.pick(['int default 42', `text default 'dflt'`, 'numeric(8,3) default 1.5', `date default '2020-02-02'`, `int[] default '{1,2}'`, 'text'])}`,
        )
        return
      case 1: {
        const { rows } = await client.query(
          `select attname from pg_attribute where attrelid = 'evolving'::regclass and attname like 'd%' and not attisdropped`,
        )
        if (rows.length > 3) await client.query(`alter table evolving drop column ${random.pick(rows).attname}`)
        else if (rows.length > 0)
          await client.query(`alter table evolving rename column ${random.pick(rows).attname} to ${name}`)
        return
      }
      case 2:
        await client.query(`begin; create table ${name} (x int); insert into ${name} values (1); rollback`)
        return
      case 3:
        await client.query(`insert into evolving select i, 1 from generate_series(1, 50) i`)
        return
      case 4:
        await client.query(
          random.below(3) === 0 ? 'truncate keyless' : `alter type mood add value if not exists '${name}'`,
        )
        return
      case 5:
        await client.query(
          'begin; alter table parts detach partition parts_b; alter table parts attach partition parts_b for values from (1000) to (2000); commit',
        )
        return
      case 6:
        await client.query(`alter table evolving alter column a type ${random.pick(['bigint', 'int', 'numeric'])}`)
        return
      default:
        await client.query('begin; truncate moods; rollback')
    }
  }

  async #vacuum(client: pg.Client): Promise<void> {
    const table = this.#random.pick(WORKLOAD_TABLES.filter((name) => name !== 'parts'))
    const rewrite = this.#random.below(4) === 0 && table !== 'shop.accounts' ? 'vacuum full' : 'vacuum (freeze)'
    await client.query(this.#random.pick([`vacuum ${table}`, `${rewrite} ${table}`, 'vacuum pg_class', 'checkpoint']))
    this.done.vacuums++
  }

  async #prepared(client: pg.Client): Promise<void> {
    const gid = `g${++this.#serial}`
    await client.query('begin')
    await client.query(
      `insert into keyless values (1000, '${gid}'); update locked set n = n + 1 where id = ${this.#random.below(300)}`,
    )
    await client.query('savepoint a')
    await client.query(`insert into keyless values (1001, '${gid}')`)
    await client.query(`prepare transaction '${gid}'`)
    this.done.prepared++
    const { rows } = await client.query<{ gid: string }>(
      "select gid from pg_prepared_xacts where random() < 0.7 and gid like 'g%'",
    )
    for (const { gid: other } of rows) {
      const isCommitted = this.#random.below(3) > 0
      // Another session may have been faster.
      await client.query(`${isCommitted ? 'commit' : 'rollback'} prepared '${other}'`).then(
        () => this.done[isCommitted ? 'preparedCommitted' : 'preparedRolledBack']++,
        () => undefined,
      )
    }
  }

  async #sharedLock(client: pg.Client): Promise<void> {
    const id = this.#random.below(300) + 1
    await client.query(
      `begin; select * from locked where id between ${id} and ${id + 5} for ${this.#random.pick(['key share', 'share', 'no key update'])}`,
    )
    await this.#change(client)
    if (this.#random.below(2))
      await client.query(
        `update locked set n = n + 1 where id = ${id}; delete from locked where id = ${id + 1} and id % 9 = 0`,
      )
    await client.query(this.#random.below(4) ? 'commit' : 'rollback')
    this.done.sharedLocks++
  }
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
