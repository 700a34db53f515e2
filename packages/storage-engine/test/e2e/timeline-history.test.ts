import { afterAll, beforeAll, expect, test } from 'vitest'
import { openHttpStackClient } from '../../src/admin/http-stack-client.ts'
import { openHttpStorageAdmin } from '../../src/admin/http-storage-admin-client.ts'
import type { StorageAdmin } from '../../src/admin/storage-admin.ts'
import type { TimelineEvent } from '../../src/admin/timeline-history.ts'
import { ProjectId, TimelineId } from '../../src/postgres/ids.ts'
import { type Stack, sleep, startStack } from '../stack-fixture.ts'

let stack: Stack
let storage: StorageAdmin

beforeAll(async () => {
  stack = await startStack()
  const { addresses } = await openHttpStackClient({ url: stack.adminUrl, token: stack.adminToken }).stack()
  storage = openHttpStorageAdmin({ url: addresses.pageserverUrl })
}, 180_000)

afterAll(() => stack?.cleanup())

async function timelineOf(branch: string): Promise<{ projectId: ProjectId; timelineId: TimelineId }> {
  const { projectId, branches } = await stack.describe()
  const { timelineId } = branches.find(({ name }) => name === branch)!
  return { projectId: ProjectId.parse(projectId), timelineId: TimelineId.parse(timelineId) }
}

/** Until what was committed last is ingested. */
async function events(branch: string, isThere: (all: TimelineEvent[]) => boolean): Promise<TimelineEvent[]> {
  for (let waitedMs = 0; ; waitedMs += 50) {
    const found = await storage
      .timelineEvents({ ...(await timelineOf(branch)), limit: 1000 })
      .catch((error: unknown) => (waitedMs > 30_000 ? Promise.reject(error) : []))
    if (isThere(found)) return found
    if (waitedMs > 30_000) throw new Error(`not there: ${JSON.stringify(found, null, 1)}`)
    await sleep(50)
  }
}

const has = (kind: string, words: string) => (all: TimelineEvent[]) =>
  all.some((event) => event.kind === kind && event.summary.includes(words))

test('DDL, large transactions, checkpoints and terms are told in words with the LSN to branch from, over a PageServer restart and on branches', async () => {
  await stack.query('CREATE TABLE orders (id int PRIMARY KEY, note text)')
  await stack.query('CREATE TEMP TABLE scratch (a int)')
  const [before] = await stack.query<{ lsn: string }>('SELECT pg_current_wal_lsn()::text AS lsn')
  await stack.query('ALTER TABLE orders ADD COLUMN price numeric')
  await stack.query('CREATE VIEW cheap AS SELECT * FROM orders WHERE price < 10')
  await stack.query("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'")
  await stack.query('TRUNCATE orders')
  await stack.query("INSERT INTO orders SELECT i, repeat('x', 400) FROM generate_series(1, 50000) i")
  await stack.query('CREATE DATABASE other')
  await stack.query('CHECKPOINT')
  await stack.query('DROP VIEW cheap')
  await stack.query('DROP TABLE orders')
  await stack.failover()
  const all = await events('main', has('term', 'term 2'))
  const told = (kind: string) => all.filter((event) => event.kind === kind).map(({ summary }) => summary)
  expect(told('term')).toEqual(['a compute took over in term 1', 'a compute took over in term 2'])
  expect(told('checkpoint')).toContain('checkpoint')
  expect(told('large-transaction')).toEqual([expect.stringMatching(/^transaction of \d\d MiB of WAL$/)])
  const ddl = told('ddl').filter((text) => !text.includes('role') && !text.startsWith('altered 2 functions'))
  expect(ddl).toEqual([
    'created table orders, index orders_pkey',
    'altered the columns of a relation',
    'created view cheap',
    'created 1 function',
    expect.stringMatching(/^rewrote or truncated \d relations$/),
    'created 1 database',
    expect.stringMatching(/^dropped 1 relation$/),
    expect.stringMatching(/^dropped \d relations$/),
  ])

  // An LSN of a mark is one to branch from: with it, and just before it.
  const drop = all.findLast(({ kind }) => kind === 'ddl')!
  await stack.createBranch('past', { at: { lsn: drop.lsn } })
  const lsns = all.map(({ lsn }) => lsn)
  const recent = await storage.timelineEvents({ ...(await timelineOf('main')), fromLsn: before!.lsn, limit: 2 })
  expect(recent.map(({ lsn }) => lsn)).toEqual(lsns.slice(-2))

  await stack.kill('pageserver')
  expect((await events('main', has('term', 'term 2'))).map(({ lsn }) => lsn)).toEqual(lsns)
  const ofBranch = await events('past', (found) => found.length > 0)
  expect(ofBranch.map(({ lsn }) => lsn)).toEqual(lsns.slice(0, lsns.indexOf(drop.lsn) + 1))
})

test('the commit histogram counts every commit of Postgres once', async () => {
  const ids = await timelineOf('main')
  const client = await stack.client()
  await client.query('CREATE TABLE counted (a int)')
  const [start] = (await client.query<{ now: Date }>('SELECT clock_timestamp() AS now')).rows
  for (let i = 0; i < 40; i++) await client.query('INSERT INTO counted VALUES ($1)', [i])
  const [end] = (
    await client.query<{ now: Date; lsn: string }>('SELECT clock_timestamp() AS now, pg_current_wal_lsn()::text AS lsn')
  ).rows
  await client.end()
  await storage.createBranch({
    projectId: ids.projectId,
    timelineId: TimelineId.parse('ab'.repeat(16)),
    ancestorTimelineId: ids.timelineId,
  })
  const range = { from: start!.now.toISOString(), to: new Date(end!.now.getTime() + 1).toISOString() }
  const found = await storage.commitHistogram({ ...ids, buckets: 20, ...range })
  expect(found.buckets).toHaveLength(20)
  expect(found.buckets.reduce((sum, { commits }) => sum + commits, 0)).toBe(40)
  const whole = await storage.commitHistogram({ ...ids, buckets: 100 })
  expect(whole.buckets.reduce((sum, { commits }) => sum + commits, 0)).toBeGreaterThan(40)
  expect(whole.buckets.reduce((sum, { walBytes }) => sum + walBytes, 0)).toBeGreaterThan(16 * 1024 * 1024)
  await expect(storage.commitHistogram({ ...ids, buckets: 0 })).rejects.toThrow('buckets')
  await expect(storage.commitHistogram({ ...ids, buckets: 5, from: 'yesterday' })).rejects.toThrow('ISO 8601')
})
