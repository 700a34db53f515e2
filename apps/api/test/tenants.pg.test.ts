import { createClient } from 'graphql-ws'
import { afterAll, beforeAll, expect, test } from 'vitest'
import WebSocket from 'ws'
import { document, schema } from './support/graphql-samples.ts'
import { TestStack } from './support/test-stack.ts'

/** A stranger with a good key of their own tries every query, mutation and subscription with the ids of somebody else's things. */
const ABSENT: Readonly<Record<string, string>> = {
  branch: 'br-no-such-1',
  endpoint: 'ep-no-such-1',
  snapshot: 'snap-no-such-1',
  project: 'no-such-project-1',
  other: '00000000-0000-4000-8000-000000000000',
}

let stack: TestStack
let strangerKey = ''
const ids: Record<string, string> = {}

beforeAll(async () => {
  stack = await TestStack.start()
  await stack.startApi()
  const made = await stack.ask(
    'mutation { createProject(input: { name: "private" }) { project { id defaultBranch { id primaryEndpoint { id } } organization { id slug } } operations { id } } }',
  )
  await stack.waitForOperations()
  const { project, operations } = made.createProject
  Object.assign(ids, {
    project: project.id,
    branch: project.defaultBranch.id,
    endpoint: project.defaultBranch.primaryEndpoint.id,
    organization: project.organization.id,
    slug: project.organization.slug,
    operation: operations[0].id,
  })
  const snapshot = await stack.ask(
    'mutation ($b: ID!) { createSnapshot(branchId: $b, name: "private") { snapshot { id } } }',
    { b: ids['branch'] },
  )
  ids['snapshot'] = snapshot.createSnapshot.snapshot.id
  const saved = await stack.ask(
    'mutation ($p: ID!) { saveQuery(projectId: $p, name: "private", sql: "select 1", engine: POSTGRES) { id } }',
    { p: ids['project'] },
  )
  ids['savedQuery'] = saved.saveQuery.id
  const key = await stack.ask('mutation { createApiKey(input: { name: "private" }) { apiKey { id } } }')
  ids['apiKey'] = key.createApiKey.apiKey.id
  ids['drill'] = '11111111-1111-4111-8111-111111111111'
  await stack.sql(
    `INSERT INTO "FaultDrill" (id, "projectId", "branchId", kind, state, seconds, "startedAt", log, lost)
     VALUES ($1, $2, $3, 'KILL_COMPUTE', 'FINISHED', 5, now(), ARRAY['0.0 s: begun'], 0)`,
    [ids['drill'], ids['project'], ids['branch']],
  )
  const members = await stack.ask('query ($s: String!) { organization(slug: $s) { members { id } } }', {
    s: ids['slug'],
  })
  ids['member'] = members.organization.members[0].id

  const cookie = await signUp('Stranger')
  const reply = await fetch(`${stack.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', cookie, origin: stack.url },
    body: JSON.stringify({ query: 'mutation { createApiKey(input: { name: "own" }) { secret error { message } } }' }),
  })
  strangerKey = ((await reply.json()) as { data: { createApiKey: { secret: string } } }).data.createApiKey.secret
}, 180_000)
afterAll(() => stack.stop(), 60_000)

/** Answers about the caller, or open to everybody. */
const ownQueries = new Set(['viewer', 'serverInfo', 'storageStatus'])
/** Make something of the caller's own, or are refused before any thing is looked for. */
const ownMutations = new Set(['createOrganization', 'createApiKey', 'createProject'])

const messageOf = (
  reply: {
    data: Record<string, { error?: { code: string } } | null> | null
    errors?: readonly { extensions?: { code?: string } }[]
  },
  field: string,
) =>
  reply.errors?.[0]?.extensions?.code ??
  reply.data?.[field]?.error?.code ??
  (reply.data?.[field] === null ? 'null' : 'something')

for (const field of Object.values(schema.getQueryType()!.getFields())) {
  if (ownQueries.has(field.name)) continue
  test(`query ${field.name} answers a stranger as if the thing were not there`, async () => {
    const there = document('query', field, { ...ids, other: ids['branch'] ?? '' })
    const absent = document('query', field, ABSENT)
    const reply = await stack.graphql(there.query, there.variables, strangerKey)
    const expected = await stack.graphql(absent.query, absent.variables, strangerKey)
    expect(reply.data?.[field.name] ?? null).toBeNull()
    expect(reply).toEqual(expected)
  })
}

for (const field of Object.values(schema.getMutationType()!.getFields())) {
  if (ownMutations.has(field.name)) continue
  test(`mutation ${field.name} answers a stranger as if the thing were not there, and changes nothing`, async () => {
    const before = await fingerprint()
    const there = document('mutation', field, ids)
    const absent = document('mutation', field, ABSENT)
    const reply = await stack.graphql(there.query, there.variables, strangerKey)
    const expected = await stack.graphql(absent.query, absent.variables, strangerKey)
    expect(messageOf(reply, field.name)).toBe('NOT_FOUND')
    expect(messageOf(expected, field.name)).toBe('NOT_FOUND')
    expect(await fingerprint()).toEqual(before)
  })
}

for (const field of Object.values(schema.getSubscriptionType()!.getFields())) {
  if (field.name === 'storageStatusChanged') continue
  test(`subscription ${field.name} answers a stranger as if the thing were not there`, async () => {
    const { query, variables } = document('subscription', field, { ...ids, other: ids['operation'] ?? '' })
    expect(await firstAnswer(query, variables)).toContain('NOT_FOUND')
  })
}

test('the ids of things of others in an input reach nothing: parent, source of a restore, snapshot, key scope', async () => {
  const own = await stack.ask(
    'mutation { createProject(input: { name: "own" }) { project { id defaultBranch { id } } } }',
    {},
    strangerKey,
  )
  await stack.waitForOperations()
  const { project } = own.createProject
  const tries: [string, Record<string, unknown>][] = [
    [
      'mutation ($p: ID!, $x: ID!) { createBranch(input: { projectId: $p, parentId: $x }) { error { code } } }',
      { p: project.id, x: ids['branch'] },
    ],
    [
      'mutation ($p: ID!, $x: ID!) { createBranch(input: { projectId: $p, at: { snapshotId: $x } }) { error { code } } }',
      { p: project.id, x: ids['snapshot'] },
    ],
    [
      'mutation ($b: ID!, $x: ID!) { restoreBranch(id: $b, to: {}, sourceBranchId: $x) { error { code } } }',
      { b: project.defaultBranch.id, x: ids['branch'] },
    ],
    [
      'mutation ($x: ID!) { createApiKey(input: { name: "x", projectId: $x }) { error { code } } }',
      { x: ids['project'] },
    ],
    [
      'mutation ($x: ID!) { createApiKey(input: { name: "x", organizationId: $x }) { error { code } } }',
      { x: ids['organization'] },
    ],
    [
      'mutation ($x: ID!) { createProject(input: { name: "x", organizationId: $x }) { error { code } } }',
      { x: ids['organization'] },
    ],
  ]
  for (const [query, variables] of tries) {
    const reply = await stack.graphql(query, variables, strangerKey)
    expect(Object.values(reply.data as Record<string, { error: { code: string } }>)[0]?.error.code, query).toBe(
      'NOT_FOUND',
    )
  }
})

test('who may see the project finds its fault drills again, one by one and as a list', async () => {
  const found = await stack.ask(
    'query ($d: ID!, $p: ID!) { faultDrill(id: $d) { id state lost log branch { id } } project(id: $p) { faultDrills { id } } }',
    { d: ids['drill'], p: ids['project'] },
  )
  expect(found).toEqual({
    faultDrill: { id: ids['drill'], state: 'FINISHED', lost: 0, log: ['0.0 s: begun'], branch: { id: ids['branch'] } },
    project: { faultDrills: [{ id: ids['drill'] }] },
  })
})

test('storage status shows a stranger no process and no timeline of others', async () => {
  const { storageStatus } = await stack.ask(
    '{ storageStatus { processes { name } safekeepers { address timelines { projectId } } pageserver { timelines { projectId } } } }',
    {},
    strangerKey,
  )
  expect(storageStatus.processes).toEqual([])
  expect(JSON.stringify(storageStatus)).not.toContain(ids['project'])
})

test('without a key, with a wrong one and with a revoked one nothing is answered', async () => {
  const made = await stack.ask('mutation { createApiKey(input: { name: "short" }) { apiKey { id } secret } }')
  const { apiKey, secret } = made.createApiKey
  expect((await stack.graphql('{ project(id: "x") { id } }', {}, secret)).errors).toBeUndefined()
  await stack.ask('mutation ($id: ID!) { revokeApiKey(id: $id) { ok } }', { id: apiKey.id })
  for (const key of [null, 'trb_garbage', secret]) {
    const reply = await stack.graphql('{ project(id: "x") { id } }', {}, key)
    expect([reply.status, reply.errors?.[0]?.extensions?.code]).toEqual([401, 'UNAUTHENTICATED'])
  }
})

test('a key of a project sees that project and no other, and a key that may read changes nothing', async () => {
  const scoped = await stack.ask(
    'mutation ($p: ID!) { createApiKey(input: { name: "scoped", projectId: $p, readOnly: true }) { secret } }',
    { p: ids['project'] },
  )
  const { secret } = scoped.createApiKey
  expect(
    (await stack.ask('query ($p: ID!) { project(id: $p) { name viewerCanWrite } }', { p: ids['project'] }, secret))
      .project,
  ).toEqual({ name: 'private', viewerCanWrite: false })
  const reply = await stack.graphql(
    'mutation ($b: ID!) { updateBranch(id: $b, input: { name: "x" }) { error { code } } }',
    { b: ids['branch'] },
    secret,
  )
  expect(reply.data.updateBranch.error.code).toBe('READ_ONLY_KEY')
  expect((await stack.ask('{ viewer { organizations { id } } }', {}, secret)).viewer.organizations).toEqual([])
})

test('deep, wide and aliased queries are refused before they run', async () => {
  const deep = `{ viewer { organizations ${'{ projects { nodes { organization '.repeat(6)} { id } ${'} } }'.repeat(6)} } }`
  const aliased = `{ ${Array.from({ length: 40 }, (_, index) => `a${index}: serverInfo { version }`).join(' ')} }`
  for (const query of [deep, aliased]) expect((await stack.graphql(query)).status).toBe(400)
})

test('who is given the link of an invitation joins with its role, and nobody else does', async () => {
  const made = await stack.ask(
    'mutation ($o: ID!) { inviteMember(input: { organizationId: $o, email: "invited@example.com", role: VIEWER }) { invitation { id } error { message } } }',
    { o: ids['organization'] },
  )
  const invitationId = made.inviteMember.invitation.id
  const accept = async (cookie: string) =>
    fetch(`${stack.url}/api/auth/organization/accept-invitation`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', cookie, origin: stack.url },
      body: JSON.stringify({ invitationId }),
    })
  expect((await accept(await signUp('Other'))).status).toBe(403)
  const invited = await signUp('Invited')
  expect((await accept(invited)).status).toBe(200)
  const reply = await fetch(`${stack.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', cookie: invited, origin: stack.url },
    body: JSON.stringify({ query: `{ project(id: "${ids['project']}") { name viewerCanWrite } }` }),
  })
  expect(await reply.json()).toMatchObject({ data: { project: { name: 'private', viewerCanWrite: false } } })
})

