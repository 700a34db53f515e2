import { type GraphQLOutputType, isListType, isNonNullType, isObjectType } from 'graphql'
import { createClient } from 'graphql-ws'
import { afterAll, beforeAll, expect, test } from 'vitest'
import WebSocket from 'ws'
import { document, schema, selection } from './support/graphql-samples.ts'
import { type GraphReply, TestStack } from './support/test-stack.ts'

/** What is exposed works: the owner gets an answer, or a failure that the schema foresees, of every field there is. */
let stack: TestStack
const ids: Record<string, string> = {}

beforeAll(async () => {
  stack = await TestStack.start()
  await stack.startApi()
  const { createProject } = await stack.ask(
    'mutation { createProject(input: { name: "exposed" }) { project { id defaultBranch { id primaryEndpoint { id } } organization { id slug } } operations { id } } }',
  )
  await stack.waitForOperations()
  const { project, operations } = createProject
  const { createSnapshot, saveQuery, createApiKey } = await stack.ask(
    `mutation { createSnapshot(branchId: "${project.defaultBranch.id}", name: "kept") { snapshot { id } }
       saveQuery(projectId: "${project.id}", name: "kept", sql: "select 1", engine: POSTGRES) { id }
       createApiKey(input: { name: "kept" }) { apiKey { id } } }`,
  )
  const { organization } = await stack.ask(`{ organization(slug: "${project.organization.slug}") { members { id } } }`)
  Object.assign(ids, {
    project: project.id,
    branch: project.defaultBranch.id,
    endpoint: project.defaultBranch.primaryEndpoint.id,
    organization: project.organization.id,
    slug: project.organization.slug,
    operation: operations[0].id,
    snapshot: createSnapshot.snapshot.id,
    savedQuery: saveQuery.id,
    apiKey: createApiKey.apiKey.id,
    member: organization.members[0].id,
    drill: '11111111-1111-4111-8111-111111111111',
    other: project.defaultBranch.id,
  })
  await stack.sql(
    `INSERT INTO "FaultDrill" (id, "projectId", "branchId", kind, state, seconds, "startedAt", log, lost)
     VALUES ($1, $2, $3, 'KILL_COMPUTE', 'FINISHED', 5, now(), ARRAY['0.0 s: begun'], 0)`,
    [ids['drill'], ids['project'], ids['branch']],
  )
}, 180_000)
afterAll(() => stack.stop(), 60_000)

/** Codes of errors that say: nobody has thought of this. */
function unforeseen({ errors, status }: Pick<GraphReply, 'errors' | 'status'>): unknown {
  const isForeseen = (errors ?? []).every(
    ({ message, extensions }) =>
      extensions?.code !== undefined &&
      !['INTERNAL_ERROR', 'INTERNAL_SERVER_ERROR', 'GRAPHQL_VALIDATION_FAILED'].includes(extensions.code) &&
      !/not (yet )?(implemented|supported)|todo/i.test(message),
  )
  return isForeseen && status < 500 ? null : { errors, status }
}

for (const field of Object.values(schema.getQueryType()!.getFields()))
  test(`query ${field.name} answers its owner`, async () => {
    const { query, variables } = document('query', field, ids)
    const reply = await stack.graphql(query, variables)
    expect(unforeseen(reply)).toBeNull()
    expect(reply.data[field.name]).not.toBeNull()
  })

/** A field as it is asked for without arguments; null: it needs some. */
function plain(name: string, type: GraphQLOutputType): string {
  const named = (given: GraphQLOutputType): GraphQLOutputType =>
    isNonNullType(given) || isListType(given) ? named(given.ofType) : given
  const target = named(type)
  return `${name} ${isObjectType(target) && !target.getFields()['id'] ? '{ __typename }' : selection(type)}`
}

for (const [type, id] of [
  ['Project', 'project'],
  ['Branch', 'branch'],
  ['Endpoint', 'endpoint'],
  ['Operation', 'operation'],
  ['Snapshot', 'snapshot'],
] as const)
  test(`every field of a ${type} that needs no argument answers its owner`, async () => {
    const found = schema.getType(type)
    if (!isObjectType(found)) throw new Error(`${type} is no object type`)
    const fields = Object.values(found.getFields()).filter(({ args }) => !args.some(({ type }) => isNonNullType(type)))
    for (const field of fields) {
      const query = `query ($id: ID!) { node(id: $id) { ... on ${type} { ${plain(field.name, field.type)} } } }`
      const reply = await stack.graphql(query, { id: ids[id] })
      expect([field.name, unforeseen(reply)]).toEqual([field.name, null])
    }
  })

for (const field of Object.values(schema.getSubscriptionType()!.getFields()))
  test(`subscription ${field.name} is open to its owner`, async () => {
    const { query, variables } = document('subscription', field, ids)
    const client = createClient({
      url: `${stack.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { authorization: `Bearer ${stack.ownerKey}` },
      retryAttempts: 0,
    })
    const answers: unknown[] = []
    const unsubscribe = client.subscribe(
      { query, variables },
      {
        next: (value) => answers.push(value),
        error: (error) => answers.push({ errors: error }),
        complete: () => undefined,
      },
    )
    // Answered after the subscription, on the same socket: by then a refusal of it would be here.
    const after = '{ serverInfo { version } }'
    await new Promise<void>((resolve) =>
      client.subscribe({ query: after }, { next: () => undefined, error: () => resolve(), complete: () => resolve() }),
    )
    expect(JSON.stringify(answers)).not.toContain('errors')
    unsubscribe()
    await client.dispose()
  })

test('every mutation answers its owner, what deletes last', async () => {
  const mutations = Object.values(schema.getMutationType()!.getFields())
  const isLast = (name: string) => /^(delete|remove|revoke)/.test(name)
  const order = [
    ...mutations.filter(({ name }) => !isLast(name)),
    ...mutations.filter(({ name }) => isLast(name) && name !== 'deleteProject'),
    ...mutations.filter(({ name }) => name === 'deleteProject'),
  ]
  const done: string[] = []
  for (const field of order) {
    const { query, variables } = document('mutation', field, ids)
    const reply = await stack.graphql(query, variables)
    expect([field.name, unforeseen(reply)]).toEqual([field.name, null])
    const payload = reply.data?.[field.name]
    if (payload && !payload.error) done.push(field.name)
    await stack.waitForOperations()
  }
  expect(order).toHaveLength(mutations.length)
  // Not only refusals: with these arguments most of them do what they say.
  expect(done.length).toBeGreaterThan(mutations.length / 2)
}, 120_000)
