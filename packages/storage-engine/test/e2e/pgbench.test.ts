import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Stack, startStack } from '../stack-fixture.ts'

/**
 * pgbench's tables and its TPC-B-like transaction, driven by an ordinary client: the npm package of Postgres has no
 * pgbench. Scale 50: 5,000,000 accounts, about 750 MB.
 */
const SCALE = 50
const CLIENTS = 16
const RUN_MS = 12_000
let stack: Stack

beforeAll(async () => {
  stack = await startStack()
}, 180_000)

afterAll(() => stack?.cleanup())

test(`pgbench at scale ${SCALE} with ${CLIENTS} clients: every commit counts in all four tables, here and on a new compute`, async () => {
  await stack.withClient(async (client) => {
    await client.query(`
      create table pgbench_branches (bid int not null, bbalance int, filler char(88)) with (fillfactor = 100);
      create table pgbench_tellers (tid int not null, bid int, tbalance int, filler char(84)) with (fillfactor = 100);
      create table pgbench_accounts (aid int not null, bid int, abalance int, filler char(84)) with (fillfactor = 100);
      create table pgbench_history (tid int, bid int, aid int, delta int, mtime timestamp, filler char(22));
      insert into pgbench_branches (bid, bbalance) select g, 0 from generate_series(1, ${SCALE}) g;
      insert into pgbench_tellers (tid, bid, tbalance) select g, (g - 1) / 10 + 1, 0 from generate_series(1, ${SCALE * 10}) g;
      insert into pgbench_accounts (aid, bid, abalance, filler)
        select g, (g - 1) / 100000 + 1, 0, '' from generate_series(1, ${SCALE * 100_000}) g`)
    await client.query('vacuum analyze pgbench_accounts')
    await client.query(`
      alter table pgbench_branches add primary key (bid);
      alter table pgbench_tellers add primary key (tid);
      alter table pgbench_accounts add primary key (aid)`)
  })
  const endMs = performance.now() + RUN_MS
  const counts = await Promise.all(Array.from({ length: CLIENTS }, (_, number) => runClient(number, endMs)))
  const committed = counts.reduce((sum, count) => sum + count, 0)
  expect(committed).toBeGreaterThan(CLIENTS)
  await check(committed)
  await stack.failover()
  await check(committed)
})

/** Returns how many of its transactions were acknowledged. */
async function runClient(number: number, endMs: number): Promise<number> {
  const client = await stack.client()
  let count = 0
  try {
    for (let step = number + 1; performance.now() < endMs; step = (step * 48_271) % 2_147_483_647) {
      const aid = (step % (SCALE * 100_000)) + 1
      const tid = (step % (SCALE * 10)) + 1
      const bid = (step % SCALE) + 1
      const delta = (step % 10_001) - 5000
      await client.query('begin')
      await client.query('update pgbench_accounts set abalance = abalance + $1 where aid = $2', [delta, aid])
      await client.query('select abalance from pgbench_accounts where aid = $1', [aid])
      await client.query('update pgbench_tellers set tbalance = tbalance + $1 where tid = $2', [delta, tid])
      await client.query('update pgbench_branches set bbalance = bbalance + $1 where bid = $2', [delta, bid])
      await client.query(
        'insert into pgbench_history (tid, bid, aid, delta, mtime) values ($1, $2, $3, $4, current_timestamp)',
        [tid, bid, aid, delta],
      )
      await client.query('commit')
      count++
    }
  } finally {
    await client.end()
  }
  return count
}

async function check(committed: number): Promise<void> {
  const [sums] = await stack.query<Record<'accounts' | 'tellers' | 'branches' | 'history' | 'rows', string>>(`
    select (select sum(abalance) from pgbench_accounts)::text accounts, (select sum(tbalance) from pgbench_tellers)::text tellers,
           (select sum(bbalance) from pgbench_branches)::text branches, (select sum(delta) from pgbench_history)::text history,
           (select count(*) from pgbench_history)::text rows`)
  expect(Number(sums?.rows)).toBe(committed)
  expect([sums?.tellers, sums?.branches, sums?.accounts]).toEqual([sums?.history, sums?.history, sums?.history])
}
