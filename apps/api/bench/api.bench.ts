import { openHttpComputeDriver, openHttpStackClient, openHttpStorageAdmin } from '@tributary/storage-engine/admin'
import { execute, parse } from 'graphql'
import pino from 'pino'
import { type BenchContext, type BenchReport, rounded } from '../../../packages/storage-engine/bench/bench-report.ts'
import type { App } from '../src/app.ts'
import { openAuth } from '../src/auth/auth.ts'
import { Authenticator } from '../src/auth/authenticate.ts'
import type { Actor } from '../src/auth/permission.ts'
import { parseConfig } from '../src/config.ts'
import { OperationQueue } from '../src/control-plane/operations/operation-queue.ts'
import { ReadOnlyComputes } from '../src/control-plane/read-only-computes.ts'
import { Waker } from '../src/control-plane/wake.ts'
import { openDatabase } from '../src/db/database.ts'
import { migrate, readMigrations } from '../src/db/migrate.ts'
import type { GraphContext } from '../src/graphql/context.ts'
import { makeLoaders } from '../src/graphql/loaders.ts'
import { schema } from '../src/graphql/schema.ts'
import { DemoProject } from '../src/modules/demo/demo-project.ts'
import { openServices } from '../src/services.ts'
import { EventBus } from '../src/shared/event-bus.ts'
import { SecretBox } from '../src/shared/secret-box.ts'
import { TestStack } from '../test/support/test-stack.ts'

const BRANCHES = 20

/** What people and the console ask for most. `grows` has a list whose length is the variable `n`. */
const queries: readonly { readonly name: string; readonly text: string; readonly grows?: boolean }[] = [
  { name: 'viewer', text: '{ viewer { user { email } organizations { slug viewerRole } } }' },
  {
    name: 'projectList',
    grows: true,
    text: `query ($n: Int!) { organization(slug: "bench") { projects(first: $n) { totalCount nodes { id name createdAt storage { logicalSizeBytes }
      usage { branches computeSeconds } defaultBranch { id name tip { lsn } primaryEndpoint { state } } branches(first: 3) { totalCount nodes { id name isDefault } } } } } }`,
  },
  {
    name: 'projectSearch',
    text: '{ organization(slug: "bench") { projects(first: 20, search: "project 77") { nodes { id name } } } }',
  },
  {
    name: 'projectOverview',
    text: `query ($p: ID!) { project(id: $p) { name defaultBranch { id name } branches(first: 20) { nodes { id name state tip { lsn } endpoints { id state } } }
      endpoints { id state compute { id term } } operations(first: 10) { nodes { id kind state steps { name state } } } usage { branches } quotas { branches } } }`,
  },
  {
    name: 'branchList',
    grows: true,
    text: `query ($p: ID!, $n: Int!) { project(id: $p) { branches(first: $n) { totalCount nodes { id name state isDefault parent { id name } children { id } roles { name }
      databases { name } primaryEndpoint { id state } deletionRefusedBecause connectionInfo { uri } viewerCanDelete } } } }`,
  },
  {
    name: 'branch',
    text: 'query ($b: ID!) { node(id: $b) { ... on Branch { id name tip { lsn } parent { name } endpoints { id state host } roles { name } databases { name } connectionInfo { psql } } } }',
  },
  {
    name: 'endpoint',
    text: 'query ($e: ID!) { node(id: $e) { ... on Endpoint { id state size compute { id } failovers { rtoMs } starts { totalMs } branch { name } } } }',
  },
  {
    name: 'operations',
    grows: true,
    text: 'query ($p: ID!, $n: Int!) { project(id: $p) { operations(first: $n) { totalCount nodes { id kind state branch { name } endpoint { id } steps { name } } } } }',
  },
  {
    name: 'usageSeries',
    text: 'query ($p: ID!) { project(id: $p) { usageSeries(metric: TPS) { points { time value } idle { from } } } }',
  },
  {
    name: 'auditLog',
    text: 'query ($p: ID!) { project(id: $p) { auditLog(first: 50) { nodes { at actor action subject } } } }',
  },
]

