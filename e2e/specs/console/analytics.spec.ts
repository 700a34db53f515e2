import { expect } from '@playwright/test'
import { createProject } from '../../fixtures/new-project.ts'
import { test } from '../../fixtures/signed-in.ts'
import { sql } from '../../fixtures/sql.ts'

test('an analytic query at an earlier LSN answers as of then while writes go on, with its freshness receipt', async ({
  console: page,
}) => {
  const { id, uri } = await createProject(page, 'lake')
  await sql(uri, 'CREATE TABLE sale (id int PRIMARY KEY); INSERT INTO sale SELECT generate_series(1, 1234)')
  const [moment] = await sql(uri, 'SELECT pg_current_wal_insert_lsn()::text AS lsn')
  const lsn = String(moment?.lsn)
  await sql(uri, 'INSERT INTO sale SELECT generate_series(2001, 3000)')
  let isWriting = true
  const writing = (async () => {
    for (let row = 10_000; isWriting; row++) await sql(uri, `INSERT INTO sale VALUES (${row})`)
  })()
  try {
    await page.goto(`/projects/${id}/sql?at=${encodeURIComponent(lsn)}`)
    const editor = page.getByRole('textbox', { name: 'SQL' })
    await editor.click()
    await page.keyboard.press('ControlOrMeta+a')
    await page.keyboard.insertText('SELECT count(*) AS sales FROM sale')
    await page.getByRole('button', { name: /^Run/ }).click()
    await expect(page.getByRole('cell', { name: '1234', exact: true })).toBeVisible({ timeout: 60_000 })
    const receipt = page.getByRole('region', { name: 'Freshness receipt' })
    await expect(receipt.getByText('As of')).toBeVisible()
    await expect(receipt.getByText('From columns')).toBeVisible()
  } finally {
    isWriting = false
    await writing
  }
})

test('a SQL error stands below the editor in the words of Postgres, with its place and its hint', async ({
  console: page,
}) => {
  const { id } = await createProject(page, 'typo')
  await page.goto(`/projects/${id}/sql`)
  await page.getByRole('textbox', { name: 'SQL' }).click()
  await page.keyboard.press('ControlOrMeta+a')
  await page.keyboard.insertText('SELECT oid,\n  relnam FROM pg_class')
  await page.getByRole('button', { name: /^Run/ }).click()
  await expect(page.getByText('column "relnam" does not exist').first()).toBeVisible({ timeout: 60_000 })
  await expect(page.getByText('Line 2, column 3')).toBeVisible()
  await expect(page.getByText(/^Hint: Perhaps you meant to reference the column "pg_class.relname"/)).toBeVisible()
})
