import { execFile } from 'node:child_process'
import * as fs from 'node:fs'
import * as os from 'node:os'
import * as path from 'node:path'
import { fileURLToPath } from 'node:url'
import { connect } from 'node:net'
import { promisify } from 'node:util'
import { createApiClient } from '@neondatabase/api-client'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Product, startProduct } from '../product-fixture.ts'
import { RestClient } from '../rest-client.ts'

const run = promisify(execFile)
const cli = fileURLToPath(new URL('../../../../node_modules/neon/dist/cli.js', import.meta.url))
const configFolder = fs.mkdtempSync(path.join(os.tmpdir(), 'tributary-neon-'))

let product: Product
let rest: RestClient
/** Made by the first test, used by those after it. */
let projectId = ''
let uri = ''

beforeAll(async () => {
  product = await startProduct(27_200)
  rest = await RestClient.open(product.restUrl, product.apiKey)
})

afterAll(async () => {
  await product?.cleanup()
  fs.rmSync(configFolder, { recursive: true, force: true })
})

async function neon(...args: string[]): Promise<string> {
  const { stdout } = await run(
    process.execPath,
    [cli, ...args, '--no-analytics', '--config-dir', configFolder, '--output', 'json'],
    {
      cwd: configFolder,
      env: {
        ...process.env,
        CI: '1',
        NO_PROXY: '127.0.0.1',
        NO_UPDATE_NOTIFIER: '1',
        NEON_API_HOST: product.restUrl,
        NEON_API_KEY: product.apiKey,
      },
      timeout: 90_000,
    },
  )
  return stdout
}

/** Names below localhost do not resolve everywhere: the address is given besides. */
async function psql(connection: string, sql: string): Promise<string> {
  const { stdout } = await run('psql', [connection, '-XAtqc', sql], {
    env: { ...process.env, PGHOSTADDR: '127.0.0.1', PGCONNECT_TIMEOUT: '60' },
    timeout: 90_000,
  })
  return stdout.trim()
}

