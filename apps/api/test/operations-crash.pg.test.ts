import { afterAll, beforeAll, expect, test } from 'vitest'
import { waitForAgreement } from './support/catalog-invariants.ts'
import { TestStack } from './support/test-stack.ts'

/**
 * Every operation is killed at every step, after the step's effect and before it is recorded, one step after the other:
 * each start of the API takes the operation up again, and dies one step later.
 */
let stack: TestStack
let projectId = ''
let mainId = ''
const ids: Record<string, string> = {}

beforeAll(async () => {
  stack = await TestStack.start()
}, 120_000)
afterAll(() => stack.stop(), 60_000)

interface Crash {
  readonly title: string
  /** Kind and step, in the order of work. */
  readonly points: readonly string[]
  readonly begin: () => Promise<void>
  readonly check?: () => Promise<void>
}

const startSteps = (kind: string) => ['allocate', 'start', 'apply-config', 'publish'].map((step) => `${kind}:${step}`)
const failoverSteps = (kind: string) =>
  ['probe', 'allocate', 'start', 'verify', 'apply-config', 'publish', 'report', 'remove-old'].map(
    (step) => `${kind}:${step}`,
  )

/** The API dies in the middle of the call: the answer may not arrive. */
const call = async (query: string, variables: Record<string, unknown>) => {
  await stack.graphql(query, variables).catch(() => undefined)
}
const named = async (name: string) =>
  String((await stack.sql(`SELECT id FROM "Branch" WHERE name = $1`, [name]))[0]?.['id'] ?? '')
const endpointOf = async (branchId: string) =>
  String((await stack.sql(`SELECT id FROM "Endpoint" WHERE "branchId" = $1`, [branchId]))[0]?.['id'] ?? '')

