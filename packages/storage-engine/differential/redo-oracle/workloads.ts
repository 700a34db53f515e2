/**
 * Workloads that between them write every record type with native redo. Each is one unit between two points at which
 * the oracle reads the WAL. `scale` 1 is the full size.
 */
import type pg from 'pg'
import type { PostgresFixture } from '../../test/postgres-fixture.ts'

export interface Workload {
  readonly name: string
  run(postgres: PostgresFixture, scale: number): Promise<void>
}

const WAIT_TRIES_MAX = 10_000

const count = (full: number, scale: number): number => Math.max(50, Math.round(full * scale))

/** Runs statements one by one on a connection of their own; VACUUM and CREATE DATABASE allow no transaction. */
async function runAll(postgres: PostgresFixture, statements: readonly string[], database = 'postgres'): Promise<void> {
  const client = await postgres.connect(database)
  try {
    for (const statement of statements) await client.query(statement)
  } finally {
    await client.end()
  }
}

async function withClients(
  postgres: PostgresFixture,
  clientCount: number,
  use: (clients: pg.Client[]) => Promise<void>,
): Promise<void> {
  const clients = await Promise.all(Array.from({ length: clientCount }, () => postgres.connect()))
  try {
    await use(clients)
  } finally {
    await Promise.all(clients.map((client) => client.end()))
  }
}

/** `body` in a loop of plpgsql, committed every `commitEvery` rounds. `i` counts from 1. */
function loop(rounds: number, commitEvery: number, body: string): string {
  return `do $$ begin for i in 1..${rounds} loop ${body}; if i % ${commitEvery} = 0 then commit; end if; end loop; end $$`
}

const tpcb: Workload = {
  name: 'tpcb',
  async run(postgres, scale) {
    await runAll(postgres, [
      `create table branches (bid int primary key, balance int, filler char(40)) with (fillfactor = 50)`,
      `create table tellers (tid int primary key, bid int, balance int, filler char(40)) with (fillfactor = 50)`,
      `create table accounts (aid int primary key, bid int, balance int, filler char(60)) with (fillfactor = 80)`,
      `create table history (tid int, bid int, aid int, delta int, mtime timestamptz default now(), filler char(22))`,
      `insert into branches select i, 0, '' from generate_series(1, 10) i`,
      `insert into tellers select i, i % 10, 0, '' from generate_series(1, 100) i`,
      `insert into accounts select i, i % 10, 0, '' from generate_series(1, ${count(20000, scale)}) i`,
      `vacuum (freeze) accounts`,
      `vacuum tellers`,
    ])
    const accountCount = count(20000, scale)
    const body = `
      update accounts set balance = balance + i where aid = 1 + floor(random() * ${accountCount})::int;
      perform balance from accounts where aid = 1 + floor(random() * ${accountCount})::int;
      update tellers set balance = balance + i where tid = 1 + floor(random() * 100)::int;
      update branches set balance = balance + i where bid = 1 + floor(random() * 5)::int + WORKER;
      insert into history values (1, 1, i, i)`
    await Promise.all(
      [0, 5].map((worker) => runAll(postgres, [loop(count(9000, scale), 1, body.replace('WORKER', String(worker)))])),
    )
    await runAll(postgres, ['vacuum accounts', 'vacuum tellers', 'vacuum branches', 'vacuum (freeze) history'])
  },
}

const rows: Workload = {
  name: 'rows',
  async run(postgres, scale) {
    const n = count(26000, scale)
    await runAll(postgres, [
      `create table rows (id int primary key, k int, v text) with (fillfactor = 70)`,
      `create index on rows (k)`,
      loop(n, 3, `insert into rows values (i, (random() * 100000)::int, repeat('x', i % 60))`),
      `vacuum (freeze, analyze) rows`,
      // Non-key updates on all-frozen pages, key updates that leave the page, deletes, row locks.
      loop(
        n / 2,
        5,
        `update rows set v = repeat('y', (random() * 90)::int) where id = 1 + floor(random() * ${n})::int`,
      ),
      loop(n / 2, 7, `update rows set k = k + 1 where id = 1 + floor(random() * ${n})::int`),
      `vacuum rows`,
      loop(n / 4, 9, `perform 1 from rows where id = 1 + floor(random() * ${n})::int for update`),
      `vacuum (freeze) rows`,
      loop(n / 4, 9, `perform 1 from rows where id = 1 + floor(random() * ${n})::int for no key update`),
      loop(n / 4, 2, `delete from rows where id = 1 + floor(random() * ${n})::int`),
      `vacuum rows`,
      loop(
        n / 4,
        2,
        `insert into rows values (${n} + i, (random() * 100000)::int, 'again') on conflict (id) do nothing`,
      ),
      loop(
        n / 4,
        2,
        `insert into rows values (1 + floor(random() * ${n})::int, 1, 'up') on conflict (id) do update set v = 'up'`,
      ),
      `begin; insert into rows select i, i, 'rolled back' from generate_series(1000001, 1002000) i; rollback`,
      `vacuum (freeze) rows`,
    ])
  },
}

