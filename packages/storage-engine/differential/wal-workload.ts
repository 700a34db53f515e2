import type { PostgresFixture } from '../test/postgres-fixture.ts'

/**
 * SQL that makes a stock server write as many kinds of WAL records as it can in a short time: all index types with splits
 * and vacuum, two-phase commit, subtransactions, multixacts, both CREATE DATABASE strategies, tablespaces, mapped catalogs,
 * large objects, sequences, rewrites, logical messages, replication origins.
 * `scale` multiplies the rows. The server needs max_prepared_transactions > 0 and allow_in_place_tablespaces=on.
 */
export async function runWalWorkload(postgres: PostgresFixture, scale = 1): Promise<void> {
  for (const step of steps(scale)) await runInOneSession(postgres, step)
  await lockRowsTogether(postgres)
  await openSubtransactions(postgres)
  await createDatabases(postgres)
  await postgres.query('vacuum (freeze) heap_rows')
  await postgres.query('vacuum')
  await postgres.query('checkpoint')
}

/** Statements of a step share a session but no transaction, so that VACUUM and the like may stand among them. */
async function runInOneSession(postgres: PostgresFixture, step: string): Promise<void> {
  const client = await postgres.connect()
  try {
    const statements = step.includes('$$') ? [step] : step.split(';')
    for (const statement of statements) await client.query(statement)
  } finally {
    await client.end()
  }
}

function steps(scale: number): string[] {
  const rows = Math.round(2000 * scale)
  return [
    `create extension if not exists pg_walinspect;
     create extension if not exists bloom;
     create extension if not exists pg_trgm;
     create extension if not exists btree_gist;
     create extension if not exists pg_visibility`,

    `create table heap_rows (id int primary key, n int, t text, pad text);
     create index heap_rows_n on heap_rows (n);
     create index heap_rows_t on heap_rows (t);
     insert into heap_rows select g, g % 17, md5(g::text), repeat('p', g % 300) from generate_series(1, ${rows * 5}) g`,
    'checkpoint',
    'update heap_rows set n = n + 1 where id % 3 = 0',
    `update heap_rows set pad = pad || 'longer' where id % 5 = 0`,
    'delete from heap_rows where id % 7 = 0',
    'select count(*) from heap_rows',
    'vacuum heap_rows',
    'delete from heap_rows where id between 200 and 4000',
    'vacuum heap_rows',
    'vacuum heap_rows',
    `insert into heap_rows select g, g % 17, md5(g::text), 'again' from generate_series(100001, ${100000 + rows * 3}) g
       on conflict (id) do nothing`,
    'reindex table heap_rows',
    `create table speculative (id int primary key, hits int default 0);
     insert into speculative select g % 50 from generate_series(1, 500) g on conflict (id) do nothing;
     insert into speculative select g from generate_series(1, 50) g on conflict (id) do update set hits = speculative.hits + 1`,
    `create table doubles (v int); create index doubles_v on doubles (v);
     insert into doubles select g % 3 from generate_series(1, ${rows * 5}) g`,
    `delete from doubles where v = 1; insert into doubles select 1 from generate_series(1, ${rows}) g`,
    'vacuum doubles',
    `create table emptied (k int primary key, v text);
     insert into emptied select g, 'x' from generate_series(1, ${rows * 5}) g`,
    'delete from emptied where k > 10',
    'vacuum emptied',
    `insert into emptied select g, 'y' from generate_series(1000000, ${1000000 + rows}) g`,
    "copy (select g, g * 2 from generate_series(1, 1000) g) to program 'cat > /dev/null'",

    `create table documents (id serial, words text[], body text, box box, ip inet, range int4range, payload jsonb);
     create index documents_gin on documents using gin (words);
     create index documents_trgm on documents using gin (body gin_trgm_ops) with (fastupdate = off);
     create index documents_json on documents using gin (payload);
     create index documents_gist on documents using gist (box);
     create index documents_range on documents using gist (range);
     create index documents_spgist_ip on documents using spgist (ip);
     create index documents_spgist_text on documents using spgist (body);
     create index documents_spgist_box on documents using spgist (box);
     create index documents_brin on documents using brin (id) with (pages_per_range = 2, autosummarize = off);
     create index documents_brin_bloom on documents using brin (body text_bloom_ops) with (pages_per_range = 1);
     create index documents_hash on documents using hash (body);
     create index documents_bloom on documents using bloom (id)`,
    insertDocuments(1, rows * 2),
    'vacuum documents',
    insertDocuments(rows * 2 + 1, rows * 3),
    'delete from documents where id % 2 = 0',
    'vacuum documents',
    'update documents set body = body || id where id % 5 = 0',
    `select brin_summarize_new_values('documents_brin'); select brin_desummarize_range('documents_brin', 0);
     select brin_summarize_new_values('documents_brin')`,
    'delete from documents',
    'vacuum documents',
    insertDocuments(1, rows),
    'drop index documents_hash; create index documents_hash on documents using hash (id)',

    `create sequence numbers; select nextval('numbers') from generate_series(1, 200);
     select setval('numbers', 5000); alter sequence numbers restart with 7`,
    `create table toasted (id int, v text);
     alter table toasted alter v set storage external;
     insert into toasted select g, repeat(md5(g::text), 500) from generate_series(1, ${Math.round(50 * scale)}) g;
     update toasted set v = v || 'x'; delete from toasted where id % 2 = 0`,
    `do $$ declare o oid; begin
       for i in 1..5 loop o := lo_create(0); perform lo_put(o, 0, convert_to(repeat('large object ', 5000), 'UTF8')); end loop;
     end $$`,
    `create table partitioned (id int, d date) partition by range (id);
     create table partitioned_1 partition of partitioned for values from (0) to (1000);
     create table partitioned_2 partition of partitioned for values from (1000) to (100000);
     insert into partitioned select g, '2020-01-01'::date + g % 100 from generate_series(1, 3000) g`,
    `create unlogged table unlogged_rows (id int primary key, t text); insert into unlogged_rows select g, 'u' from generate_series(1, 500) g`,
    `create temp table temporary_rows as select g from generate_series(1, 100) g`,
    `create table rewritten (a int, b text); insert into rewritten select g, 'b' from generate_series(1, ${rows}) g;
     alter table rewritten alter a type bigint; alter table rewritten add c int default 7`,
    'vacuum full rewritten',
    'create unique index rewritten_a on rewritten (a); cluster rewritten using rewritten_a',
    'truncate rewritten',
    'create materialized view counted as select count(*) from heap_rows; refresh materialized view counted',
    'vacuum full pg_class',
    'vacuum full pg_proc; vacuum full pg_database; reindex system postgres',
    'reindex table concurrently heap_rows',

    `begin; insert into heap_rows values (-1, 0, 'prepared', ''); savepoint s; insert into heap_rows values (-2, 0, 'sub', '');
     drop table partitioned_1; prepare transaction 'prepared commit'`,
    `begin; insert into heap_rows values (-3, 0, 'prepared', ''); create table never (i int); prepare transaction 'prepared abort'`,
    `commit prepared 'prepared commit'`,
    `rollback prepared 'prepared abort'`,
    `begin; create table gone (i int); insert into gone select 1 from generate_series(1, 100); rollback`,
    `begin; insert into heap_rows values (-10, 0, 'a', ''); savepoint a; insert into heap_rows values (-11, 0, 'b', '');
     rollback to a; savepoint b; insert into heap_rows values (-12, 0, 'c', ''); release b; commit`,

    `set allow_in_place_tablespaces = on; create tablespace elsewhere location ''`,
    `create table moved (a int primary key, b text) tablespace elsewhere;
     insert into moved select g, 'm' from generate_series(1, 1000) g; alter table moved set tablespace pg_default`,
    'drop tablespace elsewhere',
    `select pg_logical_emit_message(true, 'prefix', repeat('transactional message ', 100));
     select pg_logical_emit_message(false, 'prefix', repeat('m', 30000))`,
    `select pg_replication_origin_create('elsewhere');
     select pg_replication_origin_session_setup('elsewhere');
     begin; select pg_replication_origin_xact_setup('0/AABBCC', now()); insert into heap_rows values (-20, 0, 'origin', ''); commit;
     select pg_replication_origin_session_reset(); select pg_replication_origin_advance('elsewhere', '0/AABBDD')`,
    `select pg_replication_origin_drop('elsewhere')`,
    `select pg_create_restore_point('here'); select pg_switch_wal()`,
    `insert into heap_rows select g, 1, 'after switch', '' from generate_series(200001, 200100) g`,
    `select pg_log_standby_snapshot()`,
  ]
}

