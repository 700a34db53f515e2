import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ComputeDriver, ComputeInfo, ComputeSpec } from '../../src/admin/compute-driver.ts'
import { openHttpComputeDriver } from '../../src/admin/http-compute-driver.ts'
import { openHttpStackClient } from '../../src/admin/http-stack-client.ts'
import { openHttpStorageAdmin } from '../../src/admin/http-storage-admin-client.ts'
import type { StackClient } from '../../src/admin/stack-client.ts'
import type { StorageAdmin } from '../../src/admin/storage-admin.ts'
import { ProjectId, TimelineId } from '../../src/postgres/ids.ts'
import { type Stack, sleep, startStack } from '../stack-fixture.ts'

const PASSWORD = 'correct horse'
let stack: Stack
let driver: ComputeDriver
let supervisor: StackClient
let storage: StorageAdmin

beforeAll(async () => {
  stack = await startStack()
  const access = { url: stack.adminUrl, token: stack.adminToken }
  driver = openHttpComputeDriver(access)
  supervisor = openHttpStackClient(access)
  storage = openHttpStorageAdmin({ url: (await supervisor.stack()).addresses.pageserverUrl })
}, 180_000)

afterAll(() => stack?.cleanup())

const hex = (bytes: number) => randomBytes(bytes).toString('hex')

async function newProject(): Promise<{ projectId: ProjectId; timelineId: TimelineId }> {
  const ids = { projectId: ProjectId.parse(hex(16)), timelineId: TimelineId.parse(hex(16)) }
  await storage.createProject(ids)
  return ids
}

function specOf(ids: { projectId: ProjectId; timelineId: TimelineId }, more: Partial<ComputeSpec> = {}): ComputeSpec {
  return { computeId: hex(8), ...ids, kind: 'primary', settings: {}, superuserPassword: PASSWORD, ...more }
}

async function query(info: ComputeInfo, sql: string, more: pg.ClientConfig = {}): Promise<Record<string, unknown>[]> {
  const { host, postgresPort: port } = info
  const client = new pg.Client({ host, port, user: 'postgres', password: PASSWORD, database: 'postgres', ...more })
  client.on('error', () => undefined)
  await client.connect()
  try {
    const result = await client.query(sql)
    return Array.isArray(result) ? result.at(-1).rows : result.rows
  } finally {
    await client.end()
  }
}

test('computes of several projects run at once with their own settings, and a start repeated gives the same compute', async () => {
  const [a, b] = [await newProject(), await newProject()]
  const settings = { shared_buffers: '32MB', max_connections: '40', work_mem: '3MB' }
  const spec = specOf(a, { settings, labels: { endpoint: 'ep-a' } })
  const [first, again, other] = await Promise.all([
    driver.startCompute(spec),
    driver.startCompute(spec),
    driver.startCompute(specOf(b)),
  ])
  expect(again.pid).toBe(first.pid)
  expect(first).toMatchObject({ state: 'running', term: 1, labels: { endpoint: 'ep-a' }, lastError: null })
  expect(first.phases.map(({ name }) => name)).toEqual(expect.arrayContaining(['elect', 'bundle', 'postgres']))
  await query(first, 'CREATE TABLE t AS SELECT 1 AS a')
  expect(
    await query(
      first,
      "SELECT string_agg(setting || coalesce(unit, ''), ' ' ORDER BY name) AS s FROM pg_settings WHERE name IN ('shared_buffers', 'max_connections', 'work_mem')",
    ),
  ).toEqual([{ s: '40 40968kB 3072kB' }])
  await expect(query(other, 'SELECT * FROM t')).rejects.toThrow('does not exist')
  await expect(driver.startCompute({ ...spec, settings: {} })).rejects.toThrow('another spec')
  await expect(driver.startCompute(specOf(a, { settings: { fsync: 'on' } }))).rejects.toThrow('settings.fsync')
  await expect(driver.startCompute({ ...specOf(a), computeId: 'x' })).rejects.toThrow('computeId')
  const listed = (await driver.listComputes()).map(({ computeId }) => computeId)
  expect(listed).toEqual(expect.arrayContaining([first.computeId, other.computeId]))
  for (const { computeId } of [first, other]) await driver.stopCompute(computeId, 'graceful')
  await driver.stopCompute('0123456789abcdef', 'immediate')
  expect(await driver.getCompute(first.computeId)).toMatchObject({ state: 'stopped', lastError: null })
  await expect(driver.startCompute(spec)).rejects.toThrow('has ended')

  // Databases, roles and their settings are in the data: the next compute has them.
  const next = await driver.startCompute(specOf(a))
  expect(await query(next, 'SELECT a FROM t')).toEqual([{ a: 1 }])
  await driver.stopCompute(next.computeId, 'immediate')
})