const wideRows: Workload = {
  name: 'wide-rows',
  async run(postgres, scale) {
    const n = count(3000, scale)
    await runAll(postgres, [
      `create table wide (id int primary key, head text, body text, tail text)`,
      `alter table wide alter body set storage plain, alter head set storage plain`,
      loop(n, 1, `insert into wide values (i, repeat('h', 100), repeat(chr(65 + i % 26), 900), repeat('t', 200))`),
      `vacuum wide`,
      // The middle changes: prefix and suffix are taken from the old tuple when it stays on its page.
      loop(n, 1, `update wide set body = repeat(chr(97 + i % 26), 900) where id = 1 + floor(random() * ${n})::int`),
      loop(
        n,
        1,
        `update wide set body = repeat(chr(97 + i % 26), 200 + i % 1500) where id = 1 + floor(random() * ${n})::int`,
      ),
      `update wide set tail = null where id % 3 = 0`,
      `vacuum wide`,
      `update wide set head = head || 'more', tail = 'x' where id % 5 = 0`,
      `create table toasted (id int primary key, v text)`,
      `alter table toasted alter v set storage external`,
      `insert into toasted select i, repeat(md5(i::text), 200) from generate_series(1, ${count(300, scale)}) i`,
      `update toasted set v = v || 'x' where id % 2 = 0`,
      `delete from toasted where id % 3 = 0`,
      `vacuum toasted`,
    ])
  },
}

const duplicates: Workload = {
  name: 'duplicates',
  async run(postgres, scale) {
    const n = count(30000, scale)
    await runAll(postgres, [
      `create table dup (id int, g int, t text)`,
      `create index dup_g on dup (g)`,
      `create index dup_t on dup (t)`,
      loop(n, 20, `insert into dup values (i, (random() * 40)::int, 'group ' || i % 7)`),
      // Freed tuples in the middle of the heap get taken again: new tids fall into old posting lists.
      `delete from dup where id % 4 = 0`,
      `vacuum dup`,
      loop(n / 2, 20, `insert into dup values (${n} + i, (random() * 40)::int, 'group ' || i % 7)`),
      `delete from dup where id % 3 = 1`,
      `vacuum dup`,
      loop(n / 3, 20, `insert into dup values (${2 * n} + i, (random() * 40)::int, 'group ' || i % 7)`),
      // Version churn of rows whose index key does not change but which cannot be HOT: bottom-up deletion.
      `create table churn (id int, g int, n int) with (fillfactor = 100)`,
      `create index churn_g on churn (g)`,
      `create index churn_n on churn (n)`,
      `insert into churn select i, i % 50, 0 from generate_series(1, 2000) i`,
      loop(count(12000, scale), 10, `update churn set n = n + 1 where id = 1 + (i * 7) % 2000`),
      `set enable_seqscan = off`,
      loop(
        count(3000, scale),
        10,
        `perform count(*) from churn where g = i % 50; update churn set n = n + 1 where g = i % 50 and id % 10 = i % 10`,
      ),
      `delete from churn where id % 2 = 0`,
      `vacuum churn`,
    ])
  },
}

/** Posting-list splits that come together with a page split need luck: many single-value pages filled out of order. */
const postingSplits: Workload = {
  name: 'posting-splits',
  async run(postgres, scale) {
    const n = count(40000, scale)
    await runAll(postgres, [
      `create table ps (id int, g int)`,
      `insert into ps select i, i % 3 from generate_series(1, ${n}) i`,
      `create index ps_g on ps (g)`,
      `delete from ps where id % 5 = 0`,
      `vacuum ps`,
      loop(n / 5, 50, `insert into ps values (-i, i % 3)`),
      `delete from ps where id % 7 = 0`,
      `vacuum ps`,
      `insert into ps select -i, i % 3 from generate_series(1, ${Math.round(n / 6)}) i`,
      // One key for all rows, of several lengths. Narrow rows take the place of wide ones: each heap block gets more
      // tids than it had, all of them in the middle of the index, and every leaf splits somewhere.
      `create table ps3 (id int, w text)`,
      `insert into ps3 select i, repeat('w', 500) from generate_series(1, ${count(5000, scale)}) i`,
      ...[8, 60, 100, 150, 200, 300, 400, 500, 600, 700, 800, 1000].map(
        (length) => `create index on ps3 ((repeat('k', ${length} + 0 * id))) with (fillfactor = 100)`,
      ),
      ...[4, 3, 2].flatMap((part) => [
        `delete from ps3 where id % ${part} = 0`,
        `vacuum ps3`,
        loop(count(8000, scale), 50, `insert into ps3 values (i * 60 + 1, 'n')`),
      ]),
      `create table ps2 (id int, a text)`,
      `insert into ps2 select i, repeat('v', 20) || i % 200 from generate_series(1, ${n}) i`,
      `create index ps2_a on ps2 (a)`,
      `delete from ps2 where id % 3 = 0`,
      `vacuum ps2`,
      loop(Math.round(n / 3), 50, `insert into ps2 values (-i, repeat('v', 20) || (random() * 200)::int)`),
    ])
  },
}

