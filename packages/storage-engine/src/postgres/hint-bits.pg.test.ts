import fs from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { dropHintBits } from '../../test/compute-fixture.ts'
import { type PostgresFixture, startPostgres } from '../../test/postgres-fixture.ts'
import { CommitLog } from './commit-log.ts'
import { PAGE_SIZE } from './constants.ts'
import { setHintBits } from './hint-bits.ts'

/** Hint bits as a real server has set them while it read. */
let postgres: PostgresFixture
let heapPages: Buffer[]
let otherPages: Buffer[]
let commitLog: CommitLog
let emptyCommitLog: CommitLog

beforeAll(async () => {
  postgres = await startPostgres({ settings: { autovacuum: 'off', max_prepared_transactions: 5 } })
  for (const table of ['vacuumed', 'busy']) {
    await postgres.query(`create table ${table} (id int primary key, t text)`)
    await postgres.query(`insert into ${table} select g, md5(g::text) from generate_series(1, 10000) g`)
  }
  await postgres.query("create sequence numbers; select nextval('numbers')")
  await postgres.query('delete from vacuumed where id % 7 = 0')
  await postgres.query('vacuum vacuumed')
  // Locked, and all-visible still.
  await postgres.query('select * from vacuumed where id < 500 for share')
  await postgres.query('vacuum (freeze) busy')
  await postgres.query('update busy set t = t where id % 10 = 0')
  await postgres.query('delete from busy where id % 10 = 1')
  await postgres.query('select * from busy where id % 10 = 2 for update')
  await postgres.query(`begin; update busy set t = 'never' where id % 10 = 3; rollback`)
  await postgres.query(`begin; delete from busy where id % 10 = 4; insert into busy values (-1, 'never'); rollback`)
  await postgres.query(`begin; savepoint s; update busy set t = 'sub' where id % 10 = 5; release s; commit`)
  await postgres.query(`begin; savepoint s; delete from busy where id % 10 = 6; rollback to s; commit`)
  await postgres.query(`begin; update busy set t = 'later' where id % 10 = 7; prepare transaction 'open'`)
  const [files] = await postgres.query<{ heaps: string[]; others: string[]; xid: string }>(
    `select array[pg_relation_filepath('vacuumed'), pg_relation_filepath('busy')] as heaps,
       array[pg_relation_filepath('busy_pkey'), pg_relation_filepath('numbers')] as others,
       pg_snapshot_xmax(pg_current_snapshot())::text as xid`,
  )
  // Every row is looked at once more, all ways of looking having left their hints.
  for (const table of ['vacuumed', 'busy']) await postgres.query(`select count(*) from ${table}`)
  await postgres.query('checkpoint')
  await postgres.stop('fast')
  const folder = path.join(postgres.dataDir, 'pg_xact')
  const clog = fs.readdirSync(folder).map((name) => {
    return { path: `pg_xact/${name}`, bytes: fs.readFileSync(path.join(folder, name)) }
  })
  commitLog = new CommitLog(clog, Number(files!.xid))
  emptyCommitLog = new CommitLog([], Number(files!.xid))
  heapPages = files!.heaps.flatMap(pagesOf)
  otherPages = files!.others.flatMap(pagesOf)
})

afterAll(async () => {
  await postgres?.cleanup()
})

function pagesOf(file: string): Buffer[] {
  const bytes = fs.readFileSync(path.join(postgres.dataDir, file))
  return Array.from({ length: bytes.length / PAGE_SIZE }, (_, i) => bytes.subarray(i * PAGE_SIZE, (i + 1) * PAGE_SIZE))
}

function isAllVisible(page: Buffer): boolean {
  return (page.readUInt16LE(10) & 4) !== 0
}

test('a heap page gets exactly the hint bits that Postgres has set there, whatever became of the transactions', () => {
  let dropped = 0
  for (const original of heapPages) {
    const page = Buffer.from(original)
    dropped += dropHintBits(page)
    setHintBits(page, commitLog)
    expect(page.equals(original)).toBe(true)
  }
  expect(dropped).toBeGreaterThan(12_000)
})

test('without a commit log only the inserters on all-visible pages are known', () => {
  expect(heapPages.some(isAllVisible)).toBe(true)
  for (const original of heapPages) {
    const page = Buffer.from(original)
    dropHintBits(page)
    const before = Buffer.from(page)
    setHintBits(page, emptyCommitLog)
    expect(page.equals(isAllVisible(original) ? original : before)).toBe(true)
  }
})

test('pages of an index and of a sequence stay as they are', () => {
  expect(otherPages.length).toBeGreaterThan(20)
  for (const original of otherPages) {
    const page = Buffer.from(original)
    setHintBits(page, commitLog)
    expect(page.equals(original)).toBe(true)
  }
})

test('damaged pages change in nothing but bits that could be hints, and nothing is thrown', () => {
  const original = heapPages.find(isAllVisible)!
  for (let at = 0; at < 600; at++) {
    const page = Buffer.from(original)
    dropHintBits(page)
    page[at]! ^= 0xff
    const before = Buffer.from(page)
    setHintBits(page, commitLog)
    for (const i of page.keys()) if (page[i] !== before[i]) expect(page[i]! ^ before[i]!).toBeLessThan(16)
  }
})
