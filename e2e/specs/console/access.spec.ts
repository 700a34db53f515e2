import { expect } from '@playwright/test'
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
