import { expect } from '@playwright/test'
import { branchUri, createProject } from '../../fixtures/new-project.ts'
import { test } from '../../fixtures/signed-in.ts'
import { sql } from '../../fixtures/sql.ts'

/** Of the first lane, in pixels below the top of the picture: 30 of axis, then 0.6 of a lane of 44. */
const laneMiddleY = 56

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
  await page.waitForURL(/\/branches\/br-/)
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
  await expect(page.getByRole('region', { name: 'Picked moment' }).getByRole('heading', { name: 'dev' })).toBeVisible()

  // A point of the picture itself: on the lane of main, which is the first, between its start and its tip.
  await page.getByRole('button', { name: 'Clear the picked moment' }).click()
  const picture = page.getByRole('group', { name: /Timeline of branches/ })
  const box = await picture.boundingBox()
  if (!box) throw new Error('the picture has no place on the page')
  await picture.click({ position: { x: box.width * 0.6, y: laneMiddleY } })
  const picked = page.getByRole('region', { name: 'Picked moment' })
  await expect(picked.getByRole('heading', { name: 'main' })).toBeVisible()
  await picked.getByLabel('Branch from here').fill('from-the-picture')
  await picked.getByRole('button', { name: 'Create branch' }).click()
  // The form is emptied when the API has answered.
  await expect(picked.getByLabel('Branch from here')).toHaveValue('')
  await page.goto(`/projects/${id}/branches`)
  const row = page.getByRole('table', { name: 'Branches' }).getByRole('row').filter({ hasText: 'from-the-picture' })
  await expect(row.getByText('Ready')).toBeVisible({ timeout: 60_000 })
})
