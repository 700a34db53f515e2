import * as fs from 'node:fs'
import { connect } from 'node:net'
import * as path from 'node:path'
import { buildSchema, parse, validate } from 'graphql'
import { createClient } from 'graphql-ws'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import WebSocket from 'ws'
import { BODY_BYTES_MAX } from '../src/http/server.ts'
import { waitForAgreement } from './support/catalog-invariants.ts'
import { TestStack } from './support/test-stack.ts'

/** What a person changes, what is refused and in which words: the API as a process over a real catalog, with a stand-in for the engine. */
let stack: TestStack
let projectId = ''
let mainId = ''
let endpointId = ''

beforeAll(async () => {
  stack = await TestStack.start()
  await stack.startApi()
  const made = await stack.ask(
    'mutation { createProject(input: { name: "changes" }) { project { id defaultBranch { id primaryEndpoint { id } } } } }',
  )
  const { project } = made.createProject
  projectId = project.id
  mainId = project.defaultBranch.id
  endpointId = project.defaultBranch.primaryEndpoint.id
  await stack.waitForOperations()
}, 180_000)
afterAll(() => stack.stop(), 60_000)

interface Payload {
  readonly operations?: { readonly id: string; readonly kind: string; readonly state: string }[]
  readonly error: { readonly code: string; readonly message: string; readonly field: string | null } | null
  readonly branch?: { readonly id: string }
  readonly snapshot?: { readonly id: string }
}

/** The payload of one mutation; `more` is selected of it besides the error. */
async function change(call: string, more = '', key?: string): Promise<Payload> {
  const data = await stack.ask(`mutation { ${call} { ${more} error { code message field } } }`, {}, key)
  return Object.values(data as Record<string, Payload>)[0]!
}

/** Code and message of the refusal. */
async function refusal(call: string, key?: string): Promise<string> {
  const { error } = await change(call, '', key)
  return error === null ? 'done' : `${error.code} ${error.message}`
}

async function createBranch(input: string): Promise<string> {
  const made = await change(`createBranch(input: { projectId: "${projectId}", ${input} })`, 'branch { id }')
  expect(made.error).toBeNull()
  return made.branch?.id ?? ''
}

const auditOf = async (action: string) =>
  stack.sql(`SELECT actor, subject, detail FROM "AuditEntry" WHERE action = $1 ORDER BY id DESC`, [action])
const until = (work: () => Promise<unknown>) => expect.poll(work, { timeout: 30_000, interval: 50 }).toBeTruthy()

