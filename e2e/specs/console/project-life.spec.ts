import { expect } from '@playwright/test'
import { goTo } from '../../fixtures/new-project.ts'
import { hasProgram, paste } from '../../fixtures/shell.ts'
import { processAction, signUp, stackFile, test } from '../../fixtures/signed-in.ts'
import { sql } from '../../fixtures/sql.ts'

test('a project made in the console is used, branched, damaged and restored to before the damage', async ({
  console: page,
}) => {
  test.setTimeout(240_000)
  let uri = ''

  await test.step('creating it ends at a connection string that works', async () => {
    await page.goto('/')
    await page.getByRole('link', { name: 'New project' }).click()
    await page.waitForURL(/\/new-project$/)
    await page.getByRole('button', { name: 'Create project' }).click()
    await expect(page.getByText('Give the project a name.')).toBeVisible()
    await page.getByLabel('Project name').fill('orders')
    await page.getByRole('button', { name: 'Create project' }).click()
    await expect(page.getByRole('heading', { name: 'orders is ready' })).toBeVisible({ timeout: 120_000 })
    uri = (await page.getByRole('group', { name: 'Connection string' }).textContent()) ?? ''
    await sql(
      uri,
      "CREATE TABLE invoice (id int PRIMARY KEY, note text); INSERT INTO invoice SELECT i, 'note ' || i FROM generate_series(1, 20) i",
    )
    if (hasProgram('psql')) {
      const line = (await page.getByRole('group', { name: 'psql' }).textContent()) ?? ''
      expect(await paste(`${line} -XAtc 'SELECT count(*) FROM invoice'`)).toBe('20')
    }
    await page.getByRole('link', { name: 'Open the project' }).click()
    await page.waitForURL(/\/projects\/[^/]+$/)
    await expect(page.getByRole('heading', { name: 'orders', exact: true })).toBeVisible()
  })

  await test.step('its rows are read from storage at the tip', async () => {
    await goTo(page, 'Tables', /\/tables/)
    await expect(page.getByRole('cell', { name: 'note 20', exact: true })).toBeVisible({ timeout: 60_000 })
  })

  await test.step('a branch from now shows up in the list without a reload', async () => {
    await page.keyboard.press('g')
    await page.keyboard.press('b')
    await page.waitForURL(/\/branches$/)
    await page.getByRole('button', { name: 'New branch' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Name').fill('dev')
    await dialog.getByRole('button', { name: 'Create branch' }).click()
    await page.waitForURL(/\/branches\/br-/)
    await expect(page.getByRole('heading', { name: 'dev', exact: true })).toBeVisible()
    await goTo(page, 'Branches', /\/branches$/)
    await expect(page.getByRole('row', { name: /dev/ }).getByText('Ready')).toBeVisible({ timeout: 60_000 })
  })

  await test.step('a moment before a DROP TABLE is picked on the timeline, previewed with the table in it, and restored', async () => {
    await sql(uri, 'DROP TABLE invoice')
    await goTo(page, 'Timeline', /\/timeline/)
    const events = page.getByRole('table', { name: 'Timeline events' }).getByRole('row')
    await expect(events.filter({ hasText: /dropped/ }).first()).toBeVisible({ timeout: 60_000 })
    await events
      .filter({ hasText: /dropped/ })
      .first()
      .getByRole('button', { name: 'Pick' })
      .click()
    const picked = page.getByRole('region', { name: 'Picked moment' })
    await picked.getByRole('button', { name: 'Just before this change' }).click()
    await expect(picked.getByRole('button', { name: 'Just before this change' })).toHaveCount(0)
    await picked.getByRole('link', { name: /Restore main to here/ }).click()
    await page.waitForURL(/\/restore\?/)
    await expect(page.getByRole('button', { name: 'public.invoice' }).getByText('comes back')).toBeVisible({
      timeout: 60_000,
    })
    await expect(page.getByRole('cell', { name: 'note 20', exact: true })).toBeVisible({ timeout: 60_000 })
    await page.getByRole('button', { name: 'Restore to this moment' }).click()
    const dialog = page.getByRole('dialog', { name: 'Restore main' })
    await expect(dialog.getByRole('button', { name: 'Restore branch' })).toBeDisabled()
    await dialog.getByLabel(/Type main to confirm/).fill('main')
    await dialog.getByRole('button', { name: 'Restore branch' }).click()
    await expect(page.getByText('Finished', { exact: true }).first()).toBeVisible({ timeout: 120_000 })
    expect(await sql(uri, 'SELECT count(*)::int AS count FROM invoice')).toEqual([{ count: 20 }])
  })

  await test.step('a stranger learns nothing of it', async () => {
    const stranger = await page.context().browser()?.newContext({ baseURL: stackFile().webUrl })
    if (!stranger) throw new Error('no browser')
    await signUp(stranger, 'Eve')
    const other = await stranger.newPage()
    await other.goto(new URL(page.url()).pathname)
    await expect(other.getByText('You have no access to this project, or it is gone')).toBeVisible()
    await expect(other.getByText('orders')).toHaveCount(0)
    await stranger.close()
  })
})

test.describe(() => {
  test.use({ expectedErrors: /502|WebSocket|ERR_/ })

  test('while the API is away the console says so, and goes on by itself when it is back', async ({
    console: page,
  }) => {
    await page.goto('/')
    await expect(page.getByRole('heading', { name: 'Projects' })).toBeVisible()
    await processAction('api', 'stop')
    // Nothing subscribes on this page: the next request finds out.
    await page.getByRole('link', { name: 'Members' }).click()
    await expect(page.getByText('Connection lost, retrying')).toBeVisible()
    await processAction('api', 'start')
    await expect(page.getByText('Connection lost, retrying')).toBeHidden({ timeout: 90_000 })
    await expect(page.getByRole('cell', { name: /Ada \(you\)/ })).toBeVisible()
  })
})

test('a login that ends while at work is renewed in place', async ({ browser }) => {
  const context = await browser.newContext({ baseURL: stackFile().webUrl })
  const email = await signUp(context, 'Bo')
  const page = await context.newPage()
  await page.goto('/account')
  await expect(page.getByText(email).first()).toBeVisible()
  await context.clearCookies()
  await page.getByRole('link', { name: 'Tributary' }).click()
  const dialog = page.getByRole('dialog', { name: 'Your session has ended' })
  await expect(dialog).toBeVisible()
  await dialog.getByLabel('Password').fill('wrong password')
  await dialog.getByRole('button', { name: 'Sign in' }).click()
  await expect(dialog.getByRole('alert')).toBeVisible()
  await dialog.getByLabel('Password').fill('Bo has a long password')
  await dialog.getByRole('button', { name: 'Sign in' }).click()
  await expect(dialog).toBeHidden()
  await expect(page.getByRole('heading', { name: 'Projects' })).toBeVisible()
  await context.close()
})

test('whoever is not signed in is sent to the log-in page and comes back to where they meant to go', async ({
  browser,
}) => {
  const context = await browser.newContext({ baseURL: stackFile().webUrl })
  const page = await context.newPage()
  await page.goto('/account')
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible()
  await page.getByRole('link', { name: 'Create an account' }).click()
  await page.getByRole('button', { name: 'Create account' }).click()
  await expect(page.getByText('At least 8 characters.').first()).toBeVisible()
  await page.getByLabel('Name').fill('Cy')
  await page.getByLabel('Email').fill(`cy-${Date.now()}@example.com`)
  await page.getByLabel('Password').fill('Cy has a long password')
  await page.getByRole('button', { name: 'Create account' }).click()
  await expect(page.getByRole('heading', { name: 'Account' })).toBeVisible()
  await context.close()
})
