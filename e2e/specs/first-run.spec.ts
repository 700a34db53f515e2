import { expect, test } from '@playwright/test'
import { watchErrors } from '../fixtures/pages.ts'
import { stackFile } from '../fixtures/signed-in.ts'

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
  expect(errors).toEqual([])
  await demo.click()
  await expect(page).toHaveURL(/\/projects\/[^/]+$/)
  await expect(page.getByRole('heading', { name: 'Durability' })).toBeVisible()

  const context = await browser.newContext()
  const other = await context.newPage()
  await other.goto(signInUrl)
  await expect(other.getByRole('heading', { name: 'Projects', level: 1 })).toBeHidden()
  await context.close()
})