const treeShrinks: Workload = {
  name: 'tree-shrinks',
  async run(postgres, scale) {
    const n = count(6000, scale)
    await runAll(postgres, [
      `create table tree (id int, k text)`,
      // Keys of about 1 kB: few to a page, so the tree has four levels.
      `create unique index tree_k on tree (k)`,
      `alter table tree alter k set storage plain`,
      `insert into tree select i, lpad(i::text, 8, '0') || repeat('k', 1000) from generate_series(1, ${n}) i`,
      `insert into tree select -i, lpad((random() * 99999999)::int::text, 8, '0') || i || repeat('k', 990) from generate_series(1, ${n / 4}) i`,
      // Whole subtrees go, then all but the last page: internal pages are unlinked and the fast root moves down.
      `delete from tree where k > '00000500' and k < '00004000'`,
      `vacuum tree`,
      `delete from tree where k < (select max(k) from tree)`,
      `vacuum tree`,
      `select txid_current()`,
      `vacuum tree`,
      // The fast root, which is not the root, splits.
      `insert into tree select i, lpad(i::text, 8, 'a') || repeat('k', 1000) from generate_series(1, ${n}) i`,
      `delete from tree where id % 10 <> 0`,
      `vacuum tree`,
      `select txid_current()`,
      `vacuum tree`,
      // Deleted pages come back.
      `insert into tree select i, lpad(i::text, 8, 'b') || repeat('k', 1000) from generate_series(1, ${n / 2}) i`,
      `create table ascending (id int primary key)`,
      `insert into ascending select generate_series(1, ${count(60000, scale)})`,
      `delete from ascending where id < ${count(55000, scale)}`,
      `vacuum ascending`,
      `select txid_current()`,
      `vacuum ascending`,
      `insert into ascending select generate_series(100001, ${100000 + count(20000, scale)})`,
      `create table descending (id int primary key)`,
      loop(count(8000, scale), 50, `insert into descending values (-i)`),
      // One row at a time in random order: ordinary splits of both kinds, inserts into inner pages.
      `create table scattered (id uuid primary key, n int)`,
      loop(count(20000, scale), 50, `insert into scattered values (gen_random_uuid(), i)`),
      // An index made on an empty table, filled and emptied, is given its first root by a record of its own.
      `create table first_root (id int primary key)`,
      `insert into first_root values (1)`,
      `delete from first_root`,
      `vacuum first_root`,
    ])
  },
}

const locks: Workload = {
  name: 'locks',
  async run(postgres, scale) {
    const n = count(600, scale)
    await runAll(postgres, [
      `create table parent (id int primary key, v int)`,
      `create table child (id int primary key, pid int references parent)`,
      `insert into parent select i, 0 from generate_series(1, ${n}) i`,
      `vacuum (freeze) parent`,
    ])
    await withClients(postgres, 3, async ([a, b, c]) => {
      if (a === undefined || b === undefined || c === undefined) return
      for (let i = 1; i <= n; i++) {
        // b and c see the old version while a has made a new one: their key-share lock follows the chain.
        await a.query('begin')
        await a.query('update parent set v = v + 1 where id = $1', [i])
        await b.query('begin')
        await b.query('insert into child values ($1, $2)', [i, i])
        if (i % 2 === 0) {
          await c.query('begin')
          await c.query('select * from parent where id = $1 for key share', [i])
        }
        await a.query(i % 5 === 0 ? 'rollback' : 'commit')
        if (i % 3 === 0) {
          await b.query('savepoint s')
          await b.query('select * from parent where id = $1 for share', [1 + (i % 7)])
          await b.query(i % 6 === 0 ? 'rollback to s' : 'release s')
        }
        await b.query(i % 11 === 0 ? 'rollback' : 'commit')
        if (i % 2 === 0) await c.query('commit')
      }
    })
    await runAll(postgres, [
      'vacuum (freeze) parent',
      `begin; select * from parent where id < 100 for share; commit`,
      `begin; update child set pid = pid where id < 100; rollback`,
      'vacuum (freeze) child',
    ])
  },
}