function insertDocuments(first: number, last: number): string {
  return `insert into documents (words, body, box, ip, range, payload)
    select array['w' || g % 50, 'w' || g % 7, 'x' || g], 'document ' || md5(g::text),
      box(point(g % 100, g / 100), point(g % 100 + 1, g / 100 + 1)), ('10.' || g % 256 || '.' || (g / 256) % 256 || '.1')::inet,
      int4range(g, g + 10), jsonb_build_object('k' || g % 20, g, 'tag', md5((g % 100)::text))
    from generate_series(${first}, ${last}) g`
}

/** Several transactions that lock the same rows make multixacts. */
async function lockRowsTogether(postgres: PostgresFixture): Promise<void> {
  await postgres.query(`create table parents (id int primary key); insert into parents select generate_series(1, 50);
    create table children (id serial, parent int references parents)`)
  const clients = await Promise.all([postgres.connect(), postgres.connect(), postgres.connect()])
  for (let round = 0; round < 30; round++) {
    for (const [index, client] of clients.entries()) {
      await client.query('begin')
      await client.query(index === 0 ? 'select * from parents for key share' : 'select * from parents for share')
      if (index === 0) await client.query('insert into children (parent) select id from parents')
    }
    for (const client of clients) await client.query(round % 3 === 0 ? 'rollback' : 'commit')
  }
  const [first, second] = clients
  await first!.query('begin')
  await first!.query('select * from parents for key share')
  await second!.query('update parents set id = id where id % 2 = 0')
  await first!.query('commit')
  await Promise.all(clients.map((client) => client.end()))
  await postgres.query('vacuum (freeze) parents')
}

/** More than 64 subtransactions in one transaction make ASSIGNMENT records. */
async function openSubtransactions(postgres: PostgresFixture): Promise<void> {
  const client = await postgres.connect()
  await client.query('begin')
  for (let level = 0; level < 150; level++) {
    await client.query(`savepoint s${level}`)
    await client.query(`insert into heap_rows values (${-1000 - level}, 0, 'subtransaction', '')`)
  }
  await client.query('rollback to s100')
  await postgres.query('select pg_log_standby_snapshot()')
  await client.query('commit')
  await client.end()
}

async function createDatabases(postgres: PostgresFixture): Promise<void> {
  await postgres.query('create database copied strategy file_copy')
  await postgres.query('create database logged strategy wal_log')
  await postgres.query(
    'create table inside (a int); insert into inside select generate_series(1, 500)',
    undefined,
    'logged',
  )
  await postgres.query('drop database copied')
  await postgres.query('drop database logged')
}