describe('the public client and command line', () => {
  test('api-client creates a project whose connection string psql opens with channel binding', async () => {
    const client = createApiClient({ apiKey: product.apiKey, baseURL: product.restUrl, proxy: false })
    const { data } = await client.createProject({ project: { name: 'shop', branch: { database_name: 'shop' } } })
    projectId = data.project.id
    await rest.finish(data)
    uri = data.connection_uris[0]?.connection_uri ?? ''
    expect(uri).toContain('channel_binding=require')
    expect(await psql(uri, 'select current_database(), current_user')).toBe('shop|shop_owner')
    await psql(uri, 'create table item (id int primary key, name text); insert into item values (1, $$one$$)')
    const { data: listed } = await client.listProjects({})
    expect(listed.projects.map(({ id }) => id)).toContain(projectId)
  })

  test('neon lists projects, branches, roles, databases, operations and the person', async () => {
    const projects = JSON.parse(await neon('projects', 'list'))
    expect(projects.projects.map(({ id }: { id: string }) => id)).toContain(projectId)
    const branches = JSON.parse(await neon('branches', 'list', '--project-id', projectId))
    expect(branches).toMatchObject([{ name: 'main', default: true, current_state: 'ready' }])
    const roles = JSON.parse(await neon('roles', 'list', '--project-id', projectId, '--branch', 'main'))
    expect(roles).toMatchObject([{ name: 'shop_owner' }])
    const databases = JSON.parse(await neon('databases', 'list', '--project-id', projectId, '--branch', 'main'))
    expect(databases).toMatchObject([{ name: 'shop', owner_name: 'shop_owner' }])
    const operations = JSON.parse(await neon('operations', 'list', '--project-id', projectId))
    expect(operations.map(({ action }: { action: string }) => action)).toContain('create_timeline')
    expect(JSON.parse(await neon('me'))).toHaveProperty('email')
  })

  test('neon branches at the tip, at an LSN and at a time; connection strings lead to each, and to the past', async () => {
    const lsn = await psql(uri, 'select pg_current_wal_insert_lsn()')
    await new Promise((resolve) => setTimeout(resolve, 1100))
    const time = new Date().toISOString()
    await new Promise((resolve) => setTimeout(resolve, 1100))
    await psql(uri, 'insert into item values (2, $$two$$)')
    const counts: string[] = []
    for (const [name, parent] of [
      ['tip', 'main'],
      ['at-lsn', lsn],
      ['at-time', time],
    ] as const) {
      await neon('branches', 'create', '--project-id', projectId, '--name', name, '--parent', parent)
      const connection = await neon('connection-string', name, '--project-id', projectId)
      counts.push(await psql(connection.trim(), 'select count(*) from item'))
    }
    expect(counts).toEqual(['2', '1', '1'])
    const past = (await neon('connection-string', `main@${lsn}`, '--project-id', projectId)).trim()
    expect(past).toContain('neon_lsn')
    expect(await psql(past, 'select count(*) from item')).toBe('1')
    const pastTime = (await neon('connection-string', `main@${time}`, '--project-id', projectId)).trim()
    expect(await psql(pastTime, 'select count(*) from item')).toBe('1')
  })

  test('neon shows what differs between the schemas of two branches, and of two moments', async () => {
    const tip = (await neon('connection-string', 'tip', '--project-id', projectId)).trim()
    await psql(tip, 'alter table item add column price numeric')
    const diff = await neon('branches', 'schema-diff', 'main', 'tip', '--project-id', projectId, '--database', 'shop')
    expect(diff).toContain('+    price numeric')
  })

  test('neon restores a branch from itself and keeps the old state as its parent', async () => {
    const lsn = await psql(uri, 'select pg_current_wal_insert_lsn()')
    await psql(uri, 'delete from item')
    const args = ['--project-id', projectId, '--preserve-under-name', 'before-restore']
    const output = await neon('branches', 'restore', 'main', `^self@${lsn}`, ...args)
    expect(output).toContain('before-restore')
    await expect.poll(() => psql(uri, 'select count(*) from item').catch(String), { timeout: 60_000 }).toBe('2')
    const kept = JSON.parse(await neon('branches', 'get', 'before-restore', '--project-id', projectId))
    expect(kept.name).toBe('before-restore')
  })

  test('neon resets a branch to its parent, makes another the default, and deletes', async () => {
    await neon('branches', 'create', '--project-id', projectId, '--name', 'side', '--no-compute')
    await neon('branches', 'reset', 'side', '--parent', '--project-id', projectId)
    await neon('branches', 'rename', 'side', 'aside', '--project-id', projectId)
    await neon('branches', 'delete', 'aside', '--project-id', projectId)
    await expect
      .poll(
        async () =>
          JSON.parse(await neon('branches', 'list', '--project-id', projectId)).map((b: { name: string }) => b.name),
        {
          timeout: 30_000,
        },
      )
      .not.toContain('aside')
  })
})