describe('quotas of a project', () => {
  const setQuotas = (quotas: string) =>
    change(`updateProject(id: "${projectId}", input: { quotas: { ${quotas} } })`, 'project { quotas { branches } }')

  test('are set, shown, lifted by null or 0, left alone when not named, and noted in the audit log', async () => {
    const quotas = async () =>
      (
        await stack.ask(
          `{ project(id: "${projectId}") { quotas { branches storageBytes computeSeconds writtenBytes } } }`,
        )
      ).project.quotas
    await setQuotas('branches: 3, storageBytes: "9007199254740993", computeSeconds: 10, writtenBytes: "5"')
    const all = { branches: 3, storageBytes: '9007199254740993', computeSeconds: 10, writtenBytes: '5' }
    expect(await quotas()).toEqual(all)
    await setQuotas('writtenBytes: "6"')
    expect(await quotas()).toEqual({ ...all, writtenBytes: '6' })
    await setQuotas('branches: null, storageBytes: "0", computeSeconds: null, writtenBytes: null')
    expect(await quotas()).toEqual({ branches: null, storageBytes: null, computeSeconds: null, writtenBytes: null })
    expect((await auditOf('project.update'))[0]).toMatchObject({
      subject: 'changes',
      detail: {
        fields: ['quotaBranches', 'quotaStorageBytes', 'quotaComputeSeconds', 'quotaWrittenBytes'],
      },
    })
  })

  test.each([
    ['branches: -1', 'quotas.branches: must not be negative'],
    ['computeSeconds: -1', 'quotas.computeSeconds: must not be negative'],
    ['storageBytes: "9223372036854775807"', 'quotas.storageBytes: must not be negative, and below 2^62'],
    ['writtenBytes: "-5"', 'quotas.writtenBytes: must not be negative'],
  ])('%s is refused by the name of the field', async (quotas, message) => {
    expect((await setQuotas(quotas)).error).toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringContaining(message),
    })
  })

  test('are not for a key that may only read', async () => {
    const { createApiKey } = await stack.ask(
      'mutation { createApiKey(input: { name: "reader", readOnly: true }) { secret } }',
    )
    expect(
      await refusal(`updateProject(id: "${projectId}", input: { quotas: { branches: 1 } })`, createApiKey.secret),
    ).toMatch(/^READ_ONLY_KEY/)
  })

  test('a branch beyond the quota is refused with the number, and made when it is raised', async () => {
    await setQuotas('branches: 1')
    const call = `createBranch(input: { projectId: "${projectId}", name: "second", withEndpoint: false })`
    expect(await refusal(call)).toBe('QUOTA_EXCEEDED the project may have 1 branches')
    await setQuotas('branches: 2')
    expect(await refusal(call)).toBe('done')
    await stack.waitForOperations()
    await setQuotas('branches: null')
  })

  test('used-up compute seconds suspend the endpoint and refuse its start, with the use, until they are raised', async () => {
    await until(async () => (await stack.sql('SELECT 1 FROM "UsageTotal" WHERE "computeSeconds" > 1'))[0])
    await setQuotas('computeSeconds: 1')
    await until(async () => {
      const [row] = await stack.sql('SELECT state, "lastError" FROM "Endpoint" WHERE id = $1', [endpointId])
      return row?.['state'] === 'IDLE' && String(row['lastError']).includes('quota of compute seconds')
    })
    expect(await refusal(`startEndpoint(id: "${endpointId}")`)).toMatch(
      /^QUOTA_EXCEEDED quota of compute seconds is used up: \d+ of 1 this month$/,
    )
    await stack.waitForOperations()
    await setQuotas('computeSeconds: 1000000')
    expect(await refusal(`startEndpoint(id: "${endpointId}")`)).toBe('done')
    await stack.waitForOperations()
    expect(await waitForAgreement(stack)).toEqual([])
  })
})

describe('an endpoint', () => {
  test('nobody has used for its time is suspended, and a connection wakes it: the ledger says who', async () => {
    await change(`updateEndpoint(id: "${endpointId}", input: { suspendAfterSeconds: 60 })`)
    await stack.sql(`UPDATE "Endpoint" SET "readyAt" = now() - interval '2 minutes' WHERE id = $1`, [endpointId])
    const state = async () =>
      (await stack.sql('SELECT state FROM "Endpoint" WHERE id = $1', [endpointId]))[0]?.['state']
    await until(async () => (await state()) === 'IDLE')
    expect((await auditOf('endpoint.suspend'))[0]).toMatchObject({ actor: 'scale to zero', subject: endpointId })
    const cause = {
      kind: 'connect',
      user: 'ann',
      database: 'app',
      clientAddress: '192.0.2.7:51234',
      applicationName: null,
      proxyId: 'p',
    }
    const woken = await fetch(`${stack.url}/internal/proxy/wake`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer test-token' },
      body: JSON.stringify({ endpointId, cause, deadAddress: null }),
    })
    expect(woken.status).toBe(200)
    expect(await state()).toBe('ACTIVE')
    await until(async () => (await stack.sql('SELECT 1 FROM "WakeRecord"'))[0])
    const { project } = await stack.ask(
      `{ project(id: "${projectId}") { wakeLedger(first: 1) { endpointId cause role database clientAddress waitMs } } }`,
    )
    const [wake] = project.wakeLedger
    expect(wake).toMatchObject({
      endpointId,
      cause: 'connection',
      role: 'ann',
      database: 'app',
      clientAddress: '192.0.2.7:51234',
    })
    expect(wake.waitMs).toBeGreaterThan(0)
    // However slow the machine is, it does not fall asleep again under the tests that follow.
    await change(`updateEndpoint(id: "${endpointId}", input: { suspendAfterSeconds: -1 })`)
  })
})

