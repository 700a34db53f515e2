import { expect } from '@playwright/test'
import { createProject } from '../../fixtures/new-project.ts'
import { stackFile, test } from '../../fixtures/signed-in.ts'

test('an API key made in the console works for a program, and a revoked one does not', async ({ console: page }) => {
  await page.goto('/account')
  await page.getByRole('button', { name: 'New key' }).click()
  await page.getByRole('dialog').getByLabel('Name').fill('ci')
  await page.getByRole('button', { name: 'Create key' }).click()
  const key = (await page.getByRole('group', { name: 'API key' }).textContent()) ?? ''
  const call = () => fetch(`${stackFile().webUrl}/api/v2/projects`, { headers: { authorization: `Bearer ${key}` } })
  const answer = await call()
  expect(answer.status).toBe(200)
  expect(await answer.json()).toHaveProperty('projects')
  await page.getByRole('button', { name: 'I have it' }).click()
  await page.getByRole('button', { name: 'Revoke' }).click()
  const dialog = page.getByRole('dialog', { name: 'Revoke API key' })
  await dialog.getByLabel(/Type ci to confirm/).fill('ci')
  await dialog.getByRole('button', { name: 'Revoke key' }).click()
  await expect(dialog).toBeHidden()
  expect((await call()).status).toBe(401)
})

test('a branch beyond the quota is refused in the form, in words that name the limit', async ({ console: page }) => {
  const { id } = await createProject(page, 'small')
  await page.goto(`/projects/${id}/settings/quotas`)
  await page.getByRole('textbox', { name: 'Branches' }).fill('1')
  await page.getByRole('button', { name: 'Save limits' }).click()
  await expect(page.getByRole('meter', { name: 'Branches' })).toHaveAttribute('aria-valuemax', '1')
  await page.goto(`/projects/${id}/branches`)
  await page.getByRole('button', { name: 'New branch' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Name').fill('one-too-many')
  await dialog.getByRole('button', { name: 'Create branch' }).click()
  await expect(dialog.getByText(/may have 1 branch/i)).toBeVisible()
})
