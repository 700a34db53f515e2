import { type ChildProcess, spawn } from 'node:child_process'
import * as fs from 'node:fs'
import * as os from 'node:os'
import * as path from 'node:path'
import pg from 'pg'
import { z } from 'zod'
import { runCommand } from './command.ts'
import { option, rootFolder } from './repository.ts'
import {
  disagreements,
  type LeftoverSample,
  leftovers,
  pageserverTimelines,
  sampleProcesses,
  storageStatus,
} from './soak-invariants.ts'

/**
 * `npm run soak -- --minutes 30 [--seed 7]`: creates, branches, writes, restores, fails over and deletes at random on a
 * stack of its own. Each branch has a ledger whose content the soak knows, and which it reads back through the proxy. At the
 * end catalog, PageServer and SafeKeepers must agree, and when the project is deleted nothing of it may be left: timelines,
 * logs, objects, folders, links, processes, connections, open files; the long-lived processes have not grown.
 */
const args = process.argv.slice(2)
const minutes = Number(option(args, 'minutes') ?? 30)
const seed = Number(option(args, 'seed') ?? Date.now() % 1_000_000)
const BRANCHES_MAX = 8
/** Hidden timelines get two minutes before they go, deleted ones are looked for every few seconds. */
const SETTLE_MS_MAX = 180_000
const portFirst = Number(process.env.TRIBUTARY_SOAK_PORT ?? 27_000)
const home = fs.mkdtempSync(path.join(os.tmpdir(), 'tributary-soak-'))
fs.chmodSync(home, 0o755)

let state = seed
/** A linear congruential generator: the run is told by its seed, up to timing. */
function random(below: number): number {
  state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
  return state % below
}

interface Ledger {
  readonly branchId: string
  name: string
  /** Rows committed and acknowledged. */
  rows: number
  /** Where `rows` was so: for restores. */
  marks: { readonly lsn: string; readonly rows: number }[]
}

const stackInfo = z.object({ ownerApiKeyFile: z.string() })

const build = await runCommand(process.execPath, ['--import', 'tsx', 'scripts/build.ts', '--without-console'], {
  cwd: rootFolder,
})
if (build.code !== 0) process.exit(1)
console.log(`soak of ${minutes} minutes, seed ${seed}, home ${home}`)
const stack = startStack()
let failure: unknown
try {
  await soak()
} catch (error) {
  failure = error
  console.error(error)
} finally {
  stack.kill('SIGTERM')
  await new Promise((resolve) => stack.once('exit', resolve))
}
if (failure === undefined) fs.rmSync(home, { recursive: true, force: true })
else console.error(`soak failed; seed ${seed}; logs in ${path.join(home, 'logs')}`)
process.exit(failure === undefined ? 0 : 1)

function startStack(): ChildProcess {
  return spawn(process.execPath, ['--enable-source-maps', 'packages/storage-engine/dist/main/local-stack.mjs'], {
    cwd: rootFolder,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...process.env,
      NODE_NO_WARNINGS: '1',
      TRIBUTARY_HOME: home,
      TRIBUTARY_PG_PORT: String(portFirst),
      TRIBUTARY_ADMIN_PORT: String(portFirst + 1),
      TRIBUTARY_API_PORT: String(portFirst + 2),
      TRIBUTARY_WEB_PORT: String(portFirst + 3),
      TRIBUTARY_INTERNAL_PORT_FIRST: String(portFirst + 100),
      TRIBUTARY_APPS_FOLDER: path.join(rootFolder, 'apps'),
      TRIBUTARY_DEMO: 'off',
    },
  })
}

