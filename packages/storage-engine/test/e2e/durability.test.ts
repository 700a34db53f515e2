import fs from 'node:fs'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { SimRandom } from '../../sim/sim-random.ts'
import { callJson } from '../../src/io/http-client.ts'
import { type Stack, startStack } from '../stack-fixture.ts'
import { Ledger } from './ledger.ts'
import { expectPromisesKept } from './promises.ts'

/** Every acknowledged transaction is found, sums agree and amcheck is clean, whatever is killed and whenever. */
let stack: Stack
let ledger: Ledger
let uri = ''

beforeAll(async () => {
  stack = await startStack()
  ledger = new Ledger({ clientCount: 4, connection: () => ({ connectionString: uri }) })
  await followAddress()
  await ledger.createTables()
}, 180_000)

afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(stack.logTail())
})

afterAll(async () => {
  await stack?.cleanup()
})

/** The front door keeps its port while the stack lives; a restarted stack has a new one. */
async function followAddress(): Promise<void> {
  uri = (await stack.branch()).uri ?? uri
}

/** Runs the ledger, does `fault` in the middle of it, waits until commits go on, then checks every promise. */
async function survives(fault: () => Promise<void>): Promise<void> {
  ledger.start()
  try {
    await ledger.progress(50)
    await fault()
    await ledger.progress(50)
  } catch (error) {
    throw new Error(`${String(error)}\n${stack.logTail()}`)
  } finally {
    await ledger.stop()
  }
  await checkPromises()
}

async function checkPromises(): Promise<void> {
  await expectPromisesKept(stack, ledger)
}

const victims = ['safekeeper-1', 'safekeeper-2', 'safekeeper-3', 'pageserver', 'compute:main']

for (const victim of victims) {
  test(`kill -9 of ${victim} under load loses nothing`, async () => {
    await survives(() => stack.kill(victim))
  })
}

const pairs = victims.flatMap((first, index) => victims.slice(index + 1).map((second) => [first, second] as const))

for (const [first, second] of pairs) {
  test(`kill -9 of ${first} and ${second} together under load loses nothing`, async () => {
    await survives(async () => {
      await Promise.all([stack.kill(first), stack.kill(second)])
    })
  })
}

test('kill -9 of anything at random moments, again and again, loses nothing', async () => {
  const seed = Number(process.env.TEST_SEED ?? 20_261)
  const random = new SimRandom(seed)
  ledger.start()
  try {
    for (let round = 0; round < 14; round++) {
      await ledger.progress(1 + random.below(25))
      const hit = victims.filter(() => random.chance(0.35))
      for (const victim of hit.length > 0 ? hit : [random.pick(victims)]) {
        await new Promise((resolve) => setTimeout(resolve, random.below(120)))
        // What died a moment ago may not be back yet.
        await stack.kill(victim).catch(() => undefined)
      }
    }
    await ledger.progress(50)
  } catch (error) {
    throw new Error(`TEST_SEED=${seed}: ${String(error)}\n${stack.logTail()}`)
  } finally {
    await ledger.stop()
  }
  await checkPromises()
})

test('kill -9 of every process at once, then a new start, loses nothing', async () => {
  ledger.start()
  await ledger.progress(80)
  await stack.killEverything()
  await ledger.stop()
  await stack.start()
  await followAddress()
  await checkPromises()
})

test('with one SafeKeeper down commits go on; with two down they wait, and go on when one returns', async () => {
  await stack.admin('POST', '/processes/safekeeper-1/stop')
  ledger.start()
  try {
    await ledger.progress(50)
    await stack.admin('POST', '/processes/safekeeper-2/stop')
    await quiet()
    const before = ledger.acknowledgedCount
    await new Promise((resolve) => setTimeout(resolve, 1500))
    expect(ledger.acknowledgedCount).toBe(before)
    await stack.admin('POST', '/processes/safekeeper-2/start')
    await ledger.progress(50)
    await stack.admin('POST', '/processes/safekeeper-1/start')
    await ledger.progress(20)
  } finally {
    await ledger.stop()
  }
  await checkPromises()

  /** Commits that were under way when the quorum went may still be answered. */
  async function quiet(): Promise<void> {
    for (let last = -1; last !== ledger.acknowledgedCount; ) {
      last = ledger.acknowledgedCount
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
  }
})

test('a SafeKeeper that lost its disk is rebuilt from its peers while the system runs, and carries the quorum then', async () => {
  ledger.start()
  try {
    await ledger.progress(20)
    await stack.admin('POST', '/processes/safekeeper-3/stop')
    fs.rmSync(path.join(stack.home, 'safekeeper-3'), { recursive: true })
    await ledger.progress(50)
    await stack.admin('POST', '/processes/safekeeper-3/start')
    // It needs both peers for this: until it has heard every other member it must not vote.
    const { httpPort } = (await stack.describe()).safekeepers[2]!
    await expect
      .poll(() => callJson(`http://127.0.0.1:${httpPort}/status`, { timeoutMs: 2000 }), { timeout: 60_000 })
      .toMatchObject({ hasJoined: true })
    await ledger.progress(50)
    // The rebuilt member must now be able to make a majority with one other.
    await stack.admin('POST', '/processes/safekeeper-1/stop')
    await ledger.progress(50)
    await stack.admin('POST', '/processes/safekeeper-1/start')
  } finally {
    await ledger.stop()
  }
  await checkPromises()
})

test('what autovacuum knows of the tables outlives a clean stop', async () => {
  const counters = async () => {
    const [row] = await stack.query<{ inserted: string; dead: string }>(
      `select n_tup_ins::text inserted, n_dead_tup::text dead from pg_stat_user_tables where relname = 'counted'`,
    )
    return row
  }
  await stack.query('create table counted (id int) with (autovacuum_enabled = off)')
  await stack.withClient(async (client) => {
    await client.query('insert into counted select generate_series(1, 700)')
    await client.query('delete from counted where id <= 300')
    await client.query('select pg_stat_force_next_flush()')
  })
  await expect.poll(counters, { timeout: 20_000 }).toEqual({ inserted: '700', dead: '300' })
  await stack.stopBranch('main')
  await stack.startBranch('main')
  await followAddress()
  expect(await counters()).toEqual({ inserted: '700', dead: '300' })
})

test("deleting the PageServer's and the compute's folders loses nothing", async () => {
  ledger.start()
  await ledger.progress(50)
  await ledger.stop()
  await stack.admin('POST', '/branches/main/stop')
  await stack.admin('POST', '/processes/pageserver/stop')
  fs.rmSync(path.join(stack.home, 'pageserver'), { recursive: true })
  await stack.admin('POST', '/processes/pageserver/start')
  await stack.admin('POST', '/branches/main/start')
  await followAddress()
  await checkPromises()
})