describe('every answer fits the public document', () => {
  let branchId = ''

  test('projects, branches and what hangs on them', async () => {
    await rest.ok('GET', '/projects?limit=1')
    await rest.ok('GET', '/projects/shared')
    await rest.ok('GET', `/projects/${projectId}`)
    await rest.finish(await rest.ok('PATCH', `/projects/${projectId}`, { project: { name: 'store' } }))
    const { branches } = await rest.ok('GET', `/projects/${projectId}/branches?sort_by=name&sort_order=asc&limit=2`)
    expect(branches).toHaveLength(2)
    const made = await rest.ok('POST', `/projects/${projectId}/branches`, {
      branch: { name: 'doc' },
      endpoints: [{ type: 'read_write', suspend_timeout_seconds: 600 }],
    })
    branchId = made.branch.id
    expect(made.connection_uris[0].connection_parameters.host).toContain(made.endpoints[0].id)
    await rest.finish(made)
    const branch = `/projects/${projectId}/branches/${branchId}`
    await rest.ok('GET', branch)
    expect((await rest.ok('GET', `/projects/${projectId}/branches/count`)).count).toBeGreaterThan(3)
    await rest.ok('PATCH', branch, { branch: { name: 'documented' } })
    await rest.ok('GET', `${branch}/schema?db_name=shop`)
    await rest.ok('GET', `${branch}/compare_schema?db_name=shop`)
    const role = await rest.ok('POST', `${branch}/roles`, { role: { name: 'reader' } })
    expect(role.role.password).toBeTruthy()
    await rest.finish(role)
    await rest.ok('GET', `${branch}/roles`)
    await rest.ok('GET', `${branch}/roles/reader`)
    const reset = await rest.ok('POST', `${branch}/roles/reader/reset_password`)
    await rest.finish(reset)
    expect((await rest.ok('GET', `${branch}/roles/reader/reveal_password`)).password).toBe(reset.role.password)
    await rest.finish(await rest.ok('POST', `${branch}/databases`, { database: { name: 'two', owner_name: 'reader' } }))
    await rest.ok('GET', `${branch}/databases`)
    await rest.ok('GET', `${branch}/databases/two`)
    const query = `branch_id=${branchId}&database_name=two&role_name=reader`
    const { uri: given } = await rest.ok('GET', `/projects/${projectId}/connection_uri?${query}`)
    expect(await psql(given, 'select current_database(), current_user')).toBe('two|reader')
    await rest.finish(await rest.ok('PATCH', `${branch}/databases/two`, { database: { name: 'three' } }))
    await rest.finish(await rest.ok('DELETE', `${branch}/databases/three`))
    await rest.finish(await rest.ok('DELETE', `${branch}/roles/reader`))
    expect((await rest.call('DELETE', `${branch}/roles/reader`)).status).toBe(204)
    expect((await rest.call('DELETE', `${branch}/databases/three`)).status).toBe(204)
  })

  test('endpoints: suspend, start, restart, change, and a read-only one', async () => {
    const { endpoints } = await rest.ok('GET', `/projects/${projectId}/branches/${branchId}/endpoints`)
    const endpoint = `/projects/${projectId}/endpoints/${endpoints[0].id}`
    await rest.ok('GET', `/projects/${projectId}/endpoints`)
    await rest.finish(await rest.ok('POST', `${endpoint}/suspend`))
    expect((await rest.ok('GET', endpoint)).endpoint.current_state).toBe('idle')
    await rest.finish(await rest.ok('POST', `${endpoint}/start`))
    expect((await rest.ok('GET', endpoint)).endpoint.current_state).toBe('active')
    await rest.finish(await rest.ok('POST', `${endpoint}/restart`))
    await rest.finish(await rest.ok('PATCH', endpoint, { endpoint: { suspend_timeout_seconds: -1 } }))
    const readOnly = await rest.ok('POST', `/projects/${projectId}/endpoints`, {
      endpoint: { branch_id: branchId, type: 'read_only' },
    })
    await rest.finish(readOnly)
    await rest.finish(await rest.ok('DELETE', `/projects/${projectId}/endpoints/${readOnly.endpoint.id}`))
    expect((await rest.call('DELETE', `/projects/${projectId}/endpoints/${readOnly.endpoint.id}`)).status).toBe(204)
  })

  test('snapshots', async () => {
    const { snapshot } = await rest.ok('POST', `/projects/${projectId}/branches/${branchId}/snapshot?name=first`)
    await rest.ok('GET', `/projects/${projectId}/snapshots`)
    await rest.ok('PATCH', `/projects/${projectId}/snapshots/${snapshot.id}`, { snapshot: { name: 'renamed' } })
    const restored = await rest.ok('POST', `/projects/${projectId}/snapshots/${snapshot.id}/restore`, { name: 'back' })
    await rest.finish(restored)
    expect((await rest.call('DELETE', `/projects/${projectId}/snapshots/${snapshot.id}`)).status).toBe(202)
  })

  test('the person, organizations, keys, usage and operations', async () => {
    await rest.ok('GET', '/users/me')
    await rest.ok('GET', '/auth')
    await rest.ok('GET', '/regions')
    const { organizations } = await rest.ok('GET', '/users/me/organizations')
    const organization = `/organizations/${organizations[0].id}`
    await rest.ok('GET', organization)
    const { members } = await rest.ok('GET', `${organization}/members`)
    await rest.ok('GET', `${organization}/members/${members[0].member.id}`)
    const key = await rest.ok('POST', '/api_keys', { key_name: 'second' })
    expect((await rest.as(key.key).call('GET', '/users/me')).status).toBe(200)
    await rest.ok('GET', '/api_keys')
    await rest.ok('DELETE', `/api_keys/${key.id}`)
    expect((await rest.as(key.key).call('GET', '/users/me')).status).toBe(401)
    const orgKey = await rest.ok('POST', `${organization}/api_keys`, { key_name: 'third', project_id: projectId })
    await rest.ok('GET', `${organization}/api_keys`)
    expect((await rest.as(orgKey.key).call('GET', `/projects/${projectId}`)).status).toBe(200)
    await rest.ok('DELETE', `${organization}/api_keys/${orgKey.id}`)
    const [from, to] = [new Date(Date.now() - 3600_000).toISOString(), new Date().toISOString()]
    await rest.ok('GET', `/consumption_history/projects?from=${from}&to=${to}&granularity=hourly`)
    const page = await rest.ok('GET', `/projects/${projectId}/operations?limit=2`)
    expect(page.operations).toHaveLength(2)
    await rest.ok('GET', `/projects/${projectId}/operations?limit=2&cursor=${page.pagination.cursor}`)
  })

  test('every operation of /openapi.json was answered, and no other path is served', async () => {
    const served: unknown = await (await fetch(`${product.restUrl}/openapi.json`)).json()
    const { paths } = served as { paths: Record<string, Record<string, { operationId: string }>> }
    const ids = Object.values(paths).flatMap((path) => Object.values(path).map(({ operationId }) => operationId))
    // These two ran in the public clients above, the last one follows.
    const elsewhere = [
      'createProject',
      'restoreProjectBranch',
      'setDefaultProjectBranch',
      'deleteProjectBranch',
      'deleteProject',
    ]
    expect(ids.filter((id) => !rest.seen.has(id) && !elsewhere.includes(id))).toEqual([])
    expect(await rest.call('GET', `/projects/${projectId}/jwks`)).toMatchObject({ status: 404 })
  })
})

