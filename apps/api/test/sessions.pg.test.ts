import { createClient, type SubscribePayload } from 'graphql-ws'
import { afterAll, beforeAll, expect, test } from 'vitest'
import WebSocket from 'ws'
import { TestStack } from './support/test-stack.ts'

/** What a log-in or a key gives, and that it gives no more once it was taken away. */
let stack: TestStack
let projectId = ''
let branchId = ''
let organizationId = ''

beforeAll(async () => {
  stack = await TestStack.start()
  await stack.startApi()
  const { createProject } = await stack.ask(
    'mutation { createProject(input: { name: "shared" }) { project { id organization { id } defaultBranch { id } } } }',
  )
  const { project } = createProject
  projectId = project.id
  organizationId = project.organization.id
  branchId = project.defaultBranch.id
  await stack.waitForOperations()
}, 180_000)
afterAll(() => stack.stop(), 60_000)

async function post(path: string, body: unknown, headers: Record<string, string>): Promise<Response> {
  return fetch(`${stack.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: stack.url, ...headers },
    body: JSON.stringify(body),
  })
}

/** A member of the owner's organization with a key of their own. */
async function makeMember(name: string): Promise<{ cookie: string; memberId: string; key: string; keyId: string }> {
  const email = `${name}@example.com`
  const signedUp = await post('/api/auth/sign-up/email', { name, email, password: 'a long password' }, {})
  const cookie = signedUp.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ')
  const { inviteMember } = await stack.ask(
    `mutation { inviteMember(input: { organizationId: "${organizationId}", email: "${email}", role: MEMBER }) { invitation { id } } }`,
  )
  await post('/api/auth/organization/accept-invitation', { invitationId: inviteMember.invitation.id }, { cookie })
  const made = await post(
    '/graphql',
    {
      query: `mutation { createApiKey(input: { name: "own", organizationId: null }) { secret apiKey { id } error { message } } }`,
    },
    { cookie },
  )
  const { createApiKey } = (
    (await made.json()) as { data: { createApiKey: { secret: string; apiKey: { id: string } } } }
  ).data
  const [member] = await stack.sql(
    'SELECT m.id FROM member m JOIN "user" u ON u.id = m."userId" WHERE u.email = $1 AND m."organizationId" = $2',
    [email, organizationId],
  )
  return { cookie, memberId: String(member?.['id']), key: createApiKey.secret, keyId: createApiKey.apiKey.id }
}

function openSocket(key: string) {
  const client = createClient({
    url: `${stack.url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${key}` },
    retryAttempts: 0,
    lazy: false,
  })
  return {
    client,
    /** The first answer, as text. */
    ask: (payload: SubscribePayload) =>
      new Promise<string>((resolve) => {
        client.subscribe(payload, {
          next: (value) => resolve(JSON.stringify(value)),
          error: (error) => resolve(JSON.stringify(error)),
          complete: () => resolve('complete'),
        })
      }),
  }
}

const rename = (name: string) => ({
  query: `mutation { updateBranch(id: "${branchId}", input: { name: "${name}" }) { branch { name } error { code } } }`,
})
const removeMember = (memberId: string) =>
  stack.ask(
    `mutation { removeMember(organizationId: "${organizationId}", memberId: "${memberId}") { error { code } } }`,
  )

test('a removed member changes nothing any more, also over a socket opened before', async () => {
  const { memberId, key } = await makeMember('leaver')
  const socket = openSocket(key)
  expect(await socket.ask(rename('before'))).toContain('"name":"before"')
  await removeMember(memberId)
  expect(await socket.ask(rename('after'))).toContain('NOT_FOUND')
  await socket.client.dispose()
})

test('a revoked key changes nothing any more, also over a socket opened before', async () => {
  const { key, keyId } = await makeMember('careless')
  const socket = openSocket(key)
  expect(await socket.ask(rename('known'))).toContain('"name":"known"')
  await stack.sql('UPDATE apikey SET enabled = false WHERE id = $1', [keyId])
  expect(await socket.ask(rename('unknown'))).toContain('UNAUTHENTICATED')
  await socket.client.dispose()
})

test('a subscription ends when its subscriber may not see the project any more', async () => {
  const { memberId, key } = await makeMember('watcher')
  const { client } = openSocket(key)
  let events = 0
  let isOver = false
  client.subscribe(
    { query: `subscription { branchTipMoved(projectId: "${projectId}") { id } }` },
    {
      next: () => {
        events++
      },
      error: () => {
        isOver = true
      },
      complete: () => {
        isOver = true
      },
    },
  )
  let names = 0
  const moveTip = async () => stack.ask(rename(`tip-${names++}`).query)
  const moveTipUntil = (isSo: () => boolean) =>
    expect
      .poll(
        async () => {
          await moveTip()
          return isSo()
        },
        { timeout: 30_000 },
      )
      .toBe(true)
  await moveTipUntil(() => events > 0)
  expect(isOver).toBe(false)
  await removeMember(memberId)
  await moveTipUntil(() => isOver)
  const seen = events
  await moveTip()
  expect(events).toBe(seen)
  await client.dispose()
})

test('a socket takes no more subscriptions than its bound', async () => {
  const socket = openSocket(stack.ownerKey)
  const payload = { query: `subscription { operationChanged(projectId: "${projectId}") { id } }` }
  const answers: string[] = []
  for (let count = 0; count < 201; count++) void socket.ask(payload).then((answer) => answers.push(answer))
  await expect.poll(() => answers.join(), { timeout: 30_000 }).toContain('RATE_LIMITED')
  expect(answers).toHaveLength(1)
  await socket.client.dispose()
})

test('the routes of the log-in library that go past our rules are not served: a revoked key stays revoked', async () => {
  const { cookie, key, keyId } = await makeMember('stubborn')
  await stack.ask(`mutation { revokeApiKey(id: "${keyId}") { ok } }`).catch(() => undefined)
  await stack.sql('UPDATE apikey SET enabled = false WHERE id = $1', [keyId])
  for (const [path, body] of [
    ['api-key/update', { keyId, enabled: true }],
    ['api-key/create', { name: 'past the audit log' }],
    ['api-key/delete', { keyId }],
    ['organization/create', { name: 'past', slug: 'past' }],
    ['organization/invite-member', { email: 'x@example.com', role: 'owner', organizationId }],
    ['organization/update-member-role', { memberId: 'x', role: 'owner', organizationId }],
    ['organization/delete', { organizationId }],
    ['update-user', { name: 'x' }],
    ['delete-user', {}],
  ] as const)
    expect([path, (await post(`/api/auth/${path}`, body, { cookie })).status]).toEqual([path, 404])
  expect((await stack.graphql('{ project(id: "x") { id } }', {}, key)).status).toBe(401)
  expect((await post('/api/auth/sign-out', {}, { cookie })).status).toBe(200)
})

test('a key that expires makes none that is good for longer, and one that may only read makes none', async () => {
  const make = async (input: string, key?: string) =>
    (
      await stack.ask(
        `mutation { createApiKey(input: { name: "k", ${input} }) { secret error { code message field } } }`,
        {},
        key,
      )
    ).createApiKey
  const short = (await make('expiresInDays: 2')).secret
  for (const input of ['expiresInDays: 3', 'readOnly: false', `projectId: "${projectId}"`])
    expect((await make(input, short)).error).toMatchObject({ code: 'INVALID_INPUT', field: 'expiresInDays' })
  expect((await make('expiresInDays: 1', short)).error).toBeNull()
  const reader = (await make('readOnly: true')).secret
  expect((await make('readOnly: true', reader)).error).toMatchObject({ code: 'READ_ONLY_KEY' })
  expect((await make('readOnly: false')).error).toBeNull()
})