async function soak(): Promise<void> {
  const key = await ownerKey()
  const graphql = async (query: string, variables: Record<string, unknown> = {}): Promise<Record<string, never>> => {
    const response = await fetch(`http://127.0.0.1:${portFirst + 2}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
      body: JSON.stringify({ query, variables }),
    })
    const reply = (await response.json()) as { data: Record<string, never>; errors?: unknown }
    if (reply.errors) throw new Error(`${query}: ${JSON.stringify(reply.errors)}`)
    return reply.data
  }
  /** Runs a mutation and waits for its operations; the payload. */
  const change = async (
    name: string,
    mutation: string,
    variables: Record<string, unknown>,
  ): Promise<Record<string, never>> => {
    const payload: { operations?: { id: string }[]; error: { code: string; message: string } | null } = (
      await graphql(mutation, variables)
    )[name] as never
    if (payload.error) throw new Error(`${name}: ${payload.error.code} ${payload.error.message}`)
    for (const { id } of payload.operations ?? []) {
      while (true) {
        const { operation } = (await graphql('query ($i: ID!) { operation(id: $i) { state kind error } }', {
          i: id,
        })) as unknown as {
          operation: { state: string; kind: string; error: string | null }
        }
        if (operation.state === 'FINISHED' || operation.state === 'SKIPPED') break
        if (operation.state === 'FAILED' || operation.state === 'CANCELLED')
          throw new Error(`${operation.kind}: ${operation.error}`)
        await sleep(100)
      }
    }
    return payload as unknown as Record<string, never>
  }

  const made = (await change(
    'createProject',
    'mutation { createProject(input: { name: "soak" }) { project { id defaultBranch { id } } connection { role database uri } operations { id } error { code message } } }',
    {},
  )) as unknown as {
    project: { id: string; defaultBranch: { id: string } }
    connection: { role: string; database: string; uri: string }
  }
  const projectId = made.project.id
  const login = {
    user: made.connection.role,
    password: decodeURIComponent(new URL(made.connection.uri).password),
    database: made.connection.database,
  }
  const ledgers: Ledger[] = [{ branchId: made.project.defaultBranch.id, name: 'main', rows: 0, marks: [] }]

  /** Through the proxy, which wakes what sleeps. */
  const onBranch = async <Value>(ledger: Ledger, work: (client: pg.Client) => Promise<Value>): Promise<Value> => {
    const client = new pg.Client({
      host: '127.0.0.1',
      port: portFirst,
      ...login,
      ssl: { rejectUnauthorized: false, servername: `${ledger.branchId}.localhost` },
      connectionTimeoutMillis: 60_000,
    })
    client.on('error', () => undefined)
    await client.connect()
    try {
      return await work(client)
    } finally {
      await client.end().catch(() => undefined)
    }
  }
  const check = (ledger: Ledger) =>
    onBranch(ledger, async (client) => {
      const { rows } = await client.query<{ count: string; sum: string | null }>('SELECT count(*), sum(n) FROM ledger')
      const expected = String((ledger.rows * (ledger.rows + 1)) / 2)
      if (Number(rows[0]?.count) !== ledger.rows || (rows[0]?.sum ?? '0') !== expected)
        throw new Error(`branch ${ledger.name} has ${rows[0]?.count} rows, not ${ledger.rows}`)
    })
  const write = (ledger: Ledger) =>
    onBranch(ledger, async (client) => {
      const count = 1 + random(200)
      await client.query('INSERT INTO ledger SELECT n FROM generate_series($1::int, $2::int) n', [
        ledger.rows + 1,
        ledger.rows + count,
      ])
      ledger.rows += count
      const { rows } = await client.query<{ lsn: string }>('SELECT pg_current_wal_flush_lsn()::text AS lsn')
      if (rows[0]) ledger.marks.push({ lsn: rows[0].lsn, rows: ledger.rows })
      ledger.marks = ledger.marks.slice(-5)
    })
  await onBranch(ledgers[0]!, (client) => client.query('CREATE TABLE ledger (n int PRIMARY KEY)'))

  let nextName = 1
  const endpointOf = async (ledger: Ledger) =>
    (
      (await graphql('query ($b: ID!) { node(id: $b) { ... on Branch { primaryEndpoint { id } } } }', {
        b: ledger.branchId,
      })) as unknown as {
        node: { primaryEndpoint: { id: string } }
      }
    ).node.primaryEndpoint.id
  const endpointChange = (name: string) => async (ledger: Ledger) => {
    await change(name, `mutation ($e: ID!) { ${name}(id: $e) { operations { id } error { code message } } }`, {
      e: await endpointOf(ledger),
    })
  }
  const actions: Record<string, (ledger: Ledger) => Promise<unknown>> = {
    write,
    check,
    suspend: endpointChange('suspendEndpoint'),
    failover: endpointChange('failoverEndpoint'),
    restart: endpointChange('restartEndpoint'),
    async branch(parent) {
      if (ledgers.length >= BRANCHES_MAX) return
      const name = `branch ${nextName++}`
      const branched = (await change(
        'createBranch',
        'mutation ($p: ID!, $b: ID!, $n: String!) { createBranch(input: { projectId: $p, parentId: $b, name: $n }) { branch { id } operations { id } error { code message } } }',
        { p: projectId, b: parent.branchId, n: name },
      )) as unknown as { branch: { id: string } }
      ledgers.push({ branchId: branched.branch.id, name, rows: parent.rows, marks: [] })
    },
    async restore(ledger) {
      const mark = ledger.marks[random(Math.max(ledger.marks.length, 1))]
      if (!mark || ledgers.length >= BRANCHES_MAX) return
      const keepAs = `kept ${nextName++}`
      await change(
        'restoreBranch',
        'mutation ($b: ID!, $l: LSN!, $k: String!) { restoreBranch(id: $b, to: { lsn: $l }, keepAs: $k) { operations { id } error { code message } } }',
        { b: ledger.branchId, l: mark.lsn, k: keepAs },
      )
      ledger.rows = mark.rows
      ledger.marks = []
    },
    async delete(ledger) {
      if (ledger === ledgers[0]) return
      await change(
        'deleteBranch',
        'mutation ($b: ID!) { deleteBranch(id: $b, reparentChildren: true) { operations { id } error { code message } } }',
        { b: ledger.branchId },
      )
      ledgers.splice(ledgers.indexOf(ledger), 1)
    },
  }
  const names = [
    'write',
    'write',
    'write',
    'check',
    'check',
    'branch',
    'restore',
    'failover',
    'suspend',
    'restart',
    'delete',
  ]
  const untilMs = performance.now() + minutes * 60_000
  const warmMs = untilMs - minutes * 40_000
  let count = 0
  let before: LeftoverSample | undefined
  while (performance.now() < untilMs) {
    const name = names[random(names.length)]!
    const ledger = ledgers[random(ledgers.length)]!
    try {
      await actions[name]!(ledger)
    } catch (error) {
      throw new Error(`${name} on ${ledger.name}, step ${count}`, { cause: error })
    }
    count++
    // By then pools are full and caches are warm.
    if (performance.now() > warmMs) before ??= await sampleProcesses(admin)
    if (count % 20 === 0) console.log(`${count} steps, ${ledgers.length} branches`)
  }
  for (const ledger of ledgers) await check(ledger)
  const timelinesOfCatalog = async () => {
    const { project } = (await graphql(
      'query ($p: ID!) { project(id: $p) { branches(first: 100) { nodes { timelineId } } } }',
      { p: projectId },
    )) as unknown as { project: { branches: { nodes: { timelineId: string }[] } } }
    return project.branches.nodes.map(({ timelineId }) => timelineId)
  }
  await eventually('catalog, PageServer and SafeKeepers to agree', async () =>
    disagreements(await timelinesOfCatalog(), await storageStatus(admin), await pageserverTimelines(home)),
  )
  await change(
    'deleteProject',
    'mutation ($p: ID!) { deleteProject(id: $p) { operations { id } error { code message } } }',
    { p: projectId },
  )
  await eventually('nothing to be left', () => leftovers(home, admin, before))
  console.log(`soak: ${count} steps, all ledgers are right, nothing is left over (seed ${seed})`)
}

/** Asks the supervisor. */
async function admin(target: string): Promise<unknown> {
  const token = fs.readFileSync(path.join(home, 'run', 'admin-token'), 'utf8').trim()
  const url = `http://127.0.0.1:${portFirst + 1}${target}`
  return (await fetch(url, { headers: { authorization: `Bearer ${token}` } })).json()
}

/** Polls until there is nothing to complain about; what is left then is the error. */
async function eventually(what: string, problems: () => Promise<readonly string[]>): Promise<void> {
  const deadlineMs = performance.now() + SETTLE_MS_MAX
  while (true) {
    const found = await problems()
    if (found.length === 0) return
    if (performance.now() > deadlineMs) throw new Error(`waited for ${what}:\n  ${found.join('\n  ')}`)
    await sleep(1000)
  }
}

async function ownerKey(): Promise<string> {
  const file = path.join(home, 'run', 'stack.json')
  const deadlineMs = performance.now() + 180_000
  while (true) {
    if (fs.existsSync(file)) {
      const parsed = stackInfo.safeParse(JSON.parse(fs.readFileSync(file, 'utf8')))
      if (parsed.success) return fs.readFileSync(parsed.data.ownerApiKeyFile, 'utf8').trim()
    }
    if (performance.now() > deadlineMs) throw new Error('the stack did not start')
    await sleep(200)
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
