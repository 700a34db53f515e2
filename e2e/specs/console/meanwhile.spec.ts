import { expect } from '@playwright/test'
import { createProject, runningOperations } from '../../fixtures/new-project.ts'
import { graphqlAs, test } from '../../fixtures/signed-in.ts'
import { sql } from '../../fixtures/sql.ts'

interface Change {
  branch: { id: string } | null
  error: { message: string } | null
}

test('what another tab has done meanwhile is said in place: a compute put to sleep, a branch that is gone, a restore that is no longer possible', async ({
  console: page,
}) => {
  const { id, uri } = await createProject(page, 'shared')

  await test.step('a compute that another tab suspends, and that a connection wakes', async () => {
    const { project } = await graphqlAs<{ project: { endpoints: { id: string }[] } }>(
      page,
      'query ($id: ID!) { project(id: $id) { endpoints { id } } }',
      { id },
    )
    await page.goto(`/projects/${id}/computes`)
    const computes = page.getByRole('table', { name: 'Computes' })
    await expect(computes.getByText('Active', { exact: true })).toBeVisible({ timeout: 60_000 })
    const { suspendEndpoint } = await graphqlAs<{ suspendEndpoint: { error: { message: string } | null } }>(
      page,
      'mutation ($id: ID!) { suspendEndpoint(id: $id) { error { message } } }',
      { id: project.endpoints[0]?.id },
    )
    expect(suspendEndpoint.error).toBeNull()
    await expect(computes.getByText('Suspended', { exact: true })).toBeVisible({ timeout: 60_000 })
    expect(await sql(uri, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
    await expect(computes.getByText('Active', { exact: true })).toBeVisible({ timeout: 60_000 })
    await expect.poll(() => runningOperations(page, id), { timeout: 60_000 }).toBe(0)
  })

  await test.step('a branch that was deleted in another tab', async () => {
    const { createBranch } = await graphqlAs<{ createBranch: Change }>(
      page,
      'mutation ($input: CreateBranchInput!) { createBranch(input: $input) { branch { id } error { message } } }',
      { input: { projectId: id, name: 'short-lived' } },
    )
    expect(createBranch.error).toBeNull()
    const branchId = createBranch.branch?.id ?? ''
    await page.goto(`/projects/${id}/branches/${branchId}`)
    await expect(page.getByRole('heading', { name: 'short-lived', exact: true })).toBeVisible()
    await expect(page.getByText('Ready', { exact: true })).toBeVisible({ timeout: 60_000 })
    await expect.poll(() => runningOperations(page, id), { timeout: 60_000 }).toBe(0)
    const { deleteBranch } = await graphqlAs<{ deleteBranch: { error: { message: string } | null } }>(
      page,
      'mutation ($id: ID!) { deleteBranch(id: $id) { error { message } } }',
      { id: branchId },
    )
    expect(deleteBranch.error).toBeNull()
    await expect(page.getByRole('heading', { name: /no access to this branch, or it is gone/ })).toBeVisible({
      timeout: 60_000,
    })
    await page.getByRole('link', { name: 'All branches' }).click()
    await expect(page.getByRole('heading', { name: 'Branches', exact: true })).toBeVisible()
  })

  await test.step('a restore to a moment that another restore has taken away', async () => {
    const lsnNow = async () => String((await sql(uri, 'SELECT pg_current_wal_insert_lsn()::text AS lsn'))[0]?.lsn)
    const earlier = await lsnNow()
    // Far enough apart that what a start of the compute writes does not reach from one to the other.
    await sql(uri, "CREATE TABLE bulk AS SELECT i, repeat('x', 500) AS filler FROM generate_series(1, 20000) i")
    const later = await lsnNow()
    await sql(uri, 'DROP TABLE bulk')
    await page.goto(`/projects/${id}/restore?at=${encodeURIComponent(later)}`)
    await page.getByRole('button', { name: 'Restore to this moment' }).click({ timeout: 60_000 })
    const dialog = page.getByRole('dialog', { name: 'Restore main' })
    await dialog.getByLabel(/Type main to confirm/).fill('main')
    const { restoreBranch } = await graphqlAs<{ restoreBranch: Change & { operations: { id: string }[] } }>(
      page,
      `mutation ($id: ID!, $lsn: LSN!) {
        restoreBranch(id: $id, to: { lsn: $lsn }, keepAs: "before") { operations { id } error { message } }
      }`,
      { id: await defaultBranchId(), lsn: earlier },
    )
    expect(restoreBranch.error).toBeNull()
    for (const operation of restoreBranch.operations) {
      await expect.poll(() => operationState(operation.id), { timeout: 90_000 }).toBe('FINISHED')
    }
    await dialog.getByRole('button', { name: 'Restore branch' }).click()
    await expect(dialog.getByText(/lies after the end of the branch/)).toBeVisible()
    await dialog.getByRole('button', { name: 'Cancel' }).click()
    await expect(dialog).toBeHidden()
  })

  async function defaultBranchId(): Promise<string> {
    const { project } = await graphqlAs<{ project: { defaultBranch: { id: string } } }>(
      page,
      'query ($id: ID!) { project(id: $id) { defaultBranch { id } } }',
      { id },
    )
    return project.defaultBranch.id
  }

  async function operationState(operationId: string): Promise<string | undefined> {
    const { operation } = await graphqlAs<{ operation: { state: string } | null }>(
      page,
      'query ($id: ID!) { operation(id: $id) { state } }',
      { id: operationId },
    )
    return operation?.state
  }
})