test('a second primary fences the first, a killed one is reported as failed, and nothing is started again by itself', async () => {
  const ids = await newProject()
  const seen: string[] = []
  const watching = new AbortController()
  const watch = driver.watchComputes((info) => seen.push(`${info.computeId} ${info.state}`), {
    signal: watching.signal,
  })
  const first = await driver.startCompute(specOf(ids))
  await query(first, 'CREATE TABLE t AS SELECT 1 AS a')
  const second = await driver.startCompute(specOf(ids))
  expect(second.term).toBeGreaterThan(first.term ?? 0)
  await until(() => seen.includes(`${first.computeId} fenced`))
  expect(await query(second, 'SELECT a FROM t')).toEqual([{ a: 1 }])
  process.kill(second.pid ?? 0, 'SIGKILL')
  await until(() => seen.includes(`${second.computeId} failed`))
  expect(await driver.getCompute(second.computeId)).toMatchObject({
    pid: null,
    lastError: expect.stringContaining('SIGKILL'),
  })
  await sleep(300)
  const alive = (await driver.listComputes()).filter(
    ({ timelineId, state }) => timelineId === ids.timelineId && state !== 'failed' && state !== 'fenced',
  )
  expect(alive).toEqual([])
  for (const state of ['starting', 'running']) expect(seen).toContain(`${second.computeId} ${state}`)
  watching.abort()
  await watch
})

test('activity counts clients and not ourselves, and cut links hold commits until one is mended', async () => {
  const info = await driver.startCompute(specOf(await newProject()))
  const before = await driver.computeActivity(info.computeId)
  expect(before).toMatchObject({ connections: 0, activeConnections: 0 })
  // A quorum is enough to start; the third member may join a little later.
  const membersOf = async () =>
    (await driver.computeActivity(info.computeId)).members.map(({ id, isCut, isConnected }) => [id, isCut, isConnected])
  await expect.poll(membersOf, { timeout: 60_000 }).toEqual([1, 2, 3].map((id) => [id, false, true]))
  await query(info, 'CREATE TABLE t (a int)')
  const client = new pg.Client({ host: info.host, port: info.postgresPort, user: 'postgres', password: PASSWORD })
  client.on('error', () => undefined)
  await client.connect()
  // Activity is sampled about once a second.
  await expect.poll(async () => (await driver.computeActivity(info.computeId)).connections, { timeout: 60_000 }).toBe(1)
  await expect
    .poll(async () => (await driver.computeActivity(info.computeId)).commits, { timeout: 60_000 })
    .toBeGreaterThan(before.commits)
  const during = await driver.computeActivity(info.computeId)
  expect(during.lagBytes).toBe(0)
  expect(Date.parse(during.lastActivityAt ?? '')).toBeGreaterThan(Date.parse(info.readyAt ?? '') - 1000)

  await supervisor.cutLink(info.computeId, [1, 2], 'on')
  let isCommitted = false
  const committing = client.query('INSERT INTO t VALUES (1)').then(() => {
    isCommitted = true
  })
  await sleep(500)
  expect(isCommitted).toBe(false)
  await expect.poll(membersOf, { timeout: 60_000 }).toEqual([
    [1, true, false],
    [2, true, false],
    [3, false, true],
  ])
  expect((await driver.computeActivity(info.computeId)).lagBytes).toBeGreaterThan(0)
  await supervisor.cutLink(info.computeId, [2], 'off')
  await committing
  expect(isCommitted).toBe(true)
  await expect(supervisor.cutLink(info.computeId, [9], 'on')).rejects.toThrow('no such safekeeper')
  await client.end()
  await driver.stopCompute(info.computeId, 'graceful')
})

test('the stack says what runs and how far storage has come, and a stopped SafeKeeper shows as unreachable', async () => {
  const { processes } = await supervisor.stack()
  const names = processes.filter(({ state }) => state === 'running').map(({ name }) => name)
  expect(names).toEqual(expect.arrayContaining(['supervisor', 'safekeeper-1', 'safekeeper-3', 'pageserver']))
  const status = await supervisor.storageStatus()
  expect(status.safekeepers.map(({ state }) => state)).toEqual(['ready', 'ready', 'ready'])
  expect(status.pageserver.timelines.length).toBeGreaterThan(0)
  const watching = new AbortController()
  const states: string[] = []
  const watch = supervisor.watch(
    (info) => states.push(info.processes.find(({ name }) => name === 'safekeeper-2')?.state ?? ''),
    { signal: watching.signal },
  )
  await until(() => states.length > 0)
  await supervisor.processAction('safekeeper-2', 'stop')
  await until(() => states.includes('stopped'))
  expect((await supervisor.storageStatus()).safekeepers[1]).toMatchObject({
    id: 2,
    state: 'unreachable',
    timelines: [],
  })
  await supervisor.processAction('safekeeper-2', 'start')
  await until(() => states.at(-1) === 'running')
  await expect(supervisor.processAction('nobody', 'stop')).rejects.toThrow('no such process')
  await expect(openHttpStackClient({ url: stack.adminUrl, token: 'wrong' }).stack()).rejects.toThrow('token')
  watching.abort()
  await watch
})

