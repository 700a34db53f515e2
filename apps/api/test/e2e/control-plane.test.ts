import * as fs from 'node:fs'
import { connect } from 'node:net'
import * as path from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { encodeCancelRequest } from '../../src/proxy/wire.ts'
import { type Ask, clientUri, eventually, graphqlClient } from '../graphql-client.ts'
import { type Product, startProduct } from '../product-fixture.ts'

/** What only the real engine can show of the control plane: faults, publishing, expiry. */
const PORT_BASE = 27_300
const PROXY_PORT = PORT_BASE

let product: Product
let ask: Ask
let uri = ''
const ids = { project: '', branch: '', endpoint: '' }

beforeAll(async () => {
  product = await startProduct(PORT_BASE)
  ask = graphqlClient(product)
  const { createProject } = await ask(
    'mutation { createProject(input: { name: "faults" }) { project { id defaultBranch { id primaryEndpoint { id } } } connection { uri } error { message } } }',
  )
  const { id, defaultBranch } = createProject.project
  Object.assign(ids, { project: id, branch: defaultBranch.id, endpoint: defaultBranch.primaryEndpoint.id })
  uri = clientUri(createProject.connection.uri, ids.endpoint)
  const client = await connectClient()
  await client.query('create table t (n int primary key)')
  await client.query('insert into t select generate_series(1, 1000)')
  await client.end()
})
afterAll(() => product?.cleanup())

async function connectClient(): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: uri, connectionTimeoutMillis: 90_000 })
  client.on('error', () => undefined)
  await client.connect()
  return client
}

async function countRows(): Promise<number> {
  const client = await connectClient()
  try {
    return Number((await client.query('select count(*) as n from t')).rows[0].n)
  } finally {
    await client.end()
  }
}

async function compute(): Promise<{ state: string; id: string; term: number }> {
  const { node } = await ask('query ($id: ID!) { node(id: $id) { ... on Endpoint { state compute { id term } } } }', {
    id: ids.endpoint,
  })
  return { state: node.state, id: node.compute?.id ?? '', term: node.compute?.term ?? 0 }
}

test('a published table is a Delta table that says its version, and the storage report accounts for its columns', async () => {
  await ask(
    'mutation ($b: ID!) { publishLake(branchId: $b, table: "public.t") { operations { id } error { message } } }',
    {
      b: ids.branch,
    },
  )
  const lake = await eventually('publishing', async () => {
    const { node } = await ask(
      'query ($b: ID!) { node(id: $b) { ... on Branch { catalog(database: "neondb") { schemas { tables { name lake { deltaVersion files bytes } } } } } } }',
      { b: ids.branch },
    )
    const tables = node.catalog.schemas.flatMap((schema: { tables: unknown[] }) => schema.tables)
    return tables.find(({ name }: { name: string }) => name === 't')?.lake
  })
  expect(lake).toMatchObject({ deltaVersion: 0, files: 1 })
  const { project } = await ask(
    'query ($p: ID!) { project(id: $p) { storage { report { kinds { kind objects } duplicates { why } exceptions { count } } } } }',
    { p: ids.project },
  )
  const kinds = project.storage.report.kinds.map(({ kind }: { kind: string }) => kind)
  expect(kinds).toEqual(expect.arrayContaining(['columnar-layer', 'delta-log']))
})

test('a branch whose time has come is deleted with its timeline and its log on the SafeKeepers, and its parent stays', async () => {
  const { createBranch } = await ask(
    'mutation ($p: ID!) { createBranch(input: { projectId: $p, name: "short" }) { branch { id timelineId } error { message } } }',
    { p: ids.project },
  )
  const { id, timelineId } = createBranch.branch
  /** How many of PageServer and SafeKeepers have it. */
  const holders = async () => {
    const { storageStatus } = await ask(
      '{ storageStatus { pageserver { timelines { timelineId } } safekeepers { timelines { timelineId } } } }',
    )
    const nodes: { timelines: { timelineId: string }[] }[] = [storageStatus.pageserver, ...storageStatus.safekeepers]
    return nodes.filter(({ timelines }) => timelines.some((timeline) => timeline.timelineId === timelineId)).length
  }
  await eventually('PageServer and SafeKeepers to have the branch', async () => (await holders()) === 4)
  await ask(
    'mutation ($b: ID!, $at: DateTime!) { updateBranch(id: $b, input: { expiresAt: $at }) { error { message } } }',
    { b: id, at: new Date(Date.now() + 1000).toISOString() },
  )
  await eventually(
    'expiry',
    async () => (await ask('query ($b: ID!) { node(id: $b) { id } }', { b: id })).node === null,
  )
  await eventually('all of them to drop it', async () => (await holders()) === 0)
  expect(await countRows()).toBe(1000)
})