describe('bad input', () => {
  test.each([
    ['POST', '/projects', { project: { name: 5 } }, 400, 'project.name'],
    ['POST', '/projects', { project: { pg_version: 14 } }, 400, 'project.pg_version'],
    ['POST', '/projects', { project: { nope: 1 } }, 400, 'project.nope'],
    ['POST', '/projects', '{', 400, 'JSON'],
    ['POST', '/projects', undefined, 400, 'body'],
    ['POST', '/projects', { project: { history_retention_seconds: -1 } }, 400, 'project.history_retention_seconds'],
    ['POST', '/projects', { project: { branch: { role_name: 'postgres' } } }, 400, 'branch.role_name'],
    ['POST', '/projects/{p}/branches', { branch: { parent_lsn: 'x' } }, 400, 'branch.parent_lsn'],
    ['POST', '/projects/{p}/branches', { branch: { parent_lsn: 'FFFFFFFF/0' } }, 400, 'branch.parent_lsn'],
    [
      'POST',
      '/projects/{p}/branches',
      { branch: { parent_timestamp: '2999-01-01T00:00:00Z' } },
      400,
      'branch.parent_timestamp',
    ],
    ['POST', '/projects/{p}/branches', { branch: { parent_id: 'br-none-none-12345678' } }, 404, 'branch'],
    ['POST', '/projects/{p}/branches', { branch: { name: 'main' } }, 409, 'name'],
    ['POST', '/projects/{p}/branches', { branch: { init_source: 'schema-only' } }, 400, 'branch.init_source'],
    ['GET', '/projects?limit=0', undefined, 400, 'limit'],
    ['GET', '/projects?cursor=zzz', undefined, 400, 'cursor'],
    ['GET', '/projects/none-none-12345678', undefined, 404, 'project'],
    ['GET', '/projects/..%2f', undefined, 404, 'not found'],
    ['GET', '/projects/{p}/operations/1', undefined, 404, 'operation'],
    ['GET', '/projects/{p}/connection_uri?database_name=shop', undefined, 400, 'role_name'],
  ])('%s %s %j gives %i and names %s', async (method, target, body, status, named) => {
    const answer = await rest.call(method, target.replace('{p}', projectId), body)
    expect(answer).toMatchObject({
      status,
      body: { code: expect.any(String), message: expect.stringContaining(named) },
    })
    expect(answer.body.request_id).toBe(answer.headers.get('x-request-id'))
  })

  test('no key and a key of nobody get 401', async () => {
    for (const key of ['', 'trb_nobody', 'x'])
      expect(await rest.as(key).call('GET', '/projects')).toMatchObject({
        status: 401,
        body: { code: 'UNAUTHENTICATED' },
      })
  })

  test('a second change while one runs gets 423', async () => {
    const { endpoints } = await rest.ok('GET', `/projects/${projectId}/endpoints`)
    const endpoint = `/projects/${projectId}/endpoints/${endpoints[0].id}`
    const first = await rest.ok('POST', `${endpoint}/restart`)
    expect((await rest.call('POST', `${endpoint}/restart`)).status).toBe(423)
    await rest.finish(first)
  })
})