/**
 * The ten commonest queries over a catalog of 1,000 projects with 20 branches each, against a real Postgres: p50 and p99 of
 * resolving them in this process. Fails when the number of SQL statements of a query grows with the length of its list.
 */
export async function bench({ say, isQuick }: BenchContext): Promise<BenchReport> {
  const [projects, rounds] = isQuick ? [50, 10] : [1000, 100]
  const stack = await TestStack.start()
  let statements = 0
  const database = openDatabase(stack.databaseUrl, {
    onQuery: () => {
      statements++
    },
  })
  try {
    await migrate(stack.databaseUrl, readMigrations(new URL('../../../prisma/migrations', import.meta.url).pathname))
    await seed(stack, projects)
    say(`catalog: ${projects} projects x ${BRANCHES} branches`)
    const run = contextOf(stack, database)
    const variables = { p: 'bench-project-7', b: 'br-bench-7-3', e: 'ep-bench-7-1' }
    const figures: Record<string, number> = {}
    for (const { name, text, grows } of queries) {
      const document = parse(text)
      const once = async (n: number): Promise<number> => {
        statements = 0
        const result = await execute({ schema, document, variableValues: { ...variables, n }, contextValue: run() })
        if (result.errors) throw new Error(`${name}: ${result.errors[0]?.message}`)
        return statements
      }
      const counts = [await once(2), await once(20)]
      if (grows && counts[0] !== counts[1])
        throw new Error(`${name} is N+1: ${counts.join(' and ')} statements for 2 and 20 items`)
      const times: number[] = []
      for (let round = 0; round < rounds; round++) {
        const startedMs = performance.now()
        await once(20)
        times.push(performance.now() - startedMs)
      }
      times.sort((left, right) => left - right)
      figures[`${name}P50Ms`] = rounded(times[Math.floor(times.length * 0.5)] ?? 0)
      figures[`${name}P99Ms`] = rounded(times[Math.min(times.length - 1, Math.floor(times.length * 0.99))] ?? 0)
      figures[`${name}Statements`] = counts[1] ?? 0
      say(`${name}: p50 ${figures[`${name}P50Ms`]} ms, p99 ${figures[`${name}P99Ms`]} ms, ${counts[1]} statements`)
    }
    return { bench: 'api', figures, ratios: {} }
  } finally {
    await database.$disconnect()
    await stack.stop()
  }
}

function contextOf(stack: TestStack, database: App['database']): () => GraphContext {
  const bus = new EventBus()
  const config = parseConfig(
    JSON.stringify({
      home: '/tmp',
      port: 0,
      webOrigin: 'http://localhost:3000',
      supervisor: { url: stack.engine.supervisorUrl, tokenFile: 'none' },
      pageserver: { url: stack.engine.pageserverUrl },
      proxy: { host: '127.0.0.1', port: 5433, publicHost: 'localhost' },
      secretsFolder: '/tmp',
    }),
    'bench',
  )
  const app: App = {
    config,
    log: pino({ level: 'silent' }),
    database,
    secrets: new SecretBox(Buffer.alloc(32)),
    bus,
    storage: openHttpStorageAdmin({ url: stack.engine.pageserverUrl }),
    computes: openHttpComputeDriver({ url: stack.engine.supervisorUrl, token: 'none' }),
    stack: openHttpStackClient({ url: stack.engine.supervisorUrl, token: 'none' }),
    queries: null,
    operations: new OperationQueue(database, bus),
    demo: new DemoProject(),
    version: 'bench',
  }
  const auth = openAuth({
    database,
    secret: 'bench-secret-of-sufficient-length-0123456789',
    baseUrl: config.webOrigin,
    trustedOrigins: [],
    allowSignUp: false,
    onUserCreated: async () => undefined,
  })
  const services = openServices(app, {
    auth,
    authenticator: new Authenticator(auth, database),
    waker: new Waker(app),
    readOnly: new ReadOnlyComputes(app),
  })
  const actor: Actor = {
    kind: 'user',
    userId: 'bench',
    name: 'bench',
    email: 'bench@example.com',
    isOperator: false,
    roles: new Map([['org-bench', 'OWNER']]),
  }
  return () => ({
    app,
    services,
    actor,
    authenticate: () => Promise.resolve(actor),
    requestId: 'bench',
    signal: new AbortController().signal,
    loaders: makeLoaders(app, services, { cache: true }),
  })
}