const crashes: readonly Crash[] = [
  {
    title: 'creating a project',
    points: ['create_timeline:create-storage', ...startSteps('start_compute')],
    begin: () => call('mutation { createProject(input: { name: "crash" }) { error { code } } }', {}),
    check: async () => {
      const [project] = await stack.sql(`SELECT id, "defaultBranchId" FROM "Project" WHERE name = 'crash'`)
      projectId = String(project?.['id'])
      mainId = String(project?.['defaultBranchId'])
      expect(await stack.sql(`SELECT name FROM "Role" WHERE "isApplied"`)).toHaveLength(1)
    },
  },
  {
    title: 'creating a branch with an endpoint',
    points: ['create_branch:create-branch', ...startSteps('create_compute')],
    begin: () =>
      call('mutation ($p: ID!) { createBranch(input: { projectId: $p, name: "child" }) { error { code } } }', {
        p: projectId,
      }),
    check: async () => {
      ids['child'] = await named('child')
      ids['endpoint'] = await endpointOf(ids['child'] ?? '')
    },
  },
  {
    title: 'a failover',
    points: failoverSteps('failover_compute'),
    begin: () => call('mutation ($e: ID!) { failoverEndpoint(id: $e) { error { code } } }', { e: ids['endpoint'] }),
    check: async () => {
      const reports = await stack.sql(`SELECT "rpoTransactions" FROM "FailoverReport"`)
      expect(reports).toEqual([{ rpoTransactions: 0 }])
    },
  },
  {
    title: 'a restart',
    points: ['restart_compute:stop', ...startSteps('restart_compute')],
    begin: () => call('mutation ($e: ID!) { restartEndpoint(id: $e) { error { code } } }', { e: ids['endpoint'] }),
  },
  {
    title: 'replacing a compute that died',
    // The other steps are those of a failover.
    points: ['look', 'start', 'report'].map((step) => `replace_compute:${step}`),
    begin: async () => {
      const [row] = await stack.sql(`SELECT "computeId" FROM "Endpoint" WHERE id = $1`, [ids['endpoint']])
      ids['dead'] = String(row?.['computeId'])
      stack.engine.killCompute(ids['dead'])
    },
    check: async () => {
      const [row] = await stack.sql(`SELECT "computeId" FROM "Endpoint" WHERE id = $1`, [ids['endpoint']])
      expect(row?.['computeId']).not.toBe(ids['dead'])
      expect(await stack.sql(`SELECT 1 FROM "FailoverReport" WHERE cause LIKE '%SIGKILL%'`)).toHaveLength(1)
    },
  },
  {
    title: 'restoring a branch from another one',
    points: ['restore_branch:stop-computes', 'restore_branch:create-timeline', 'restore_branch:swap'],
    begin: async () => {
      const [row] = await stack.sql(`SELECT "timelineId" FROM "Branch" WHERE id = $1`, [ids['child']])
      ids['before'] = String(row?.['timelineId'])
      await call(
        'mutation ($b: ID!, $s: ID!) { restoreBranch(id: $b, to: {}, sourceBranchId: $s) { error { code message } } }',
        { b: ids['child'], s: mainId },
      )
    },
    check: async () => {
      const [row] = await stack.sql(`SELECT "parentId", "timelineId" FROM "Branch" WHERE id = $1`, [ids['child']])
      expect(row?.['parentId']).toBe(mainId)
      expect(row?.['timelineId']).not.toBe(ids['before'])
    },
  },
  {
    title: 'publishing the tables of a branch',
    points: ['publish_lake:publish'],
    begin: () => call('mutation ($b: ID!) { publishLake(branchId: $b) { error { code } } }', { b: ids['child'] }),
    check: async () => {
      const [row] = await stack.sql(`SELECT "timelineId" FROM "Branch" WHERE id = $1`, [ids['child']])
      expect(new Set(stack.engine.publishedTimelines)).toEqual(new Set([row?.['timelineId']]))
    },
  },
  {
    title: 'the expiry of a branch',
    points: ['delete_branch:stop-computes', 'delete_branch:delete-timeline', 'delete_branch:remove'],
    begin: () =>
      call(
        'mutation ($p: ID!, $at: DateTime!) { createBranch(input: { projectId: $p, name: "short", withEndpoint: false, expiresAt: $at }) { error { code message } } }',
        { p: projectId, at: new Date(Date.now() + 1000).toISOString() },
      ),
    check: async () => expect(await named('short')).toBe(''),
  },
  {
    title: 'making a role',
    points: ['apply_config:find-compute', 'apply_config:apply'],
    begin: () =>
      call('mutation ($b: ID!) { createRole(branchId: $b, name: "crash_role") { error { code } } }', {
        b: ids['child'],
      }),
    check: async () => {
      expect(await stack.sql(`SELECT 1 FROM pg_roles WHERE rolname = 'crash_role'`)).toHaveLength(1)
    },
  },
  {
    title: 'restoring a branch in place',
    points: [
      'restore_branch:stop-computes',
      'restore_branch:create-timeline',
      'restore_branch:swap',
      ...startSteps('start_compute'),
    ],
    begin: async () => {
      const [row] = await stack.sql(`SELECT "parentLsn" FROM "Branch" WHERE id = $1`, [ids['child']])
      await call(
        'mutation ($b: ID!, $l: LSN!) { restoreBranch(id: $b, to: { lsn: $l }, keepAs: "kept") { error { code message } } }',
        {
          b: ids['child'],
          l: row?.['parentLsn'],
        },
      )
    },
    check: async () => {
      const [row] = await stack.sql(`SELECT "parentId" FROM "Branch" WHERE id = $1`, [ids['child']])
      expect(row?.['parentId']).toBe(await named('kept'))
    },
  },
  {
    title: 'resetting a branch from its parent',
    points: [
      'restore_branch:stop-computes',
      'restore_branch:create-timeline',
      'restore_branch:swap',
      'restore_branch:delete-old',
    ],
    begin: () =>
      call('mutation ($b: ID!) { resetBranchFromParent(id: $b) { error { code message } } }', { b: ids['child'] }),
  },
  {
    title: 'suspending an endpoint',
    points: ['suspend_compute:check', 'suspend_compute:stop'],
    begin: () => call('mutation ($e: ID!) { suspendEndpoint(id: $e) { error { code } } }', { e: ids['endpoint'] }),
  },
  {
    title: 'making a role on a suspended endpoint',
    points: ['apply_config:find-compute', ...startSteps('apply_config'), 'apply_config:apply'],
    begin: () =>
      call('mutation ($b: ID!) { createRole(branchId: $b, name: "late_role") { error { code } } }', {
        b: ids['child'],
      }),
  },
  {
    title: 'dropping a role on a branch without an endpoint',
    points: [
      'apply_config:find-compute',
      'apply_config:allocate',
      'apply_config:start',
      'apply_config:apply',
      'apply_config:stop',
    ],
    begin: async () => {
      ids['kept'] = await named('kept')
      await call('mutation ($b: ID!) { deleteRole(branchId: $b, name: "crash_role") { error { code } } }', {
        b: ids['kept'],
      })
    },
  },
  {
    title: 'deleting an endpoint',
    points: ['delete_compute:stop', 'delete_compute:remove'],
    begin: () => call('mutation ($e: ID!) { deleteEndpoint(id: $e) { error { code } } }', { e: ids['endpoint'] }),
  },
  {
    title: 'deleting a branch whose children are re-parented',
    points: ['delete_branch:stop-computes', 'delete_branch:delete-timeline', 'delete_branch:remove'],
    begin: () =>
      call('mutation ($b: ID!) { deleteBranch(id: $b, reparentChildren: true) { error { code } } }', {
        b: ids['kept'],
      }),
    check: async () => {
      const [row] = await stack.sql(`SELECT "parentId" FROM "Branch" WHERE id = $1`, [ids['child']])
      expect(row?.['parentId']).toBe(mainId)
    },
  },
  {
    title: 'deleting a project',
    points: ['delete_project:stop-computes', 'delete_project:delete-storage', 'delete_project:remove'],
    begin: () => call('mutation ($p: ID!) { deleteProject(id: $p) { error { code } } }', { p: projectId }),
    check: async () => {
      expect(stack.engine.projects.size).toBe(0)
      expect(stack.engine.runningComputes()).toHaveLength(0)
    },
  },
]

for (const { title, points, begin, check } of crashes) {
  test(`${title} survives a kill -9 at each of its ${points.length} steps`, async () => {
    if (stack.isRunning) await stack.killApi()
    for (const [index, point] of points.entries()) {
      await stack.startApi({ failpoint: `${point}:after` })
      if (index === 0 && stack.isRunning) await begin()
      await stack.waitForDeath()
    }
    await stack.startApi()
    expect(await waitForAgreement(stack)).toEqual([])
    expect(await stack.sql(`SELECT kind, state, error FROM "Operation" WHERE state <> 'FINISHED'`)).toEqual([])
    await check?.()
  }, 240_000)
}
