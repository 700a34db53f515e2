import { expect } from '@playwright/test'
import { createProject, runningOperations } from '../../fixtures/new-project.ts'
import { graphqlAs, processAction, test } from '../../fixtures/signed-in.ts'

test('an operation that waits for another change is called off where its progress stands; the other ends as it was meant', async ({
  console: page,
}) => {
  const { id } = await createProject(page, 'patient')
  // Without the PageServer no branch can be made: making it goes on trying, and the compute of the branch waits behind it.
  await processAction('pageserver', 'stop')
  try {
    const { createBranch } = await graphqlAs<{ createBranch: { error: { message: string } | null } }>(
      page,
      'mutation ($input: CreateBranchInput!) { createBranch(input: $input) { error { message } } }',
      { input: { projectId: id, name: 'late', withEndpoint: true } },
    )
    expect(createBranch.error).toBeNull()
    await page.goto(`/projects/${id}/operations`)
    await page.getByRole('table', { name: 'Operations' }).getByRole('link', { name: 'Create compute' }).click()
    const sheet = page.getByRole('dialog', { name: 'Create compute' })
    await sheet.getByRole('button', { name: 'Call it off' }).click()
    await expect(sheet.getByText('Cancelled', { exact: true })).toBeVisible()
    await expect(sheet.getByRole('button', { name: 'Call it off' })).toHaveCount(0)
  } finally {
    await processAction('pageserver', 'start')
  }
  await expect.poll(() => runningOperations(page, id), { timeout: 90_000 }).toBe(0)
  const { project } = await graphqlAs<{
    project: { branches: { nodes: { name: string; state: string; endpoints: { state: string }[] }[] } }
  }>(
    page,
    'query ($id: ID!) { project(id: $id) { branches(first: 10) { nodes { name state endpoints { state } } } } }',
    { id },
  )
  expect(project.branches.nodes.find(({ name }) => name === 'late')).toMatchObject({ state: 'READY' })
})