describe('an operation', () => {
  const operations = async () => {
    const { project } = await stack.ask(
      `{ project(id: "${projectId}") { operations(first: 5) { nodes { id kind state error viewerCanCancel } } } }`,
    )
    return project.operations.nodes as { id: string; kind: string; state: string; viewerCanCancel: boolean }[]
  }
  const named = async (kind: string) => (await operations()).find((operation) => operation.kind === kind)!

  test('that waits for its turn is cancelled, with an audit entry: what it was for stays as if nobody had asked', async () => {
    const release = stack.engine.holdBranches()
    const branchId = await createBranch('name: "slow"')
    await until(async () => (await named('create_branch')).state === 'RUNNING')
    const [running, waiting] = [await named('create_branch'), await named('create_compute')]
    expect([running.viewerCanCancel, waiting.viewerCanCancel]).toEqual([false, true])
    expect(await refusal(`cancelOperation(id: "${running.id}")`)).toBe(
      'CONFLICT the operation runs already and cannot be cancelled; it ends by itself',
    )
    const cancelled = await change(`cancelOperation(id: "${waiting.id}")`, 'operations { id kind state }')
    expect(cancelled).toEqual({
      operations: [{ id: waiting.id, kind: 'create_compute', state: 'CANCELLED' }],
      error: null,
    })
    expect((await auditOf('operation.cancel'))[0]).toMatchObject({
      subject: 'create_compute',
      detail: { id: waiting.id },
    })
    expect(await refusal(`cancelOperation(id: "${waiting.id}")`)).toBe(
      'CONFLICT the operation has ended: it is CANCELLED',
    )
    release()
    await stack.waitForOperations()
    const [endpoint] = await stack.sql('SELECT state, "desiredState" FROM "Endpoint" WHERE "branchId" = $1', [branchId])
    expect(endpoint).toEqual({ state: 'IDLE', desiredState: 'SUSPENDED' })
    expect(await waitForAgreement(stack)).toEqual([])
  })

  test('to delete a project that waits is cancelled: the project is there as before', async () => {
    const release = stack.engine.holdBranches()
    await createBranch('name: "slower", withEndpoint: false')
    await until(async () => (await named('create_branch')).state === 'RUNNING')
    await change(`deleteProject(id: "${projectId}")`)
    const waiting = await named('delete_project')
    expect((await change(`cancelOperation(id: "${waiting.id}")`, 'operations { state }')).operations).toEqual([
      { state: 'CANCELLED' },
    ])
    release()
    await stack.waitForOperations()
    expect(await stack.sql('SELECT state FROM "Project"')).toEqual([{ state: 'READY' }])
    expect(await waitForAgreement(stack)).toEqual([])
  })

  test('cancelled while the API dies is cancelled after its restart', async () => {
    const release = stack.engine.holdBranches()
    await createBranch('name: "crashing"')
    await until(async () => (await named('create_branch')).state === 'RUNNING')
    const waiting = await named('create_compute')
    await stack.killApi()
    await stack.sql(`UPDATE "Operation" SET "cancelledBy" = 'ann' WHERE id = $1`, [waiting.id])
    release()
    await stack.startApi()
    await stack.waitForOperations()
    expect(await named('create_compute')).toMatchObject({ state: 'CANCELLED', error: 'cancelled by ann' })
    expect(await waitForAgreement(stack)).toEqual([])
  })

  test('is told to a subscriber until its end', async () => {
    const client = createClient({
      url: `${stack.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { authorization: `Bearer ${stack.ownerKey}` },
      retryAttempts: 0,
    })
    const query = `subscription { operationChanged(projectId: "${projectId}") { kind state steps { name state } } }`
    const ended = (async () => {
      for await (const { data } of client.iterate({ query })) {
        const changed = data?.['operationChanged'] as { kind: string; state: string; steps: unknown[] }
        if (changed.state === 'FINISHED') return changed
      }
      return undefined
    })()
    // The subscription may begin after a restart's end: restarts until one is heard of.
    let heard: { kind: string; steps: unknown[] } | undefined
    while (!heard) {
      await change(`restartEndpoint(id: "${endpointId}")`)
      await stack.waitForOperations()
      heard = await Promise.race([
        ended,
        new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), 500)),
      ])
    }
    expect(heard.kind).toBe('restart_compute')
    expect(heard.steps).toContainEqual({ name: 'start', state: 'FINISHED' })
    await client.dispose()
  })
})

describe('points in time and names', () => {
  const branchAt = (at: string) => `createBranch(input: { projectId: "${projectId}", at: { ${at} } })`

  test.each([
    ['lsn: "FF/0"', /^INVALID_INPUT at: FF\/0 lies after the end of the branch/],
    ['lsn: "0/10"', /^INVALID_INPUT at: 0\/10 lies before the history that is kept, which begins at 0\/1000000$/],
    ['time: "2999-01-01T00:00:00Z"', /^INVALID_INPUT at: the time lies in the future$/],
    ['time: "2020-01-01T00:00:00Z"', /^INVALID_INPUT at: .* lies before the history that is kept$/],
    ['snapshotId: "snap-none"', /^NOT_FOUND snapshot not found$/],
    ['lsn: "0/1000010", time: "2026-01-02T00:00:00Z"', /^INVALID_INPUT at: give one of lsn, time and snapshotId$/],
  ])('a branch at %s is refused', async (at, message) => {
    expect(await refusal(branchAt(at))).toMatch(message)
  })

  test.each(['lsn: "16B3748"', 'lsn: ""', 'lsn: "0/123456789"', 'time: "yesterday"', 'time: 5'])(
    '%s is no point at all: the document is refused',
    async (at) => {
      const reply = await stack.graphql(`mutation { ${branchAt(at)} { error { code } } }`)
      expect([reply.status, reply.data ?? null]).toEqual([400, null])
    },
  )

  test('an LSN of another branch, beyond the end of this one, is refused for a branch, a restore, a snapshot and a reader', async () => {
    const otherId = await createBranch('name: "other", withEndpoint: false')
    await stack.waitForOperations()
    const [main] = await stack.sql('SELECT "timelineId" FROM "Branch" WHERE id = $1', [mainId])
    const lsn = stack.engine.advance(String(main?.['timelineId']), 100_000n)
    const at = `{ lsn: "${lsn}" }`
    for (const call of [
      `createBranch(input: { projectId: "${projectId}", parentId: "${otherId}", at: ${at} })`,
      `restoreBranch(id: "${otherId}", to: ${at})`,
      `createSnapshot(branchId: "${otherId}", name: "x", at: ${at})`,
      `createEndpoint(input: { branchId: "${otherId}", type: READ_ONLY, at: ${at} })`,
    ])
      expect(await refusal(call)).toMatch(/^INVALID_INPUT (at|to): .* lies after the end of the branch/)
    expect(
      await refusal(
        `createSnapshot(branchId: "${mainId}", name: "here", at: ${at}, expiresAt: "2020-01-01T00:00:00Z")`,
      ),
    ).toBe('INVALID_INPUT expiresAt: must lie in the future')
    expect(await refusal(`createSnapshot(branchId: "${mainId}", name: "here", at: ${at})`)).toBe('done')
  })

  test('a name that is taken, empty, too long or made of control characters is refused by its field', async () => {
    const taken = [
      `createBranch(input: { projectId: "${projectId}", name: "main" })`,
      `updateBranch(id: "${mainId}", input: { name: "other" })`,
      `restoreBranch(id: "${mainId}", to: { lsn: "0/1000010" }, keepAs: "other")`,
      `createSnapshot(branchId: "${mainId}", name: "here")`,
      `createRole(branchId: "${mainId}", name: "neondb_owner")`,
      `createDatabase(branchId: "${mainId}", name: "neondb", ownerName: "neondb_owner")`,
    ]
    for (const call of taken)
      expect(await refusal(call), call).toMatch(/^NAME_TAKEN name: the \w+ has a \w+ \w+ already$/)
    const wrong = ['', ' padded ', 'x'.repeat(257), 'a\\u0000b', 'line\\nbreak']
    for (const name of wrong)
      for (const call of [
        `createProject(input: { name: "${name}" })`,
        `createBranch(input: { projectId: "${projectId}", name: "${name}" })`,
        `createSnapshot(branchId: "${mainId}", name: "${name}")`,
      ])
        expect(await refusal(call), call).toMatch(/^INVALID_INPUT name: must/)
    for (const name of ['', 'postgres', 'pg_read_all_data', 'ä'.repeat(32), 'a\\u0000b'])
      expect(await refusal(`createRole(branchId: "${mainId}", name: "${name}")`), name).toMatch(/^INVALID_INPUT name: /)
    expect(await refusal(`createDatabase(branchId: "${mainId}", name: "fresh", ownerName: "nobody")`)).toBe(
      'INVALID_INPUT ownerName: the branch has no role nobody',
    )
  })

  test('of two who take one name at the same time one is told that it is taken, whatever they make', async () => {
    const both = async (call: string) => (await Promise.all([refusal(call), refusal(call)])).sort()
    for (const call of [
      `createSnapshot(branchId: "${mainId}", name: "raced")`,
      `updateBranch(id: "${mainId}", input: { name: "main" })`,
    ]) {
      const [first, second] = await both(call)
      expect([first, second].filter((answer) => !/^done$|^NAME_TAKEN /.test(answer ?? ''))).toEqual([])
    }
    expect(await stack.sql(`SELECT 1 FROM "Snapshot" WHERE name = 'raced'`)).toHaveLength(1)
  })

  test('a parent that is deleted or being deleted gives no branch', async () => {
    const goneId = await createBranch('name: "gone", withEndpoint: false')
    await stack.waitForOperations()
    await stack.sql(`UPDATE "Branch" SET state = 'DELETING' WHERE id = $1`, [goneId])
    const child = `createBranch(input: { projectId: "${projectId}", parentId: "${goneId}" })`
    expect(await refusal(child)).toBe('CONFLICT parentId: the parent branch is DELETING')
    await stack.sql(`UPDATE "Branch" SET state = 'READY' WHERE id = $1`, [goneId])
    await change(`deleteBranch(id: "${goneId}")`)
    await stack.waitForOperations()
    expect(await refusal(child)).toBe('NOT_FOUND parentId: branch not found')
    expect(await refusal(`restoreBranch(id: "${mainId}", to: {}, sourceBranchId: "${goneId}")`)).toMatch(/^NOT_FOUND/)
    expect(await refusal(`deleteBranch(id: "${goneId}")`)).toMatch(/^NOT_FOUND/)
    expect(await waitForAgreement(stack)).toEqual([])
  })
})

describe('requests that nobody means well', () => {
  const post = (target: string, body: string, headers: Record<string, string> = {}) =>
    fetch(`${stack.url}${target}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${stack.ownerKey}`, ...headers },
      body,
    })

  /** The refusal comes before the body: a client that sends it anyway may not live to read the answer. */
  const answerToHead = (target: string, bodyBytes: number) =>
    new Promise<string>((resolve, reject) => {
      const { hostname, port } = new URL(stack.url)
      const socket = connect(Number(port), hostname)
      const lines = [
        `POST ${target} HTTP/1.1`,
        `host: ${hostname}`,
        `authorization: Bearer ${stack.ownerKey}`,
        'content-type: application/json',
        `content-length: ${bodyBytes}`,
        'connection: close',
      ]
      socket.write(`${lines.join('\r\n')}\r\n\r\n`)
      let answer = ''
      socket.setEncoding('utf8').on('data', (text: string) => {
        answer += text
        if (/^content-length: (\d+)[\s\S]*\r\n\r\n[\s\S]+$/im.test(answer)) socket.destroy()
      })
      socket.on('error', reject)
      socket.on('close', () => resolve(answer))
    })

  test('a body that is too large is refused on both interfaces, and by a socket', async () => {
    expect(await answerToHead('/graphql', BODY_BYTES_MAX + 1)).toMatch(/^HTTP\/1\.1 413 /)
    const answer = await answerToHead('/api/v2/projects', BODY_BYTES_MAX + 1)
    expect(answer).toMatch(/^HTTP\/1\.1 413 /)
    expect(answer).toMatch(/\{"request_id":"[\w-]+","code":"INVALID_INPUT","message":"[^"]+"\}/)
    const socket = new WebSocket(`${stack.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws')
    await new Promise((resolve) => socket.once('open', resolve))
    const closed = new Promise<number>((resolve) => socket.once('close', resolve))
    socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: 'x'.repeat(300_000) } }))
    expect(await closed).toBe(1009)
  })

  test('bodies that are not what they say get 400, never 500', async () => {
    for (const body of [
      '',
      '{',
      '[]',
      'null',
      '"x"',
      '{"query":5}',
      '{"query":"{"}',
      '{"query":"{ viewer }","variables":[]}',
    ])
      expect((await post('/graphql', body)).status, body).toBe(400)
    const long = JSON.stringify({ query: `{ ${'viewer { __typename } '.repeat(1001)} }` })
    const reply = await post('/graphql', long)
    expect([reply.status, await reply.text()]).toEqual([400, expect.stringContaining('more that 4000 tokens')])
    for (const body of ['{', '[]', '"x"', '{"project":[]}', '{"project":{"name":{}}}'])
      expect((await post('/api/v2/projects', body)).status, body).toBe(400)
    expect((await post('/api/v2/projects', 'x', { 'content-type': 'application/xml' })).status).toBe(415)
  })

  test('tokens that are none get 401 on every interface', async () => {
    const tokens = ['', 'trb_', `trb_${'x'.repeat(4000)}`, 'trb_é', "trb_' OR 1=1 --", 'eyJhbGciOiJub25lIn0.e30.']
    for (const token of tokens) {
      const authorization = { authorization: `Bearer ${token}` }
      expect((await post('/graphql', '{"query":"{ project(id: \\"x\\") { id } }"}', authorization)).status, token).toBe(
        401,
      )
      expect((await post('/api/v2/projects', '{}', authorization)).status, token).toBe(401)
      const internal = await fetch(`${stack.url}/internal/proxy/route?endpoint=x&user=x&database=x`, {
        headers: authorization,
      })
      expect(internal.status, token).toBe(401)
    }
    const socket = new WebSocket(`${stack.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws')
    await new Promise((resolve) => socket.once('open', resolve))
    const closed = new Promise<number>((resolve) => socket.once('close', resolve))
    socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: 'Bearer trb_x' } }))
    expect(await closed).toBe(4403)
  })

  test('a key is kept as a hash alone, and ends with its time', async () => {
    const { createApiKey } = await stack.ask(
      'mutation { createApiKey(input: { name: "short", expiresInDays: 1 }) { secret apiKey { id } } }',
    )
    const { secret, apiKey } = createApiKey
    const rows = await stack.sql('SELECT to_jsonb(k)::text AS row FROM apikey k')
    expect(rows.filter(({ row }) => String(row).includes(secret))).toEqual([])
    const status = async () => (await stack.graphql('{ project(id: "x") { id } }', {}, secret)).status
    expect(await status()).toBe(200)
    await stack.sql(`UPDATE apikey SET "expiresAt" = now() - interval '1 second' WHERE id = $1`, [apiKey.id])
    expect(await status()).toBe(401)
  })

  test('a deep document is refused over a socket as well', async () => {
    const client = createClient({
      url: `${stack.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { authorization: `Bearer ${stack.ownerKey}` },
      retryAttempts: 0,
    })
    const deep = `{ viewer { organizations ${'{ projects { nodes { organization '.repeat(6)} { id } ${'} } }'.repeat(6)} } }`
    const answer = await new Promise<string>((resolve) => {
      client.subscribe(
        { query: deep },
        {
          next: (value) => resolve(`answered ${JSON.stringify(value)}`),
          error: (error) => resolve(JSON.stringify(error)),
          complete: () => resolve('complete'),
        },
      )
    })
    expect(answer).toMatch(/depth/i)
    await client.dispose()
  })

  test('every document of docs/api.md is valid', () => {
    const folder = import.meta.dirname
    const schema = buildSchema(fs.readFileSync(path.resolve(folder, '..', 'schema.graphql'), 'utf8'))
    const text = fs.readFileSync(path.resolve(folder, '../../../docs/api.md'), 'utf8')
    const documents = [...text.matchAll(/```graphql\n([\s\S]*?)```/g)].map(([, document]) => document ?? '')
    expect(documents.length).toBeGreaterThan(5)
    for (const document of documents) expect(validate(schema, parse(document)), document).toEqual([])
  })

  test('who asks too fast gets 429 and when to come again, on both interfaces', async () => {
    await stack.killApi()
    await stack.startApi({ config: { rateLimit: { perSecond: 0.01, burst: 1 } } })
    await post('/graphql', '{"query":"{ viewer { user { id } } }"}')
    for (const target of ['/graphql', '/api/v2/projects']) {
      const reply = await post(target, '{"query":"{ viewer { user { id } } }"}')
      expect([reply.status, Number(reply.headers.get('retry-after')) > 0]).toEqual([429, true])
      expect(JSON.stringify(await reply.json())).toContain('RATE_LIMITED')
    }
  })
})