/** What an aborted update leaves on a tuple is undone by the next change of it: xmax, HOT mark, forward link. */
const aborts: Workload = {
  name: 'aborts',
  async run(postgres, scale) {
    const n = count(600, scale)
    const third = (part: number): string => `where id % 3 = ${part}`
    await runAll(postgres, [
      `create table aborted (id int primary key, k int, v int) with (fillfactor = 40)`,
      `create index on aborted (k)`,
      `insert into aborted select i, 0, 0 from generate_series(1, ${n}) i`,
      ...['v = v + 1', 'k = k + 1'].flatMap((change) => [
        `begin; update aborted set ${change}; rollback`,
        `begin; select count(*) from (select 1 from aborted ${third(0)} for update) locked; commit`,
        `begin; select count(*) from (select 1 from aborted ${third(1)} for key share) locked; commit`,
        `update aborted set v = v + 1 ${third(0)}`,
        `update aborted set k = k + 1 ${third(1)}`,
        `begin; update aborted set v = v + 1; rollback`,
        `begin; delete from aborted ${third(2)}; rollback`,
      ]),
      `begin; update aborted set v = v + 1; rollback`,
      `delete from aborted ${third(2)}`,
      `vacuum aborted`,
    ])
  },
}

/** Two clients insert the same keys at the same moment: one of the two takes its speculative tuple back. */
const speculation: Workload = {
  name: 'speculation',
  async run(postgres, scale) {
    await runAll(postgres, [`create table spec (id int primary key, u int unique, who int)`])
    const body = (who: number): string =>
      loop(count(15000, scale), 1, `insert into spec values (i, i, ${who}) on conflict do nothing`)
    await Promise.all([1, 2, 3].map((who) => runAll(postgres, [body(who)])))
    // Advisory locks in an index expression stop one client between its heap tuple and its index entry.
    await runAll(postgres, [
      `create table spec_wait (k text)`,
      `create function spec_lock(k text) returns text language plpgsql immutable as $$
        begin
          if current_setting('application_name') = 'slow' then perform pg_advisory_xact_lock(7); end if;
          return k;
        end $$`,
      `create unique index on spec_wait ((spec_lock(k)))`,
    ])
    await withClients(postgres, 3, async ([holder, slow, fast]) => {
      if (holder === undefined || slow === undefined || fast === undefined) return
      await slow.query(`set application_name = 'slow'`)
      for (let i = 0; i < 5; i++) {
        await holder.query('select pg_advisory_lock(7)')
        const insert = `insert into spec_wait values ('k${i}') on conflict do nothing`
        const waiting = slow.query(insert)
        await untilSlowWaits(fast)
        // The slow client waits while it checks for conflicts; the fast one inserts meanwhile.
        await fast.query(insert)
        await holder.query('select pg_advisory_unlock(7)')
        await waiting
      }
    })
  },
}

/** Resolves when the connection named 'slow' waits for a lock. */
async function untilSlowWaits(client: pg.Client): Promise<void> {
  for (let tries = 0; tries < WAIT_TRIES_MAX; tries++) {
    const waiting = `select 1 from pg_stat_activity where application_name = 'slow' and wait_event_type = 'Lock'`
    if ((await client.query(waiting)).rowCount === 1) return
    await client.query('select pg_sleep(0.001)')
  }
  throw new Error('the slow client never waited')
}

