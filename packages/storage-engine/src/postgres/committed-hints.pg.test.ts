import fs from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { dropHints, isAllVisible } from '../../test/compute-fixture.ts'
import { type PostgresFixture, startPostgres } from '../../test/postgres-fixture.ts'
import { hintCommittedInserters } from './committed-hints.ts'
import { PAGE_SIZE } from './constants.ts'

/** Hint bits as a real server has set them. */
let postgres: PostgresFixture
let pages: Buffer[]

beforeAll(async () => {
  postgres = await startPostgres({ settings: { autovacuum: 'off' } })
  await postgres.query('create table rows (id int primary key, t text)')
  await postgres.query('insert into rows select g, md5(g::text) from generate_series(1, 20000) g')
  await postgres.query('delete from rows where id % 7 = 0')
  await postgres.query('vacuum rows')
  // Locked, and all-visible still.
  await postgres.query('select * from rows where id < 500 for share')
  await postgres.query('update rows set t = t where id = 10000')
  await postgres.query('checkpoint')
  const [row] = await postgres.query<{ path: string }>(`select pg_relation_filepath('rows') as path`)
  await postgres.stop('fast')
  const file = fs.readFileSync(path.join(postgres.dataDir, row?.path ?? ''))
  pages = Array.from({ length: file.length / PAGE_SIZE }, (_, i) => file.subarray(i * PAGE_SIZE, (i + 1) * PAGE_SIZE))
})

afterAll(async () => {
  await postgres?.cleanup()
})

test('an all-visible page gets exactly the hints of its inserters that Postgres has set there', () => {
  let dropped = 0
  for (const original of pages.filter(isAllVisible)) {
    const page = Buffer.from(original)
    dropped += dropHints(page)
    hintCommittedInserters(page)
    expect(page.equals(original)).toBe(true)
  }
  expect(dropped).toBeGreaterThan(15_000)
})

test('a page that is not all-visible stays as it is', () => {
  const others = pages.filter((page) => !isAllVisible(page))
  expect(others.length).toBeGreaterThan(0)
  for (const original of others) {
    const page = Buffer.from(original)
    dropHints(page)
    const before = Buffer.from(page)
    hintCommittedInserters(page)
    expect(page.equals(before)).toBe(true)
  }
})

test('damaged line pointers lead nowhere: no byte outside of tuples changes and nothing is thrown', () => {
  const original = pages.find(isAllVisible)!
  for (let at = 8; at < 600; at++) {
    const page = Buffer.from(original)
    page[at]! ^= 0xff
    const before = Buffer.from(page)
    hintCommittedInserters(page)
    const changed = [...page.keys()].filter((i) => page[i] !== before[i])
    for (const i of changed) expect(page[i]! ^ before[i]!).toBe(0x01)
    expect(page.length).toBe(PAGE_SIZE)
  }
})