describe('a stranger', () => {
  test('gets the answers of things that are not there, from every operation of a project', async () => {
    const origin = product.restUrl.replace('/api/v2', '')
    const signUp = await fetch(`${origin}/api/auth/sign-up/email`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin },
      body: JSON.stringify({ name: 'Stranger', email: 'stranger@example.com', password: 'long enough 1' }),
    })
    const { token } = (await signUp.json()) as { token: string }
    const stranger = rest.as(token)
    expect((await stranger.call('GET', '/users/me')).status).toBe(200)
    expect((await stranger.ok('GET', '/projects')).projects).toEqual([])
    const { branches } = await rest.ok('GET', `/projects/${projectId}/branches`)
    const { endpoints } = await rest.ok('GET', `/projects/${projectId}/endpoints`)
    const served: unknown = await (await fetch(`${product.restUrl}/openapi.json`)).json()
    const { paths } = served as { paths: Record<string, Record<string, unknown>> }
    const statuses = new Set<string>()
    for (const [template, methods] of Object.entries(paths)) {
      if (!template.includes('{project_id}')) continue
      const target = template
        .replace('{project_id}', projectId)
        .replace('{branch_id}', branches[0].id)
        .replace('{endpoint_id}', endpoints[0].id)
        .replace('{role_name}', 'shop_owner')
        .replace('{database_name}', 'shop')
        .replace(/\{\w+\}/, 'none')
      for (const method of Object.keys(methods)) {
        const { status } = await stranger.call(method.toUpperCase(), target, method === 'get' ? undefined : {})
        // A body or query that is wrong for everybody may be said so first.
        if (status !== 404 && status !== 400) statuses.add(`${method} ${template}: ${status}`)
      }
    }
    expect([...statuses]).toEqual([])
  })
})

describe('a commit without a quorum', () => {
  test('that is cancelled through the proxy gives 40003, never a success', async () => {
    const { branches } = await rest.ok('GET', `/projects/${projectId}/branches`)
    const main = branches.find(({ name }: { name: string }) => name === 'main')
    const { endpoints } = await rest.ok('GET', `/projects/${projectId}/branches/${main.id}/endpoints`)
    const { password } = await rest.ok(
      'GET',
      `/projects/${projectId}/branches/${main.id}/roles/shop_owner/reveal_password`,
    )
    const client = new pg.Client({
      host: '127.0.0.1',
      port: product.postgresPort,
      user: `shop_owner@${endpoints[0].id}`,
      password,
      database: 'shop',
    })
    client.on('error', () => undefined)
    await client.connect()
    await client.query('create table if not exists quorum (n int)')
    for (const name of ['safekeeper-1', 'safekeeper-2']) await product.stack.stopProcess(name)
    try {
      const outcome = client.query('insert into quorum values ($1)', [1]).then(
        () => ({ code: 'committed' }),
        (error: { code?: string }) => error,
      )
      await new Promise((resolve) => setTimeout(resolve, 2000))
      await cancelThroughProxy(client)
      expect(await outcome).toMatchObject({ code: '40003' })
    } finally {
      for (const name of ['safekeeper-1', 'safekeeper-2']) await product.stack.startProcess(name)
      await client.end().catch(() => undefined)
    }
  })
})

/** A CancelRequest with the key that the proxy gave. */
async function cancelThroughProxy(client: pg.Client): Promise<void> {
  const { processID, secretKey } = client as unknown as { processID: number; secretKey: number }
  const request = Buffer.alloc(16)
  request.writeInt32BE(16, 0)
  request.writeInt32BE(80_877_102, 4)
  request.writeInt32BE(processID, 8)
  request.writeInt32BE(secretKey, 12)
  await new Promise<void>((resolve) => {
    const socket = connect({ host: '127.0.0.1', port: product.postgresPort }, () => socket.write(request))
    socket.resume()
    socket.on('close', () => resolve())
  })
}

describe('the end', () => {
  test('set_as_default moves the mark, the old default can then be deleted, and at last the project', async () => {
    const { branches } = await rest.ok('GET', `/projects/${projectId}/branches`)
    const leaf = branches.find(({ name }: { name: string }) => name === 'back')
    const changed = await rest.ok('POST', `/projects/${projectId}/branches/${leaf.id}/set_as_default`)
    expect(changed.branch.default).toBe(true)
    expect((await rest.call('DELETE', `/projects/${projectId}/branches/${leaf.id}`)).status).toBe(422)
    await rest.ok('DELETE', `/projects/${projectId}`)
    await expect
      .poll(async () => (await rest.call('GET', `/projects/${projectId}`)).status, { timeout: 60_000 })
      .toBe(404)
  })
})