async function seed(stack: TestStack, projects: number): Promise<void> {
  const statements = [
    `INSERT INTO organization (id, name, slug, "createdAt") VALUES ('org-bench', 'Bench', 'bench', now())`,
    `INSERT INTO "Project" (id, "storageId", "organizationId", name, state, "pitrWindowSeconds", "defaultBranchId", "superuserPasswordSealed", "updatedAt", "createdAt")
       SELECT 'bench-project-' || p, md5(p::text), 'org-bench', 'project ' || p, 'READY', 86400, 'br-bench-' || p || '-1', 'none', now(), now() - p * interval '1 minute' FROM generate_series(1, ${projects}) p`,
    `INSERT INTO "Branch" (id, "projectId", name, "timelineId", state, "parentId", "parentLsn", "tipLsn", "updatedAt", "createdAt")
       SELECT 'br-bench-' || p || '-' || b, 'bench-project-' || p, CASE b WHEN 1 THEN 'main' ELSE 'branch ' || b END, md5(p || '/' || b), 'READY',
              CASE WHEN b > 1 THEN 'br-bench-' || p || '-1' END, CASE WHEN b > 1 THEN '0/1000000' END, '0/2000000', now(), now() + b * interval '1 second'
         FROM generate_series(1, ${projects}) p, generate_series(1, ${BRANCHES}) b ORDER BY b`,
    `INSERT INTO "Endpoint" (id, "projectId", "branchId", type, "updatedAt") SELECT 'ep-bench-' || p || '-' || b, 'bench-project-' || p, 'br-bench-' || p || '-' || b, 'READ_WRITE', now()
       FROM generate_series(1, ${projects}) p, generate_series(1, ${BRANCHES}) b`,
    `INSERT INTO "Role" ("branchId", name, "updatedAt") SELECT id, 'owner', now() FROM "Branch"`,
    `INSERT INTO "Database" ("branchId", name, "ownerName", "updatedAt") SELECT id, 'neondb', 'owner', now() FROM "Branch"`,
    `INSERT INTO "Operation" (id, "projectId", "branchId", "endpointId", kind, state, scope, input, "updatedAt")
       SELECT gen_random_uuid(), 'bench-project-' || p, 'br-bench-' || p || '-1', 'ep-bench-' || p || '-1', 'start_compute', 'FINISHED', '{}', '{}', now()
         FROM generate_series(1, ${projects}) p, generate_series(1, 40) o`,
    `INSERT INTO "OperationStep" ("operationId", name, position, state, "startedAt") SELECT id, 'start', 0, 'FINISHED', now() FROM "Operation"`,
    `INSERT INTO "AuditEntry" (actor, "actorKind", action, subject, "organizationId", "projectId")
       SELECT 'bench', 'user', 'endpoint.start', 'ep', 'org-bench', 'bench-project-' || p FROM generate_series(1, ${projects}) p, generate_series(1, 50) a`,
    `INSERT INTO "UsageSample" ("projectId", "branchId", "endpointId", at, "intervalMs", "isActive", commits, rollbacks, "computeSeconds")
       SELECT 'bench-project-7', 'br-bench-7-1', 'ep-bench-7-1', now() - s * interval '5 seconds', 5000, true, 10, 0, 5 FROM generate_series(1, 1000) s`,
    'ANALYZE',
  ]
  for (const statement of statements) await stack.sql(statement)
}
