import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ComputeService } from '../src/compute/compute-service.ts'
import type { ComputeMode } from '../src/compute/mode.ts'
import { fuseObstacle, openFuseMount } from '../src/fuse/fuse-driver.ts'
import { silentLog } from '../src/io/log.ts'
import { openNodeEnv } from '../src/io/node-env.ts'
import { findPostgresBinaries } from '../src/io/postgres-binaries.ts'
import { Lsn } from '../src/postgres/lsn.ts'
import { ComputeExit } from '../src/protocol/compute-control.ts'
import { bundleOfStoppedDataDir, MemoryLog, pagesMadeFromWal, TEST_PROJECT, TEST_TIMELINE } from './compute-fixture.ts'
import { createPostgres, makePostgresTempDir, type PostgresFixture, postgresAccount } from './postgres-fixture.ts'

const PASSWORD = 'correct horse'
let nextPort = 21500

/** A stock server with data of all kinds, stopped: the "PageServer" of these tests. */
let stock: PostgresFixture

interface Running {
  readonly service: ComputeService
  readonly log: MemoryLog
  readonly folder: string
  connect(database?: string): Promise<pg.Client>
  cleanup(): Promise<void>
}

async function startCompute(mode: ComputeMode, options: { readOnly?: boolean } = {}): Promise<Running> {
  const root = makePostgresTempDir('compute-pg-')
  fs.chmodSync(root, 0o711)
  const folder = path.join(root, 'c')
  const socketFolder = path.join(root, 's')
  const port = nextPort++
  const { uid, gid } = postgresAccount()
  const bundle = bundleOfStoppedDataDir(stock.dataDir)
  const lsn = Lsn.parse(bundle.header.lsn)
  const log = new MemoryLog(lsn)
  const env = { ...openNodeEnv({ name: 'compute-test', logLevel: 'silent' }), log: silentLog }
  const service = new ComputeService(
    env,
    {
      computeId: 'c0ffee',
      projectId: TEST_PROJECT,
      timelineId: TEST_TIMELINE,
      folder,
      socketFolder,
      host: '127.0.0.1',
      httpPort: 1,
      postgresPort: port,
      postgresPassword: PASSWORD,
      mode,
      readOnlyLsn: options.readOnly ? lsn : undefined,
      account: uid === undefined || gid === undefined ? undefined : { uid, gid },
      settings: { shared_buffers: '16MB', max_connections: '50' },
      launcher: [],
    },
    {
      quorum: options.readOnly ? undefined : log,
      readBootBundle: async () => bundle,
      openPages: () => {
        const readPages = pagesMadeFromWal(stock.dataDir)
        return {
          readPages,
          usePages: async (of, first, count, use) => use(await readPages(of, first, count)),
          close() {},
        }
      },
      leaseLsn: () => Promise.resolve(),
      saveStatistics: () => Promise.resolve(),
      mountObstacle: fuseObstacle(),
      openMount: ({ mountPath, cacheFolder, usePages }) =>
        openFuseMount({ mountPath, cacheFolder, pageReader: { usePages }, log: env.log }),
      postgresProgram: findPostgresBinaries().postgres,
    },
  )
  const clients: pg.Client[] = []
  await service.start()
  return {
    service,
    log,
    folder,
    async connect(database = 'postgres') {
      const client = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', password: PASSWORD, database })
      client.on('error', () => undefined)
      await client.connect()
      clients.push(client)
      return client
    },
    async cleanup() {
      await Promise.all(clients.map((client) => client.end().catch(() => undefined)))
      await service.stop('test is over')
      fs.rmSync(root, { recursive: true, force: true })
    },
  }
}

const modes: ComputeMode[] = fuseObstacle() === undefined ? ['fuse', 'hydrate'] : ['hydrate']

