import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { waitForAgreement } from './support/catalog-invariants.ts'
import { ProjectUnderTest } from './support/project-under-test.ts'

/** Which points in time and which names are refused, and in which words: the API as a process over a real catalog, with a stand-in for the engine. */
let project: ProjectUnderTest

beforeAll(async () => {
  project = await ProjectUnderTest.start()
}, 180_000)
afterAll(() => project.stack.stop(), 60_000)

describe('points in time and names', () => {
  const branchAt = (at: string) => `createBranch(input: { projectId: "${project.projectId}", at: { ${at} } })`

  test.each([
    ['lsn: "FF/0"', /^INVALID_INPUT at: FF\/0 lies after the end of the branch/],
    ['lsn: "0/10"', /^INVALID_INPUT at: 0\/10 lies before the history that is kept, which begins at 0\/1000000$/],
    ['time: "2999-01-01T00:00:00Z"', /^INVALID_INPUT at: the time lies in the future$/],
    ['time: "2020-01-01T00:00:00Z"', /^INVALID_INPUT at: .* lies before the history that is kept$/],
    ['snapshotId: "snap-none"', /^NOT_FOUND snapshot not found$/],
    ['lsn: "0/1000010", time: "2026-01-02T00:00:00Z"', /^INVALID_INPUT at: give one of lsn, time and snapshotId$/],
  ])('a branch at %s is refused', async (at, message) => {
    expect(await project.refusal(branchAt(at))).toMatch(message)
  })

  test.each(['lsn: "16B3748"', 'lsn: ""', 'lsn: "0/123456789"', 'time: "yesterday"', 'time: 5'])(
    '%s is no point at all: the document is refused',
    async (at) => {
      const reply = await project.stack.graphql(`mutation { ${branchAt(at)} { error { code } } }`)
      expect([reply.status, reply.data ?? null]).toEqual([400, null])
    },
  )

  test('an LSN of another branch, beyond the end of this one, is refused for a branch, a restore, a snapshot and a reader', async () => {
    const otherId = await project.createBranch('name: "other", withEndpoint: false')
    await project.stack.waitForOperations()
    const [main] = await project.stack.sql('SELECT "timelineId" FROM "Branch" WHERE id = $1', [project.mainId])
    const lsn = project.stack.engine.advance(String(main?.['timelineId']), 100_000n)
    const at = `{ lsn: "${lsn}" }`
    for (const call of [
      `createBranch(input: { projectId: "${project.projectId}", parentId: "${otherId}", at: ${at} })`,
      `restoreBranch(id: "${otherId}", to: ${at})`,
      `createSnapshot(branchId: "${otherId}", name: "x", at: ${at})`,
      `createEndpoint(input: { branchId: "${otherId}", type: READ_ONLY, at: ${at} })`,
    ])
      expect(await project.refusal(call)).toMatch(/^INVALID_INPUT (at|to): .* lies after the end of the branch/)
    expect(
      await project.refusal(
        `createSnapshot(branchId: "${project.mainId}", name: "here", at: ${at}, expiresAt: "2020-01-01T00:00:00Z")`,
      ),
    ).toBe('INVALID_INPUT expiresAt: must lie in the future')
    expect(await project.refusal(`createSnapshot(branchId: "${project.mainId}", name: "here", at: ${at})`)).toBe('done')
  })

  test('a name that is taken, empty, too long or made of control characters is refused by its field', async () => {
    const taken = [
      `createBranch(input: { projectId: "${project.projectId}", name: "main" })`,
      `updateBranch(id: "${project.mainId}", input: { name: "other" })`,
      `restoreBranch(id: "${project.mainId}", to: { lsn: "0/1000010" }, keepAs: "other")`,
      `createSnapshot(branchId: "${project.mainId}", name: "here")`,
      `createRole(branchId: "${project.mainId}", name: "neondb_owner")`,
      `createDatabase(branchId: "${project.mainId}", name: "neondb", ownerName: "neondb_owner")`,
    ]
    for (const call of taken)
      expect(await project.refusal(call), call).toMatch(/^NAME_TAKEN name: the \w+ has a \w+ \w+ already$/)
    const wrong = ['', ' padded ', 'x'.repeat(257), 'a\\u0000b', 'line\\nbreak']
    for (const name of wrong)
      for (const call of [
        `createProject(input: { name: "${name}" })`,
        `createBranch(input: { projectId: "${project.projectId}", name: "${name}" })`,
        `createSnapshot(branchId: "${project.mainId}", name: "${name}")`,
      ])
        expect(await project.refusal(call), call).toMatch(/^INVALID_INPUT name: must/)
    for (const name of ['', 'postgres', 'pg_read_all_data', 'ä'.repeat(32), 'a\\u0000b'])
      expect(await project.refusal(`createRole(branchId: "${project.mainId}", name: "${name}")`), name).toMatch(
        /^INVALID_INPUT name: /,
      )
    expect(
      await project.refusal(`createDatabase(branchId: "${project.mainId}", name: "fresh", ownerName: "nobody")`),
    ).toBe('INVALID_INPUT ownerName: the branch has no role nobody')
  })

  test('of two who take one name at the same time one is told that it is taken, whatever they make', async () => {
    const both = async (call: string) => (await Promise.all([project.refusal(call), project.refusal(call)])).sort()
    for (const call of [
      `createSnapshot(branchId: "${project.mainId}", name: "raced")`,
      `updateBranch(id: "${project.mainId}", input: { name: "main" })`,
    ]) {
      const [first, second] = await both(call)
      expect([first, second].filter((answer) => !/^done$|^NAME_TAKEN /.test(answer ?? ''))).toEqual([])
    }
    expect(await project.stack.sql(`SELECT 1 FROM "Snapshot" WHERE name = 'raced'`)).toHaveLength(1)
  })

  test('a parent that is deleted or being deleted gives no branch', async () => {
    const goneId = await project.createBranch('name: "gone", withEndpoint: false')
    await project.stack.waitForOperations()
    await project.stack.sql(`UPDATE "Branch" SET state = 'DELETING' WHERE id = $1`, [goneId])
    const child = `createBranch(input: { projectId: "${project.projectId}", parentId: "${goneId}" })`
    expect(await project.refusal(child)).toBe('CONFLICT parentId: the parent branch is DELETING')
    await project.stack.sql(`UPDATE "Branch" SET state = 'READY' WHERE id = $1`, [goneId])
    await project.change(`deleteBranch(id: "${goneId}")`)
    await project.stack.waitForOperations()
    expect(await project.refusal(child)).toBe('NOT_FOUND parentId: branch not found')
    expect(
      await project.refusal(`restoreBranch(id: "${project.mainId}", to: {}, sourceBranchId: "${goneId}")`),
    ).toMatch(/^NOT_FOUND/)
    expect(await project.refusal(`deleteBranch(id: "${goneId}")`)).toMatch(/^NOT_FOUND/)
    expect(await waitForAgreement(project.stack)).toEqual([])
  })
})
