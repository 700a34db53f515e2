import { type BrowserContext, expect, type Page, test } from '@playwright/test'
import { seriousFindings } from '../../fixtures/accessibility.ts'
import { demoPlace } from '../../fixtures/demo.ts'
import { otherPages, pagesOf, watchErrors } from '../../fixtures/pages.ts'
import { processAction, stackFile } from '../../fixtures/signed-in.ts'

// Before project-life.spec.ts, by name: a restart of the API makes a link that nobody has used anew.
test.describe.configure({ mode: 'serial' })

let session: Awaited<ReturnType<BrowserContext['storageState']>> = { cookies: [], origins: [] }

test('the sign-in link of the first start opens the console with the demo project, with no error in the browser, once', async ({
  page,
  browser,
}) => {
  const { signInUrl } = stackFile()
  const errors = watchErrors(page)
  await page.goto(signInUrl)
  await expect(page.getByRole('heading', { name: 'Projects', level: 1 })).toBeVisible()
  const demo = page.getByRole('table', { name: 'Projects' }).getByRole('link', { name: /^demo/ })
  await expect(demo).toBeVisible()
  session = await page.context().storageState()
  expect(errors).toEqual([])
  await demo.click()
  await expect(page).toHaveURL(/\/projects\/[^/]+$/)
  await expect(page.getByRole('heading', { name: 'Durability' })).toBeVisible()

  const context = await browser.newContext()
  const other = await context.newPage()
  await other.goto(signInUrl)
  await expect(other.getByRole('heading', { name: 'Sign in' })).toBeVisible()
  await context.close()
})

test('the tip of the demo moves on the page by itself, its transactions can be paused, and the command menu leads on', async ({
  browser,
}) => {
  test.setTimeout(240_000)
  const context = await browser.newContext({ baseURL: stackFile().webUrl, storageState: session })
  const page = await context.newPage()
  const { projectId } = await demoPlace()
  await page.goto(`/projects/${projectId}`)
  const main = page.getByRole('listitem').filter({ has: page.getByRole('link', { name: 'main', exact: true }) })
  const tip = main.getByText(/^[0-9A-F]+\/[0-9A-F]+$/)
  const before = await tip.textContent()
  await expect(tip).not.toHaveText(before ?? '', { timeout: 60_000 })
  await page.getByRole('button', { name: 'Pause' }).click()
  await expect(page.getByText('Transactions are paused')).toBeVisible()
  await page.getByRole('button', { name: 'Resume' }).click()
  await expect(page.getByText('Transactions are running')).toBeVisible()
  await page.keyboard.press('ControlOrMeta+k')
  await page.getByRole('dialog').getByRole('combobox').fill('monit')
  await page.keyboard.press('Enter')
  await page.waitForURL(/\/monitoring/)
  await expect(page.getByRole('heading', { name: 'Monitoring', level: 1 })).toBeVisible()
  await context.close()
})

test('a fault drill kills the compute under load and finds every acknowledged commit again', async ({ browser }) => {
  const context = await browser.newContext({ baseURL: stackFile().webUrl, storageState: session })
  const page = await context.newPage()
  await page.goto(`/projects/${(await demoPlace()).projectId}/storage`)
  await page.getByLabel('Fault', { exact: true }).selectOption('Kill the compute')
  await page.getByLabel('Lasts, seconds').fill('3')
  await page.getByRole('button', { name: 'Run drill' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Run drill' }).click()
  const report = page.getByRole('region', { name: 'Drill' })
  await expect(report.getByText('Every acknowledged commit was found')).toBeVisible({ timeout: 90_000 })
  await expect(report.getByText('Acknowledged before the fault')).toBeVisible()
  await context.close()
})

test('a SafeKeeper that is gone turns red on the page by itself, and green again when it is back', async ({
  browser,
}) => {
  const context = await browser.newContext({ baseURL: stackFile().webUrl, storageState: session })
  const page = await context.newPage()
  await page.goto(`/projects/${(await demoPlace()).projectId}/storage`)
  const keeper = page.getByRole('listitem').filter({ hasText: 'safekeeper-2' }).filter({ hasText: 'Flush LSN' })
  await expect(keeper.getByText('ready', { exact: true })).toBeVisible()
  const stoppedMs = Date.now()
  await processAction('safekeeper-2', 'stop')
  try {
    await expect(keeper).toHaveClass(/border-danger/)
    // Said, not judged: how soon depends on the machine.
    test.info().annotations.push({ type: 'red after', description: `${Date.now() - stoppedMs} ms` })
    await expect(page.getByText('Majority is up')).toBeVisible()
  } finally {
    await processAction('safekeeper-2', 'start')
  }
  await expect(keeper.getByText('ready', { exact: true })).toBeVisible({ timeout: 60_000 })
  await context.close()
})

test('no page of the console has a serious accessibility finding or an error in the browser, in light and in dark', async ({
  browser,
}) => {
  test.setTimeout(600_000)
  const context = await browser.newContext({ baseURL: stackFile().webUrl, storageState: session })
  const page = await context.newPage()
  const found = watchErrors(page)
  for (const address of pagesOf(await demoPlace())) found.push(...(await findingsAt(page, address)))
  await context.close()
  const stranger = await browser.newContext({ baseURL: stackFile().webUrl })
  const other = await stranger.newPage()
  // That nobody is signed in, or nothing is there, is what the browser may say here.
  for (const address of otherPages) found.push(...(await findingsAt(other, address)))
  await stranger.close()
  expect(found).toEqual([])
})

async function findingsAt(page: Page, address: string): Promise<string[]> {
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' })
  await page.goto(address)
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
  await expect(page.locator('[aria-busy=true], [role=status][aria-label^=Loading]')).toHaveCount(0)
  const found: string[] = []
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    await expect(page.locator('html')).toHaveClass(new RegExp(`\\b${colorScheme}\\b`))
    found.push(...(await seriousFindings(page)).map((finding) => `${address} ${colorScheme}: ${finding}`))
  }
  return found
}
