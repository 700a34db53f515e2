import { expect } from '@playwright/test'
import { createProject } from '../../fixtures/new-project.ts'
import { hasProgram, paste } from '../../fixtures/shell.ts'
import { graphqlAs, signUp, stackFile, test } from '../../fixtures/signed-in.ts'

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
  const shown = (await page.getByRole('group', { name: 'Example call' }).textContent()) ?? ''
  if (hasProgram('curl')) expect(JSON.parse(await paste(shown))).toHaveProperty('projects')
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

test('a viewer sees a project, and is told on each page of settings why there is nothing to change and who may', async ({
  console: page,
  browser,
}) => {
  const { id } = await createProject(page, 'looked-at')
  const context = await browser.newContext({ baseURL: stackFile().webUrl })
  const email = await signUp(context, 'Vi')
  const { project } = await graphqlAs<{ project: { organization: { id: string; slug: string } } }>(
    page,
    'query ($id: ID!) { project(id: $id) { organization { id slug } } }',
    { id },
  )
  const { inviteMember } = await graphqlAs<{ inviteMember: { invitation: { id: string } } }>(
    page,
    'mutation ($input: InviteMemberInput!) { inviteMember(input: $input) { invitation { id } } }',
    { input: { organizationId: project.organization.id, email, role: 'VIEWER' } },
  )
  const viewer = await context.newPage()
  await viewer.goto(`/invitations/${inviteMember.invitation.id}`)
  await viewer.getByRole('button', { name: 'Accept the invitation' }).click()
  await viewer.waitForURL((url) => !url.pathname.startsWith('/invitations'))

  const settings = `/projects/${id}/settings`
  const told: [address: string, words: RegExp, button?: string][] = [
    [`/projects/${id}/branches`, /View only/, 'New branch'],
    [settings, /Your role may look at these settings/, 'Delete project'],
    [`${settings}/quotas`, /Your role may look at the limits/],
    [`${settings}/roles`, /Your role may look at roles and databases/, 'New role'],
    [`${settings}/api-keys`, /not make keys for it/, 'New key'],
    [`${settings}/members`, /Owners and admins invite people/, 'Invite'],
    [`/orgs/${project.organization.slug}`, /Projects/, 'New project'],
    [`/orgs/${project.organization.slug}/api-keys`, /for owners and admins/, 'New key'],
    [`/orgs/${project.organization.slug}/audit`, /for owners and admins/],
  ]
  for (const [address, words, button] of told) {
    await viewer.goto(address)
    await expect(viewer.getByRole('main').or(viewer.getByRole('banner')).getByText(words).first()).toBeVisible()
    if (button) await expect(viewer.getByRole('button', { name: button, exact: true })).toBeDisabled()
  }
  await context.close()
})