test('each start makes a link that signs the owner in once, and ends that of the start before', async () => {
  const open = async (link: string) => {
    const reply = await fetch(link, { redirect: 'manual' })
    return { isSignedIn: reply.headers.getSetCookie().length > 0, target: reply.headers.get('location') }
  }
  const first = stack.signInUrl
  expect(await open(first)).toMatchObject({ isSignedIn: true, target: `${stack.url}/` })
  expect(await open(first)).toEqual({ isSignedIn: false, target: `${stack.url}/sign-in?link=used` })
  await stack.killApi()
  await stack.startApi()
  const second = stack.signInUrl
  expect(await open(first)).toMatchObject({ isSignedIn: false })
  expect(await open(second)).toMatchObject({ isSignedIn: true })
  expect(await open(second)).toMatchObject({ isSignedIn: false })
}, 60_000)

/** The cookie of a new account, `<name>@example.com`. */
async function signUp(name: string): Promise<string> {
  const reply = await fetch(`${stack.url}/api/auth/sign-up/email`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: stack.url },
    body: JSON.stringify({ name, email: `${name.toLowerCase()}@example.com`, password: 'a long password' }),
  })
  expect(reply.status).toBe(200)
  return reply.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ')
}

async function fingerprint(): Promise<unknown> {
  return stack.sql(`SELECT (SELECT count(*)::int FROM "Operation") AS operations, (SELECT count(*)::int FROM "Branch") AS branches,
    (SELECT count(*)::int FROM "Endpoint") AS endpoints, (SELECT count(*)::int FROM "Snapshot") AS snapshots, (SELECT count(*)::int FROM "Role") AS roles,
    (SELECT count(*)::int FROM "SavedQuery") AS queries, (SELECT count(*)::int FROM member) AS members, (SELECT count(*)::int FROM apikey WHERE enabled) AS keys,
    (SELECT count(*)::int FROM "AuditEntry") AS audits, (SELECT count(*)::int FROM "QueryHistoryEntry") AS history, (SELECT string_agg(name || state, ',') FROM "Project") AS projects`)
}

function firstAnswer(query: string, variables: Record<string, unknown>): Promise<string> {
  const client = createClient({
    url: `${stack.url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${strangerKey}` },
    retryAttempts: 0,
  })
  return new Promise<string>((resolve) => {
    client.subscribe(
      { query, variables },
      {
        next: (value) => resolve(JSON.stringify(value)),
        error: (error) => resolve(JSON.stringify(error)),
        complete: () => resolve('complete'),
      },
    )
  }).finally(() => void client.dispose())
}
