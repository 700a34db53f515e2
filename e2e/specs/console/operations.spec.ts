import { expect } from '@playwright/test'
import { createProject, runningOperations } from '../../fixtures/new-project.ts'
import { graphqlAs, processAction, test } from '../../fixtures/signed-in.ts'

interface Refusal {
  error: { message: string } | null
}

test('an operation that waits for another change of the project is called off where its progress stands, and nothing has come of it', async ({
  console: page,
}) => {
  const { id } = await createProject(page, 'patient')
  const { project } = await graphqlAs<{ project: { endpoints: { id: string }[] } }>(
    page,
    'query ($id: ID!) { project(id: $id) { endpoints { id } } }',
    { id },
  )
  // Without the PageServer no compute can start: the restart goes on trying, and deleting the project waits behind it.
  await processAction('pageserver', 'stop')
  try {
    const { restartEndpoint } = await graphqlAs<{ restartEndpoint: Refusal }>(
      page,
      'mutation ($id: ID!) { restartEndpoint(id: $id) { error { message } } }',
      { id: project.endpoints[0]?.id },
    )
    expect(restartEndpoint.error).toBeNull()
    const { deleteProject } = await graphqlAs<{ deleteProject: Refusal }>(
      page,
      'mutation ($id: ID!) { deleteProject(id: $id) { error { message } } }',
      { id },
    )
    expect(deleteProject.error).toBeNull()
    await page.goto(`/projects/${id}/operations`)
    await page.getByRole('table', { name: 'Operations' }).getByRole('link', { name: 'Delete project' }).click()
    const sheet = page.getByRole('dialog', { name: 'Delete project' })
    await sheet.getByRole('button', { name: 'Call it off' }).click()
    await expect(sheet.getByText('Cancelled', { exact: true })).toBeVisible()
    await expect(sheet.getByRole('button', { name: 'Call it off' })).toHaveCount(0)
  } finally {
    await processAction('pageserver', 'start')
  }
  await expect.poll(() => runningOperations(page, id), { timeout: 90_000 }).toBe(0)
  await page.goto(`/projects/${id}`)
  await expect(page.getByRole('heading', { name: 'patient', exact: true })).toBeVisible()
})