const bulk: Workload = {
  name: 'bulk',
  async run(postgres, scale) {
    const n = count(30000, scale)
    await runAll(postgres, [
      `create table copied (id int, v text)`,
      `copy copied from program 'seq 1 ${n} | sed "s/$/\tcopied row/"'`,
      `vacuum copied`,
      `delete from copied where id % 10 = 0`,
      `vacuum copied`,
      // Onto pages that are all-visible, with room.
      `copy copied from program 'seq 1 ${Math.round(n / 20)} | sed "s/$/\tmore/"'`,
      `begin; create table frozen (id int, v text); copy frozen from program 'seq 1 ${n} | sed "s/$/\tfrozen/"' with (freeze); commit`,
      `update frozen set v = 'thawed' where id % 50 = 0`,
      `delete from frozen where id % 77 = 0`,
      `create table parts (id int, v text) partition by range (id)`,
      `create table parts_1 partition of parts for values from (0) to (1000)`,
      `create table parts_2 partition of parts for values from (1000) to (100000)`,
      `insert into parts select i, 'part' from generate_series(1, 900) i`,
      `vacuum parts_1`,
      `update parts set id = id + 2000 where id % 3 = 0`,
      `create sequence numbers cache 1`,
      loop(count(3000, scale), 10, `perform nextval('numbers')`),
      `alter sequence numbers restart with 5`,
      `select setval('numbers', 77)`,
      `create table serials (id serial, v int)`,
      `insert into serials (v) select generate_series(1, ${count(2000, scale)})`,
      `create table shrinking (id int, v text)`,
      `insert into shrinking select i, repeat('s', 300) from generate_series(1, 3000) i`,
      `vacuum (freeze) shrinking`,
      `delete from shrinking where id > 1000`,
      `vacuum shrinking`,
      `insert into shrinking select i, 'again' from generate_series(1, 3000) i`,
      `update shrinking set v = 'once more' where id % 20 = 0`,
      // The new version does not fit beside the old one and goes to a page that is all-visible and has room.
      `create table roomy (id int, v text)`,
      `insert into roomy select i, repeat('r', 60) from generate_series(1, 4000) i`,
      `delete from roomy where id > 1000 and id % 3 <> 0`,
      `vacuum (freeze) roomy`,
      `update roomy set v = repeat('R', 1200) where id < 900 and id % 90 = 1`,
      `update roomy set v = repeat('R', 500) where id < 900 and id % 90 = 2`,
      `truncate serials`,
      `vacuum full shrinking`,
      `cluster rows using rows_pkey`,
      `reindex table rows`,
      `create materialized view counted as select k % 10 as m, count(*) from rows group by 1`,
      `refresh materialized view counted`,
      `alter table copied add column extra int default 5`,
      `update copied set extra = 6 where id % 5 = 0`,
      `alter table copied alter column id type bigint`,
      `select lo_create(4711)`,
      `select lo_put(4711, 0, repeat('large object', 5000)::bytea)`,
      `create unlogged table volatile (id int primary key)`,
      `insert into volatile select generate_series(1, 1000)`,
      `create temporary table passing as select * from rows limit 100`,
      `analyze`,
    ])
  },
}

const byImage: Workload = {
  name: 'by-image',
  async run(postgres, scale) {
    const n = count(4000, scale)
    await runAll(postgres, [
      `create extension bloom`,
      `create table imaged (id int, arr int[], p point, t text, ts timestamp)`,
      `create index on imaged using gin (arr)`,
      `create index on imaged using gist (p)`,
      `create index on imaged using spgist (t)`,
      `create index on imaged using brin (ts) with (pages_per_range = 2)`,
      `create index on imaged using hash (id)`,
      `create index on imaged using bloom (id)`,
      loop(
        n,
        10,
        `insert into imaged values (i, array[i % 10, i % 100, i], point(random(), random()), md5(i::text), now())`,
      ),
      `update imaged set arr = arr || 7, t = t || 'x' where id % 3 = 0`,
      `delete from imaged where id % 4 = 0`,
      `vacuum imaged`,
      `insert into imaged select i, array[i], point(i, i), 'tail' || i, now() from generate_series(1, ${n}) i`,
      `vacuum imaged`,
    ])
  },
}

const transactions: Workload = {
  name: 'transactions',
  async run(postgres, scale) {
    await runAll(postgres, [
      `create table prepared (id int primary key)`,
      `begin; insert into prepared values (1); savepoint a; insert into prepared values (2); prepare transaction 'one'`,
      `begin; insert into prepared values (3); savepoint a; insert into prepared values (4); prepare transaction 'two'`,
      `commit prepared 'one'`,
      `rollback prepared 'two'`,
      // More transactions than a page of pg_xact has room for.
      loop(count(36000, scale), 1, `perform txid_current()`),
      `do $$ begin for i in 1..300 loop begin insert into prepared values (100 + i % 200); exception when others then null; end; end loop; end $$`,
      `create database by_files strategy file_copy`,
      `create database by_wal strategy wal_log`,
    ])
    for (const database of ['by_files', 'by_wal']) {
      await runAll(
        postgres,
        [
          'create table here (id int primary key)',
          'insert into here select generate_series(1, 500)',
          'vacuum here',
          'delete from here where id < 10',
        ],
        database,
      )
    }
  },
}

export const WORKLOADS: readonly Workload[] = [
  ...[
    tpcb,
    rows,
    wideRows,
    duplicates,
    postingSplits,
    treeShrinks,
    locks,
    aborts,
    speculation,
    bulk,
    byImage,
    transactions,
  ],
]
