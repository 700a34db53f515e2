import { expect } from '@playwright/test'
import { branchUri, createProject } from '../../fixtures/new-project.ts'
import { test } from '../../fixtures/signed-in.ts'
import { sql } from '../../fixtures/sql.ts'

test('a branch and its parent go their own ways, and both stand on the timeline with what happened to them', async ({
  console: page,
}) => {
  const { id, uri } = await createProject(page, 'diverging')
  await sql(uri, "CREATE TABLE item (id int PRIMARY KEY, note text); INSERT INTO item VALUES (1, 'before the branch')")
  await page.goto(`/projects/${id}/branches`)
  await page.getByRole('button', { name: 'New branch' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Name').fill('dev')
  await dialog.getByRole('button', { name: 'Create branch' }).click()
  await expect(page.getByRole('heading', { name: 'dev', exact: true })).toBeVisible()

  const devUri = await branchUri(page, id, 'dev')
  await sql(uri, "INSERT INTO item VALUES (2, 'on main')")
  await sql(devUri, "CREATE TABLE note (id int); INSERT INTO item VALUES (3, 'on dev'), (4, 'on dev')")
  expect(await sql(uri, 'SELECT id FROM item ORDER BY id')).toEqual([{ id: 1 }, { id: 2 }])
  expect(await sql(devUri, 'SELECT id FROM item ORDER BY id')).toEqual([{ id: 1 }, { id: 3 }, { id: 4 }])

  await page.goto(`/projects/${id}/timeline`)
  const events = page.getByRole('table', { name: 'Timeline events' })
  const event = (branch: string, words: RegExp) =>
    events
      .getByRole('row')
      .filter({ has: page.getByRole('cell', { name: branch, exact: true }) })
      .filter({ hasText: words })
  await expect(event('main', /item/).first()).toBeVisible({ timeout: 30_000 })
  await expect(event('dev', /note/).first()).toBeVisible({ timeout: 30_000 })
  await event('dev', /note/).first().getByRole('button', { name: 'Pick' }).click()
  await expect(page.getByRole('heading', { name: /dev/ }).first()).toBeVisible()
})