beforeAll(async () => {
  stock = await createPostgres({ settings: { max_prepared_transactions: 10 } })
  await stock.start()
  await stock.query('CREATE EXTENSION amcheck')
  await stock.query(`CREATE TABLE accounts (id int PRIMARY KEY, balance int NOT NULL, filler text)`)
  await stock.query(`INSERT INTO accounts SELECT i, 100, repeat('x', 80) FROM generate_series(1, 30000) i`)
  await stock.query('VACUUM ANALYZE')
  await stock.query(`CREATE TABLE busy WITH (autovacuum_enabled = off) AS SELECT * FROM accounts`)
  await stock.query('UPDATE busy SET balance = 0 WHERE id % 10 = 0')
  await stock.query('DELETE FROM busy WHERE id % 10 = 1')
  // What a read can tidy up is tidied up here.
  await stock.query('SELECT count(*) FROM busy')
  await stock.query(`ALTER ROLE postgres PASSWORD '${PASSWORD}'`)
  await stock.stop('fast')
})

afterAll(async () => {
  await stock?.cleanup()
})

describe.each(modes)('a compute in mode %s', (mode) => {
  test('starts with no recovery, serves old pages, takes writes and DDL of all kinds, and its indexes check out', async () => {
    const compute = await startCompute(mode)
    try {
      const client = await compute.connect()
      const sum = async () => (await client.query('SELECT sum(balance)::int AS sum FROM accounts')).rows[0].sum
      expect(await sum()).toBe(3_000_000)
      await client.query('UPDATE accounts SET balance = balance + 1 WHERE id <= 1000')
      expect(await sum()).toBe(3_001_000)
      await client.query('CREATE TABLE copy AS SELECT * FROM accounts; CREATE INDEX ON copy (filler, id)')
      await client.query('ALTER TABLE copy ADD COLUMN n serial')
      await client.query('VACUUM FULL copy')
      await client.query('REINDEX TABLE copy')
      await client.query('TRUNCATE copy; INSERT INTO copy SELECT * FROM accounts LIMIT 100')
      await client.query('CREATE UNLOGGED TABLE fast (a int); INSERT INTO fast SELECT generate_series(1, 1000)')
      await client.query('CREATE TEMP TABLE temporary (a int); INSERT INTO temporary SELECT generate_series(1, 50000)')
      await client.query('SET work_mem = 64; SELECT count(*) FROM (SELECT a FROM temporary ORDER BY a DESC) x')
      await client.query('CREATE DATABASE other STRATEGY wal_log')
      await client.query('CREATE DATABASE third STRATEGY file_copy')
      const third = await compute.connect('third')
      await third.query('CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 1000)')
      await third.end()
      await client.query('DROP DATABASE third')
      await client.query('CHECKPOINT')
      await client.query(`SELECT bt_index_check(c.oid, true) FROM pg_class c JOIN pg_am a ON a.oid = c.relam
        WHERE a.amname = 'btree' AND c.relkind = 'i' AND c.relpersistence = 'p'`)
      expect((await client.query("SELECT * FROM verify_heapam('accounts')")).rows).toEqual([])
      const [state] = (await client.query('SELECT sync_state, application_name FROM pg_stat_replication')).rows
      expect(state).toEqual({ sync_state: 'sync', application_name: 'tributary_quorum' })
      expect(compute.service.status().state).toBe('ready')
    } finally {
      await compute.cleanup()
    }
    expect(fs.existsSync(compute.folder) ? fs.readdirSync(compute.folder) : []).not.toContain('pgdata')
  })

  test('reading a table for the first time makes none of its pages dirty, be it vacuumed or full of updates', async () => {
    const compute = await startCompute(mode)
    try {
      const client = await compute.connect()
      for (const [table, node, rowCount] of [
        ['accounts', 'Index Scan', 19_901],
        ['busy', 'Seq Scan', 17_911],
      ] as const) {
        await client.query(`SET enable_seqscan = ${node === 'Seq Scan'}; SET enable_bitmapscan = off`)
        const { rows } = await client.query(
          `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT filler FROM ${table} WHERE id BETWEEN 100 AND 20000`,
        )
        const { Plan: plan } = rows[0]['QUERY PLAN'][0]
        expect(plan).toMatchObject({ 'Node Type': node, 'Actual Rows': rowCount })
        expect(plan['Shared Dirtied Blocks']).toBe(0)
        expect((await client.query('SELECT * FROM verify_heapam($1)', [table])).rows).toEqual([])
      }
    } finally {
      await compute.cleanup()
    }
  })

  test('a commit returns only after the quorum has it', async () => {
    const compute = await startCompute(mode)
    try {
      const client = await compute.connect()
      const observer = await compute.connect()
      compute.log.isHeld = true
      let isDone = false
      const insert = client.query('INSERT INTO accounts VALUES (0, 0)').then(() => {
        isDone = true
      })
      // The commit is in the log and waits: seen from outside, nothing has happened.
      for (;;) {
        const { rows } = await observer.query("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
        if (rows.length > 0) break
      }
      expect((await observer.query('SELECT 1 FROM accounts WHERE id = 0')).rows).toEqual([])
      expect(isDone).toBe(false)
      compute.log.isHeld = false
      compute.log.release()
      await insert
      expect((await observer.query('SELECT 1 FROM accounts WHERE id = 0')).rows).toHaveLength(1)
    } finally {
      await compute.cleanup()
    }
  })
})

test('a commit whose wait is cancelled ends the compute', async () => {
  const compute = await startCompute(modes[0]!)
  try {
    const client = await compute.connect()
    const observer = await compute.connect()
    const pid = (await client.query('SELECT pg_backend_pid() AS pid')).rows[0].pid
    compute.log.isHeld = true
    const insert = client.query('INSERT INTO accounts VALUES (0, 0)').catch((error: Error) => error)
    for (;;) {
      const { rows } = await observer.query("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
      if (rows.length > 0) break
    }
    await observer.query('SELECT pg_cancel_backend($1)', [pid]).catch(() => undefined)
    await insert
    expect(await compute.service.ended).toBe(ComputeExit.syncWaitCancelled)
    expect(compute.service.status().reason).toContain('synchronous replication')
  } finally {
    await compute.cleanup()
  }
})

test('a higher term kills Postgres at once, and so does the loss of the quorum', async () => {
  const fenced = await startCompute(modes[0]!)
  const { postgresPid } = fenced.service.status()
  fenced.log.onFenced(new Error('term 7 took over'))
  expect(await fenced.service.ended).toBe(ComputeExit.fenced)
  expect(isAlive(postgresPid!)).toBe(false)
  expect(fenced.service.status()).toMatchObject({ state: 'fenced', reason: 'term 7 took over' })
  await fenced.cleanup()

  const alone = await startCompute(modes[0]!)
  alone.log.onQuorumLost()
  expect(await alone.service.ended).toBe(ComputeExit.noQuorum)
  await alone.cleanup()
})

test('the death of Postgres ends the compute with its reason', async () => {
  const compute = await startCompute(modes[0]!)
  process.kill(compute.service.status().postgresPid!, 'SIGKILL')
  expect(await compute.service.ended).toBe(ComputeExit.postgresDied)
  expect(compute.service.status().reason).toBe('postgres ended: SIGKILL')
  await compute.cleanup()
})

test('a read-only compute reads at its lsn and refuses every write', async () => {
  const compute = await startCompute(modes[0]!, { readOnly: true })
  try {
    const client = await compute.connect()
    expect((await client.query('SELECT count(*)::int AS n FROM accounts')).rows[0].n).toBe(30000)
    await expect(client.query('INSERT INTO accounts VALUES (0, 0)')).rejects.toThrow(/read-only/)
    await client.query('SET default_transaction_read_only = off')
    await expect(client.query('CREATE TABLE t (a int)')).rejects.toThrow(/read-only/)
  } finally {
    await compute.cleanup()
  }
})

function isAlive(pid: number): boolean {
  return spawnSync('kill', ['-0', String(pid)]).status === 0
}