test('a SafeKeeper that was away while a branch was deleted drops its log when it comes back; the others do not wait for it', async () => {
  const { createBranch } = await ask(
    'mutation ($p: ID!) { createBranch(input: { projectId: $p, name: "away" }) { branch { id timelineId } error { message } } }',
    { p: ids.project },
  )
  const { id, timelineId } = createBranch.branch
  const logsOf = (name: string) =>
    fs
      .readdirSync(path.join(product.stack.home, name), { recursive: true })
      .filter((file) => String(file).endsWith(path.join(timelineId, 'control')))
  const holders = (names: readonly string[]) => names.filter((name) => logsOf(name).length > 0)
  const [present, away] = [['safekeeper-1', 'safekeeper-2'], ['safekeeper-3']]
  await eventually('all SafeKeepers to have the log', async () => holders([...present, ...away]).length === 3)
  const act = (action: string) =>
    ask('mutation ($n: String!, $a: ProcessAction!) { processAction(name: $n, action: $a) { error { message } } }', {
      n: away[0],
      a: action,
    })
  await act('STOP')
  // Refused while its compute starts.
  await eventually('the deletion to be taken', () =>
    ask('mutation ($b: ID!) { deleteBranch(id: $b) { error { message } } }', { b: id }),
  )
  await eventually('those that are there to drop it', async () => holders(present).length === 0)
  expect(holders(away)).toEqual(away)
  await act('START')
  await eventually('the one that was away to drop it', async () => holders(away).length === 0)
  expect(holders(present)).toEqual([])
})

test('a fault drill that kills the compute loses nothing that was acknowledged, and its report is found again', async () => {
  const { faultDrill } = await ask(
    'mutation ($p: ID!, $b: ID!) { faultDrill(input: { projectId: $p, branchId: $b, kind: KILL_COMPUTE, seconds: 1 }) { drill { id } error { message } } }',
    { p: ids.project, b: ids.branch },
  )
  const ended = await eventually(
    'the drill',
    async () => {
      const { faultDrill: drill } = await ask(
        'query ($id: ID!) { faultDrill(id: $id) { state lost acknowledgedBefore foundAfter unavailableMs log } }',
        { id: faultDrill.drill.id },
      )
      return drill.state === 'RUNNING' ? undefined : drill
    },
    120_000,
  )
  expect(ended).toMatchObject({ state: 'FINISHED', lost: 0 })
  expect(ended.foundAfter).toBeGreaterThanOrEqual(ended.acknowledgedBefore)
  expect(ended.acknowledgedBefore).toBeGreaterThan(0)
  const { project } = await ask('query ($p: ID!) { project(id: $p) { faultDrills { id } } }', { p: ids.project })
  expect(project.faultDrills).toEqual([{ id: faultDrill.drill.id }])
})

test('a commit whose wait for the quorum is cancelled is no commit to its client, and the compute is replaced without anyone asking', async () => {
  const client = await connectClient()
  const watcher = await connectClient()
  const before = await eventually('the compute', async () => {
    const found = await compute()
    return found.state === 'ACTIVE' && found
  })
  const processes = ['safekeeper-1', 'safekeeper-2']
  const act = (action: string) =>
    Promise.all(
      processes.map((name) =>
        ask(
          'mutation ($n: String!, $a: ProcessAction!) { processAction(name: $n, action: $a) { error { message } } }',
          {
            n: name,
            a: action,
          },
        ),
      ),
    )
  await act('STOP')
  const outcome = client.query('insert into t values (5000)').then(
    () => 'committed',
    (error: Error & { code?: string }) => error.code ?? error.message,
  )
  await eventually('the commit to wait', async () => {
    const { rows } = await watcher.query("select 1 from pg_stat_activity where wait_event = 'SyncRep'")
    return rows.length > 0
  })
  const { processID, secretKey } = client as unknown as { processID: number; secretKey: number }
  const key = Buffer.alloc(4)
  key.writeInt32BE(secretKey)
  connect(PROXY_PORT, '127.0.0.1').end(encodeCancelRequest(processID, key))
  expect(await outcome).toMatch(/40003|57P0[123]|terminated/)
  await act('START')
  await eventually(
    'the replacement',
    async () => {
      const now = await compute()
      return now.state === 'ACTIVE' && now.id !== before.id && now.term > before.term
    },
    150_000,
  )
  const rows = await countRows()
  expect([1000, 1001]).toContain(rows)
  const after = await connectClient()
  await after.query('insert into t values (6000)')
  // Null: the proxy is at the compute's Unix socket.
  expect((await after.query('select inet_server_port() as port')).rows).toEqual([{ port: null }])
  await after.end()
  expect(await countRows()).toBe(rows + 1)
})
