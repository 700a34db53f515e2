import { expect } from '@playwright/test'
import { createProject } from '../../fixtures/new-project.ts'
import { test } from '../../fixtures/signed-in.ts'
import { sql } from '../../fixtures/sql.ts'

test('a failover under load loses nothing that was acknowledged, and its report says so', async ({ console: page }) => {
  const { id, uri } = await createProject(page, 'steady')
  await sql(uri, 'CREATE TABLE ledger (id int PRIMARY KEY)')
  const acknowledged: number[] = []
  let isWriting = true
  const writer = async (offset: number) => {
    for (let round = 0; isWriting; round++) {
      const row = round * 2 + offset
      const isDone = await sql(uri, `INSERT INTO ledger VALUES (${row})`).then(
        () => true,
        () => false,
      )
      if (isDone) acknowledged.push(row)
    }
  }
  const writers = [writer(0), writer(1)]
  try {
    await expect.poll(() => acknowledged.length).toBeGreaterThan(4)
    await page.goto(`/projects/${id}/computes`)
    await page.getByRole('table').getByRole('link', { name: /^ep-/ }).first().click()
    // The list has a button of the same name; its dialog would go with the list.
    await page.waitForURL(/\/computes\/ep-/)
    await page.getByRole('button', { name: 'Fail over' }).click()
    const dialog = page.getByRole('dialog', { name: 'Fail over' })
    await dialog.getByLabel(/Type main to confirm/).fill('main')
    await dialog.getByRole('button', { name: 'Fail over' }).click()
    await expect(page.getByRole('heading', { name: 'Failovers' })).toBeVisible({ timeout: 60_000 })
    await expect(page.getByText('nothing lost')).toBeVisible({ timeout: 30_000 })
    await expect(page.getByText('0 transactions')).toBeVisible()
    const before = acknowledged.length
    await expect.poll(() => acknowledged.length, { timeout: 60_000 }).toBeGreaterThan(before)
  } finally {
    isWriting = false
    await Promise.all(writers)
  }
  const kept = new Set((await sql(uri, 'SELECT id FROM ledger')).map((row) => row.id))
  expect(acknowledged.filter((row) => !kept.has(row))).toEqual([])
})