async function until(isSo: () => boolean): Promise<void> {
  for (let waitedMs = 0; !isSo(); waitedMs += 20) {
    if (waitedMs > 30_000) throw new Error('did not come about')
    await sleep(20)
  }
}

test("a read-only compute shows an old LSN with today's passwords, beside the primary, takes no write, and writes nothing to the quorum", async () => {
  const ids = await newProject()
  const primary = await driver.startCompute(specOf(ids))
  await query(
    primary,
    "CREATE ROLE app LOGIN PASSWORD 'old'; CREATE SEQUENCE s; CREATE TABLE t AS SELECT generate_series(1, 1000) AS a; GRANT SELECT ON t TO app",
  )
  const [then] = await query(primary, 'SELECT pg_current_wal_lsn()::text AS lsn')
  const lsn = String(then?.['lsn'])
  await query(primary, "DELETE FROM t WHERE a > 10; ALTER ROLE app PASSWORD 'new'")
  const [now] = await query(primary, "SELECT rolpassword AS verifier FROM pg_authid WHERE rolname = 'app'")
  const roleVerifiers = { app: String(now?.['verifier']), nobody: String(now?.['verifier']) }

  const plain = await driver.startCompute(specOf(ids, { kind: 'read-only', lsn }))
  const reset = await driver.startCompute(specOf(ids, { kind: 'read-only', lsn, roleVerifiers }))
  expect(plain).toMatchObject({ state: 'running', kind: 'read-only', term: null })
  const asApp = { user: 'app', database: 'postgres' }
  expect(await query(plain, 'SELECT count(*)::int AS n FROM t', { ...asApp, password: 'old' })).toEqual([{ n: 1000 }])
  expect(await query(reset, 'SELECT count(*)::int AS n FROM t', { ...asApp, password: 'new' })).toEqual([{ n: 1000 }])
  await expect(query(reset, 'SELECT 1', { ...asApp, password: 'old' })).rejects.toThrow('password authentication')
  for (const sql of [
    'INSERT INTO t VALUES (0)',
    'SET default_transaction_read_only = off; CREATE TABLE u ()',
    "SELECT nextval('s')",
  ]) {
    await expect(query(reset, sql), sql).rejects.toThrow(/read-only|recovery/)
  }
  const flushed = async () =>
    (await supervisor.storageStatus()).safekeepers.map(
      ({ timelines }) => timelines.find(({ timelineId }) => timelineId === ids.timelineId)?.flushLsn,
    )
  await driver.stopCompute(primary.computeId, 'graceful')
  const before = await flushed()
  // Hint bits and pruning stay on the compute: repeated reads of rows that were just written leave the log as it is.
  for (let round = 0; round < 3; round++) await query(reset, 'SELECT sum(a) FROM t')
  expect(await flushed()).toEqual(before)
  expect(await driver.computeActivity(reset.computeId)).toMatchObject({ flushLsn: null, members: [] })
  // An LSN inside a record means the end of the one before; one before the history or beyond its end is refused.
  const [high = '', low = ''] = lsn.split('/')
  const inside = `${high}/${(Number.parseInt(low, 16) - 1).toString(16).toUpperCase()}`
  const rounded = await driver.startCompute(specOf(ids, { kind: 'read-only', lsn: inside }))
  expect(rounded.startLsn).not.toBe(inside)
  await expect(driver.startCompute(specOf(ids, { kind: 'read-only', lsn: '0/10' }))).rejects.toThrow(/history/)
  await expect(driver.startCompute(specOf(ids, { kind: 'read-only', lsn: 'FFF/0' }))).rejects.toThrow(/beyond the end/)

  // On a branch, an LSN from before the branch point is read from where it was written.
  const child = TimelineId.parse(hex(16))
  await storage.createBranch({ projectId: ids.projectId, timelineId: child, ancestorTimelineId: ids.timelineId })
  const past = await driver.startCompute(specOf({ ...ids, timelineId: child }, { kind: 'read-only', lsn }))
  expect(await query(past, 'SELECT count(*)::int AS n FROM t')).toEqual([{ n: 1000 }])
  for (const { computeId } of [plain, reset, rounded, past]) await driver.stopCompute(computeId, 'graceful')
})
