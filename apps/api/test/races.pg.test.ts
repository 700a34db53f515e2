import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { waitForAgreement } from './support/catalog-invariants.ts'
import { TestStack } from './support/test-stack.ts'

/** Two things at the same time, with the engine held where it matters: what is so afterwards, and what the slower one is told. */
let stack: TestStack
let projectId = ''
let mainId = ''
let endpointId = ''

beforeAll(async () => {
  stack = await TestStack.start()
  await stack.startApi()
  const { createProject } = await stack.ask(
    'mutation { createProject(input: { name: "races" }) { project { id defaultBranch { id primaryEndpoint { id } } } } }',
  )
  projectId = createProject.project.id
  mainId = createProject.project.defaultBranch.id
  endpointId = createProject.project.defaultBranch.primaryEndpoint.id
  await stack.waitForOperations()
}, 180_000)
afterEach(async () => {
  await stack.waitForOperations()
  expect(await waitForAgreement(stack)).toEqual([])
})
afterAll(() => stack.stop(), 60_000)

/** "done", or the code and message of the refusal. */
async function change(call: string): Promise<string> {
  const data = await stack.ask(`mutation { ${call} { error { code message } } }`)
  const { error } = Object.values(data as Record<string, { error: { code: string; message: string } | null }>)[0]!
  return error === null ? 'done' : `${error.code} ${error.message}`
}

async function createBranch(name: string): Promise<string> {
  const { createBranch: made } = await stack.ask(
    `mutation { createBranch(input: { projectId: "${projectId}", name: "${name}", withEndpoint: false }) { branch { id } error { message } } }`,
  )
  expect(made.error).toBeNull()
  await stack.waitForOperations()
  return made.branch.id
}

const isComputeList = (method: string, path: string) => method === 'GET' && path === '/computes'
const endpoint = async () => (await stack.sql('SELECT * FROM "Endpoint" WHERE id = $1', [endpointId]))[0]!
const suspend = async () => {
  expect(await change(`suspendEndpoint(id: "${endpointId}")`)).toBe('done')
  await stack.waitForOperations()
}
const until = (work: () => Promise<unknown>) => expect.poll(work, { timeout: 30_000, interval: 25 }).toBeTruthy()

test.each([
  ['as it is when it is done', false],
  ['as it was when it began', true],
])(
  'a compute that starts while the reconciler looks is left alone: it sees the list of computes %s',
  async (_when, isStale) => {
    await suspend()
    const look = stack.engine.hold(isComputeList, { isStale })
    await look.reached
    expect(await change(`startEndpoint(id: "${endpointId}")`)).toBe('done')
    await stack.waitForOperations()
    const { computeId } = await endpoint()
    const next = stack.engine.hold(isComputeList)
    look.release()
    // The look that was held is over when the next one begins.
    await next.reached
    next.release()
    await stack.waitForOperations()
    expect(await endpoint()).toMatchObject({ computeId, state: 'ACTIVE' })
    expect(stack.engine.computes.get(String(computeId))?.state).toBe('running')
  },
)

test('an endpoint suspended while the reconciler sees its compute dead stays suspended', async () => {
  if ((await endpoint())['state'] !== 'ACTIVE') await change(`startEndpoint(id: "${endpointId}")`)
  await stack.waitForOperations()
  const { computeId } = await endpoint()
  const look = stack.engine.hold((method, path) => method === 'GET' && path === `/computes/${computeId}`)
  stack.engine.killCompute(String(computeId))
  await look.reached
  await suspend()
  look.release()
  const next = stack.engine.hold(isComputeList)
  await next.reached
  next.release()
  await stack.waitForOperations()
  expect(await endpoint()).toMatchObject({ state: 'IDLE', desiredState: 'SUSPENDED', computeId: null })
})

test('a branch that is being deleted becomes neither the default nor protected', async () => {
  const branchId = await createBranch('doomed')
  const deletion = stack.engine.hold((method, path) => method === 'DELETE' && /\/timelines\//.test(path))
  expect(await change(`deleteBranch(id: "${branchId}")`)).toBe('done')
  await deletion.reached
  for (const input of ['isDefault: true', 'isProtected: true'])
    expect(await change(`updateBranch(id: "${branchId}", input: { ${input} })`)).toBe(
      'OPERATION_IN_PROGRESS the branch is being deleted',
    )
  deletion.release()
  await stack.waitForOperations()
  expect(await stack.sql('SELECT "defaultBranchId" FROM "Project" WHERE id = $1', [projectId])).toEqual([
    { defaultBranchId: mainId },
  ])
})

test('SQL that is cancelled while its endpoint wakes is not run when it is up', async () => {
  await suspend()
  const start = stack.engine.hold((method, path) => method === 'PUT' && path.startsWith('/computes/'))
  const run = stack.ask(
    `mutation { runSql(input: { branchId: "${mainId}", database: "neondb", engine: POSTGRES, queryId: "late", sql: "SELECT 1" }) { statements { command } error { message sqlState } } }`,
  )
  await start.reached
  await until(async () => (await stack.graphql('mutation { cancelSql(queryId: "late") { ok } }')).data?.cancelSql?.ok)
  expect((await run).runSql).toEqual({
    statements: [],
    error: { message: 'canceling statement due to user request', sqlState: '57014' },
  })
  start.release()
  await stack.waitForOperations()
})

test('an operation whose end the catalog refuses for a while ends when it does not any more', async () => {
  const timelines = (method: string, path: string) => method === 'POST' && path.endsWith('/timelines')
  const allow = stack.engine.refuse(timelines)
  await stack.sql(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not now'; END $$`)
  await stack.sql(
    `CREATE TRIGGER refuse BEFORE UPDATE ON "Branch" FOR EACH ROW WHEN (NEW.state = 'FAILED') EXECUTE FUNCTION refuse()`,
  )
  const { createBranch: made } = await stack.ask(
    `mutation { createBranch(input: { projectId: "${projectId}", name: "refused", withEndpoint: false }) { branch { id } operations { id } } }`,
  )
  const operation = async () =>
    (await stack.sql('SELECT state, error FROM "Operation" WHERE id = $1', [made.operations[0].id]))[0]
  const step = async () =>
    (await stack.sql('SELECT state FROM "OperationStep" WHERE "operationId" = $1', [made.operations[0].id]))[0]
  await until(async () => (await step())?.['state'] === 'FAILED')
  // Its end has been tried by now, and is tried again.
  await until(async () => stack.log.includes('not now'))
  expect((await operation())?.['state']).toBe('RUNNING')
  await stack.sql('DROP TRIGGER refuse ON "Branch"; DROP FUNCTION refuse()')
  await until(async () => (await operation())?.['state'] === 'FAILED')
  allow()
  expect(await change(`deleteBranch(id: "${made.branch.id}")`)).toBe('done')
})
