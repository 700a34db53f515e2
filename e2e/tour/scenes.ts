import { expect, type Page } from '@playwright/test'

/** One picture to take: a page, and what is done on it first. Without `isSignedIn` false it is the demo project's owner who looks. */
export interface Scene {
  readonly name: string
  readonly address: string
  readonly isSignedIn?: boolean
  prepare?(page: Page): Promise<void>
}

export interface TourPlace {
  readonly organization: string
  readonly projectId: string
  readonly branchId: string
  readonly endpointId: string
  /** A branch other than the default one, for what only such a branch has. */
  readonly childBranchId: string
}

const byCountry = `SELECT n.n_name AS nation, count(*) AS orders, round(sum(o.o_totalprice)) AS revenue
FROM orders o
JOIN customer c ON c.c_custkey = o.o_custkey
JOIN nation n ON n.n_nationkey = c.c_nationkey
GROUP BY n.n_name
ORDER BY revenue DESC
LIMIT 12`

/** Every page of the console, and the states of them that are worth a look. */
export function scenesOf(place: TourPlace): Scene[] {
  const organization = `/orgs/${place.organization}`
  const project = `/projects/${place.projectId}`
  const page = (name: string, address: string, prepare?: Scene['prepare']): Scene => ({
    name,
    address,
    ...(prepare ? { prepare } : {}),
  })
  return [
    { name: 'sign-in', address: '/sign-in', isSignedIn: false },
    { name: 'sign-up', address: '/sign-up', isSignedIn: false },
    page('projects', organization),
    page('new-project', `${organization}/new-project`),
    page('members', `${organization}/members`),
    page('organization-api-keys', `${organization}/api-keys`),
    page('usage', `${organization}/usage`),
    page('organization-audit', `${organization}/audit`),
    page('account', '/account'),
    page('new-organization', '/new-organization'),
    page('overview', project),
    page('command-menu', project, async (at) => {
      await at.keyboard.press('Control+k')
      await expect(at.getByRole('dialog')).toBeVisible()
    }),
    page('connect', project, async (at) => {
      await at.getByRole('button', { name: 'Connect' }).click()
      await expect(at.getByRole('group', { name: 'Connection string' })).toBeVisible()
    }),
    page('timeline', `${project}/timeline`),
    page('timeline-picked', `${project}/timeline`, async (at) => {
      await at.getByRole('table', { name: 'Timeline events' }).getByRole('button', { name: 'Pick' }).first().click()
    }),
    page('branches', `${project}/branches`),
    page('new-branch', `${project}/branches`, async (at) => {
      await at.getByRole('button', { name: 'New branch' }).click()
      await expect(at.getByRole('dialog')).toBeVisible()
    }),
    page('branch', `${project}/branches/${place.branchId}`),
    page('branch-menu', `${project}/branches/${place.branchId}`, async (at) => {
      await at.getByRole('button', { name: 'Actions' }).click()
      await expect(at.getByRole('menuitem', { name: 'Take a snapshot' })).toBeVisible()
    }),
    page('child-branch', `${project}/branches/${place.childBranchId}`),
    page('schema-diff', `${project}/branches/${place.childBranchId}/diff`),
    page('computes', `${project}/computes`),
    page('compute', `${project}/computes/${place.endpointId}`),
    page('sql', `${project}/sql`),
    page('sql-analytics', `${project}/sql`, async (at) => {
      await at.getByRole('radio', { name: 'Analytics' }).click()
      await at.getByRole('textbox', { name: 'SQL' }).click()
      await at.keyboard.press('Control+a')
      await at.keyboard.insertText(byCountry)
      await at.getByRole('button', { name: /^Run/ }).click()
      await expect(at.getByRole('region', { name: 'Freshness receipt' })).toBeVisible({ timeout: 60_000 })
    }),
    page('sql-error', `${project}/sql`, async (at) => {
      await at.getByRole('textbox', { name: 'SQL' }).click()
      await at.keyboard.press('Control+a')
      await at.keyboard.insertText('-- a column that is not there\nSELECT o_totalpric\nFROM orders\nLIMIT 10;\n')
      await at.getByRole('button', { name: /^Run/ }).click()
      await expect(at.getByText(/column .* does not exist/).first()).toBeVisible({ timeout: 60_000 })
    }),
    page('tables', `${project}/tables`),
    page('tables-lake', `${project}/tables`, async (at) => {
      await at.getByRole('tab', { name: 'Lake' }).click()
      await expect(at.getByRole('button', { name: /^Publish/ })).toBeVisible({ timeout: 60_000 })
    }),
    page('restore', `${project}/restore`),
    page('restore-preview', `${project}/restore`, async (at) => {
      await at.getByRole('button', { name: 'after the import' }).click()
      await expect(at.getByRole('heading', { name: 'As it was' })).toBeVisible({ timeout: 60_000 })
    }),
    page('storage', `${project}/storage`),
    page('storage-to-scale', `${project}/storage`, async (at) => {
      await at.getByRole('radio', { name: 'To scale' }).click()
    }),
    page('monitoring', `${project}/monitoring`),
    page('operations', `${project}/operations`),
    page('operation', `${project}/operations`, async (at) => {
      await at
        .getByRole('table', { name: 'Operations' })
        .getByRole('link', { name: 'Failover compute' })
        .first()
        .click()
      await expect(at.getByRole('dialog').getByText('Finished', { exact: true })).toBeVisible()
    }),
    page('audit', `${project}/audit`),
    ...['general', 'quotas', 'roles', 'api-keys', 'members'].map((name) =>
      page(`settings-${name}`, `${project}/settings${name === 'general' ? '' : `/${name}`}`),
    ),
    page('not-available', '/projects/no-such-project'),
    page('not-found', '/no/such/page'),
  ]
}
